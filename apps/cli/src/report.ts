/** The report of a run: its one JSON value, the reasons for its exit code, and its human form. */
import type { FeedEntry, PodRecord } from '@leasehold/protocol';
import type { Verdict } from './auditor-process.ts';
import type { LayerCount } from './auditors.ts';
import type { Colors } from './output.ts';

export type Takeover = {
  /** Why the block came free: `killed` and `stopped` were done by this run. */
  readonly cause: string;
  /** Who took over, and from whom. */
  readonly pod: string;
  readonly from: string;
  readonly block: number;
  readonly cells: number;
  /** Those of them with somebody in them: in the others nobody stood still. */
  readonly busyCells: number;
  /**
   * The longest of a busy cell: from the kill, if there was one, else from the former holder's last
   * call, to the first tick.
   */
  readonly gapMs: number;
  readonly gapTicks: number;
};

export type Quantiles = { readonly p50: number; readonly p99: number; readonly max: number };

export type Kill = { readonly pod: string; readonly atMs: number };

/** A pod that came or went because the authority wanted more or fewer, and its words for it. */
export type Scaling = {
  readonly atS: number;
  readonly pod: string;
  readonly what: 'started' | 'drained';
  readonly why: string;
};

export type Report = {
  readonly world: string;
  readonly incarnation: number;
  /** True when the stored world went on, false when it was seeded by this run. */
  readonly continued: boolean;
  readonly mode: 'realtime' | 'lockstep';
  readonly seed: number;
  readonly ticks: number;
  readonly seconds: number;
  readonly pods: number;
  readonly entitiesStart: number;
  readonly entitiesEnd: number;
  readonly created: number;
  readonly deleted: number;
  /** Of each layer of the world, that which says who lives and where first. */
  readonly layers: readonly LayerCount[];
  readonly lost: number;
  readonly duplicated: number;
  readonly violations: Verdict['violations'];
  readonly violationCount: number;
  readonly takeovers: readonly Takeover[];
  /** Over the gaps of cells: a takeover of sixteen cells counts sixteen times. */
  readonly gaps: {
    readonly all: { readonly ms: Quantiles; readonly ticks: Quantiles };
    readonly killed: { readonly ms: Quantiles; readonly ticks: Quantiles };
    readonly stopped: { readonly ms: Quantiles; readonly ticks: Quantiles };
  };
  readonly kills: number;
  readonly stops: number;
  /** With `--autoscale`: which pods came and went, in the order of time. */
  readonly scaling: readonly Scaling[];
  readonly jumps: number;
  /** Ticks of cells in which something is; late ones began after the next was due, or never. */
  readonly dueTicks: number;
  readonly lateTicks: number;
  readonly frozenCells: number;
  /** Why cells do not tick any more: what the module did, with cell, entity and system. */
  readonly frozen: readonly { readonly cell: number; readonly why: string }[];
  readonly commits: number;
  readonly fencedCommits: number;
  /** Renewals that a pod asked for after others had taken its cells. */
  readonly fencedRenewals: number;
  readonly redis: {
    readonly kind: string;
    readonly bytesPerTick: number;
    readonly commandsPerTick: number;
    readonly memoryBytes: number;
  };
  readonly tickMs: { readonly p50: number; readonly p99: number };
  readonly stateHash: string | null;
  readonly auditor: Pick<
    Verdict,
    | 'isAtRest'
    | 'unaccounted'
    | 'inFlight'
    | 'blindSpotCount'
    | 'rollbacks'
    | 'healedCells'
    | 'rewrittenCells'
    | 'unhealedCells'
    | 'unhealed'
    | 'lostEntities'
    | 'duplicatedEntities'
    | 'checked'
  >;
  readonly exitCode: 0 | 1;
  /** Why the exit code is not 0; empty when it is. */
  readonly reasons: readonly string[];
};

