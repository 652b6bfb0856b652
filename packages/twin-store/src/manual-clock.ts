/** Time that moves only when it is told to. Owns no timer; never reads a clock of the machine. */
import type { Clock } from '@leasehold/kernel';

/** Promise turns given to whoever woke before time moves on: a chain of calls is tens of turns. */
const TURNS_PER_STEP = 100;

export class ManualClock implements Clock {
  #nowMs: number;
  #sleepers: { atMs: number; wake: () => void }[] = [];

  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = { atMs: this.#nowMs + ms, wake: () => end() };
      const end = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', end, { once: true });
    });
  }

  /** Moves time, waking sleepers at their moments, each with turns to act before the next. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await turns();
    for (;;) {
      this.#sleepers.sort((a, b) => a.atMs - b.atMs);
      const next = this.#sleepers[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
      await turns();
    }
    this.#nowMs = endMs;
  }
}

async function turns(): Promise<void> {
  for (let i = 0; i < TURNS_PER_STEP; i++) await Promise.resolve();
}
