/** The clock of the page or the process, and time on which nothing but a deadline depends. */
import type { ClientClock } from './types.ts';

export const systemClock: ClientClock = {
  nowMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** A timer that can be set once at a time; setting it again moves it. */
export class Deadline {
  readonly #clock: ClientClock;
  #cancel: (() => void) | undefined;

  constructor(clock: ClientClock) {
    this.#clock = clock;
  }

  get isSet(): boolean {
    return this.#cancel !== undefined;
  }

  set(ms: number, run: () => void): void {
    this.clear();
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = undefined;
      run();
    });
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
