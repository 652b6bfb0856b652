/** What a chaos run may have seen, for tests of its report and its page. */
import type { FeedEntry } from '@leasehold/protocol';
import type { Report } from '../report.ts';
import type { Judged } from './checker.ts';
import type { FaultRecord } from './injector.ts';
import type { ChaosFacts } from './report.ts';

const SINCE_MS = 1_000_000;
const NONE = { p50: 0, p99: 0, max: 0 };
const NO_GAPS = { ms: NONE, ticks: NONE };

export const runReport = (over: Partial<Report> = {}): Report => ({
  ...{ world: 'flocking', incarnation: 1, continued: false, mode: 'realtime', seed: 1 },
  ...{ ticks: 400, seconds: 20, pods: 3, entitiesStart: 100, entitiesEnd: 101, created: 3 },
  ...{
    deleted: 2,
    layers: [],
    lost: 0,
    duplicated: 0,
    violations: [],
    violationCount: 0,
    takeovers: [],
  },
  gaps: { all: NO_GAPS, killed: NO_GAPS, stopped: NO_GAPS },
  ...{
    kills: 1,
    stops: 0,
    scaling: [],
    jumps: 0,
    dueTicks: 9_000,
    lateTicks: 9,
    frozenCells: 0,
    frozen: [],
    commits: 8_000,
  },
  ...{ fencedCommits: 7, fencedRenewals: 2, stateHash: null, exitCode: 0, reasons: [] },
  redis: { kind: 'private', bytesPerTick: 1, commandsPerTick: 1, memoryBytes: 1 },
  tickMs: { p50: 1, p99: 2 },
  auditor: {
    ...{ isAtRest: true, unaccounted: 0, inFlight: 0, blindSpotCount: 0, rollbacks: [] },
    ...{ healedCells: 0, rewrittenCells: 0, unhealedCells: 0, unhealed: [] },
    ...{ lostEntities: [], duplicatedEntities: [] },
    checked: { entries: 9, checkpoints: 8, channelEntries: 7, channelEntriesUnseen: 6, metas: 5 },
  },
  ...over,
});

export const faultRecord = (over: Partial<FaultRecord> = {}): FaultRecord => ({
  ...{ kind: 'kill', target: 'pod-1', what: 'SIGKILL', beginS: 2, endS: 2.01 },
  ...{ beginMs: SINCE_MS + 2_000, endMs: SINCE_MS + 2_010, beginTick: 40, endTick: 40 },
  ...over,
});

export const judged = (over: Partial<Judged> = {}): Judged => ({
  ...{ type: 'judged', clients: 8, entities: 101, compared: 600, differing: 0, differences: [] },
  ...{ vanished: [], wrongs: [], faults: [], resyncs: 1, reconnects: 2, frames: 3, bytes: 4 },
  agreedMs: 12,
  ...over,
});

/** A block taken over, `afterMs` since time runs. */
export const takeover = (facts: FeedEntry['facts'], afterMs = 2_400): FeedEntry => ({
  ...{ atMs: SINCE_MS + afterMs, kind: 'takeover', pod: 'pod-2' },
  facts: {
    ...{ cause: 'revoked', from: 'pod-1', block: 3, cells: 4, busyCells: 4 },
    lastAtMs: SINCE_MS + 1_990,
    resumedAtMs: SINCE_MS + afterMs,
    ...facts,
  },
});

export const chaosFacts = (over: Partial<ChaosFacts> = {}): ChaosFacts => ({
  run: runReport(),
  feed: [takeover({})],
  records: [faultRecord()],
  ...{ seed: 1, gateways: 1, isComplete: true, expectedHash: '', runningSinceMs: SINCE_MS },
  ...{ rateHz: 20, leaseTtlMs: 2_000, heldMs: 40 },
  judged: judged(),
  seen: [
    { atMs: SINCE_MS, tick: 0 },
    { atMs: SINCE_MS + 20_000, tick: 400 },
  ].map((seen) => ({
    ...seen,
    ...{ type: 'seen' as const, live: 8, clients: 8, resyncs: 0, reconnects: 0, frames: 0 },
  })),
  standstills: [{ type: 'standstill', fromMs: SINCE_MS + 2_005, toMs: SINCE_MS + 2_405, tick: 40 }],
  failures: [],
  ...over,
});
