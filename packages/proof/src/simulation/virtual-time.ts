/**
 * Time that passes only when nothing is left to do. Owns no timer of the machine: between two
 * moments it lets the event loop turn once, which ends only when every promise has had its turn.
 */

type Timer = { readonly atMs: number; readonly order: number; run: (() => void) | undefined };

export class VirtualTime {
  #nowMs = 0;
  #order = 0;
  /** A binary heap: the earliest is first, and among those of one moment the first that was set. */
  readonly #heap: Timer[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Runs once after `ms`; the answer calls it off. */
  after(ms: number, run: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, ms), order: ++this.#order, run };
    this.#push(timer);
    return () => {
      timer.run = undefined;
    };
  }

  /** Lets `ms` pass: everything that is due by then happens, one thing after the other. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await idle();
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#pop();
      const { run } = next;
      if (run === undefined) continue;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      run();
      await idle();
    }
    this.#nowMs = endMs;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Timer;
      if (!isBefore(timer, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Timer)) child++;
      const below = heap[child] as Timer;
      if (!isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function idle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
