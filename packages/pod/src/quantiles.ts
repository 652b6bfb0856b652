/** The last thousand measurements of something, for medians and tails. Allocates once. */
const SAMPLES_MAX = 1_024;

export class Quantiles {
  readonly #samples = new Float64Array(SAMPLES_MAX);
  #count = 0;

  add(value: number): void {
    this.#samples[this.#count++ % SAMPLES_MAX] = value;
  }

  /** The q-quantile (nearest rank) of what is kept; 0 when nothing is. */
  at(q: number): number {
    const kept = Math.min(this.#count, SAMPLES_MAX);
    if (kept === 0) return 0;
    const sorted = this.#samples.slice(0, kept).sort();
    return sorted[Math.min(kept - 1, Math.floor(q * kept))] as number;
  }
}
