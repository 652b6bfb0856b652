/**
 * Questions asked once: what is in an area, what is nearest to a point, where is an entity. Cells
 * are followed for a moment to answer, so the next question about them is answered at once.
 */
import { type Clock, LeaseholdError } from '@leasehold/kernel';
import type { FieldValue, LayerSchema, Store } from '@leasehold/protocol';
import type { Area, Selection } from '@leasehold/protocol/view';
import { AreaShape, type Grid } from '@leasehold/spatial';
import type { FollowedCell, Following } from './following.ts';
import type { ViewLimits } from './limits.ts';
import type { CellKit, LiveCell } from './live-cell.ts';
import { type CellPositions, type NearestQuery, nearest } from './nearest.ts';
import { type Chosen, chosenOf } from './selection.ts';
import { rowOf } from './subscription.ts';

/** An entity as an answer tells it. */
export type FoundEntity = {
  readonly id: number;
  readonly cell: number;
  /** Where it is, in space units; absent where the layer has no positions. */
  readonly x?: number;
  readonly y?: number;
  /** For the nearest: units of the space; metres on wgs84. */
  readonly distance?: number;
  readonly components: Readonly<Record<string, Readonly<Record<string, FieldValue>>>>;
};

export type Found = {
  /** Latest tick of the cells that were looked at. */
  readonly tick: number;
  /** Ascending by id; by distance for the nearest. */
  readonly entities: readonly FoundEntity[];
  /** Whether there are more than were asked for. */
  readonly isTruncated: boolean;
};

export type SearchParts = {
  readonly store: Pick<Store, 'locate' | 'near'>;
  readonly grid: Grid;
  readonly clock: Clock;
  readonly following: Following;
  readonly spatial: CellKit['spatial'];
  readonly limits: ViewLimits;
};

const READY_MAX_MS = 5_000;
const LOOK_MS = 10;
/** Where the index has no answer, worlds up to this size are searched cell by cell. */
const SCAN_CELLS_MAX = 1_024;
/** Between two searches of that kind. Nearly everybody is found by the index, before it. */
const SCAN_PAUSE_MS = 2_000;
const LOCATE_CELLS_MAX = 1_024;

