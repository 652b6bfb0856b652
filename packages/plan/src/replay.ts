/** What a policy would have made of loads that were recorded: the same world, planned again. */
import type { CellLoad, Plan } from '@leasehold/protocol';
import { ownersOf } from './edges.ts';
import { gatherLoads, type Loads } from './loads.ts';
import { makePlan } from './make-plan.ts';
import type { PlanGrid, PlanPod, Policy } from './policy.ts';
import type { PlanSettings } from './settings.ts';

/** What was known at one moment; a `LoadSample` of the store is one. */
export type ReplaySample = {
  readonly atMs: number;
  readonly pods: readonly {
    readonly pod: string;
    readonly state: 'ready' | 'draining';
    readonly order?: string;
    readonly cells: readonly CellLoad[];
  }[];
};

export type ReplayOptions = {
  readonly grid: PlanGrid;
  /** Oldest first. */
  readonly samples: readonly ReplaySample[];
  readonly policy: Policy;
  readonly settings?: Partial<PlanSettings>;
  /** What happens before this is left out of the figures: the policy may settle first. */
  readonly settleMs?: number;
  /** Plan to begin with, such as the one that was in force. */
  readonly previous?: Plan;
};

export type Replayed = {
  readonly policy: string;
  readonly samples: number;
  /** Tick time of the busiest pod by the mean of all, with the plan made before the load was seen. */
  readonly imbalance: { readonly mean: number; readonly p95: number; readonly max: number };
  /** The same for the best that cells allow: no pod can have less than the heaviest cell. */
  readonly imbalanceFloor: number;
  /** Cells whose neighbour on one side has another pod, counted for each such side; the mean. */
  readonly borderLength: number;
  readonly cellsMovedPerMinute: number;
  /** Of the cells moved, those in which somebody was. */
  readonly entitiesMovedPerMinute: number;
  readonly plans: number;
  readonly decisions: number;
  /** The last reason for which an answer of the policy was not taken. */
  readonly refused?: string;
  readonly plan: Plan | undefined;
};

/** One plan for each sample, judged by the loads of the next. */
export function replay(options: ReplayOptions): Replayed {
  const { grid, samples, policy, settings } = options;
  const cells = grid.columns * grid.rows;
  const fromMs = (samples[0]?.atMs ?? 0) + (options.settleMs ?? 0);
  const ratios: number[] = [];
  const floors: number[] = [];
  const borders: number[] = [];
  const sums = { cells: 0, entities: 0, plans: 0, decisions: 0 };
  let last: Loads | undefined;
  let plan = options.previous;
  let refused: string | undefined;
  let podOf: string[] | undefined = plan && podsOf(plan, grid);
  for (const sample of samples) {
    const reports = new Map(sample.pods.map((pod) => [pod.pod, pod.cells]));
    const raw = gatherLoads({ reports, cells, nowMs: sample.atMs });
    const loads = gatherLoads({ reports, cells, nowMs: sample.atMs, last });
    last = loads;
    const pods = sample.pods.map(planPodOf);
    const isCounted = sample.atMs >= fromMs;
    if (isCounted && plan !== undefined && podOf !== undefined) {
      const { ratio, floor } = imbalanceOf(raw, podOf, pods);
      ratios.push(ratio);
      floors.push(floor);
      borders.push(borderLength(plan));
    }
    const input = { grid, loads, pods, previous: plan, settings, nowMs: sample.atMs };
    const made = makePlan(policy, input);
    refused = made.refused ?? refused;
    if (made.plan === plan) continue;
    const next = podsOf(made.plan, grid);
    if (isCounted && podOf !== undefined) {
      sums.plans++;
      sums.decisions += made.decisions.length;
      for (let cell = 0; cell < cells; cell++) {
        if (next[cell] === podOf[cell]) continue;
        sums.cells++;
        sums.entities += raw.entities[cell]!;
      }
    }
    plan = made.plan;
    podOf = next;
  }
  const minutes = Math.max(1, (samples.at(-1)?.atMs ?? 0) - fromMs) / 60_000;
  return {
    policy: policy.name,
    samples: samples.length,
    imbalance: spreadOf(ratios),
    imbalanceFloor: mean(floors),
    borderLength: mean(borders),
    cellsMovedPerMinute: sums.cells / minutes,
    entitiesMovedPerMinute: sums.entities / minutes,
    plans: sums.plans,
    decisions: sums.decisions,
    ...(refused === undefined ? {} : { refused }),
    plan,
  };
}

function planPodOf({ pod, state, order }: ReplaySample['pods'][number]): PlanPod {
  if (state === 'draining' || order === 'drain') return { pod, state: 'draining' };
  return { pod, state: order === 'cordon' ? 'cordoned' : 'ready' };
}

function podsOf(plan: Plan, grid: PlanGrid): string[] {
  const owners = ownersOf(
    grid,
    plan.regions.map(({ rect }) => rect),
  );
  return Array.from(owners, (owner) => plan.regions[owner]?.pod ?? '');
}

/** Of the pods that may carry, whether or not they do. */
function imbalanceOf(loads: Loads, podOf: readonly string[], pods: readonly PlanPod[]) {
  const sums = new Map(
    pods.filter(({ state }) => state !== 'draining').map(({ pod }): [string, number] => [pod, 0]),
  );
  let total = 0;
  let heaviest = 0;
  podOf.forEach((pod, cell) => {
    const tickMs = loads.tickMs[cell]!;
    total += tickMs;
    heaviest = Math.max(heaviest, tickMs);
    sums.set(pod, (sums.get(pod) ?? 0) + tickMs);
  });
  const share = total / sums.size;
  if (!(share > 0)) return { ratio: 1, floor: 1 };
  return { ratio: Math.max(...sums.values()) / share, floor: Math.max(1, heaviest / share) };
}

/** Sides of cells between two pods; each counts once. */
export function borderLength(plan: Plan): number {
  let sides = 0;
  for (const { pod, edges } of plan.regions) {
    for (const edge of edges) if (edge.pod !== pod) sides += edge.cells;
  }
  return sides / 2;
}

function mean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / Math.max(1, values.length);
}

function spreadOf(values: readonly number[]): Replayed['imbalance'] {
  const sorted = Float64Array.from(values).sort();
  const p95 = sorted[Math.min(sorted.length - 1, Math.floor(0.95 * sorted.length))] ?? 0;
  return { mean: mean(values), p95, max: sorted.at(-1) ?? 0 };
}
