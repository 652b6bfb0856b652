/**
 * What each cell costs its pod. A pause of the process (garbage, the machine's other work) falls on
 * whichever cell ticks just then and may be a hundred times what that cell takes, so a plan made of
 * bare averages would follow pauses. What is far beyond a cell's usual time is therefore taken off
 * it, averaged over a longer time, and carried by all cells in proportion: none of it is forgotten.
 */
import type { Holding } from './holding.ts';

/** What a tick costs is an average over so long: a crowd that walks is somewhere else soon. */
const TICK_AVERAGE_S = 1;
/** Of a new tick in that average, at most, unless it is one of a cell's first. */
const GAIN_MAX = 0.5;
/** A tick counts for its cell up to so many times what is usual; the rest counts for all. */
const USUAL_TIMES_MAX = 4;
/** Pauses are rare: in one second there may be three or none. */
const PAUSE_AVERAGE_S = 10;

export class TickCosts {
  /** What a cell takes in the mean. */
  #meanMs = 0;
  /** Of a slice of a round: what counts for its cells, and what counts for all. */
  #ownMs = 0;
  #pausedMs = 0;

  /** By what to multiply the cost of a cell, so that all cells together cost what their ticks took. */
  get pauses(): number {
    return this.#ownMs > 0 ? 1 + this.#pausedMs / this.#ownMs : 1;
  }

  /**
   * Takes in `spentMs` of cells that have just ticked, one after the other. PERF: no allocation.
   * @param share the part of that time for which this process had the processor
   */
  note(
    order: readonly Holding[],
    { first, next, share, rateHz }: Readonly<Record<'first' | 'next' | 'share' | 'rateHz', number>>,
  ): void {
    if (next <= first) return;
    const usualGain = Math.min(GAIN_MAX, 1 / (rateHz * TICK_AVERAGE_S));
    let sumMs = 0;
    for (let i = first; i < next; i++) sumMs += (order[i] as Holding).spentMs * share;
    const meanMs = sumMs / (next - first);
    this.#meanMs += (meanMs - this.#meanMs) * (this.#meanMs === 0 ? 1 : usualGain);
    let ownMs = 0;
    for (let i = first; i < next; i++) {
      const holding = order[i] as Holding;
      // Who ticks more seldom learns as soon what a tick costs, and whoever comes at once.
      const gain = Math.min(GAIN_MAX, holding.dilation * usualGain);
      const mostMs = USUAL_TIMES_MAX * (holding.tickMs + this.#meanMs);
      const spentMs = Math.min(holding.spentMs * share, mostMs);
      holding.tickMs += (spentMs - holding.tickMs) * Math.max(gain, 1 / ++holding.timedTicks);
      ownMs += spentMs;
    }
    const gain = Math.min(GAIN_MAX, 1 / (rateHz * PAUSE_AVERAGE_S));
    this.#ownMs += (ownMs - this.#ownMs) * gain;
    this.#pausedMs += (sumMs - ownMs - this.#pausedMs) * gain;
  }
}
