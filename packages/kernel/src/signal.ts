import type { Clock } from './clock.ts';

/** Lets one loop wait for another: a sleep that `wake` cuts short. A wake before it is kept. */
export class Signal {
  readonly #clock: Clock;
  #abort: AbortController | undefined;
  #isSet = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#isSet = true;
    this.#abort?.abort();
  }

  async wait(ms: number): Promise<void> {
    if (!this.#isSet && ms > 0) {
      this.#abort = new AbortController();
      await this.#clock.sleep(ms, this.#abort.signal);
      this.#abort = undefined;
    }
    this.#isSet = false;
  }
}
