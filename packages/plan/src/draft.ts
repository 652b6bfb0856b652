/**
 * A plan in the making: regions that steps of a policy give away, cut and merge, the loads that
 * follow from it, and the decisions that say so.
 */
import type { Decision, DecisionKind, Plan, Rect, Region, Relief } from '@leasehold/protocol';
import type { PlanInput, PlanPod } from './policy.ts';
import { aroundOf, cellsIn, overlapOf } from './rects.ts';
import { Weights } from './weights.ts';

export type DraftRegion = {
  id: number;
  rect: Rect;
  pod: string;
  standby: string;
  relief: Relief | undefined;
  /** 1 = its time runs as that of the world. */
  dilation: number;
};

/** Of a region for which nothing is done. */
export const UNRELIEVED = { relief: undefined, dilation: 1 } as const;

/** A pod that may hold regions, in the draft as it stands. */
export type Carrier = PlanPod & {
  /** As a part of the usual budget. */
  readonly capacity: number;
};

export class Draft {
  readonly weights: Weights;
  /** The same, but a cell beyond a pod's share counts as one share: it is to fill a pod alone. */
  readonly shares: Weights;
  readonly nowMs: number;
  /** By name; draining pods are not among them. */
  readonly carriers: ReadonlyMap<string, Carrier>;
  readonly decisions: Decision[] = [];
  regions: DraftRegion[];
  #nextId: number;

  constructor(input: PlanInput, previous: Plan | undefined) {
    const weights = new Weights(input);
    this.weights = weights;
    this.nowMs = input.nowMs;
    this.carriers = carriersOf(input.pods, weights.settings.tickBudgetMs);
    this.regions = (previous?.regions ?? []).map((region) => {
      const { id, rect, pod, standby, relief, dilation = 1 } = region;
      return { id, rect, pod, standby, relief, dilation };
    });
    const cellMsMax = shareMax(weights.byCell, [...this.carriers.values()]);
    this.shares = cellMsMax === Infinity ? weights : new Weights(input, cellMsMax);
    this.#nextId =
      (input.previous?.regions ?? []).reduce((max, { id }) => Math.max(max, id), 0) + 1;
  }

  nextId(): number {
    return this.#nextId++;
  }

  /** Pods that may be given more, by name. */
  get takers(): Carrier[] {
    return [...this.carriers.values()].filter(({ state }) => state === 'ready');
  }

  regionsOf(pod: string): DraftRegion[] {
    return this.regions.filter((region) => region.pod === pod);
  }

  /** Score of each pod that carries or may carry: ms of a tick. */
  scores(): Map<string, number> {
    const scores = new Map([...this.carriers.keys()].map((pod) => [pod, 0]));
    for (const { rect, pod } of this.regions) {
      if (pod !== '') scores.set(pod, (scores.get(pod) ?? 0) + this.weights.of(rect));
    }
    return scores;
  }

  /**
   * The highest id that was ever given stays in the plan, as the next one is counted from it. If
   * its region is gone, whoever has changed goes on under a new one.
   */
  #keepHighestId(old: readonly DraftRegion[]): void {
    if (this.regions.length === 0 || this.regions.at(-1)!.id === this.#nextId - 1) return;
    const { regions } = differenceOf(old, this.regions);
    const renamed = regions.at(-1) ?? this.regions.at(-1)!.id;
    const id = this.nextId();
    this.regions = this.regions
      .map((region) => (region.id === renamed ? { ...region, id } : region))
      .sort((a, b) => a.id - b.id);
  }

