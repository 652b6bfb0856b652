/** The report of a chaos run: what was done, what it cost, and which promises held, with evidence. */
import type { FeedEntry } from '@leasehold/protocol';
import type { Colors } from '../output.ts';
import {
  gapMsOf,
  lateWrites,
  type Quantiles,
  quantiles,
  type Report,
  rollbackReason,
  round,
} from '../report.ts';
import type { Judged, Seen, Standstill } from './checker.ts';
import type { FaultKind } from './faults.ts';
import type { FaultRecord } from './injector.ts';

export type Gaps = { readonly ms: Quantiles; readonly ticks: Quantiles };

/** Cells that changed hands because of a fault. */
export type ChaosTakeover = {
  readonly atS: number;
  readonly pod: string;
  readonly from: string;
  readonly cause: string;
  readonly cells: number;
  /** Those of them with somebody in them: gaps are theirs. */
  readonly busyCells: number;
  readonly gapMs: number;
  readonly gapTicks: number;
};

export type ChaosFault = Omit<FaultRecord, 'beginMs' | 'endMs'> & {
  /** Cells that others took over because of it. */
  readonly takenCells: number;
  /** For those cells: from the fault, or the former holder's last call, to the first tick. */
  readonly gaps: Gaps;
  /** The longest that clients were shown no newer tick of any cell, begun in or just after it. */
  readonly standstillMs: number;
};

export type Invariant = {
  readonly id: string;
  readonly promise: string;
  readonly verdict: 'held' | 'broken' | 'not checked';
  /** What was looked at, or what was found. */
  readonly evidence: string;
};

export type ChaosReport = {
  readonly verdict: 'passed' | 'failed';
  readonly reasons: readonly string[];
  readonly world: string;
  readonly mode: Report['mode'];
  readonly seed: number;
  readonly pods: number;
  readonly gateways: number;
  readonly ticks: number;
  readonly seconds: number;
  /** False when it was ended before every planned fault had begun. */
  readonly isComplete: boolean;
  readonly faults: readonly ChaosFault[];
  /** By kind, over the gaps of all cells that were taken over because of it. */
  readonly gaps: Readonly<Partial<Record<FaultKind, Gaps & { readonly standstillMs: number }>>>;
  readonly takeovers: readonly ChaosTakeover[];
  readonly invariants: readonly Invariant[];
  readonly throughput: {
    readonly commits: number;
    readonly commitsPerS: number;
    readonly ticksPerS: number;
    readonly fencedCommits: number;
    readonly fencedRenewals: number;
  };
  /** The outside checker; null without gateways. */
  readonly clients: Omit<Judged, 'type'> | null;
  readonly stateHash: string | null;
  readonly progress: readonly {
    readonly atS: number;
    readonly tick: number;
    readonly live: number;
  }[];
  readonly standstills: readonly {
    readonly fromS: number;
    readonly toS: number;
    readonly tick: number;
  }[];
  /** Everything that `leasehold run` reports. */
  readonly run: Report;
  readonly exitCode: 0 | 1;
};

export type ChaosFacts = {
  readonly run: Report;
  readonly feed: readonly FeedEntry[];
  readonly records: readonly FaultRecord[];
  readonly seed: number;
  readonly gateways: number;
  readonly isComplete: boolean;
  readonly expectedHash: string;
  /** On the store's clock, which is the machine's here. */
  readonly runningSinceMs: number;
  readonly rateHz: number;
  readonly leaseTtlMs: number;
  /** From the end of the last fault until pods that live held every cell; undefined = never. */
  readonly heldMs: number | undefined;
  readonly judged: Judged | undefined;
  readonly seen: readonly Seen[];
  readonly standstills: readonly Standstill[];
  /** What ended the run before its time, in words. */
  readonly failures: readonly string[];
};

/** W1: every cell has a holder so soon after faults stop. */
export const HELD_MS_MAX = 10_000;
/** A takeover shows this long after the fault: lease, grace, claim and load, on a busy machine. */
const AFTERMATH_MS = 6_000;
const SAID_MAX = 3;

