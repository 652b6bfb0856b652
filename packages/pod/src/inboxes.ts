/**
 * Reads the inboxes of the cells held here: at once when something is said to wait, and all of them
 * now and then, since what is said may be lost.
 */
import type { Holding } from './holding.ts';
import { expectRun } from './loader.ts';
import type { PodParts } from './settings.ts';

/** How often all inboxes are looked into. */
const LOOK_MS = 1_000;
/** How often those of cells that sleep are, … */
const WATCH_MS = 5_000;
/** … and at each how-many-th look those that have left the store: there may be very many. */
const WATCHES_PER_COLD = 6;

export class Inboxes {
  readonly #parts: PodParts;
  readonly #holdings: ReadonlyMap<number, Holding>;
  #hinted = new Set<number>();
  #nextLookMs = 0;
  #nextWatchMs = 0;
  #watches = 0;

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

  /**
   * Of these cells, which sleep, those to which something was posted: whoever did may have died before
   * it told anybody. `isCold`: it has left the store; a post brings it back, and is told.
   */
  async watched(all: readonly number[], isCold: (cell: number) => boolean): Promise<number[]> {
    const { clock, store } = this.#parts;
    const now = clock.nowMs();
    if (now < this.#nextWatchMs || all.length === 0) return [];
    this.#nextWatchMs = now + WATCH_MS;
    const isThorough = this.#watches++ % WATCHES_PER_COLD === 0;
    const cells = isThorough ? all : all.filter((cell) => !isCold(cell));
    const inboxes = await store.inboxes(cells.map((cell) => ({ cell, after: 0 })));
    const filled = cells.filter((_, i) => (inboxes[i]?.length ?? 0) > 0);
    if (filled.length === 0) return [];
    // What was consumed is dropped, unless somebody read a cut then.
    const last = new Map(cells.map((cell, i) => [cell, inboxes[i]?.at(-1)?.seq ?? 0]));
    const heads = await store.heads(filled);
    return filled.filter((cell, i) => {
      const head = heads[i];
      return head !== undefined && !('tag' in head) && (last.get(cell) ?? 0) > head.inboxCursor;
    });
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
    const { runId, replicas } = store.status();
    const inboxes = await store.inboxes(positions);
    if (inboxes.every((posts) => posts.length === 0)) return false;
    // E1: a commit that took a post which a failover takes back could not be appended again.
    if (replicas > 0) await store.barrier();
    expectRun(store, runId);
    let hasCome = false;
    for (const [i, posts] of inboxes.entries()) {
      const holding = reading[i] as Holding;
      if (posts.length === 0 || this.#holdings.get(holding.cell) !== holding) continue;
      holding.queuePosts(posts);
      hasCome = true;
    }
    return hasCome;
  }
}
