/**
 * A plan in the making: regions that steps of a policy give away, cut and merge, the loads that
 * follow from it, and the decisions that say so.
 */
import type { Decision, DecisionKind, Plan, Rect, Region, Relief } from '@leasehold/protocol';
import type { PlanInput, PlanPod } from './policy.ts';
import { aroundOf, cellsIn, overlapOf } from './rects.ts';
import type { Weights } from './weights.ts';

export type DraftRegion = {
  id: number;
  rect: Rect;
  pod: string;
  standby: string;
  relief: Relief | undefined;
};

/** A pod that may hold regions, in the draft as it stands. */
export type Carrier = PlanPod & {
  /** As a part of the usual budget. */
  readonly capacity: number;
};

export class Draft {
  readonly weights: Weights;
  readonly nowMs: number;
  /** By name; draining pods are not among them. */
  readonly carriers: ReadonlyMap<string, Carrier>;
  readonly decisions: Decision[] = [];
  regions: DraftRegion[];
  #nextId: number;

  constructor(input: PlanInput, previous: Plan | undefined, weights: Weights) {
    this.weights = weights;
    this.nowMs = input.nowMs;
    this.carriers = carriersOf(input.pods, weights.settings.tickBudgetMs);
    this.regions = (previous?.regions ?? []).map(({ id, rect, pod, standby, relief }) => ({
      ...{ id, rect, pod, standby, relief },
    }));
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
      if (pod !== '') scores.set(pod, (scores.get(pod) ?? 0) + this.weights.scoreOf(rect));
    }
    return scores;
  }

  /**
   * Replaces all regions with `change` and writes down what it does to the pods that it is about.
   * Cells count that have another pod afterwards.
   */
  decide(
    kind: DecisionKind,
    change: () => readonly DraftRegion[],
    cause: (cells: number) => string,
  ): void {
    const before = this.scores();
    const old = this.regions;
    this.regions = [...change()].sort((a, b) => a.id - b.id);
    const after = this.scores();
    const { cells, regions } = differenceOf(old, this.regions);
    const about = [...new Set([...before.keys(), ...after.keys()])]
      .filter((pod) => before.get(pod) !== after.get(pod))
      .sort();
    this.decisions.push({
      kind,
      cause: cause(cells),
      regions,
      cells,
      before: loadsFor(about, before),
      expected: loadsFor(about, after),
    });
  }
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