export function chaosReportOf(facts: ChaosFacts): ChaosReport {
  const { run, records } = facts;
  const takeovers = takeoversOf(facts);
  const faults = records.map((record) => chaosFault(record, takeovers, facts));
  const invariants = invariantsOf(facts, takeovers);
  const broken = invariants.filter(({ verdict }) => verdict === 'broken');
  const reasons = [...broken.map(({ id, evidence }) => `${id}: ${evidence}`), ...facts.failures];
  const since = (atMs: number): number => round((atMs - facts.runningSinceMs) / 1000);
  const { type: _, ...clients } = facts.judged ?? { type: undefined };
  return {
    verdict: reasons.length === 0 ? 'passed' : 'failed',
    reasons: [...new Set(reasons)],
    world: run.world,
    mode: run.mode,
    seed: facts.seed,
    pods: run.pods,
    gateways: facts.gateways,
    ticks: run.ticks,
    seconds: run.seconds,
    isComplete: facts.isComplete,
    faults,
    gaps: gapsByKind(faults, takeovers, records, facts),
    takeovers: takeovers.map(({ resumedAtMs: _at, ...takeover }) => takeover),
    invariants,
    throughput: {
      commits: run.commits,
      commitsPerS: round(run.commits / Math.max(1, run.seconds), 1),
      ticksPerS: round(run.ticks / Math.max(1, run.seconds), 1),
      fencedCommits: run.fencedCommits,
      fencedRenewals: run.fencedRenewals,
    },
    clients: facts.judged === undefined ? null : (clients as Omit<Judged, 'type'>),
    stateHash: run.stateHash,
    progress: facts.seen.map(({ atMs, tick, live }) => ({ atS: since(atMs), tick, live })),
    standstills: facts.standstills
      .filter(({ toMs }) => toMs >= facts.runningSinceMs)
      .map(({ fromMs, toMs, tick }) => ({ fromS: since(fromMs), toS: since(toMs), tick })),
    run,
    exitCode: reasons.length === 0 ? 0 : 1,
  };
}

type Taken = ChaosTakeover & { readonly resumedAtMs: number };

/** What changed hands other than in order, or from somebody whom a fault had befallen. */
function takeoversOf({ feed, runningSinceMs, records, rateHz, run }: ChaosFacts): Taken[] {
  return feed
    .filter(({ kind, facts }) => kind === 'takeover' && isSudden(String(facts['cause'])))
    .map(({ pod, facts }) => {
      const from = String(facts['from'] ?? '');
      const resumedAtMs = Number(facts['resumedAtMs'] ?? 0);
      const kill = records.find(({ kind, target }) => kind === 'kill' && target === from);
      const gapMs = gapMsOf(facts, { sinceMs: kill?.beginMs, runningSinceMs });
      const missed = run.mode === 'realtime' ? Math.round((gapMs * rateHz) / 1000) - 1 : 0;
      return {
        atS: round((resumedAtMs - runningSinceMs) / 1000),
        ...{ pod, from, cause: String(facts['cause']), resumedAtMs },
        cells: Math.max(1, Number(facts['cells'] ?? 1)),
        busyCells: Number(facts['busyCells'] ?? 0),
        gapMs: round(gapMs),
        gapTicks: Math.max(0, missed),
      };
    });
}

const isSudden = (cause: string): boolean => cause === 'revoked' || cause === 'expired';

function isOf(takeover: Taken, record: FaultRecord): boolean {
  const { kind, target, beginMs, endMs } = record;
  const isVictim = takeover.from === target || (kind === 'rolling' && target === 'all pods');
  const isThen = takeover.resumedAtMs >= beginMs && takeover.resumedAtMs <= endMs + AFTERMATH_MS;
  return isVictim && isThen;
}

function gapsOfTakeovers(takeovers: readonly Taken[]): Gaps {
  const spread = (of: (takeover: Taken) => number): Quantiles =>
    quantiles(takeovers.flatMap((taken) => Array<number>(taken.busyCells).fill(of(taken))));
  return { ms: spread(({ gapMs }) => gapMs), ticks: spread(({ gapTicks }) => gapTicks) };
}

function chaosFault(
  record: FaultRecord,
  takeovers: readonly Taken[],
  facts: ChaosFacts,
): ChaosFault {
  const { beginMs: _, endMs: __, ...said } = record;
  const own = takeovers.filter((takeover) => isOf(takeover, record));
  return {
    ...said,
    takenCells: own.reduce((sum, { cells }) => sum + cells, 0),
    gaps: gapsOfTakeovers(own),
    standstillMs: standstillOf(record, facts),
  };
}

