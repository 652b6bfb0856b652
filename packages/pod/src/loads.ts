/**
 * Cells whose leases are here and that are being read, beside everything else that the pod does. What
 * cannot be read is given back, so that whoever can read it may have it.
 */
import type { Claim } from '@leasehold/protocol';
import type { FormerCells } from './former.ts';
import type { Holding } from './holding.ts';
import type { Keeper } from './keeper.ts';
import { expectRun, type Grant, type Loading, type LoadParts, loadHoldings } from './loader.ts';
import type { OwedReleases } from './owed.ts';
import type { PodParts } from './settings.ts';

/** Cells that are loaded together: each part is a few round trips and blocks for some 20 ms. */
const LOAD_CELLS_MAX = 64;

export type LoadsParts = LoadParts & {
  readonly loading: Map<number, Loading>;
  readonly keeper: Keeper;
  readonly former: FormerCells;
  readonly owed: OwedReleases;
  /** A cell was read, and its lease is still here. */
  readonly take: (holding: Holding, grant: Grant) => void;
  /** Some cells have been taken. */
  readonly taken: () => void;
  readonly lose: (holding: Holding, why: string) => void;
};

export class Loads {
  readonly #pod: PodParts;
  readonly #parts: LoadsParts;

  constructor(pod: PodParts, parts: LoadsParts) {
    this.#pod = pod;
    this.#parts = parts;
  }

  /** Loads while leases are looked after: the next pod may die meanwhile. */
  aside(grants: readonly Grant[]): void {
    const renewedMs = this.#pod.clock.nowMs();
    for (const { claim } of grants) this.begin(claim, renewedMs);
    void this.#loadInParts(grants);
  }

  /** From now on what is sent to the cell is kept for it. */
  begin(claim: Claim, renewedMs: number): void {
    this.#parts.loading.set(claim.cell, { claim, renewedMs, early: [], isLost: false });
  }

  end(grants: readonly Grant[]): void {
    for (const { claim } of grants) this.#parts.loading.delete(claim.cell);
  }

  /** Cells as they are on the server that answers now. */
  async all(grants: readonly Grant[]): Promise<Holding[]> {
    const { runId } = this.#pod.store.status();
    const loaded = await this.#loadEach(grants);
    expectRun(this.#pod.store, runId);
    return loaded;
  }

  /** The first cells tick while the last are still read; those that were followed come first. */
  async #loadInParts(grants: readonly Grant[]): Promise<void> {
    const { halo } = this.#parts;
    const { runId } = this.#pod.store.status();
    const isFollowed = ({ claim }: Grant): boolean => halo.position(claim.cell) !== undefined;
    const warm = grants.filter(isFollowed);
    const cold = grants.filter((grant) => !warm.includes(grant));
    for (const part of [...partsOf(warm), ...partsOf(cold)]) {
      await this.#load(part).catch((error: unknown) => this.#giveBack(part, error, runId));
    }
  }

  async #load(grants: readonly Grant[]): Promise<void> {
    const { loading, take, taken } = this.#parts;
    try {
      for (const holding of await this.all(grants)) {
        if (loading.get(holding.cell)?.isLost === true) continue;
        take(holding, grants.find(({ claim }) => claim.cell === holding.cell) as Grant);
      }
    } finally {
      this.end(grants);
    }
    taken();
  }

  /** Leases are held and nothing ticks: whoever can load the cells should have them. */
  async #giveBack(grants: readonly Grant[], error: unknown, runId: string): Promise<void> {
    const { store, clock, log } = this.#pod;
    const { former, keeper, owed } = this.#parts;
    const cells = grants.map(({ claim }) => claim.cell);
    former.noteUnread(cells, clock.nowMs());
    log.error({ cells: cells.slice(0, 8), count: cells.length, err: error }, 'cannot load cells');
    const status = store.status();
    // A server that left in the middle of it says nothing about the cells.
    if (status.isConnected && status.runId === runId) keeper.shun(cells);
    owed.add(grants.map(({ claim }) => claim));
    // Who cannot be heard now says it again with the next look around.
    await owed.settle(store).catch(() => undefined);
  }

  /** One cell that cannot be read keeps no other from being held. */
  async #loadEach(grants: readonly Grant[]): Promise<Holding[]> {
    const { runId } = this.#pod.store.status();
    try {
      return await loadHoldings(this.#pod, grants, this.#parts);
    } catch (error) {
      const status = this.#pod.store.status();
      // Another server: nothing that it says can be used, for none of them.
      if (grants.length === 1 || !status.isConnected || status.runId !== runId) throw error;
    }
    const { loading, holdings, lose } = this.#parts;
    const loaded: Holding[] = [];
    for (const grant of grants) {
      if (loading.get(grant.claim.cell)?.isLost === true) continue;
      try {
        loaded.push(...(await loadHoldings(this.#pod, [grant], this.#parts)));
      } catch (error) {
        await this.#giveBack([grant], error, runId);
        const old = holdings.get(grant.claim.cell);
        if (old !== undefined) lose(old, 'UNREADABLE');
      }
    }
    return loaded;
  }
}

/** Cells are read so many at a time. */
function partsOf(grants: readonly Grant[]): Grant[][] {
  const parts: Grant[][] = [];
  for (let i = 0; i < grants.length; i += LOAD_CELLS_MAX) {
    parts.push(grants.slice(i, i + LOAD_CELLS_MAX));
  }
  return parts;
}
