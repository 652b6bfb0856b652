import { describeStore } from '@leasehold/protocol/store-suite';
import { openTwinAdmin, openTwinPlanStore, openTwinStore, twinServer } from './index.ts';

/** Sixteen by sixteen cells in blocks of four by four, without the package that knows space. */
const grid = {
  cells: 256,
  blocks: 16,
  blockOf: (cell: number) => Math.floor(cell / 64) * 4 + Math.floor((cell % 16) / 4),
};

describeStore('twin-store', async () => {
  const server = twinServer({ grid, graceMs: 100 });
  const at = { world: 'suite', incarnation: 1, layer: 'main' };
  const stores: { close(): Promise<void> }[] = [];
  return {
    admin: openTwinAdmin(server, at),
    cells: grid.cells,
    graceMs: 100,
    ttlMs: 150,
    heirMs: 1_000,
    openStore: async (pod) => {
      const store = openTwinStore(server, { ...at, pod });
      stores.push(store);
      return store;
    },
    openPlans: async (name) => {
      const store = openTwinPlanStore(server, { ...at, name });
      stores.push(store);
      return store;
    },
    advance: (ms) => server.advance(ms),
    close: async () => {
      for (const store of stores) await store.close();
    },
  };
});
