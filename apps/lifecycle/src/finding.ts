/**
 * Where an entity is, from state. Hints say where to look first; that it is nowhere is said only
 * when every cell, and every channel between them, was looked at.
 */
import { bearerOf, LeaseholdError } from '@leasehold/kernel';
import { type ComponentValues, LOCATE_CELLS_MAX } from '@leasehold/protocol';
import { componentsOf, type InFlight, inFlight, readCells } from './cell-states.ts';
import type { OpenLayer, OpenWorld } from './worlds.ts';

export type FoundEntity = {
  readonly id: number;
  /** The cell that has it, or that it has just left. */
  readonly cell: number;
  readonly tick: number;
  readonly components: ComponentValues;
};

/** Whole worlds up to this size are searched; above, the hints are the answer. */
const SCAN_CELLS_MAX = 4_096;
/** Channel entries of one cell that are looked at: those not trimmed yet, some ticks of them. */
const CHANNELS_PER_READ_MAX = 64;

/** Errors: `ENTITY_UNKNOWN`, and those of reading. */
export async function findEntity(
  open: OpenWorld,
  layer: OpenLayer,
  id: number,
  wanted?: ReadonlySet<string>,
): Promise<FoundEntity> {
  const first = await new SearchOf(open, layer, id, wanted).run();
  if (first !== undefined) return first;
  // Who crosses several borders while cells are read one after the other is ahead of the reader.
  const [noted] = await layer.store.whereabouts([id]);
  const found = noted === undefined ? undefined : await new SearchOf(open, layer, id, wanted).run();
  if (found !== undefined) return found;
  throw new LeaseholdError('ENTITY_UNKNOWN', `no entity has the id ${id}`, {
    field: 'id',
    value: String(id),
    remedy: 'It may have died, or not be born yet: look at the answer to the request that made it.',
  });
}

class SearchOf {
  readonly #open: OpenWorld;
  readonly #layer: OpenLayer;
  readonly #id: number;
  readonly #wanted: ReadonlySet<string> | undefined;
  readonly #seen = new Set<number>();

  constructor(
    open: OpenWorld,
    layer: OpenLayer,
    id: number,
    wanted: ReadonlySet<string> | undefined,
  ) {
    this.#open = open;
    this.#layer = layer;
    this.#id = id;
    this.#wanted = wanted;
  }

  async run(): Promise<FoundEntity | undefined> {
    const { grid } = this.#open;
    const { store } = this.#layer;
    const [noted] = await store.whereabouts([this.#id]);
    const born = bearerOf(this.#id);
    const likely = [noted ?? born, born].filter((cell) => cell < grid.cells);
    const near = likely.flatMap((cell) => [...grid.neighbours(cell)]);
    return (
      (await this.#in(likely.slice(0, 1))) ??
      (await this.#in([...likely, ...near])) ??
      (await this.#underway([...likely, ...near])) ??
      (await this.#in(await this.#indexed())) ??
      (await this.#everywhere())
    );
  }

  /** Looks into cells that were not looked into yet. */
  async #in(cells: readonly number[]): Promise<FoundEntity | undefined> {
    const fresh = [...new Set(cells)].filter((cell) => !this.#seen.has(cell));
    let found: FoundEntity | undefined;
    await readCells(this.#layer, fresh, ({ cell, tick, table }) => {
      this.#seen.add(cell);
      const row = table.find(this.#id);
      if (row < 0) return false;
      const components = componentsOf(table, row, this.#wanted);
      found = { id: this.#id, cell, tick, components };
      return true;
    });
    return found;
  }

  /** Who crosses a border is in neither cell until the next tick of the one it goes to. */
  async #underway(cells: readonly number[]): Promise<FoundEntity | undefined> {
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

  async #arrived({ entry, table, row }: InFlight): Promise<FoundEntity | undefined> {
    const { from, to, seq, tick } = entry;
    const [head] = await this.#layer.store.heads([to]);
    const isTaken = head !== undefined && 'seq' in head && (head.cursors.get(from) ?? 0) >= seq;
    if (!isTaken) {
      const components = componentsOf(table, row, this.#wanted);
      return { id: this.#id, cell: from, tick, components };
    }
    this.#seen.delete(to);
    return this.#in([to]);
  }

  async #indexed(): Promise<number[]> {
    const { grid } = this.#open;
    const found = new Set<number>();
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

  async #everywhere(): Promise<FoundEntity | undefined> {
    const { cells } = this.#open.grid;
    if (cells > SCAN_CELLS_MAX) return undefined;
    const all = Array.from({ length: cells }, (_, cell) => cell);
    return (await this.#in(all)) ?? (await this.#underway(all));
  }
}
