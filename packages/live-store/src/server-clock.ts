/** The store's clock as this process can know it between two answers. */
export class ServerClock {
  /** Milliseconds of this process; never goes back. */
  readonly localMs: () => number;
  #offset: number | undefined;
  #latest = 0;

  constructor(localMs: () => number) {
    this.localMs = localMs;
  }

  /**
   * Takes the store time of an answer. It was read between sending and receiving, which bounds the
   * distance of the clocks from both sides; the estimate moves only when it is out of bounds.
   */
  note(serverMs: number, sentAtMs: number): void {
    const low = serverMs - this.localMs();
    const high = serverMs + 1 - sentAtMs;
    const now = this.#offset ?? low;
    this.#offset = Math.min(Math.max(now, low), high);
  }

  /** Milliseconds of the store's clock. Never goes back; 0 before the first answer. */
  nowMs(): number {
    if (this.#offset === undefined) return 0;
    this.#latest = Math.max(this.#latest, this.localMs() + this.#offset);
    return this.#latest;
  }
}