export class Search {
  readonly #parts: SearchParts;
  /** Who is looked for in the whole world, and the search for them. */
  readonly #sought = new Set<number>();
  #scanning: Promise<ReadonlyMap<number, number>> | undefined;
  #scannedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: SearchParts) {
    this.#parts = parts;
  }

  async query(
    area: Area,
    selection: Selection,
    limit: number,
    schema: LayerSchema,
  ): Promise<Found> {
    const chosen = chosenOf(schema, selection);
    const shape = await this.#shapeOf(area);
    const { areaCellsMax } = this.#parts.limits;
    if (shape.cells.length > areaCellsMax) {
      throw new LeaseholdError('LIMIT_EXCEEDED', `the area touches ${shape.cells.length} cells`, {
        field: 'areaCellsMax',
        value: String(shape.cells.length),
        remedy: `Ask for an area of at most ${areaCellsMax} cells.`,
      });
    }
    return this.#with(shape.cells, (cells) => {
      const found: { readonly live: LiveCell; readonly row: number; readonly id: number }[] = [];
      let tick = 0;
      for (const { live } of cells) {
        tick = Math.max(tick, live.tick);
        const isWhole = shape.isWhole(live.cell);
        for (let row = 0; row < live.rows.count; row++) {
          if (!has(live, row, chosen.mask)) continue;
          const at = this.#placeAt(live, row);
          if (!isWhole && (at === undefined || !shape.contains(at.x, at.y))) continue;
          found.push({ live, row, id: live.rows.ids[row] as number });
        }
      }
      found.sort((a, b) => a.id - b.id);
      const entities = found
        .slice(0, limit)
        .map(({ live, row }) => entityAt(live, row, chosen, this.#placeAt(live, row)));
      return { tick, entities, isTruncated: found.length > limit };
    });
  }

  async #shapeOf(area: Area): Promise<AreaShape> {
    const { grid } = this.#parts;
    if (area.kind !== 'around') return new AreaShape(grid, area);
    const { radius } = area;
    new AreaShape(grid, { kind: 'circle', x: 0, y: 0, radius });
    const { x, y } = await this.place(area.entity);
    return new AreaShape(grid, { kind: 'circle', x, y, radius });
  }

  async nearest(question: NearestQuery, selection: Selection, schema: LayerSchema): Promise<Found> {
    const chosen = chosenOf(schema, selection);
    checkRadius(this.#parts.grid, question);
    const { store, grid } = this.#parts;
    const rowsOf = (numbers: readonly number[]) =>
      this.#with(numbers, (cells) => this.#places(cells, chosen.mask));
    const near = await nearest({ store, grid, rowsOf }, question);
    const cells = [...new Set(near.map(({ cell }) => cell))];
    return this.#with(cells, (followed) => {
      const entities: FoundEntity[] = [];
      for (const { id, cell, distance } of near) {
        const live = followed.find((each) => each.live.cell === cell)?.live;
        const row = live === undefined ? -1 : rowOf(live.rows.ids, live.rows.count, id);
        if (live === undefined || row < 0) continue;
        entities.push({ ...entityAt(live, row, chosen, this.#placeAt(live, row)), distance });
      }
      const tick = followed.reduce((latest, { live }) => Math.max(latest, live.tick), 0);
      return { tick, entities, isTruncated: false };
    });
  }

  #places(cells: readonly FollowedCell[], mask: number): CellPositions[] {
    return cells.map(({ live }) => {
      const ids: number[] = [];
      const xs: number[] = [];
      const ys: number[] = [];
      for (let row = 0; row < live.rows.count; row++) {
        const at = has(live, row, mask) ? this.#placeAt(live, row) : undefined;
        if (at === undefined) continue;
        ids.push(live.rows.ids[row] as number);
        xs.push(at.x);
        ys.push(at.y);
      }
      return { cell: live.cell, count: ids.length, ids, xs, ys };
    });
  }

  async entity(id: number, selection: Selection, schema: LayerSchema): Promise<Found> {
    const chosen = chosenOf(schema, selection);
    const cell = await this.#cellOf(id);
    return this.#with([cell], ([followed]) => {
      const { live } = followed as FollowedCell;
      const row = rowOf(live.rows.ids, live.rows.count, id);
      if (row < 0) throw unknown(id);
      const entities = [entityAt(live, row, chosen, this.#placeAt(live, row))];
      return { tick: live.tick, entities, isTruncated: false };
    });
  }

  /** Where an entity is. Throws `ENTITY_UNKNOWN`. */
  async place(id: number): Promise<{ readonly x: number; readonly y: number }> {
    const cell = await this.#cellOf(id);
    const live = this.#parts.following.cells.get(cell)?.live;
    const row = live === undefined ? -1 : rowOf(live.rows.ids, live.rows.count, id);
    const at = live === undefined || row < 0 ? undefined : this.#placeAt(live, row);
    if (at === undefined) throw unknown(id);
    return at;
  }

  /** The cell that has an entity: one that is followed, or where the index saw it, or about there. */
  async #cellOf(id: number): Promise<number> {
    const { following, grid, store } = this.#parts;
    const known = holderOf(following.cells.values(), id);
    if (known !== undefined) return known;
    const all = Array.from({ length: grid.cells }, (_, cell) => cell);
    const hinted = new Set<number>();
    for (let from = 0; from < all.length; from += LOCATE_CELLS_MAX) {
      const some = all.slice(from, from + LOCATE_CELLS_MAX);
      for (const cell of await store.locate(id, some)) hinted.add(cell);
    }
    // It may have crossed a border since it was indexed.
    for (const cell of [...hinted]) for (const other of grid.neighbours(cell)) hinted.add(other);
    const found =
      hinted.size === 0 ? undefined : await this.#with([...hinted], (cells) => holderOf(cells, id));
    if (found !== undefined) return found;
    if (grid.cells > SCAN_CELLS_MAX) throw unknown(id);
    this.#sought.add(id);
    this.#scanning ??= this.#scan(all);
    const last = (await this.#scanning).get(id);
    if (last === undefined) throw unknown(id);
    return last;
  }

  /**
   * Looks through the whole world for everybody who is sought by then. One at a time and with pauses,
   * however many ask: anybody can ask for somebody who never was.
   */
  async #scan(all: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const { clock } = this.#parts;
    const restMs = this.#scannedAtMs + SCAN_PAUSE_MS - clock.nowMs();
    if (restMs > 0) await clock.sleep(restMs);
    const found = new Map<number, number>();
    try {
      return await this.#with(all, (cells) => {
        for (const id of this.#sought) {
          const cell = holderOf(cells, id);
          if (cell !== undefined) found.set(id, cell);
        }
        this.#scanned();
        return found;
      });
    } catch (error) {
      this.#scanned();
      throw error;
    }
  }

  /** Who asks from now on is for the next. */
  #scanned(): void {
    this.#sought.clear();
    this.#scanning = undefined;
    this.#scannedAtMs = this.#parts.clock.nowMs();
  }

  /** Runs `ask` once all cells are there, and lets go of them afterwards. */
  async #with<T>(
    numbers: Iterable<number>,
    ask: (cells: readonly FollowedCell[]) => T,
  ): Promise<T> {
    const { following, clock } = this.#parts;
    const wanted = [...numbers];
    following.expectRoom(wanted);
    const cells = wanted.map((cell) => following.want(cell));
    try {
      const deadlineMs = clock.nowMs() + READY_MAX_MS;
      while (cells.some(({ live }) => !live.isReady)) {
        if (clock.nowMs() > deadlineMs) throw notReady(cells);
        await clock.sleep(LOOK_MS);
      }
      return ask(cells);
    } finally {
      for (const cell of cells) following.release(cell);
    }
  }

  #placeAt(live: LiveCell, row: number): { readonly x: number; readonly y: number } | undefined {
    const { spatial } = this.#parts;
    if (spatial === undefined || !has(live, row, 2 ** spatial.component)) return undefined;
    const columns = live.rows.columns[spatial.component] ?? [];
    return { x: Number(columns[spatial.x]?.[row]), y: Number(columns[spatial.y]?.[row]) };
  }
}

