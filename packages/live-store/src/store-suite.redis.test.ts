/** The rules of a store, on a real server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describeStore } from '@leasehold/protocol/store-suite';
import { Grid } from '@leasehold/spatial';
import { useRedis } from '@leasehold/testkit';
import { openLivePlanStore, openLiveStore, openWorldAdmin } from './index.ts';

const at = useRedis();
let worlds = 0;

describeStore('live-store', async () => {
  worlds += 1;
  const grid = new Grid({ kind: 'plane', width: 800, height: 800, cell: 100 });
  const facts = {
    url: at.url,
    world: `${at.world}-${worlds}`,
    incarnation: 1,
    layer: 'main',
    grid,
  };
  const graceMs = 100;
  const admin = await openWorldAdmin(facts);
  const stores: { close(): Promise<void> }[] = [];
  return {
    admin,
    cells: grid.cells,
    graceMs,
    heirMs: 1_000,
    ttlMs: 150,
    openStore: async () => {
      const store = await openLiveStore({ ...facts, graceMs });
      stores.push(store);
      return store;
    },
    openPlans: async () => {
      const store = await openLivePlanStore(facts);
      stores.push(store);
      return store;
    },
    advance: (ms) => sleep(ms),
    close: async () => {
      await Promise.all(stores.map((store) => store.close()));
      await admin.close();
    },
  };
});
