/**
 * What really is, for whoever doubts a view: read from checkpoints, logs and channels of a world at
 * rest, without anything that gateways use to follow it.
 */
import {
  applyCommit,
  decodeCheckpoint,
  decodeCommit,
  decodeRows,
  type FieldValue,
  type Head,
  type LayerSchema,
  type Store,
  Table,
} from '@leasehold/protocol';

export type Components = Readonly<Record<string, Readonly<Record<string, FieldValue>>>>;

/** One who lives. On the way between cells it belongs to the one that it left. */
export type Being = { readonly cell: number; readonly components: Components };

/** Cells read at once. */
const CELLS_MAX = 256;

/** Everybody who lives, by id. Throws when somebody is in two places: then there is no truth. */
export async function truthOf(
  store: Store,
  schema: LayerSchema,
  cells: number,
): Promise<Map<number, Being>> {
  const heads = new Map<number, Head>();
  const living = new Map<number, Being>();
  for (const some of chunks(cells)) {
    for (const head of await store.heads(some)) {
      if ('tag' in head) throw new Error(`a head cannot be read: ${head.tag}`);
      heads.set(head.cell, head);
    }
  }
  for (const some of chunks(cells)) {
    for (const { cell, checkpoint, entries } of await store.load(some.map((cell) => ({ cell })))) {
      const table =
        checkpoint === undefined
          ? new Table(schema)
          : decodeCheckpoint(checkpoint.body, schema).table;
      for (const { body } of entries) applyCommit(table, decodeCommit(body, schema));
      addRows(living, table, cell);
      for (const { seq, to, body } of await store.channel(cell, 0)) {
        const isConsumed = seq <= (heads.get(to)?.cursors.get(cell) ?? 0);
        if (!isConsumed) addRows(living, decodeRows(body, schema).rows, cell);
      }
    }
  }
  return living;
}

function* chunks(cells: number): Iterable<number[]> {
  for (let from = 0; from < cells; from += CELLS_MAX) {
    yield Array.from({ length: Math.min(CELLS_MAX, cells - from) }, (_, i) => from + i);
  }
}

function addRows(living: Map<number, Being>, table: Table, cell: number): void {
  for (let row = 0; row < table.count; row++) {
    const id = table.ids[row] as number;
    if (living.has(id)) throw new Error(`entity ${id} is in cell ${cell} and in another`);
    living.set(id, { cell, components: componentsOf(table, row) });
  }
}

function componentsOf(table: Table, row: number): Components {
  const components: Record<string, Record<string, FieldValue>> = {};
  for (const [c, { name, fields }] of table.schema.components.entries()) {
    if ((((table.masks[row] as number) >>> c) & 1) === 0) continue;
    const values = fields.map(({ name: field, kind }, f) => {
      const value = table.columns[c]?.[f]?.[row] as FieldValue;
      return [field, kind === 'bool' ? value === 1 : value] as const;
    });
    components[name] = Object.fromEntries(values);
  }
  return components;
}
