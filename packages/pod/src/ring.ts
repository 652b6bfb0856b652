/**
 * The commits of one cell of the last half minute, kept so that a living holder can append again,
 * verbatim, what a promoted replica has not got (design: durability).
 */
import type { Commit } from '@leasehold/protocol';
import { RING_MS } from './settings.ts';

export class Ring {
  #commits: Commit[] = [];
  #times: number[] = [];

  push(commit: Commit, nowMs: number): void {
    this.#commits.push(commit);
    this.#times.push(nowMs);
    let stale = 0;
    while (stale < this.#times.length && (this.#times[stale] as number) < nowMs - RING_MS) stale++;
    // Dropping in batches keeps the cost of a push constant on average.
    if (stale > 64) {
      this.#commits = this.#commits.slice(stale);
      this.#times = this.#times.slice(stale);
    }
  }

  clear(): void {
    this.#commits = [];
    this.#times = [];
  }

  /**
   * The commits that extend (seq, hash) up to the newest, or undefined if the store's head is not
   * in this cell's own recent history: then nobody may append on top of it from memory.
   */
  after(seq: number, hash: string): Commit[] | undefined {
    const first = this.#commits.findIndex((commit) => commit.seq === seq + 1);
    const next = this.#commits[first];
    return next !== undefined && next.prevHash === hash ? this.#commits.slice(first) : undefined;
  }
}
