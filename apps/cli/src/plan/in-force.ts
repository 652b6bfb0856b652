/** How good the plans were that were in force, by the measures that `replay` has for a policy. */
import { borderLength, gatherLoads } from '@leasehold/plan';
import type { CellLoad, JournalEntry, LoadSample, Plan } from '@leasehold/protocol';

export type Figures = {
  readonly policy: string;
  readonly imbalance: { readonly mean: number; readonly p95: number; readonly max: number };
  readonly borderLength: number;
  readonly cellsMovedPerMinute: number;
  readonly decisions: number;
};

export const IN_FORCE = 'in force';

export type InForceInput = {
  /** Oldest first. */
  readonly samples: readonly LoadSample[];
  /** Of the same time. */
  readonly journal: readonly JournalEntry[];
  /** Now: the border of those before is not kept. */
  readonly plan: Plan | undefined;
  readonly cells: number;
};

export function inForce({ samples, journal, plan, cells }: InForceInput): Figures {
  const fromMs = samples[0]?.atMs ?? 0;
  const untilMs = samples.at(-1)?.atMs ?? fromMs;
  // The first has nothing before it, there as here. The first plan of all moves nothing.
  const ratios = samples.slice(1).map((sample) => imbalanceOf(sample, cells));
  const made = journal.filter(
    ({ atMs, version }) => atMs >= fromMs && atMs <= untilMs && version > 1,
  );
  const moves = made.filter(({ kind }) => kind !== 'sleep' && kind !== 'wake');
  const moved = moves.reduce((sum, entry) => sum + entry.cells, 0);
  const minutes = Math.max(1, untilMs - fromMs) / 60_000;
  return {
    policy: IN_FORCE,
    imbalance: spreadOf(ratios),
    borderLength: plan === undefined ? 0 : borderLength(plan),
    cellsMovedPerMinute: moved / minutes,
    decisions: made.length,
  };
}

/** As in `replay`; each cell counts where it was held. A pod that drains counts while it has any. */
function imbalanceOf({ atMs, pods }: LoadSample, cells: number): number {
  const reports = new Map(pods.map(({ pod, cells: said }) => [pod, said]));
  const { tickMs } = gatherLoads({ reports, cells, nowMs: atMs });
  const holders = new Map<number, { readonly pod: string; readonly load: CellLoad }>();
  for (const { pod, cells: said } of pods) {
    for (const load of said) {
      const other = holders.get(load.cell);
      if (other === undefined || load.tickMs > other.load.tickMs) {
        holders.set(load.cell, { pod, load });
      }
    }
  }
  const carrying = pods.filter(({ state, order }) => state !== 'draining' && order !== 'drain');
  const sums = new Map(carrying.map(({ pod }): [string, number] => [pod, 0]));
  let total = 0;
  for (const [cell, { pod }] of holders) {
    const cost = tickMs[cell] ?? 0;
    total += cost;
    sums.set(pod, (sums.get(pod) ?? 0) + cost);
  }
  return total > 0 ? (Math.max(...sums.values()) * sums.size) / total : 1;
}

function spreadOf(values: readonly number[]): Figures['imbalance'] {
  const sorted = [...values].sort((a, b) => a - b);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / Math.max(1, sorted.length);
  const p95 = sorted[Math.min(sorted.length - 1, Math.floor(0.95 * sorted.length))] ?? 0;
  return { mean, p95, max: sorted.at(-1) ?? 0 };
}