/** The same bound as for a circle: beyond it nothing is excluded. */
function checkRadius(grid: Grid, { radius }: NearestQuery): void {
  if (radius !== undefined) new AreaShape(grid, { kind: 'circle', x: 0, y: 0, radius });
}

const has = ({ rows }: LiveCell, row: number, mask: number): boolean =>
  ((rows.masks[row] as number) & mask) >>> 0 === mask;

function holderOf(cells: Iterable<FollowedCell>, id: number): number | undefined {
  for (const { live } of cells) {
    if (live.isReady && rowOf(live.rows.ids, live.rows.count, id) >= 0) return live.cell;
  }
  return undefined;
}

function entityAt(
  live: LiveCell,
  row: number,
  { shape }: Chosen,
  at: { readonly x: number; readonly y: number } | undefined,
): FoundEntity {
  const components: Record<string, Record<string, FieldValue>> = {};
  for (const { name, index, fields } of shape.components) {
    if (!has(live, row, 2 ** index)) continue;
    const values: Record<string, FieldValue> = {};
    for (const [f, field] of fields.entries()) {
      const value = live.rows.columns[index]?.[f]?.[row] as FieldValue;
      values[field.name] = field.kind === 'bool' ? value === 1 : value;
    }
    components[name] = values;
  }
  return { id: live.rows.ids[row] as number, cell: live.cell, ...at, components };
}

function unknown(id: number): LeaseholdError {
  return new LeaseholdError('ENTITY_UNKNOWN', `no entity has the id ${id}`, {
    field: 'id',
    value: String(id),
    remedy: 'It may have died: look for another one, as a view or a query lists them.',
  });
}

function notReady(cells: readonly FollowedCell[]): LeaseholdError {
  const missing = cells.filter(({ live }) => !live.isReady).map(({ live }) => live.cell);
  return new LeaseholdError('WORLD_NOT_READY', 'cells cannot be read now', {
    field: 'cells',
    value: missing.slice(0, 5).join(', '),
    remedy: 'Ask again in a moment; if that does not help, look at the log of the gateway.',
  });
}
