/**
 * Cells that this pod has given up. A server that went back in time may name it their holder again:
 * alive, and with nothing to do with them, it would keep everybody else away until the lease ends.
 */
import type { Claim, Store } from '@leasehold/protocol';
import type { Holding } from './holding.ts';
import { expectRun } from './loader.ts';
import { RING_MS } from './settings.ts';

type Recalled = {
  readonly returned: Holding[];
  readonly claims: Claim[];
  readonly isVoid: boolean;
};

type Former = { readonly holding: Holding; readonly atMs: number; readonly isLost: boolean };

export class FormerCells {
  readonly #former = new Map<number, Former>();
  /** Cells whose leases were ended before the cells were read, and when. */
  readonly #unread = new Map<number, number>();

  /** `isLost`: others took it, or it could not be read; else it was handed over in order. */
  note(holding: Holding, isLost: boolean, nowMs: number): void {
    this.#former.delete(holding.cell);
    this.#former.set(holding.cell, { holding, isLost, atMs: nowMs });
  }

  /** Their leases were granted, and are ended without the cells having been here. */
  noteUnread(cells: Iterable<number>, nowMs: number): void {
    for (const cell of cells) {
      this.#unread.delete(cell);
      this.#unread.set(cell, nowMs);
    }
  }

  /** Forgets those that no failover can bring back. */
  prune(nowMs: number): void {
    for (const [cell, { atMs }] of this.#former) {
      if (nowMs - atMs <= RING_MS) break;
      this.#former.delete(cell);
    }
    for (const [cell, atMs] of this.#unread) {
      if (nowMs - atMs <= RING_MS) break;
      this.#unread.delete(cell);
    }
  }

  /**
   * Of the cells that were given up, those whose holder is this pod again. `returned`: handed over
   * by a call that the server has not got; what it misses before that is in their rings. `claims`:
   * all others, to be released. `isVoid`: one of them goes back behind what this pod knew of a cell,
   * so whatever else it remembers may build on what is lost (E1). A lease that is younger than what
   * it knew does not: it was granted, and the cell was never read. `isOurs`: what is known to be held
   * or about to be.
   */
  async recalled(store: Store, pod: string, isOurs: (claim: Claim) => boolean): Promise<Recalled> {
    const { runId } = store.status();
    const returned: Holding[] = [];
    const claims: Claim[] = [];
    let isVoid = false;
    const cells = [...new Set([...this.#former.keys(), ...this.#unread.keys()])];
    const heads = cells.length === 0 ? [] : await store.heads(cells);
    expectRun(store, runId);
    for (const head of heads) {
      if ('tag' in head || !head.nonce.startsWith(`${pod}.`) || isOurs(head)) continue;
      const { holding, isLost } = this.#former.get(head.cell) ?? {};
      if (isLost === false && head.nonce === holding?.claim.nonce) returned.push(holding);
      else {
        claims.push({ cell: head.cell, nonce: head.nonce, epoch: head.epoch });
        if (holding !== undefined && BigInt(head.epoch) <= BigInt(holding.claim.epoch)) {
          isVoid = true;
        }
      }
    }
    return { returned, claims, isVoid };
  }
}
