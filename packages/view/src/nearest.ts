/**
 * The entities nearest to a point, exactly. Cells are taken nearest first; the index only says how
 * far it is worth looking at once, since it is late and may miss entities. What counts are the rows
 * of cells, and the end is proved by distance: nobody in a cell not looked at can be nearer.
 */
import { assert, LeaseholdError } from '@leasehold/kernel';
import { NEAR_SEARCHES_MAX, type Store } from '@leasehold/protocol';
import { cellDistanceMin, fromGeo, type Grid, geoAround } from '@leasehold/spatial';

/** Most entities of one answer. */
export const NEAREST_COUNT_MAX = 100;
/** Most cells whose rows one question may take: each may have to be followed for it. */
export const NEAREST_CELLS_MAX = 256;
/** Cells taken at first where the index knows nobody: the point's own and those round it. */
const CELLS_FIRST = 9;

/** Rows of one cell, aligned; only the first `count` are read. */
export type CellPositions = {
  readonly cell: number;
  readonly count: number;
  readonly ids: ArrayLike<number>;
  readonly xs: ArrayLike<number>;
  readonly ys: ArrayLike<number>;
};

export type NearestParts = {
  readonly store: Pick<Store, 'near'>;
  readonly grid: Grid;
  /** Every entity with a position that these cells hold now. */
  rowsOf(cells: readonly number[]): Promise<readonly CellPositions[]>;
};

export type NearestQuery = {
  readonly x: number;
  readonly y: number;
  /** 1 … `NEAREST_COUNT_MAX`. */
  readonly count: number;
  /** Nobody farther away than this, in the unit of `grid.distance`. Default: no limit. */
  readonly radius?: number;
};

export type Nearest = {
  readonly id: number;
  readonly cell: number;
  readonly x: number;
  readonly y: number;
  /** By `grid.distance`, both points taken into the space first. */
  readonly distance: number;
};

/**
 * Nearest first, equally far ones by id; fewer than asked when there are no more. An entity that is
 * seen in two cells is answered once, where it is nearer. One that is between two cells may be
 * farther outside its cell than the margin, and then be missed.
 *
 * Throws `LIMIT_EXCEEDED` for a count or a number of cells beyond the limits, `AREA_INVALID` for a
 * point or radius that is none.
 */
export async function nearest(parts: NearestParts, query: NearestQuery): Promise<Nearest[]> {
  checkQuery(query);
  const { grid, rowsOf } = parts;
  const x = grid.wrapX(query.x);
  const y = grid.wrapY(query.y);
  const radius = query.radius ?? Number.POSITIVE_INFINITY;
  const order = new CellsOutward(grid, x, y);
  const best = new Best(query.count);
  let reach = Math.min(radius, await hintedReach(parts, { ...query, x, y, radius }));
  let size = CELLS_FIRST;
  let seen = 0;
  for (;;) {
    const end = Math.min(radius, best.worst);
    if (!order.hasMore || order.distance > end) return best.found;
    const batch: number[] = [];
    // As far as the index said; then as far as somebody nearer may be, twice as many each time.
    const isHinted = order.distance <= reach;
    const until = isHinted ? Math.min(end, reach) : end;
    const room = isHinted ? NEAREST_CELLS_MAX : size;
    const most = Math.min(room, NEAREST_CELLS_MAX - seen);
    while (order.hasMore && order.distance <= until && batch.length < most) {
      batch.push(order.take());
    }
    if (batch.length === 0) throw tooFar(seen);
    seen += batch.length;
    if (!isHinted) size *= 2;
    reach = Math.min(reach, best.worst);
    for (const rows of await rowsOf(batch)) {
      for (let row = 0; row < rows.count; row++) {
        const at = { x: rows.xs[row] as number, y: rows.ys[row] as number };
        const distance = grid.distance(x, y, grid.wrapX(at.x), grid.wrapY(at.y));
        if (distance > radius) continue;
        best.add({ id: rows.ids[row] as number, cell: rows.cell, ...at, distance });
      }
    }
  }
}

