import type { Clock } from '@leasehold/kernel';

type Sleeper = { readonly untilMs: number; readonly wake: () => void };

/** Time that moves only when a test says so. Sleepers wake in the order of their times. */
export class ManualClock implements Clock {
  #nowMs: number;
  #sleepers: Sleeper[] = [];

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = { untilMs: this.#nowMs + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      const abort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** How many sleep now. */
  get sleepers(): number {
    return this.#sleepers.length;
  }

  /**
   * Moves time on by `ms`, stopping at each sleeper's time and letting what it woke run before the
   * next, so a loop that sleeps again is woken again within one advance.
   */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#nowMs + ms;
    for (;;) {
      await settled();
      const due = this.#sleepers
        .filter((sleeper) => sleeper.untilMs <= targetMs)
        .sort((a, b) => a.untilMs - b.untilMs)[0];
      if (due === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, due.untilMs);
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== due);
      due.wake();
    }
    this.#nowMs = targetMs;
    await settled();
  }
}

/** Lets every promise that is ready run, however long the chain. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
