import type { FeedEntry } from '@leasehold/protocol';
import { describe, expect, test } from 'vitest';
import type { Verdict } from './auditor-process.ts';
import { exitReasons, frozenOf, gapsOf, podTotals, quantiles, takeoversOf } from './report.ts';

const takeover = (over: FeedEntry['facts']): FeedEntry => {
  const facts: FeedEntry['facts'] = {
    ...{ cells: 4, from: 'a', cause: 'revoked', lastAtMs: 900 },
    ...over,
  };
  const gapMs = Number(facts['resumedAtMs'] ?? 0) - Number(facts['lastAtMs']);
  const own = { block: 3, busyCells: facts['cells'] as number, gapMs, ...facts };
  return { atMs: 0, kind: 'takeover', pod: 'b', facts: own };
};

const verdict: Verdict = {
  isAtRest: true,
  entitiesStart: 1,
  entitiesEnd: 1,
  created: 0,
  deleted: 0,
  lost: 0,
  lostEntities: [],
  duplicated: 0,
  duplicatedEntities: [],
  unaccounted: 0,
  inFlight: 0,
  existing: { count: 1, hash: '' },
  violations: [],
  violationCount: 0,
  blindSpotCount: 0,
  rollbacks: [],
  healedCells: 0,
  rewrittenCells: 0,
  unhealedCells: 0,
  unhealed: [],
  tickMin: 1,
  tickMax: 1,
  stateHash: null,
  memoryBytes: 0,
  checked: { entries: 0, checkpoints: 0, channelEntries: 0, channelEntriesUnseen: 0, metas: 0 },
};

