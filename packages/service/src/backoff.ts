/** How long to wait before trying again: longer each time, never in step with others. */
import type { Clock, Random } from '@leasehold/kernel';

export type BackoffOptions = {
  /** The first wait lies between half of this and all of it. */
  readonly baseMs: number;
  /** No wait is longer. */
  readonly maxMs: number;
  /** Two processes need two seeds, or they come back at the same moment. */
  readonly random: Random;
};

export class Backoff {
  readonly #options: BackoffOptions;
  #attempts = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Waits asked for since the last success. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The next wait in milliseconds: doubled each time, capped, and a random half of it off. */
  nextMs(): number {
    const { baseMs, maxMs, random } = this.#options;
    const cappedMs = Math.min(maxMs, baseMs * 2 ** this.#attempts);
    this.#attempts++;
    return cappedMs * (0.5 + 0.5 * random.float());
  }

  /** After a success: the next wait is the first one again. */
  reset(): void {
    this.#attempts = 0;
  }

  /** Waits, or returns early when the signal aborts. */
  wait(clock: Clock, signal?: AbortSignal): Promise<void> {
    return clock.sleep(this.nextMs(), signal);
  }
}