  /** What is done for a cell goes where the cell goes: what is cut off from it is not dilated. */
  #keepRelief(old: readonly DraftRegion[]): void {
    for (const { id, rect, relief, dilation } of old) {
      if (relief === undefined) continue;
      const { cell } = this.weights.heaviest(rect);
      const at = { column: cell % this.weights.grid.columns, columns: 1, rows: 1 };
      const place = { ...at, row: Math.floor(cell / this.weights.grid.columns) };
      const owner = this.regions.find((one) => overlapOf(one.rect, place) !== undefined);
      const same = this.regions.find((one) => one.id === id);
      if (owner === undefined || same === undefined || owner === same) continue;
      this.regions = this.regions.map((one) => {
        if (one === same) return { ...one, ...UNRELIEVED };
        return one === owner && one.relief === undefined ? { ...one, relief, dilation } : one;
      });
    }
  }

  /**
   * Replaces all regions with `change` and writes down what it does to the pods that it is about.
   * Cells count that have another pod afterwards; regions, if `subject` does not name them, that
   * are not as they were.
   */
  decide(
    kind: DecisionKind,
    change: () => readonly DraftRegion[],
    cause: (cells: number) => string,
    subject?: readonly number[],
  ): void {
    const before = this.scores();
    const old = this.regions;
    this.regions = [...change()].sort((a, b) => a.id - b.id);
    this.#keepHighestId(old);
    this.#keepRelief(old);
    const after = this.scores();
    const { cells, regions } = differenceOf(old, this.regions);
    const about = [...new Set([...before.keys(), ...after.keys()])]
      .filter((pod) => before.get(pod) !== after.get(pod))
      .sort();
    this.decisions.push({
      kind,
      cause: cause(cells),
      regions: subject ?? regions,
      cells,
      before: loadsFor(about, before),
      expected: loadsFor(about, after),
    });
  }
}

/**
 * What a pod can have at most when load is spread as evenly as cells allow: the heaviest cells fill
 * pods of their own, the others share the rest. Infinite where no cell is heavier than a share.
 */
function shareMax(byCell: Float64Array, carriers: readonly Carrier[]): number {
  let rest = 0;
  for (const weight of byCell) rest += weight;
  let capacity = 0;
  for (const carrier of carriers) capacity += carrier.capacity;
  // Ascending: the heaviest is last.
  const hot = byCell.filter((weight) => weight > rest / capacity).sort();
  let share = Infinity;
  for (let n = hot.length - 1; n >= 0 && capacity > 1 && hot[n]! > rest / capacity; n--) {
    rest -= hot[n]!;
    capacity -= 1;
    share = Math.max(rest / capacity, 0);
  }
  return share;
}

function loadsFor(pods: readonly string[], scores: ReadonlyMap<string, number>) {
  return Object.fromEntries(
    pods.map((pod) => [pod, Math.round((scores.get(pod) ?? 0) * 1_000) / 1_000]),
  );
}

function carriersOf(pods: readonly PlanPod[], tickBudgetMs: number): Map<string, Carrier> {
  const carriers = pods
    .filter(({ state }) => state !== 'draining')
    .map((pod) => ({ ...pod, capacity: capacityOf(pod, tickBudgetMs) }))
    .sort((a, b) => (a.pod < b.pod ? -1 : 1));
  return new Map(carriers.map((carrier) => [carrier.pod, carrier]));
}

/** A budget that is no number, or none at all, says nothing: the usual one counts. */
function capacityOf({ budgetMs }: PlanPod, tickBudgetMs: number): number {
  if (budgetMs === undefined || !(budgetMs > 0) || budgetMs === Infinity) return 1;
  return Math.max(0.01, Math.min(budgetMs / tickBudgetMs, 100));
}

/** Cells that change hands, and the regions that are not as they were. */
export function differenceOf(
  before: readonly Pick<Region, 'id' | 'rect' | 'pod'>[],
  after: readonly Pick<Region, 'id' | 'rect' | 'pod'>[],
): { cells: number; regions: number[] } {
  const known = new Map(before.map((region) => [region.id, region]));
  let cells = 0;
  const regions: number[] = [];
  for (const region of after) {
    const old = known.get(region.id);
    if (old !== undefined && old.pod === region.pod && isSame(old.rect, region.rect)) continue;
    regions.push(region.id);
    cells += cellsIn(region.rect);
    for (const { rect, pod } of before) {
      if (pod !== region.pod) continue;
      const kept = overlapOf(rect, region.rect);
      if (kept !== undefined) cells -= cellsIn(kept);
    }
  }
  return { cells, regions };
}

const isSame = (a: Rect, b: Rect): boolean =>
  cellsIn(a) === cellsIn(b) && cellsIn(aroundOf(a, b)) === cellsIn(a);
