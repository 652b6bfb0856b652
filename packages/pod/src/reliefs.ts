/**
 * What the plan says is done for hot cells, where this pod has to do it: how far the time of each
 * held cell is dilated, told to the world's feed when it begins, changes and ends, region by region;
 * and once that a region is overloaded. The plan decides, so whoever holds a cell does the same.
 */
import type { FeedEntry, Region, WorldClock } from '@leasehold/protocol';
import type { Holding } from './holding.ts';
import type { PodParts } from './settings.ts';

/** What the plan says, as far as it is followed now. */
export type Planned = {
  /** Another number means that `regionOf` may say something else. */
  readonly changes: number;
  /** The region of a cell, if whom it names is here. */
  regionOf(cell: number): Region | undefined;
};

/** What is told of the cells of one region together, with the one that costs most. */
type Change = {
  readonly id: number;
  readonly before: number;
  readonly dilation: number;
  cells: number;
  holding: Holding;
};

export class Reliefs {
  readonly #parts: PodParts;
  readonly #holdings: ReadonlyMap<number, Holding>;
  readonly #planned: Planned;
  readonly #overloaded = new Set<number>();
  #seen = -1;

  constructor(parts: PodParts, holdings: ReadonlyMap<number, Holding>, planned: Planned) {
    this.#parts = parts;
    this.#holdings = holdings;
    this.#planned = planned;
  }

  /** A cell comes here: its time goes on as it did, and whoever had it has told what there was. */
  enter(holding: Holding): void {
    const region = this.#planned.regionOf(holding.cell);
    holding.dilation = region?.dilation ?? 1;
    if (region?.relief === 'overloaded') this.#overloaded.add(region.id);
  }

  /** Takes in what the plan says by now. In lockstep nobody's time is dilated (T1). */
  look(world: WorldClock): void {
    if (this.#planned.changes === this.#seen || world.mode !== 'realtime') return;
    this.#seen = this.#planned.changes;
    const dilated = new Map<string, Change>();
    const overloaded = new Map<string, Change>();
    for (const holding of this.#holdings.values()) {
      const region = this.#planned.regionOf(holding.cell);
      const { dilation: before } = holding;
      holding.dilation = region?.dilation ?? 1;
      const { dilation } = holding;
      const id = region?.id ?? 0;
      if (dilation !== before) note(dilated, { id, before, dilation, cells: 1, holding });
      if (region?.relief !== 'overloaded') continue;
      note(overloaded, { id, before: 1, dilation, cells: 1, holding });
    }
    const budgetMs = 1_000 / world.rateHz;
    for (const { id: region, before, dilation, cells, holding } of dilated.values()) {
      const { cell, tickMs } = holding;
      const cost = { tickMs: rounded(tickMs), budgetMs };
      this.#tell('dilation', { region, cell, cells, before, dilation, ...cost });
    }
    for (const { id: region, holding } of overloaded.values()) {
      if (this.#overloaded.has(region)) continue;
      const { cell, tickMs } = holding;
      this.#tell('overloaded', { region, cell, tickMs: rounded(tickMs), budgetMs });
    }
    this.#overloaded.clear();
    for (const { id } of overloaded.values()) this.#overloaded.add(id);
  }

  #tell(kind: string, facts: FeedEntry['facts']): void {
    const { store, pod, log } = this.#parts;
    log.warn(facts, kind === 'overloaded' ? 'OVERLOADED' : 'time is dilated otherwise');
    void store.feed({ kind, pod, facts }).catch((error: unknown) => {
      log.warn({ err: error }, 'feed entry not written');
    });
  }
}

function note(changes: Map<string, Change>, change: Change): void {
  const { id, before, dilation, holding } = change;
  const key = `${id} ${before} ${dilation}`;
  const known = changes.get(key);
  if (known === undefined) {
    changes.set(key, change);
    return;
  }
  known.cells++;
  if (holding.tickMs > known.holding.tickMs) known.holding = holding;
}

const rounded = (ms: number): number => Number(ms.toPrecision(3));

/** The first tick after `tick` that a cell runs; `endTick` is run by all, 0 = there is none. */
export function dueAfter(tick: number, dilation: number, endTick: number): number {
  const due = tick - (tick % dilation) + dilation;
  return endTick > tick ? Math.min(due, endTick) : due;
}

/** The last tick up to `target` that a cell runs. */
export function dueBy(target: number, dilation: number, endTick: number): number {
  return target === endTick ? target : target - (target % dilation);
}
