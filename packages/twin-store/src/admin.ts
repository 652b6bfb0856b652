/** Creates and forgets worlds on a `TwinServer`. */
import { checkName } from '@leasehold/kernel';
import type { CellSeedReply, WorldAdmin } from '@leasehold/protocol';
import { type CellRecord, create } from './cell.ts';
import { restore, restoreOut } from './restore.ts';
import { type TwinServer, worldKey } from './server.ts';

export type TwinAdminOptions = {
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
};

export function openTwinAdmin(server: TwinServer, options: TwinAdminOptions): WorldAdmin {
  const { world, incarnation, layer } = options;
  checkName('world', world);
  checkName('layer', layer);
  const key = worldKey(world, incarnation);
  const { grid } = server;
  return {
    world,
    incarnation,
    layer,
    runId: async () => server.runId,
    async createBlocks() {
      const { blocks } = server.world(key);
      for (let block = 0; block < grid.blocks; block++) {
        if (!blocks.has(block)) blocks.set(block, { isSealed: false });
      }
    },
    createCells: async (cells) =>
      cells.map((seed) =>
        onCell(server, { key, layer, cell: seed.cell }, (cell) => create(cell, seed)),
      ),
    restoreCells: async (cells) =>
      cells.map((of) => onCell(server, { key, layer, cell: of.cell }, (cell) => restore(cell, of))),
    restoreChannels: async (channels) =>
      channels.map((of) =>
        onCell(server, { key, layer, cell: of.cell }, (cell) => restoreOut(cell, of)),
      ),
    async blocks() {
      const kept = [...server.world(key).blocks.values()];
      return { present: kept.length, sealed: kept.filter(({ isSealed }) => isSealed).length };
    },
    async incarnations() {
      return server
        .worldKeys()
        .filter((other) => other.startsWith(`${world}.`) && server.world(other).blocks.size > 0)
        .map((other) => Number(other.slice(world.length + 1)))
        .sort((a, b) => a - b);
    },
    async putSchema(hash, json) {
      const { schemas } = server.world(key);
      if (!schemas.has(hash)) schemas.set(hash, json);
    },
    getSchema: async (hash) => server.world(key).schemas.get(hash),
    async forget() {
      for (const block of server.world(key).blocks.values()) block.isSealed = true;
      server.forget(key);
      server.wake();
    },
    close: async () => undefined,
  };
}

function onCell(
  server: TwinServer,
  { key, layer, cell }: { readonly key: string; readonly layer: string; readonly cell: number },
  write: (record: CellRecord) => CellSeedReply,
): CellSeedReply {
  const { grid } = server;
  if (!(Number.isInteger(cell) && cell >= 0 && cell < grid.cells)) {
    return { tag: 'BADARG', message: `no cell ${cell} in this grid` };
  }
  const block = server.world(key).blocks.get(grid.blockOf(cell));
  if (block === undefined) return { tag: 'NOWORLD' };
  if (block.isSealed) return { tag: 'SEALED' };
  if (server.refusal !== undefined) return { tag: 'REFUSED', message: server.refusal };
  return write(server.cell(key, layer, cell));
}