/** Nearest-rank quantiles; zeros of nothing. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number): number => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}

const numberIn = (facts: FeedEntry['facts'], name: string): number => Number(facts[name] ?? 0);

export type FaultTimes = {
  readonly kills: readonly Kill[];
  readonly stops: readonly Kill[];
  /** When the world's time began to run, on the store's clock: no tick was missed before. */
  readonly runningSinceMs: number;
  readonly rateHz: number;
};

/**
 * The takeovers in the world's feed. What a killed pod held is measured from the kill, on the
 * store's clock: the pod's own last call may be a tick earlier.
 */
export function takeoversOf(
  feed: readonly FeedEntry[],
  { kills, stops, runningSinceMs, rateHz }: FaultTimes,
): Takeover[] {
  return feed
    .filter(({ kind }) => kind === 'takeover')
    .map(({ pod, facts }) => {
      const from = String(facts['from'] ?? '');
      const resumedAtMs = numberIn(facts, 'resumedAtMs');
      const isOfPod = (kill: Kill): boolean => kill.pod === from && kill.atMs <= resumedAtMs;
      const kill = kills.findLast(isOfPod);
      const stop = stops.findLast(isOfPod);
      const isFault = facts['cause'] !== 'handover' && facts['cause'] !== 'released';
      const cause =
        kill !== undefined
          ? 'killed'
          : stop !== undefined && isFault
            ? 'stopped'
            : String(facts['cause'] ?? '');
      const gapMs = gapMsOf(facts, { sinceMs: kill?.atMs, runningSinceMs });
      const gapTicks = Math.max(0, Math.round((gapMs * rateHz) / 1000) - 1);
      const cells = Math.max(1, numberIn(facts, 'cells'));
      const block = numberIn(facts, 'block');
      const busyCells = numberIn(facts, 'busyCells');
      return { cause, pod, from, block, cells, busyCells, gapMs: round(gapMs), gapTicks };
    });
}

/** `sinceMs`: the kill that it is measured from, if there was one. */
export function gapMsOf(
  facts: FeedEntry['facts'],
  {
    sinceMs,
    runningSinceMs,
  }: { readonly sinceMs: number | undefined; readonly runningSinceMs: number },
): number {
  const [resumedAtMs, lastAtMs] = [numberIn(facts, 'resumedAtMs'), numberIn(facts, 'lastAtMs')];
  // What changes hands in order does so a few cells at a time, each with a gap of its own.
  if (sinceMs === undefined && lastAtMs >= runningSinceMs) return numberIn(facts, 'gapMs');
  return Math.max(0, resumedAtMs - Math.max(sinceMs ?? lastAtMs, runningSinceMs));
}

/** The gaps of all busy cells, and of those that a kill or a stop of this run caused. */
export function gapsOf(takeovers: readonly Takeover[]): Report['gaps'] {
  const of = (some: readonly Takeover[]) => ({
    ms: quantiles(some.flatMap(({ gapMs, busyCells }) => Array<number>(busyCells).fill(gapMs))),
    ticks: quantiles(
      some.flatMap(({ gapTicks, busyCells }) => Array<number>(busyCells).fill(gapTicks)),
    ),
  });
  return {
    all: of(takeovers),
    killed: of(takeovers.filter(({ cause }) => cause === 'killed')),
    stopped: of(takeovers.filter(({ cause }) => cause === 'stopped')),
  };
}

/** The last reason of each cell that was frozen, by cell. */
export function frozenOf(feed: readonly FeedEntry[]): Report['frozen'] {
  const why = new Map<number, string>();
  for (const { kind, facts } of feed) {
    if (kind === 'frozen') why.set(numberIn(facts, 'cell'), String(facts['why'] ?? ''));
  }
  return [...why].sort(([a], [b]) => a - b).map(([cell, text]) => ({ cell, why: text }));
}

export type PodTotals = {
  readonly commits: number;
  readonly fenced: number;
  readonly fencedRenewals: number;
  readonly bytes: number;
  readonly commands: number;
  readonly jumps: number;
  readonly dueTicks: number;
  readonly lateTicks: number;
  readonly frozen: number;
  readonly tickMs: { readonly p50: number; readonly p99: number };
};

