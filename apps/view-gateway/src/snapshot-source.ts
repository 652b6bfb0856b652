/**
 * Snapshots of the world in PostGIS, as views read them: cells when somebody looks at them, in the
 * schema in which they were taken, with whoever was on the way. The database is asked for the first
 * time when a client asks for the past, so that a gateway serves now without it.
 */
import { LeaseholdError } from '@leasehold/kernel';
import {
  type CellImage,
  decodeCheckpoint,
  decodeRows,
  encodeCheckpoint,
  type LayerSchema,
  layerOfAddress,
  parseSchema,
  planMigration,
  rebaseCheckpoint,
  type SchemaResolver,
} from '@leasehold/protocol';
import {
  type CapturedCell,
  type CapturedFlight,
  openSnapshotStore,
  type SnapshotFacts,
  type SnapshotStore,
} from '@leasehold/snapshot-store';
import type { Grid } from '@leasehold/spatial';
import type { PastCells, PastSnapshot, PastSource } from '@leasehold/view';

/** As many as a slider can tell apart; older ones are there under their ids. */
const LISTED_MAX = 1_000;

export type SnapshotSourceParts = {
  /** Of a PostgreSQL with PostGIS. */
  readonly url: string;
  readonly world: string;
  readonly layer: string;
  readonly schema: LayerSchema;
  readonly grid: Grid;
};

export class SnapshotSource implements PastSource {
  readonly #parts: SnapshotSourceParts;
  #store: Promise<SnapshotStore> | undefined;

  constructor(parts: SnapshotSourceParts) {
    this.#parts = parts;
  }

  async close(): Promise<void> {
    await (await this.#store?.catch(() => undefined))?.close();
  }

  async list(): Promise<readonly PastSnapshot[]> {
    const { world, layer } = this.#parts;
    const all = await (await this.#opened()).list(world);
    return all
      .flatMap(({ id, tick, takenAtMs, totals, layers }) =>
        totals === undefined || !layers.includes(layer)
          ? []
          : [{ id, tick, takenAtMs, entities: totals.entities }],
      )
      .slice(0, LISTED_MAX);
  }

  async open(id: string): Promise<PastCells> {
    const { world, layer, grid, schema } = this.#parts;
    const store = await this.#opened();
    const facts = await store.facts(id);
    if (facts.world !== world) throw unknown(id, await this.list());
    checkSpace(facts, grid);
    const older = schemasOf(facts);
    const stored = facts.layers.find((each) => each.layer === layer);
    const own = stored === undefined ? undefined : older(stored.schemaHash);
    // What its rows cannot become is told now, and not by cells that never come.
    if (own !== undefined) planMigration(own, schema);
    const bytes = await store.layerBytes(id, layer);
    return {
      ...{ bytes, older },
      load: async (cells) => {
        const found = await this.#read(store, id, cells);
        return cells.map((cell) => imageOf(cell, found, { tick: facts.tick, older }));
      },
      cellOf: async (entity) => (await store.entities(id, { ids: [entity] }))[0]?.cell,
    };
  }

  async #read(store: SnapshotStore, id: string, cells: readonly number[]) {
    try {
      return await store.someCells(id, { layer: this.#parts.layer, cells });
    } catch (error) {
      const isOfCells = error instanceof LeaseholdError && error.code === 'SNAPSHOT_CORRUPT';
      if (isOfCells || !(error instanceof LeaseholdError)) throw error;
      // It is no fault of single cells: none of them can be read now.
      throw new LeaseholdError('WORLD_NOT_READY', error.message, error.detail, { cause: error });
    }
  }

  /** Whoever comes after one that failed tries again. */
  #opened(): Promise<SnapshotStore> {
    const opening = this.#store ?? openSnapshotStore({ url: this.#parts.url });
    this.#store = opening;
    opening.catch(() => {
      if (this.#store === opening) this.#store = undefined;
    });
    return opening;
  }
}

type Found = {
  readonly cells: readonly CapturedCell[];
  readonly flights: readonly CapturedFlight[];
};
type Known = { readonly tick: number; readonly older: SchemaResolver };

/** A cell at the tick of the snapshot. One without rows was never written. */
function imageOf(cell: number, { cells, flights }: Found, { tick, older }: Known): CellImage {
  const captured = cells.find((each) => each.cell === cell);
  if (captured === undefined) return { cell, entries: [] };
  const { seq, hash, rows } = captured;
  const flight = flights.find((each) => each.cell === cell);
  const body = withFlight(rows, flight, { tick, older });
  return { cell, checkpoint: { seq, hash, tick, body }, entries: [] };
}

/** The rows, and with them those who had left for a cell that had not taken them in. */
function withFlight(
  rows: Uint8Array,
  flight: CapturedFlight | undefined,
  { tick, older }: Known,
): Uint8Array {
  const at = { tick, idCounter: 0 };
  // Entries for other layers tell those of births: nobody is on the way in them.
  const entries = flight?.channel.filter(({ to }) => {
    return layerOfAddress(to) === -1 || layerOfAddress(to) === flight.layer;
  });
  if (entries === undefined || entries.length === 0) return rebaseCheckpoint(rows, at);
  const { table } = decodeCheckpoint(rows, older);
  for (const { body } of entries) {
    const left = decodeRows(body, table.schema, older).rows;
    const others: number[] = [];
    for (let row = 0; row < left.count; row++) {
      // One who came back is in the cell already.
      if (table.find(left.ids[row] as number) < 0) others.push(row);
    }
    table.merge(left.pick(others));
  }
  return encodeCheckpoint(table, at);
}

function schemasOf({ schemas }: SnapshotFacts): SchemaResolver {
  const known = new Map<string, LayerSchema>();
  return (hash) => {
    const json = schemas[hash];
    const before = known.get(hash);
    if (before !== undefined || json === undefined) return before;
    const schema = parseSchema(json);
    known.set(hash, schema);
    return schema;
  };
}

/** Cells of another grid are other places. Throws `WORLD_MISMATCH`. */
function checkSpace({ id, space }: SnapshotFacts, grid: Grid): void {
  const now = {
    ...{ kind: grid.spec.kind, originX: grid.originX, originY: grid.originY },
    ...{ width: grid.width, height: grid.height, cell: grid.cellSize },
  };
  const differs = Object.entries(now).find(([key, value]) => {
    return space[key as keyof typeof space] !== value;
  });
  if (differs === undefined) return;
  const message = `snapshot ${id} was taken of another space: ${differs[0]} differs`;
  throw new LeaseholdError('WORLD_MISMATCH', message, {
    field: `space.${differs[0]}`,
    value: String(space[differs[0] as keyof typeof space]),
    remedy: 'Look at it with leasehold snapshot, or through a gateway of a world restored from it.',
  });
}

function unknown(id: string, known: readonly PastSnapshot[]): LeaseholdError {
  const newest = known.slice(0, 10).map((each) => each.id);
  return new LeaseholdError('SNAPSHOT_UNKNOWN', `this world has no snapshot ${id}`, {
    field: 'snapshot',
    value: id,
    remedy:
      newest.length === 0
        ? 'None was taken yet.'
        : `Name one that is there; the newest: ${newest.join(', ')}.`,
  });
}
