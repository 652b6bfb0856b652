/** State of cells as it is committed now: checkpoint and log, read and decoded for one request. */
import {
  applyCommit,
  type CellImage,
  type ChannelEntry,
  decodeCheckpoint,
  decodeCommit,
  decodeRows,
  inspectRows,
  layerOfAddress,
  Table,
} from '@leasehold/protocol';
import type { OpenLayer } from './worlds.ts';

export type CellState = { readonly cell: number; readonly tick: number; readonly table: Table };

/** Cells whose images are in memory at once: of 1 MB each at the very most. */
export const CELLS_PER_READ_MAX = 32;

/**
 * Reads cells, some at a time, and gives each to `use`, which answers whether it has enough. Errors:
 * `WORLD_NOT_READY`, those of the decoders and of the network.
 */
export async function readCells(
  { store, schema, older }: OpenLayer,
  cells: readonly number[],
  use: (state: CellState) => boolean,
): Promise<void> {
  for (let from = 0; from < cells.length; from += CELLS_PER_READ_MAX) {
    const some = cells.slice(from, from + CELLS_PER_READ_MAX).map((cell) => ({ cell }));
    for (const image of await store.load(some)) {
      if (use(stateOf(image, { schema, older }))) return;
    }
  }
}

function stateOf(
  image: CellImage,
  { schema, older }: Pick<OpenLayer, 'schema' | 'older'>,
): CellState {
  const { cell, checkpoint, entries } = image;
  const stored =
    checkpoint === undefined ? undefined : decodeCheckpoint(checkpoint.body, schema, older);
  const table = stored?.table ?? new Table(schema);
  let tick = stored?.tick ?? 0;
  for (const entry of entries) {
    const body = decodeCommit(entry.body, schema, older);
    applyCommit(table, body);
    tick = body.tick;
  }
  return { cell, tick, table };
}

/** Who left a cell, with the entry of its channel that carries it. */
export type InFlight = {
  readonly entry: ChannelEntry;
  readonly table: Table;
  readonly row: number;
};

/**
 * An entity among the entries of a cell's channel, where it is last. Entries for other layers are left
 * out: they tell those of births, in their schemas.
 */
export function inFlight(
  { schema, older }: Pick<OpenLayer, 'schema' | 'older'>,
  entries: readonly ChannelEntry[],
  id: number,
): InFlight | undefined {
  const entry = entries.findLast(
    ({ to, body }) => layerOfAddress(to) === -1 && inspectRows(body).ids.includes(id),
  );
  if (entry === undefined) return undefined;
  const { rows: table } = decodeRows(entry.body, schema, older);
  return { entry, table, row: table.find(id) };
}
