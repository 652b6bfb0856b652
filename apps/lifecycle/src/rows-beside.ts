/** Rows that a layer has for many entities, sought where the layer that says where they are has them. */
import { readCells } from './cell-states.ts';
import { type FoundRow, findLikely } from './finding.ts';
import type { OpenLayer, OpenWorld } from './worlds.ts';

/** Entities that are looked for one by one: at any moment few are on their way between two cells. */
const STRAYS_MAX = 64;

export type Placed = { readonly id: number; readonly cell: number };

/** By id. Whom the layer does not have around there, or not yet, is left out. */
export async function rowsBeside(
  open: OpenWorld,
  layer: OpenLayer,
  entities: readonly Placed[],
): Promise<Map<number, FoundRow>> {
  const found = new Map<number, FoundRow>();
  const seen = new Set<number>();
  const missing = (): Placed[] => entities.filter(({ id }) => !found.has(id));
  const look = async (cells: readonly number[]): Promise<void> => {
    const fresh = [...new Set(cells)].filter((cell) => !seen.has(cell));
    for (const cell of fresh) seen.add(cell);
    const sought = missing();
    await readCells(layer, fresh, ({ cell, tick, table }) => {
      for (const { id } of sought) {
        const row = table.find(id);
        if (row !== -1) found.set(id, { id, cell, tick, table, row });
      }
      return false;
    });
  };
  await look(entities.map(({ cell }) => cell));
  // It follows a tick later, so who has just crossed a border is still beyond it.
  await look(missing().flatMap(({ cell }) => [...open.grid.neighbours(cell)]));
  for (const { id, cell } of missing().slice(0, STRAYS_MAX)) {
    const row = await findLikely(open, layer, id, cell);
    if (row !== undefined) found.set(id, row);
  }
  return found;
}
