/** The least of what was seen in the last while, in fixed memory. */
const BUCKETS = 8;

export class SlidingMinimum {
  readonly #bucketMs: number;
  readonly #values = new Float64Array(BUCKETS).fill(Number.POSITIVE_INFINITY);
  #bucket = Number.NaN;

  constructor(windowMs: number) {
    this.#bucketMs = windowMs / BUCKETS;
  }

  add(value: number, nowMs: number): void {
    const bucket = Math.floor(nowMs / this.#bucketMs);
    const passed = bucket - this.#bucket;
    if (!(passed >= 0 && passed < BUCKETS)) this.clear();
    else for (let i = 0; i < passed; i++) this.#values[(bucket - i) % BUCKETS] = Infinity;
    this.#bucket = bucket;
    const at = bucket % BUCKETS;
    this.#values[at] = Math.min(this.#values[at] as number, value);
  }

  clear(): void {
    this.#values.fill(Number.POSITIVE_INFINITY);
    this.#bucket = Number.NaN;
  }

  /** Infinity when there is none. */
  get value(): number {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < BUCKETS; i++) least = Math.min(least, this.#values[i] as number);
    return least;
  }
}
