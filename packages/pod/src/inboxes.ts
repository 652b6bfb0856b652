/**
 * Reads the inboxes of the cells held here: at once when something is said to wait, and all of them
 * now and then, since what is said may be lost.
 */
import type { Holding } from './holding.ts';
import type { PodParts } from './settings.ts';

/** How often all inboxes are looked into: one read, of which each costs Redis about 0.2 µs. */
const LOOK_MS = 1_000;

export class Inboxes {
  readonly #parts: PodParts;
  readonly #holdings: ReadonlyMap<number, Holding>;
  #hinted = new Set<number>();
  #nextLookMs = 0;

  constructor(parts: PodParts, holdings: ReadonlyMap<number, Holding>) {
    this.#parts = parts;
    this.#holdings = holdings;
  }

  /** Something waits, or may: the inbox is read with the next turn. */
  hint(cell: number): void {
    this.#hinted.add(cell);
  }

  get isHinted(): boolean {
    return this.#hinted.size > 0;
  }

  /** True when posts came that a tick has to take. */
  async turn(): Promise<boolean> {
    const { clock, store } = this.#parts;
    const now = clock.nowMs();
    const isLook = now >= this.#nextLookMs;
    if (isLook) this.#nextLookMs = now + LOOK_MS;
    // Of a cell that is not here, or whose posts are not taken yet, there will be another hint.
    const hinted = this.#hinted;
    this.#hinted = new Set();
    const reading: Holding[] = [];
    for (const holding of this.#holdings.values()) {
      if ((isLook || hinted.has(holding.cell)) && holding.wantsPosts) reading.push(holding);
    }
    if (reading.length === 0) return false;
    const positions = reading.map(({ cell, inboxQueued }) => ({ cell, after: inboxQueued }));
    let hasCome = false;
    for (const [i, posts] of (await store.inboxes(positions)).entries()) {
      const holding = reading[i] as Holding;
      if (posts.length === 0 || this.#holdings.get(holding.cell) !== holding) continue;
      holding.queuePosts(posts);
      hasCome = true;
    }
    return hasCome;
  }
}