/** What all pods of a run did, by their last reports; a killed pod's last quarter second is lost. */
export function podTotals(reports: Iterable<PodRecord['report']>): PodTotals {
  const all = [...reports];
  const sum = (name: string): number =>
    all.reduce((total, report) => total + (report[name] ?? 0), 0);
  const ticked = all.filter((report) => (report['ticks'] ?? 0) > 0);
  const ticks = ticked.reduce((total, report) => total + (report['ticks'] ?? 0), 0);
  const mean = ticked.reduce((total, r) => total + (r['tickMsP50'] ?? 0) * (r['ticks'] ?? 0), 0);
  return {
    commits: sum('commits'),
    fenced: sum('fenced'),
    fencedRenewals: sum('fencedRenewals'),
    bytes: sum('storeBytes') || sum('bytes'),
    commands: sum('storeCommands') || sum('commands'),
    jumps: sum('jumps'),
    dueTicks: sum('dueTicks'),
    lateTicks: sum('lateTicks'),
    frozen: sum('frozen'),
    tickMs: {
      p50: round(ticks === 0 ? 0 : mean / ticks),
      p99: round(ticked.reduce((most, report) => Math.max(most, report['tickMsP99'] ?? 0), 0)),
    },
  };
}

/** What pods tried after others had taken their cells. */
export function lateWrites(report: Pick<Report, 'fencedCommits' | 'fencedRenewals'>): string {
  return `${report.fencedCommits} late ones and ${report.fencedRenewals} late renewals`;
}

/** Cells named in a reason: a line that can still be read; the JSON has more. */
const CELLS_SAID_MAX = 10;

/** Why a run is not clean, in words; nothing is left to the reader's arithmetic. */
export function exitReasons(verdict: Verdict, podFailures: readonly string[]): string[] {
  const reasons: string[] = [];
  const { lost, duplicated, violationCount, unaccounted } = verdict;
  if (lost > 0) reasons.push(`${lost} lost`);
  if (duplicated > 0) reasons.push(`${duplicated} duplicated`);
  if (violationCount > 0) {
    const rules = [...new Set(verdict.violations.map(({ rule }) => rule))].join(', ');
    reasons.push(`${violationCount} violations of ${rules}`);
  }
  if (unaccounted > 0) reasons.push(`${unaccounted} vanished where the auditor could not look`);
  const rolledBack = rollbackReason(verdict);
  if (rolledBack !== undefined) reasons.push(rolledBack);
  if (!verdict.isAtRest) reasons.push('the world was not at rest when it was judged');
  reasons.push(...podFailures);
  return reasons;
}

type RollbackCounts = Pick<Verdict, 'unhealed' | 'unhealedCells' | 'rewrittenCells'>;

/** What a rollback took for good; undefined when all of it was appended again. */
export function rollbackReason(verdict: RollbackCounts): string | undefined {
  const { unhealed, unhealedCells, rewrittenCells } = verdict;
  if (unhealedCells + rewrittenCells === 0) return undefined;
  const parts: string[] = [];
  if (unhealedCells > 0) {
    const some = unhealed.slice(0, CELLS_SAID_MAX).map(({ cell }) => cell);
    const more = unhealedCells > some.length ? ', …' : '';
    parts.push(`${unhealedCells} cells (${some.join(', ')}${more}) did not come as far again`);
  }
  if (rewrittenCells > 0) parts.push(`${rewrittenCells} cells went on differently`);
  return `committed ticks were lost in a rollback: ${parts.join(', ')}`;
}

export const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

const gapText = ({ ms, ticks }: { readonly ms: Quantiles; readonly ticks: Quantiles }): string =>
  `p50 ${ms.p50} ms, p99 ${ms.p99} ms, max ${ms.max} ms (${ticks.max} ticks)`;

/** In lockstep no tick is late, and nothing is said. */
function scalingText(scaling: readonly Scaling[]): string {
  const started = scaling.filter(({ what }) => what === 'started').length;
  return `started ${started}, drained ${scaling.length - started}`;
}

