/** Long work in slices: whoever must be in time, as leases must, gets its turn in between. */
import type { Clock } from '@leasehold/kernel';

/** As long as everybody else may wait. */
const SLICE_MS = 8;

export class Slices {
  readonly #clock: Clock;
  #sinceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.nowMs();
  }

  /** To be called between two pieces of the work. Lets others run if it was long enough. */
  async rest(): Promise<void> {
    if (this.#clock.nowMs() - this.#sinceMs < SLICE_MS) return;
    await this.#clock.sleep(0);
    this.#sinceMs = this.#clock.nowMs();
  }
}
