/**
 * Where an entity is in a layer, from state. Hints say where to look first; that it is nowhere is said
 * only when every cell, and every channel between them, was looked at.
 */
import { bearerOf, LeaseholdError } from '@leasehold/kernel';
import { LOCATE_CELLS_MAX, type Table } from '@leasehold/protocol';
import { type InFlight, inFlight, readCells } from './cell-states.ts';
import type { OpenLayer, OpenWorld } from './worlds.ts';

/** What a layer has of an entity. */
export type FoundRow = {
  readonly id: number;
  /** The cell that has it, or that it has just left. */
  readonly cell: number;
  readonly tick: number;
  readonly table: Table;
  readonly row: number;
};

/** Whole worlds up to this size are searched; above, the hints are the answer. */
const SCAN_CELLS_MAX = 4_096;
/** Channel entries of one cell that are looked at: those not trimmed yet, some ticks of them. */
const CHANNELS_PER_READ_MAX = 64;

/** As the layer has it that says who lives. Errors: `ENTITY_UNKNOWN`, and those of reading. */
export async function findRow(open: OpenWorld, id: number): Promise<FoundRow> {
  const [home] = open.layers;
  const found = await findIn(open, home, id);
  if (found !== undefined) return found;
  throw new LeaseholdError('ENTITY_UNKNOWN', `no entity has the id ${id}`, {
    field: 'id',
    value: String(id),
    remedy: 'It may have died, or not be born yet: look at the answer to the request that made it.',
  });
}

/** Undefined: the layer has it nowhere. `near`: the cell in which another layer has it. */
export async function findIn(
  open: OpenWorld,
  layer: OpenLayer,
  id: number,
  near?: number,
): Promise<FoundRow | undefined> {
  const first = await new SearchOf(open, layer, id, near).run();
  if (first !== undefined) return first;
  // Who crosses several borders while cells are read one after the other is ahead of the reader.
  const [noted] = await layer.store.whereabouts([id]);
  return noted === undefined ? undefined : new SearchOf(open, layer, id).run();
}

/**
 * The same, where it is likely alone: in a cell in which another layer has it, where it was noted or
 * born, around those, and on the way between them.
 */
export function findLikely(
  open: OpenWorld,
  layer: OpenLayer,
  id: number,
  cell: number,
): Promise<FoundRow | undefined> {
  return new SearchOf(open, layer, id, cell).likely();
}

class SearchOf {
  readonly #open: OpenWorld;
  readonly #layer: OpenLayer;
  readonly #id: number;
  readonly #hint: number | undefined;
  readonly #seen = new Set<number>();

  constructor(open: OpenWorld, layer: OpenLayer, id: number, hint?: number) {
    this.#open = open;
    this.#layer = layer;
    this.#id = id;
    this.#hint = hint;
  }

  async run(): Promise<FoundRow | undefined> {
    return (
      (await this.likely()) ?? (await this.#in(await this.#indexed())) ?? (await this.#everywhere())
    );
  }

  async likely(): Promise<FoundRow | undefined> {
    const { grid } = this.#open;
    const [noted] = await this.#layer.store.whereabouts([this.#id]);
    const born = bearerOf(this.#id);
    const hints = [this.#hint ?? noted ?? born, noted ?? born, born];
    const likely = hints.filter((cell) => cell < grid.cells);
    const all = [...likely, ...likely.flatMap((cell) => [...grid.neighbours(cell)])];
    return (
      (await this.#in(likely.slice(0, 1))) ?? (await this.#in(all)) ?? (await this.#underway(all))
    );
  }

  /** Looks into cells that were not looked into yet. */
  async #in(cells: readonly number[]): Promise<FoundRow | undefined> {
    const fresh = [...new Set(cells)].filter((cell) => !this.#seen.has(cell));
    let found: FoundRow | undefined;
    await readCells(this.#layer, fresh, ({ cell, tick, table }) => {
      this.#seen.add(cell);
      const row = table.find(this.#id);
      if (row < 0) return false;
      found = { id: this.#id, cell, tick, table, row };
      return true;
    });
    return found;
  }

  /** Who crosses a border is in neither cell until the next tick of the one it goes to. */
  async #underway(cells: readonly number[]): Promise<FoundRow | undefined> {
    const { store } = this.#layer;
    const all = [...new Set(cells)];
    for (let from = 0; from < all.length; from += CHANNELS_PER_READ_MAX) {
      const some = all.slice(from, from + CHANNELS_PER_READ_MAX);
      const channels = await Promise.all(some.map((cell) => store.channel(cell, 0)));
      for (const entries of channels) {
        const gone = inFlight(this.#layer, entries, this.#id);
        const found = gone === undefined ? undefined : await this.#arrived(gone);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  async #arrived({ entry, table, row }: InFlight): Promise<FoundRow | undefined> {
    const { from, to, seq, tick } = entry;
    const [head] = await this.#layer.store.heads([to]);
    const isTaken = head !== undefined && 'seq' in head && (head.cursors.get(from) ?? 0) >= seq;
    if (!isTaken) return { id: this.#id, cell: from, tick, table, row };
    this.#seen.delete(to);
    return this.#in([to]);
  }

  /** Only the layer that says where entities are writes the index. */
  async #indexed(): Promise<number[]> {
    const { grid } = this.#open;
    const [home] = this.#open.layers;
    const found = new Set<number>();
    if (this.#layer !== home) return [];
    for (let from = 0; from < grid.cells; from += LOCATE_CELLS_MAX) {
      const length = Math.min(LOCATE_CELLS_MAX, grid.cells - from);
      const some = Array.from({ length }, (_, i) => from + i);
      for (const cell of await this.#layer.store.locate(this.#id, some)) {
        found.add(cell);
        for (const near of grid.neighbours(cell)) found.add(near);
      }
    }
    return [...found];
  }

  async #everywhere(): Promise<FoundRow | undefined> {
    const { cells } = this.#open.grid;
    if (cells > SCAN_CELLS_MAX) return undefined;
    const all = Array.from({ length: cells }, (_, cell) => cell);
    return (await this.#in(all)) ?? (await this.#underway(all));
  }
}