function lateText({ dueTicks, lateTicks }: Report): string {
  return dueTicks === 0 ? '' : `, ${round((100 * lateTicks) / dueTicks)} % late`;
}

/** The report for people. */
export function summary(report: Report, colors: Colors): string[] {
  const { bold, dim, green, red } = colors;
  const row = (name: string, text: string): string => `  ${dim(name.padEnd(11))} ${text}`;
  const { gaps, redis, auditor } = report;
  const isClean = report.exitCode === 0;
  const verdict = isClean ? green(bold('whole')) : red(bold('NOT WHOLE'));
  const lines = [
    `${bold(report.world)} ${verdict}: ${report.lost} lost, ${report.duplicated} duplicated, ` +
      `${report.violationCount} violations`,
    row('world', `incarnation ${report.incarnation}, ${report.continued ? 'continued' : 'seeded'}`),
    row(
      'time',
      `${report.ticks} ticks in ${report.seconds} s, ${report.mode}, ${report.pods} pods`,
    ),
    row(
      'entities',
      `${report.entitiesStart} → ${report.entitiesEnd} ` +
        `(${report.created} created, ${report.deleted} deleted)`,
    ),
    ...report.layers
      .slice(1)
      .map(({ layer, entitiesEnd, created, deleted }) =>
        row(`in ${layer}`, `${entitiesEnd} (${created} created, ${deleted} deleted)`),
      ),
    row('commits', `${report.commits}, ${lateWrites(report)} refused`),
    row(
      'Redis',
      `${redis.bytesPerTick} bytes and ${redis.commandsPerTick} commands a tick, ` +
        `${(redis.memoryBytes / 2 ** 20).toFixed(1)} MB (${redis.kind})`,
    ),
    row('tick', `p50 ${report.tickMs.p50} ms, p99 ${report.tickMs.p99} ms${lateText(report)}`),
  ];
  if (report.takeovers.length > 0) {
    lines.push(row('takeovers', `${report.takeovers.length} blocks; gaps ${gapText(gaps.all)}`));
  }
  if (report.kills > 0) lines.push(row('kills', `${report.kills}; gaps ${gapText(gaps.killed)}`));
  if (report.stops > 0) lines.push(row('stops', `${report.stops}; gaps ${gapText(gaps.stopped)}`));
  if (report.scaling.length > 0) lines.push(row('scaled', scalingText(report.scaling)));
  if (report.stateHash !== null) lines.push(row('state hash', report.stateHash));
  lines.push(
    row(
      'audited',
      `${auditor.checked.entries} entries, ${auditor.checked.checkpoints} checkpoints, ` +
        `${auditor.checked.channelEntries} channel entries, ${auditor.blindSpotCount} blind spots`,
    ),
  );
  if (auditor.rollbacks.length > 0) {
    const { rollbacks, healedCells, rewrittenCells, unhealedCells } = auditor;
    const cells = `${healedCells} healed, ${rewrittenCells} rewritten, ${unhealedCells} unhealed`;
    lines.push(row('rollbacks', `${rollbacks.length}; cells: ${cells}`));
  }
  for (const { cell, why } of report.frozen.slice(0, 10)) {
    lines.push(`  ${red('frozen')} cell ${cell}: ${why}`);
  }
  for (const { rule, cell, seq, message } of report.violations.slice(0, 10)) {
    lines.push(
      `  ${red(rule)} cell ${cell}${seq === undefined ? '' : ` entry ${seq}`}: ${message}`,
    );
  }
  for (const { id, last } of auditor.lostEntities)
    lines.push(`  ${red('lost')} ${id}, last in ${last}`);
  for (const { cell, seq, endSeq } of auditor.unhealed.slice(0, CELLS_SAID_MAX)) {
    lines.push(`  ${red('rolled back')} cell ${cell}: was at entry ${seq}, is at ${endSeq}`);
  }
  for (const { id, places } of auditor.duplicatedEntities) {
    lines.push(`  ${red('duplicated')} ${id}: ${places.join(' and ')}`);
  }
  if (!isClean) lines.push(row('because', report.reasons.join('; ')));
  return lines;
}