function standstillOf({ beginMs, endMs }: FaultRecord, { standstills }: ChaosFacts): number {
  return standstills
    .filter(({ fromMs, toMs }) => toMs > beginMs && fromMs < endMs + 1_000)
    .reduce((most, { fromMs, toMs }) => Math.max(most, toMs - fromMs), 0);
}

function gapsByKind(
  faults: readonly ChaosFault[],
  takeovers: readonly Taken[],
  records: readonly FaultRecord[],
  facts: ChaosFacts,
): ChaosReport['gaps'] {
  const kinds = [...new Set(faults.map(({ kind }) => kind))];
  return Object.fromEntries(
    kinds.map((kind) => {
      const those = records.filter((record) => record.kind === kind);
      const own = takeovers.filter((taken) => those.some((record) => isOf(taken, record)));
      const still = those.map((record) => standstillOf(record, facts));
      return [kind, { ...gapsOfTakeovers(own), standstillMs: Math.max(0, ...still) }];
    }),
  );
}

/** Each promise, judged from the auditor's word, the feed and what clients saw. */
function invariantsOf(facts: ChaosFacts, takeovers: readonly Taken[]): Invariant[] {
  const { run, judged, heldMs } = facts;
  const { auditor } = run;
  const wrong = (...rules: readonly string[]): string[] =>
    run.violations
      .filter(({ rule }) => rules.includes(rule))
      .map(({ rule, cell, message }) => `${rule} in cell ${cell}: ${message}`);
  const gone = rollbackReason(auditor);
  const rollbacks = `${auditor.rollbacks.length} rollbacks, ${auditor.healedCells} cells healed`;
  const unresting = auditor.isAtRest ? [] : ['the world was not at rest when it was judged'];
  const lost = run.lost + auditor.unaccounted;
  return [
    judge('L1', 'no commit of a lease that has ended', wrong('L1', 'L2'), {
      evidence: `of commits ${lateWrites(run)} refused, ${auditor.checked.entries} entries read`,
    }),
    judge(
      'L3',
      'every log whole and chained, no committed tick lost',
      gone === undefined ? wrong('L3') : [...wrong('L3'), gone],
      {
        evidence: `${auditor.checked.entries} entries, ${auditor.checked.checkpoints} checkpoints; ${rollbacks}`,
      },
    ),
    judge('L5', 'no healthy pod loses its cells', evicted(facts, takeovers), {
      evidence: `${takeovers.length} takeovers, all from pods that something was done to`,
    }),
    judge(
      'E1',
      'every entity in exactly one place',
      [...wrong('E1'), ...counted(run.duplicated, 'duplicated'), ...unresting],
      { evidence: `${run.entitiesEnd} entities counted at rest, none twice` },
    ),
    judge(
      'E2',
      'nobody lost, nobody back from the dead',
      [...wrong('E2'), ...counted(lost, 'lost')],
      {
        evidence: `${run.entitiesStart} + ${run.created} created - ${run.deleted} deleted = ${run.entitiesEnd}`,
      },
    ),
    viewsInvariant(judged),
    judge('W1', `every cell held ${HELD_MS_MAX / 1000} s after the last fault`, unheld(heldMs), {
      evidence: `held after ${round((heldMs ?? 0) / 1000)} s`,
    }),
    stateInvariant(facts),
  ];
}

function judge(
  id: string,
  promise: string,
  faults: readonly string[],
  { evidence }: { readonly evidence: string },
): Invariant {
  if (faults.length === 0) return { id, promise, verdict: 'held', evidence };
  const more = faults.length > SAID_MAX ? `, and ${faults.length - SAID_MAX} more` : '';
  return {
    ...{ id, promise, verdict: 'broken' },
    evidence: `${faults.slice(0, SAID_MAX).join('; ')}${more}`,
  };
}

const counted = (count: number, what: string): string[] => (count > 0 ? [`${count} ${what}`] : []);

function unheld(heldMs: number | undefined): string[] {
  if (heldMs === undefined) return [`cells were without a holder for ${HELD_MS_MAX / 1000} s`];
  return heldMs <= HELD_MS_MAX ? [] : [`it took ${round(heldMs / 1000)} s`];
}

