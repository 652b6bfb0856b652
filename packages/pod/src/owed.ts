/**
 * Leases that this pod wants to end and whose end it has not heard of. Alive, and without the cells,
 * it would keep everybody else away until they run out, so it says it again until it is answered.
 */
import type { Claim, Store } from '@leasehold/protocol';

export class OwedReleases {
  readonly #claims = new Map<number, Claim>();

  add(claims: readonly Claim[]): void {
    for (const claim of claims) this.#claims.set(claim.cell, claim);
  }

  /** One call; whatever the store says of a claim, except that it does not know, is the end of it. */
  async settle(store: Store): Promise<void> {
    if (this.#claims.size === 0) return;
    const claims = [...this.#claims.values()];
    const replies = await store.release(claims);
    for (const [i, claim] of claims.entries()) {
      const tag = replies[i]?.tag;
      if (tag === 'UNKNOWN' || tag === 'REFUSED') continue;
      if (this.#claims.get(claim.cell) === claim) this.#claims.delete(claim.cell);
    }
  }
}
