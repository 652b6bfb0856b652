/** How fast a counter rises, over the last seconds. Pure: the caller says when it looked. */
const WINDOW_MS = 5_000;

export class Rate {
  readonly #windowMs: number;
  #samples: { readonly atMs: number; readonly value: number }[] = [];

  constructor(windowMs: number = WINDOW_MS) {
    this.#windowMs = windowMs;
  }

  /** A counter that falls has started again: what was seen before it counts no more. */
  add(atMs: number, value: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && value < last.value) this.#samples = [];
    // One sample from before the window stays, so that slow counters have two.
    while (this.#samples.length > 1 && this.#samples[1]!.atMs <= atMs - this.#windowMs) {
      this.#samples.shift();
    }
    this.#samples.push({ atMs, value });
  }

  /** Per second; undefined until two samples are known. */
  get perSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return undefined;
    return ((last.value - first.value) / (last.atMs - first.atMs)) * 1_000;
  }
}

/** Adds up counters of processes that come and go; what a dead one had counted stays counted. */
export class Tally {
  readonly #counts = new Map<string, number>();

  /** `process` names one life of a process, such as a pod with its pid. */
  note(process: string, count: number): void {
    this.#counts.set(process, Math.max(count, this.#counts.get(process) ?? 0));
  }

  get total(): number {
    let sum = 0;
    for (const count of this.#counts.values()) sum += count;
    return sum;
  }
}