/** Takeovers from pods that nothing had been done to: the store was away, and they paid for it. */
function evicted({ records, leaseTtlMs }: ChaosFacts, takeovers: readonly Taken[]): string[] {
  const harms: ReadonlySet<FaultKind> = new Set(['kill', 'stop', 'partition', 'rolling']);
  const isHarmed = (taken: Taken): boolean =>
    records.some(
      ({ kind, target, beginMs, endMs }) =>
        harms.has(kind) &&
        (target === taken.from || kind === 'rolling') &&
        taken.resumedAtMs >= beginMs &&
        taken.resumedAtMs <= endMs + 2 * leaseTtlMs + AFTERMATH_MS,
    );
  return takeovers
    .filter((taken) => !isHarmed(taken))
    .map(({ from, cells, atS, cause }) => `${from} lost ${cells} cells at ${atS} s (${cause})`);
}

function viewsInvariant(judged: Judged | undefined): Invariant {
  const promise = 'every client sees the truth, or is told that it is told anew';
  if (judged === undefined) {
    return { id: 'V1', promise, verdict: 'not checked', evidence: 'no client watched' };
  }
  const { clients, compared, resyncs, reconnects, differing, agreedMs } = judged;
  const faults = [
    ...(differing > 0
      ? [`${differing} differences: ${judged.differences.slice(0, 1).join()}`]
      : []),
    ...judged.vanished,
    ...judged.wrongs,
    ...judged.faults,
  ];
  const evidence =
    `${clients} clients, ${compared} entities compared, all equal ${agreedMs} ms after rest; ` +
    `${resyncs} resyncs told, ${reconnects} reconnects`;
  return judge('V1', promise, faults, { evidence });
}

function stateInvariant({ run, expectedHash }: ChaosFacts): Invariant {
  const promise = 'in lockstep the same state, whatever happens';
  const hash = run.stateHash ?? 'none, as cells stand at different ticks';
  if (run.mode !== 'lockstep') {
    return { id: 'T1', promise, verdict: 'not checked', evidence: 'it ran in realtime' };
  }
  if (run.stateHash === null) {
    return { id: 'T1', promise, verdict: 'broken', evidence: `state hash: ${hash}` };
  }
  if (expectedHash === '') {
    const evidence = `state hash ${hash}; --expect compares it with that of another run`;
    return { id: 'T1', promise, verdict: 'not checked', evidence };
  }
  const isSame = hash === expectedHash;
  const evidence = isSame ? `state hash ${hash}, as expected` : `${hash}, not ${expectedHash}`;
  return { id: 'T1', promise, verdict: isSame ? 'held' : 'broken', evidence };
}

/** The report for people. */
export function chaosSummary(report: ChaosReport, colors: Colors): string[] {
  const { bold, dim, green, red } = colors;
  const isPassed = report.verdict === 'passed';
  const row = (name: string, text: string): string => `  ${dim(name.padEnd(14))} ${text}`;
  const { throughput, run } = report;
  const lines = [
    `${bold(report.world)} ${isPassed ? green(bold('passed')) : red(bold('FAILED'))}: ` +
      `${report.faults.length} faults, ${report.ticks} ticks in ${report.seconds} s, ` +
      `${report.mode}, ${report.pods} pods, seed ${report.seed}`,
    row('throughput', `${throughput.commitsPerS} commits/s, ${throughput.ticksPerS} ticks/s`),
    row('tick', `p50 ${run.tickMs.p50} ms, p99 ${run.tickMs.p99} ms`),
  ];
  if (report.stateHash !== null) lines.push(row('state hash', report.stateHash));
  for (const [kind, { ms, ticks, standstillMs }] of Object.entries(report.gaps)) {
    const count = report.faults.filter((fault) => fault.kind === kind).length;
    const gaps =
      ms.max === 0
        ? 'no cell was taken over'
        : `gaps p50 ${ms.p50} ms, p99 ${ms.p99} ms, max ${ms.max} ms (${ticks.max} ticks)`;
    const still = standstillMs > 0 ? `; clients saw nothing new for ${standstillMs} ms` : '';
    lines.push(row(`${count} × ${kind}`, `${gaps}${still}`));
  }
  for (const { id, verdict, promise, evidence } of report.invariants) {
    const mark = { held: green('✓'), broken: red('✗'), 'not checked': dim('-') }[verdict];
    lines.push(`  ${mark} ${bold(id)} ${promise}: ${dim(evidence)}`);
  }
  if (!report.isComplete) lines.push(row('ended early', 'not every planned fault was done'));
  if (!isPassed) lines.push(row('because', report.reasons.join('; ')));
  return lines;
}
