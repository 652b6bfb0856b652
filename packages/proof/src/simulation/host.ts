/**
 * A process as its machine sees it: a clock of its own that may be wrong, and a life that may be
 * paused or end at any moment. What runs on it only ever wakes by its sleeps and by answers, and
 * both go through here.
 */
import type { Clock } from '@leasehold/kernel';
import type { VirtualTime } from './virtual-time.ts';

export class Host implements Clock {
  readonly name: string;
  isDead = false;
  /** True time at which it last ran; later it is paused or dead. */
  silentSinceMs: number | undefined;
  readonly #time: VirtualTime;
  readonly #onDeath: (host: Host) => void;
  #anchorMs: number;
  #localMs = 1_000_000;
  #rate = 1;
  #held: (() => void)[] = [];

  constructor(time: VirtualTime, name: string, onDeath: (host: Host) => void) {
    this.name = name;
    this.#time = time;
    this.#anchorMs = time.nowMs;
    this.#onDeath = onDeath;
  }

  nowMs(): number {
    return this.#localMs + (this.#time.nowMs - this.#anchorMs) * this.#rate;
  }

  /** Its clock goes at this rate from now on, after a step forward: `Clock` never goes back. */
  skew(rate: number, stepMs: number): void {
    this.#localMs = this.nowMs() + stepMs;
    this.#anchorMs = this.#time.nowMs;
    this.#rate = rate;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#time.after(ms / this.#rate, () => {
        signal?.removeEventListener('abort', end);
        this.soon(resolve);
      });
      const end = (): void => {
        cancel();
        resolve();
      };
      signal?.addEventListener('abort', end, { once: true });
    });
  }

  /** Runs it when the process runs: at once, when it is resumed, or never. */
  soon(run: () => void): void {
    if (this.isDead) return;
    if (this.silentSinceMs === undefined) run();
    else this.#held.push(run);
  }

  get isPaused(): boolean {
    return !this.isDead && this.silentSinceMs !== undefined;
  }

  /** As SIGSTOP. */
  pause(): void {
    this.silentSinceMs ??= this.#time.nowMs;
  }

  /** As SIGCONT: whatever came meanwhile is dealt with in the order in which it came. */
  resume(): void {
    if (this.isDead) return;
    this.silentSinceMs = undefined;
    for (const run of this.#held.splice(0)) this.soon(run);
  }

  /** As SIGKILL: nothing of it ever runs again. */
  die(): void {
    if (this.isDead) return;
    this.isDead = true;
    this.silentSinceMs ??= this.#time.nowMs;
    this.#held = [];
    this.#onDeath(this);
  }
}
