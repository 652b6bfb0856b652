/**
 * The commits of one cell of the last half minute, kept so that a living holder can append again,
 * verbatim, what a promoted replica has not got (design: durability).
 */
import type { Commit } from '@leasehold/protocol';
import { RING_MS } from './settings.ts';

/** A commit, and the pod's time at which it was sent: all that was sent together has one time. */
export type Kept = { readonly commit: Commit; readonly sentMs: number };

export class Ring {
  #kept: Kept[] = [];

  push(commit: Commit, sentMs: number): void {
    this.#kept.push({ commit, sentMs });
    let stale = 0;
    while ((this.#kept[stale] as Kept).sentMs < sentMs - RING_MS) stale++;
    // Dropping in batches keeps the cost of a push constant on average.
    if (stale > 64) this.#kept = this.#kept.slice(stale);
  }

  clear(): void {
    this.#kept = [];
  }

  /**
   * The commits that extend (seq, hash) up to the newest, or undefined if the store's head is not
   * in this cell's own recent history: then nobody may append on top of it from memory.
   */
  after(seq: number, hash: string): Kept[] | undefined {
    const first = this.#kept.findIndex(({ commit }) => commit.seq === seq + 1);
    return this.#kept[first]?.commit.prevHash === hash ? this.#kept.slice(first) : undefined;
  }
}