describe('report', () => {
  test('quantiles are of the nearest rank, and of nothing they are zero', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(quantiles(hundred)).toEqual({ p50: 50, p99: 99, max: 100 });
    expect(quantiles([7])).toEqual({ p50: 7, p99: 7, max: 7 });
    expect(quantiles([])).toEqual({ p50: 0, p99: 0, max: 0 });
  });

  test('a gap after a kill counts from the kill, others from the last call of the holder', () => {
    const times = { kills: [{ pod: 'a', atMs: 1_000 }], stops: [], runningSinceMs: 0, rateHz: 10 };
    const [killed, expired] = takeoversOf(
      [takeover({ resumedAtMs: 1_450 }), takeover({ from: 'c', resumedAtMs: 3_900 })],
      times,
    );
    expect(killed).toMatchObject({ cause: 'killed', gapMs: 450, gapTicks: 4 });
    expect(expired).toMatchObject({ cause: 'revoked', gapMs: 3_000, gapTicks: 29 });
  });

  test('a takeover before the kill is not its doing', () => {
    const times = { kills: [{ pod: 'a', atMs: 5_000 }], stops: [], runningSinceMs: 0, rateHz: 10 };
    expect(takeoversOf([takeover({ resumedAtMs: 1_000 })], times)).toMatchObject([
      { cause: 'revoked', gapMs: 100 },
    ]);
  });

  test('no tick was missed before time ran, and none ever is in lockstep', () => {
    const times = { kills: [], stops: [], runningSinceMs: 2_000, rateHz: 10 };
    expect(takeoversOf([takeover({ resumedAtMs: 2_050 })], times)).toMatchObject([{ gapMs: 50 }]);
    const lockstep = { ...times, runningSinceMs: 0, rateHz: 0 };
    expect(takeoversOf([takeover({ resumedAtMs: 2_050 })], lockstep)).toMatchObject([
      { gapMs: 1_150, gapTicks: 0 },
    ]);
  });

  test('a pod that was frozen is named as the cause, unless it handed over', () => {
    const times = { kills: [], stops: [{ pod: 'a', atMs: 950 }], runningSinceMs: 0, rateHz: 10 };
    const feed = [
      takeover({ resumedAtMs: 3_000 }),
      takeover({ resumedAtMs: 3_000, cause: 'handover' }),
    ];
    expect(takeoversOf(feed, times).map(({ cause }) => cause)).toEqual(['stopped', 'handover']);
  });

  test('a gap weighs as many cells as it stopped', () => {
    const times = { kills: [], stops: [], runningSinceMs: 0, rateHz: 10 };
    const feed = [
      takeover({ cells: 98, resumedAtMs: 1_000 }),
      takeover({ cells: 2, resumedAtMs: 1_900 }),
    ];
    const gaps = gapsOf(takeoversOf(feed, times));
    expect(gaps.all.ms).toEqual({ p50: 100, p99: 1_000, max: 1_000 });
    expect(gaps.killed.ms.max).toBe(0);
  });

  test('what moved in order a few cells at a time has the gap of each, and nobody waits in an empty cell', () => {
    const times = { kills: [], stops: [], runningSinceMs: 0, rateHz: 10 };
    const moved = { cause: 'handover', resumedAtMs: 1_900 };
    const feed = [
      takeover({ ...moved, cells: 16, gapMs: 90 }),
      takeover({ ...moved, cells: 80, busyCells: 0, gapMs: 0 }),
    ];
    const taken = takeoversOf(feed, times);
    expect(taken.map(({ gapMs, gapTicks }) => [gapMs, gapTicks])).toEqual([
      [90, 0],
      [0, 0],
    ]);
    expect(gapsOf(taken).all.ms).toEqual({ p50: 90, p99: 90, max: 90 });
  });

  test('a frozen cell is told once, with the last reason, whoever tried it', () => {
    const frozen = (pod: string, cell: number, why: string): FeedEntry => ({
      ...{ atMs: 0, kind: 'frozen', pod, facts: { cell, why } },
    });
    const feed = [frozen('a', 7, 'first'), frozen('b', 3, 'other'), frozen('b', 7, 'last')];
    expect(frozenOf([...feed, takeover({})])).toEqual([
      { cell: 3, why: 'other' },
      { cell: 7, why: 'last' },
    ]);
  });

  test('totals add up pods, and their tick times weigh by ticks', () => {
    const totals = podTotals([
      { ticks: 100, commits: 5, fenced: 1, tickMsP50: 2, tickMsP99: 9 },
      { ticks: 300, commits: 7, fenced: 0, tickMsP50: 4, tickMsP99: 7 },
      {},
    ]);
    expect(totals).toMatchObject({ commits: 12, fenced: 1, tickMs: { p50: 3.5, p99: 9 } });
  });

  test('only a whole world at rest, run by pods that lasted, has no reason to fail', () => {
    expect(exitReasons(verdict, [])).toEqual([]);
    expect(exitReasons({ ...verdict, lost: 2 }, [])).toEqual(['2 lost']);
    expect(exitReasons({ ...verdict, duplicated: 1 }, [])).toEqual(['1 duplicated']);
    expect(exitReasons({ ...verdict, unaccounted: 1 }, [])).toHaveLength(1);
    expect(exitReasons({ ...verdict, isAtRest: false }, [])).toHaveLength(1);
    const violations = [{ rule: 'L2', cell: 0, message: '' } as const];
    const broken = { ...verdict, violations, violationCount: 1 };
    expect(exitReasons(broken, [])).toEqual(['1 violations of L2']);
    expect(exitReasons(verdict, ['pod a ended by itself'])).toEqual(['pod a ended by itself']);
  });

  test('a rollback is a reason to fail unless all that it took was appended again', () => {
    const at = { fromSeq: 9, toSeq: 5, entitiesBefore: 1, entitiesAfter: 1 };
    const back = { ...verdict, rollbacks: [{ cells: 3, firstCell: 4, ...at }] };
    expect(exitReasons({ ...back, healedCells: 3 }, [])).toEqual([]);
    const lost = 'committed ticks were lost in a rollback: ';
    expect(exitReasons({ ...back, healedCells: 1, rewrittenCells: 2 }, [])).toEqual([
      `${lost}2 cells went on differently`,
    ]);
    const unhealed = [4, 7].map((cell) => ({ cell, seq: 9, endSeq: 6 }));
    expect(exitReasons({ ...back, unhealedCells: 2, unhealed }, [])).toEqual([
      `${lost}2 cells (4, 7) did not come as far again`,
    ]);
    const both = { ...back, rewrittenCells: 1, unhealedCells: 12, unhealed };
    expect(exitReasons(both, [])).toEqual([
      `${lost}12 cells (4, 7, …) did not come as far again, 1 cells went on differently`,
    ]);
  });
});
