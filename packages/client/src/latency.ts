/** How long ticks take from the moment they are due to the arrival of their frame. */

import type { WorldTime } from '@leasehold/protocol/view';
import { SlidingMinimum } from './sliding-minimum.ts';

/** Long enough to hold a frame that nothing delayed, short enough for clocks that drift. */
const WINDOW_MS = 30_000;
/** Weight of the newest frame: the figure follows within about half a second at 20 Hz. */
const WEIGHT = 0.1;

export class Latency {
  /** Averaged; NaN before the first. */
  ms = Number.NaN;
  readonly #offset = new SlidingMinimum(WINDOW_MS);
  #time: WorldTime | undefined;
  #tick = -1;

  /** A new connection: another way through the network, perhaps another clock. */
  reset(): void {
    this.#offset.clear();
    this.#time = undefined;
    this.#tick = -1;
  }

  hearTime(time: WorldTime): void {
    this.#time = time;
  }

  hearFrame(storeMs: number, tick: number, arrivalMs: number): void {
    if (!Number.isFinite(storeMs)) return;
    this.#offset.add(arrivalMs - storeMs, arrivalMs);
    if (tick <= this.#tick) return;
    // The first frame tells a state, not how long it took.
    const isFirst = this.#tick === -1;
    this.#tick = tick;
    const time = this.#time;
    if (isFirst || time === undefined || time.isPaused || time.isLockstep) return;
    const dueMs = time.baseMs + ((tick - time.baseTick) * 1000) / time.rateHz;
    const latencyMs = arrivalMs - this.#offset.value - dueMs;
    if (!Number.isFinite(latencyMs)) return;
    this.ms = Number.isNaN(this.ms) ? latencyMs : this.ms + WEIGHT * (latencyMs - this.ms);
  }
}
