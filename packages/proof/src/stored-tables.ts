/** All rows of one layer of a world at rest, from the store alone. */
import {
  channelKind,
  decodeRows,
  layerOfAddress,
  type Store,
  type Table,
} from '@leasehold/protocol';
import type { Engine } from '@leasehold/sdk/engine';

/** Those in flight between its cells are among them. */
export async function tablesOf(store: Store, engine: Engine): Promise<Table[]> {
  const cells = [...Array(engine.grid.cells).keys()];
  const cursors = new Map<number, ReadonlyMap<number, number>>();
  for (const head of await store.heads(cells)) {
    if (!('tag' in head)) cursors.set(head.cell, head.cursors);
  }
  const tables: Table[] = [];
  for (const image of await store.load(cells.map((cell) => ({ cell })))) {
    const state = engine.createCell(image.cell);
    state.restore(image);
    tables.push(state.table);
    for (const { seq, from, to, body } of await store.channel(image.cell, 0)) {
      // What is for another layer, or for no cell, holds none of its rows.
      if (channelKind(body) !== 'rows' || layerOfAddress(to) !== -1) continue;
      if (seq <= (cursors.get(to)?.get(from) ?? 0)) continue;
      tables.push(decodeRows(body, engine.schema).rows);
    }
  }
  return tables;
}
