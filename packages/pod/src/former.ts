/**
 * Cells that this pod has given up. A server that went back in time may name it their holder again:
 * alive, and with nothing to do with them, it would keep everybody else away until the lease ends.
 */
import type { Claim, Store } from '@leasehold/protocol';
import type { Holding } from './holding.ts';
import { RING_MS } from './settings.ts';

type Recalled = {
  readonly returned: Holding[];
  readonly claims: Claim[];
  readonly isVoid: boolean;
};

type Former = { readonly holding: Holding; readonly atMs: number; readonly isLost: boolean };

export class FormerCells {
  readonly #former = new Map<number, Former>();

  /** `isLost`: others took it, or it could not be read; else it was handed over in order. */
  note(holding: Holding, isLost: boolean, nowMs: number): void {
    this.#former.delete(holding.cell);
    this.#former.set(holding.cell, { holding, isLost, atMs: nowMs });
  }

  /** Forgets those that no failover can bring back. */
  prune(nowMs: number): void {
    for (const [cell, { atMs }] of this.#former) {
      if (nowMs - atMs <= RING_MS) return;
      this.#former.delete(cell);
    }
  }

  /**
   * Of the cells that are not here, those whose holder is this pod again. `returned`: handed over
   * by a call that the server has not got; what it misses before that is in their rings. `claims`:
   * all others, to be released. `isVoid`: one of them goes back behind what this pod knew of a cell,
   * so whatever else it remembers may build on what is lost (E1). A lease that is younger than what
   * it knew does not: it was granted, and the cell was never read.
   */
  async recalled(store: Store, pod: string, isHere: (cell: number) => boolean): Promise<Recalled> {
    const returned: Holding[] = [];
    const claims: Claim[] = [];
    let isVoid = false;
    const cells = [...this.#former.keys()].filter((cell) => !isHere(cell));
    const heads = cells.length === 0 ? [] : await store.heads(cells);
    for (const head of heads) {
      if ('tag' in head || !head.nonce.startsWith(`${pod}.`) || isHere(head.cell)) continue;
      const { holding, isLost } = this.#former.get(head.cell) as Former;
      if (!isLost && head.nonce === holding.claim.nonce) returned.push(holding);
      else {
        claims.push({ cell: head.cell, nonce: head.nonce, epoch: head.epoch });
        if (BigInt(head.epoch) <= BigInt(holding.claim.epoch)) isVoid = true;
      }
    }
    return { returned, claims, isVoid };
  }
}
