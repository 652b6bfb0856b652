import { expect, test } from 'vitest';
import { Happenings } from './happenings.ts';

const takeover = (pod: string, facts: Readonly<Record<string, string | number>>) => ({
  atMs: 0,
  kind: 'takeover',
  pod,
  facts: { from: 'pod-1', cause: 'revoked', cells: 16, gapMs: 90.4, gapTicks: 0, ...facts },
});

test('blocks that one pod takes of another at once are one line with the longest gap', () => {
  const happenings = new Happenings();
  happenings.hear(10, takeover('pod-2', {}));
  happenings.hear(10, takeover('pod-3', {}));
  happenings.hear(11, takeover('pod-2', { gapMs: 210, gapTicks: 1, cells: 8 }));
  expect(happenings.lines).toEqual([
    '   10 s  pod-3 took 16 cells of pod-1 (gone), gap 90 ms, 0 ticks',
    '   10 s  pod-2 took 24 cells of pod-1 (gone), gap 210 ms, 1 tick',
  ]);
  expect(happenings.takeovers).toBe(3);
});

test('what comes later, or for another cause, is a line of its own; order is newest first', () => {
  const happenings = new Happenings();
  happenings.hear(1, takeover('pod-2', { cause: 'handover' }));
  happenings.hear(1, takeover('pod-2', { cause: 'expired' }));
  happenings.hear(60, takeover('pod-2', { cause: 'handover' }));
  expect(happenings.lines.map((line) => line.slice(0, 7).trim())).toEqual(['60 s', '1 s', '1 s']);
  expect([happenings.takeovers, happenings.handovers]).toEqual([1, 2]);
});

test('what was left before time ran is no takeover, and its age no gap', () => {
  const happenings = new Happenings();
  happenings.runningSinceMs = 5_000;
  happenings.hear(0, takeover('pod-2', { lastAtMs: 1_000, gapMs: 4_000, gapTicks: 40 }));
  happenings.hear(0, takeover('pod-2', { lastAtMs: 2_000, cause: 'released' }));
  expect(happenings.lines).toEqual(['    0 s  pod-2 starts with 32 cells of pod-1']);
  expect([happenings.takeovers, happenings.handovers]).toEqual([0, 0]);
});

test('other entries of the feed are told with their facts, and only the last few are kept', () => {
  const happenings = new Happenings();
  happenings.hear(0, { atMs: 0, kind: 'jump', pod: 'pod-1', facts: { cell: 3, jumped: 20 } });
  expect(happenings.lines).toEqual(['    0 s  pod-1 jump: cell 3, jumped 20']);
  const facts = { region: 2, cell: 3, tickMs: 400, budgetMs: 50 };
  happenings.hear(0, { atMs: 0, kind: 'overloaded', pod: 'pod-1', facts });
  expect(happenings.lines[0]).toContain('pod-1 OVERLOADED: region 2, cell 3, tickMs 400, budgetMs');
  for (let i = 0; i < 20; i++) happenings.say(i, `event ${i}`);
  expect(happenings.lines).toHaveLength(8);
  expect(happenings.lines[0]).toContain('event 19');
});