/** Within this the index knows of enough entities; 0 where it does not. */
async function hintedReach(
  { store, grid }: NearestParts,
  { x, y, count, radius = Number.POSITIVE_INFINITY }: NearestQuery,
): Promise<number> {
  const order = new CellsOutward(grid, x, y);
  const point: [number, number] = [0, 0];
  const found: number[] = [];
  let asked = 0;
  while (asked < NEAREST_CELLS_MAX) {
    // The first few answer most questions; all at once would cost Redis milliseconds each time.
    const room = asked === 0 ? CELLS_FIRST : Math.min(NEAR_SEARCHES_MAX, NEAREST_CELLS_MAX - asked);
    const worst = found[count - 1] ?? radius;
    const cells: number[] = [];
    while (cells.length < room && order.hasMore && order.distance <= worst)
      cells.push(order.take());
    if (cells.length === 0) break;
    const searches = cells.map((cell) => ({ cell, ...geoAround(grid, cell, x, y) }));
    const answers = await store.near(searches, count);
    for (const [i, candidates] of answers.entries()) {
      for (const { longitude, latitude } of candidates) {
        fromGeo(grid, cells[i] as number, longitude, latitude, point);
        found.push(grid.distance(x, y, point[0], point[1]));
      }
    }
    found.sort((a, b) => a - b);
    asked += cells.length;
  }
  return found[count - 1] ?? 0;
}

/** All cells by the least distance that an entity of theirs may have, nearest first. */
export class CellsOutward {
  readonly #grid: Grid;
  readonly #x: number;
  readonly #y: number;
  /** Farthest first. */
  readonly #edge: { readonly cell: number; readonly distance: number }[] = [];
  readonly #known = new Set<number>();

  constructor(grid: Grid, x: number, y: number) {
    this.#grid = grid;
    this.#x = x;
    this.#y = y;
    this.#push(grid.cellAt(x, y));
  }

  get hasMore(): boolean {
    return this.#edge.length > 0;
  }

  /** No entity of a cell not yet taken is nearer than this; Infinity when all are. */
  get distance(): number {
    return this.#edge.at(-1)?.distance ?? Number.POSITIVE_INFINITY;
  }

  /** The next cell. From every cell some way leads to the point that comes nearer all along. */
  take(): number {
    const next = this.#edge.pop();
    assert(next !== undefined, 'all cells are taken');
    for (const cell of this.#grid.neighbours(next.cell)) this.#push(cell);
    return next.cell;
  }

  #push(cell: number): void {
    if (this.#known.has(cell)) return;
    this.#known.add(cell);
    const distance = cellDistanceMin(this.#grid, cell, this.#x, this.#y);
    let low = 0;
    let high = this.#edge.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#edge[middle]?.distance ?? 0) > distance) low = middle + 1;
      else high = middle;
    }
    this.#edge.splice(low, 0, { cell, distance });
  }
}

/** The nearest so far, each id once. */
class Best {
  readonly found: Nearest[] = [];
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  /** Farther ones are not wanted; Infinity while there are too few. */
  get worst(): number {
    return this.found[this.#count - 1]?.distance ?? Number.POSITIVE_INFINITY;
  }

  add(one: Nearest): void {
    if (!(one.distance <= this.worst)) return;
    const { found } = this;
    const same = found.findIndex(({ id }) => id === one.id);
    if (same !== -1) {
      if (!isBefore(one, found[same] as Nearest)) return;
      found.splice(same, 1);
    }
    const at = found.findIndex((other) => isBefore(one, other));
    found.splice(at === -1 ? found.length : at, 0, one);
    if (found.length > this.#count) found.pop();
  }
}

function isBefore(a: Nearest, b: Nearest): boolean {
  return a.distance < b.distance || (a.distance === b.distance && a.id < b.id);
}

function checkQuery({ x, y, count, radius }: NearestQuery): void {
  for (const [field, value] of [['x', x] as const, ['y', y] as const]) {
    if (Number.isFinite(value)) continue;
    throw fault('AREA_INVALID', field, value, 'is not a coordinate', 'Use a finite number.');
  }
  if (radius !== undefined && !(radius > 0)) {
    throw fault('AREA_INVALID', 'radius', radius, 'is no radius', 'Use a number above 0.');
  }
  if (Number.isInteger(count) && count >= 1 && count <= NEAREST_COUNT_MAX) return;
  const remedy = `Use a whole number from 1 to ${NEAREST_COUNT_MAX}.`;
  throw fault('LIMIT_EXCEEDED', 'count', count, 'entities are not within the limits', remedy);
}

function tooFar(cells: number): LeaseholdError {
  const what = 'cells were looked at and do not hold enough';
  return fault('LIMIT_EXCEEDED', 'cells', cells, what, 'Ask for fewer, or give a smaller radius.');
}

function fault(
  code: 'AREA_INVALID' | 'LIMIT_EXCEEDED',
  field: string,
  value: unknown,
  problem: string,
  remedy: string,
): LeaseholdError {
  const shown = String(value);
  return new LeaseholdError(code, `${field}: ${shown} ${problem}`, { field, value: shown, remedy });
}
