/**
 * Tells the world's feed what each takeover cost: from the last call of the former holder to the
 * first tick of this one, on the store's clock. One entry per block, former holder and cause. Times
 * and gaps are of cells with somebody in them: in the others nobody stands still.
 */
import { missedTicks, type WorldClock } from '@leasehold/protocol';
import type { Holding } from './holding.ts';
import type { PodParts } from './settings.ts';

type Group = {
  readonly block: number;
  readonly cause: string;
  readonly from: string;
  cells: number;
  busyCells: number;
  lastAtMs: number;
  resumedAtMs: number;
  gapMs: number;
};

export class Takeovers {
  readonly #parts: PodParts;
  readonly #groups = new Map<string, Group>();

  constructor(parts: PodParts) {
    this.#parts = parts;
  }

  /** The cell has ticked under its new holder. */
  note(holding: Holding): void {
    const { takeover } = holding;
    if (takeover === undefined) return;
    holding.takeover = undefined;
    // Where nobody was when it came here nobody has stood still, as in a cell that slept.
    const { cause, from, lastAtMs, isBusy } = takeover;
    if (cause === 'free' || from === '' || lastAtMs === 0) return;
    const key = `${holding.block} ${cause} ${from}`;
    const resumedAtMs = this.#parts.store.nowMs();
    const group: Group = this.#groups.get(key) ?? {
      ...{ block: holding.block, cause, from, cells: 0, busyCells: 0 },
      ...{ lastAtMs, resumedAtMs, gapMs: 0 },
    };
    this.#groups.set(key, group);
    group.cells++;
    if (!isBusy) return;
    if (group.busyCells++ === 0) Object.assign(group, { lastAtMs, resumedAtMs });
    group.lastAtMs = Math.min(group.lastAtMs, lastAtMs);
    group.resumedAtMs = Math.max(group.resumedAtMs, resumedAtMs);
    group.gapMs = Math.max(group.gapMs, resumedAtMs - lastAtMs);
  }

  /** Writes the groups whose cells have all ticked. */
  async flush(holdings: ReadonlyMap<number, Holding>, clock: WorldClock): Promise<void> {
    if (this.#groups.size === 0) return;
    const waiting = new Set<number>();
    for (const holding of holdings.values()) {
      if (holding.takeover !== undefined) waiting.add(holding.block);
    }
    const { store, pod, log } = this.#parts;
    const told: Promise<void>[] = [];
    for (const [key, group] of this.#groups) {
      if (waiting.has(group.block)) continue;
      this.#groups.delete(key);
      const facts = { ...group, gapTicks: missedTicks(clock, group.gapMs) };
      log.info(facts, 'took over');
      told.push(store.feed({ kind: 'takeover', pod, facts }));
    }
    await Promise.all(told);
  }
}
