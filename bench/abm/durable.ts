/** A model as a pod holds it: under a lease, each step committed to a private Redis. */
import { openLiveStore, openWorldAdmin } from '@leasehold/live-store';
import { Holding } from '@leasehold/pod/holding';
import { entryHash, SEED_EPOCH } from '@leasehold/protocol';
import type { CellState, Engine, SeedCommit } from '@leasehold/sdk/engine';

const TTL_MS = 60_000;

/** Creates a world of one cell, takes its lease and opens it in `state`, loaded from the store. */
export async function openDurable(
  url: string,
  incarnation: number,
  { engine, state, seed }: { engine: Engine; state: CellState; seed: SeedCommit },
) {
  const at = { url, world: 'abm', incarnation, layer: 'main', grid: engine.grid };
  const { body, idCounter } = seed;
  const admin = await openWorldAdmin(at);
  await admin.createBlocks();
  const hash = entryHash('', 1, SEED_EPOCH, 0, body);
  await admin.createCells([{ cell: 0, body, idCounter, hash }]);
  await admin.close();
  const store = await openLiveStore(at);
  const nonce = `abm.${incarnation}`;
  const [grant] = await store.acquire([{ cell: 0, ttlMs: TTL_MS, nonce }]);
  if (grant?.tag !== 'GRANTED') throw new Error(`not granted: ${JSON.stringify(grant)}`);
  const [image] = await store.load([{ cell: 0 }]);
  if (image === undefined) throw new Error('the cell is not in the store');
  state.restore(image);
  const holding = new Holding(grant.claim, 0, state, grant.head, 0);
  return {
    /** One step: simulated, encoded, committed. */
    async step(): Promise<void> {
      const tick = state.tick + 1;
      const { outSeq } = holding;
      const result = state.step({ tick, outSeq, arrivals: [], view: () => undefined });
      const [reply] = await store.commit([
        holding.prepare(tick, result, { arrivals: [], posts: [] }, TTL_MS),
      ]);
      if (reply?.tag !== 'OK') throw new Error(`commit refused: ${JSON.stringify(reply)}`);
      holding.settle(0, false);
    },
    close: () => store.close(),
  };
}
