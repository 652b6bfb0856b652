/** Which pod is killed or frozen, and when: a schedule by seed, so that a run can be repeated. */
import { createRandom, type Random } from '@leasehold/kernel';

export type FaultKind = 'kill' | 'stop';

export type DueFault = { readonly kind: FaultKind; readonly atMs: number };

export class FaultClock {
  readonly #everyMs: Readonly<Record<FaultKind, number>>;
  readonly #next: Record<FaultKind, number>;
  readonly #random: Random;

  /** `everyMs` of 0 means never. Times are milliseconds since the world began to run. */
  constructor(everyMs: Readonly<Record<FaultKind, number>>, seed: number) {
    this.#everyMs = everyMs;
    this.#next = { kill: everyMs.kill, stop: everyMs.stop };
    this.#random = createRandom(seed);
  }

  /** The faults that have become due; one of a kind at a time, those missed are left out. */
  due(nowMs: number): DueFault[] {
    const due: DueFault[] = [];
    for (const kind of ['kill', 'stop'] as const) {
      const [everyMs, atMs] = [this.#everyMs[kind], this.#next[kind]];
      if (everyMs === 0 || nowMs < atMs) continue;
      due.push({ kind, atMs });
      this.#next[kind] = atMs + everyMs * (Math.floor((nowMs - atMs) / everyMs) + 1);
    }
    return due;
  }

  /** One of them, or undefined if there is none. */
  choose<T>(candidates: readonly T[]): T | undefined {
    return candidates[this.#random.below(candidates.length)];
  }
}
