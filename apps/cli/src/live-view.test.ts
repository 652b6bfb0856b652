import pc from 'picocolors';
import { expect, test } from 'vitest';
import type { Pod } from './fleet.ts';
import { plainLine, type ViewFacts, viewLines } from './live-view.ts';

const plain = pc.createColors(false);

const pod = (name: string, pid: number, more: Partial<Pod> = {}): Pod =>
  ({
    name,
    child: { pid, exit: undefined },
    state: 'running',
    report: { cells: 64, entities: 1_000, tickMsP50: 1.5 },
    ...more,
  }) as unknown as Pod;

const facts = (more: Partial<ViewFacts> = {}): ViewFacts => ({
  world: 'w',
  address: '',
  mode: 'realtime',
  elapsedS: 12.4,
  pods: [pod('pod-1', 101), pod('pod-2', 102)],
  audit: {
    alive: 2_000,
    created: 5,
    deleted: 4,
    inFlight: 3,
    lost: 0,
    duplicated: 0,
    unaccounted: 0,
    violations: 0,
    blindSpots: 0,
    rollbacks: 0,
    tick: 248,
    tickMin: 247,
    isConnected: true,
    type: 'status',
    entries: 0,
  },
  takeovers: 1,
  handovers: 0,
  kills: 0,
  stops: 0,
  commitsPerS: new Map([['pod-1', 640]]),
  events: ['   11 s  something'],
  ...more,
});

test('the view has the world, its figures, aligned pods, what one may do, and what happened', () => {
  const lines = viewLines(facts(), plain);
  expect(lines[0]).toBe('w  realtime, 12 s, tick 248');
  expect(lines[1]).toBe('  2000 entities (5 born, 4 died, 3 between cells), no violation');
  const [title, first, second] = lines.slice(2, 5);
  expect([title?.length, first?.length, second?.length]).toEqual([71, 71, 71]);
  expect(first?.trim().split(/\s+/)).toEqual([
    'pod-1',
    '101',
    'running',
    '64',
    '1000',
    '1.50',
    '640',
  ]);
  expect(lines[5]).toBe('  2 pods, 1 takeover, 0 handovers, 0 kills, 0 freezes');
  expect(lines[6]).toBe(
    '  kill -9 101: the others take its cells. Ctrl-C ends it; the world stays.',
  );
  expect(lines[7]).toBe('   11 s  something');
});

test('the address of the map is the first line, for as long as there is one', () => {
  const address = `http://127.0.0.1:7300/#token=${'0'.repeat(32)}`;
  expect(viewLines(facts({ address }), plain)[0]).toBe(`map  ${address}`);
  expect(viewLines(facts(), plain)[0]).toMatch(/^w {2}realtime/);
});

test('it fits a terminal of 80 columns', () => {
  const long = pod('pod-zzzz-9999', 4_194_304, {
    report: { cells: 1e6, entities: 1e7, tickMsP50: 999 },
  } as Partial<Pod>);
  const lines = viewLines(facts({ pods: [long, pod('b', 1)], events: [] }), plain);
  for (const line of lines) expect(line.length, line).toBeLessThan(80);
});

test('a pod that is gone is not shown, and nobody is asked to kill the last one', () => {
  const gone = pod('pod-1', 101);
  const ended = { ...gone, child: { pid: 101, exit: { code: 0, signal: null } } } as unknown as Pod;
  const text = viewLines(facts({ pods: [ended, pod('pod-2', 102)] }), plain).join('\n');
  expect(text).not.toContain('101');
  expect(text).not.toContain('kill -9');
});

test('of many pods some are shown, and how many more there are', () => {
  const pods = Array.from({ length: 20 }, (_, i) => pod(`p${i}`, i + 1));
  expect(viewLines(facts({ pods }), plain)).toContain('  and 8 more');
});

test('a violation is told, in the view and in plain lines', () => {
  const { audit } = facts();
  const bad = facts({ audit: { ...(audit as NonNullable<typeof audit>), violations: 2 } });
  expect(viewLines(bad, plain)[1]).toContain('2 VIOLATIONS');
  expect(plainLine(bad)).toBe('12 s, tick 248, 2000 entities, 2 pods, 1 takeover, 2 violations');
});
