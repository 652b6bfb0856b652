/**
 * Who stands in which square: the whole numbers of a space are the edges of squares of side 1, and
 * a list leads through everybody in a square, ascending by id. One per engine, filled anew for each
 * system and cell, kept up to date while agents act one by one.
 *
 * It numbers those it knows: below `own` they are rows of the table that is worked on, from there
 * on copies in the pool of what other cells hold (or, in simultaneous systems, all of them).
 *
 * What is found depends on squares and ids alone, so that neither pods nor borders can be told from
 * it (T1).
 */
import type { Table } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import type { Neighbourhood } from './neighbourhood.ts';
import type { RowSet, Slot } from './rows.ts';
import type { SpatialFields } from './view.ts';

/** 16 MB of heads. A cell of more squares than this is a matter of a radius. */
export const SQUARES_MAX = 2 ** 22;
/** Instead of a square: dropped, or of no interest; and beyond the squares around the cell. */
const GONE = -1;
const OUTSIDE = -2;

/** The squares that a lattice keeps for a cell: those of its rows and `reach` more on each side. */
function along(least: number, grid: Grid, reach: number) {
  const margin = grid.cellSize * grid.margin;
  const first = Math.floor(least - margin) - reach;
  return { first, count: Math.floor(least + grid.cellSize + margin) + reach - first + 1 };
}

/** How many squares a lattice needs for a cell. */
export function squaresOf(grid: Grid, reach: number): number {
  return along(0, grid, reach).count ** 2;
}

/** What was found, ascending by square (from low y to high, then from low x to high) and id. */
export class Found {
  who = new Int32Array(64);
  count = 0;

  add(n: number): void {
    if (this.count === this.who.length) this.widen();
    this.who[this.count++] = n;
  }

  widen(): typeof this.who {
    const wider = new Int32Array(this.who.length * 2);
    wider.set(this.who);
    this.who = wider;
    return wider;
  }
}

export class Lattice {
  readonly pool: Neighbourhood;
  /** How many of the numbers are rows of the table. */
  own = 0;
  /** How often somebody was dropped since the last `fill`. */
  drops = 0;
  readonly #grid: Grid;
  readonly #xs: Slot<Float64Array>;
  readonly #ys: Slot<Float64Array>;
  readonly #counted = new Found();
  #ids: Float64Array = new Float64Array(0);
  #count = 0;
  #firstX = 0;
  #firstY = 0;
  #columns = 0;
  #rows = 0;
  /** Whether the squares go round the whole torus, along each axis. */
  #isRoundX = false;
  #isRoundY = false;
  #head = new Int32Array(0);
  #next = new Int32Array(0);
  #square = new Int32Array(0);

  constructor(grid: Grid, pool: Neighbourhood, rows: RowSet, at: SpatialFields) {
    this.#grid = grid;
    this.pool = pool;
    this.#xs = rows.slots[at.component]?.[at.x] as Slot<Float64Array>;
    this.#ys = rows.slots[at.component]?.[at.y] as Slot<Float64Array>;
  }

  /** Lays the squares of a cell. Empty until `fill`. */
  lay(cell: number, reach: number): void {
    this.#empty();
    const grid = this.#grid;
    const x = along(grid.minX(cell), grid, reach);
    const y = along(grid.minY(cell), grid, reach);
    this.#isRoundX = grid.wrapsX && x.count >= grid.width;
    this.#isRoundY = grid.wrapsY && y.count >= grid.height;
    this.#firstX = this.#isRoundX ? 0 : x.first;
    this.#firstY = this.#isRoundY ? 0 : y.first;
    this.#columns = this.#isRoundX ? grid.width : x.count;
    this.#rows = this.#isRoundY ? grid.height : y.count;
    const squares = this.#columns * this.#rows;
    if (this.#head.length < squares) this.#head = new Int32Array(squares).fill(-1);
  }

  /** PERF: only the squares that somebody stands in are cleared; most cells have far more. */
  #empty(): void {
    for (let n = 0; n < this.#count; n++) {
      const square = this.#square[n] as number;
      if (square >= 0) this.#head[square] = -1;
    }
    this.#count = 0;
  }

  /**
   * Takes in whoever is in the pool, and of `live`, the table of the cell, all rows with the
   * components of `mask` that `gone` does not name. Who is in both is taken from the table.
   */
  fill(live: Table | undefined, mask: number, gone: Uint8Array): void {
    const { pool } = this;
    const own = live?.count ?? 0;
    this.own = own;
    this.drops = 0;
    this.#count = own + pool.count;
    if (this.#next.length < this.#count) {
      this.#next = new Int32Array(this.#count * 2);
      this.#square = new Int32Array(this.#count * 2);
    }
    if (live !== undefined) this.#ids = live.ids;
    let row = own - 1;
    // Downwards and always to the front, so that every list ascends by id.
    for (let copy = pool.count - 1; copy >= 0; copy--) {
      const id = pool.ids[copy] as number;
      for (; row >= 0 && (this.#ids[row] as number) > id; row--)
        this.#takeOwn(live, row, mask, gone);
      const isOwn = row >= 0 && this.#ids[row] === id;
      if (isOwn) this.#square[own + copy] = GONE;
      else this.#toFront(own + copy, pool.x[copy] as number, pool.y[copy] as number);
    }
    for (; row >= 0; row--) this.#takeOwn(live, row, mask, gone);
  }

  #takeOwn(live: Table | undefined, row: number, mask: number, gone: Uint8Array): void {
    const has = ((live?.masks[row] as number) & mask) === mask;
    if (!has || gone[row] !== 0) this.#square[row] = GONE;
    else this.#toFront(row, this.#xs.column[row] as number, this.#ys.column[row] as number);
  }

  #toFront(n: number, x: number, y: number): void {
    const square = this.#squareAt(x, y);
    this.#square[n] = square;
    if (square === OUTSIDE) return;
    this.#next[n] = this.#head[square] as number;
    this.#head[square] = n;
  }

  /** Columns and rows count from the first square that is kept; beyond it they go on. */
  #columnOf(x: number): number {
    const column = Math.floor(x) - this.#firstX;
    if (!this.#grid.wrapsX || (column >= 0 && column < this.#columns)) return column;
    return column - Math.floor(column / this.#grid.width) * this.#grid.width;
  }

  #rowOf(y: number): number {
    const row = Math.floor(y) - this.#firstY;
    if (!this.#grid.wrapsY || (row >= 0 && row < this.#rows)) return row;
    return row - Math.floor(row / this.#grid.height) * this.#grid.height;
  }

  #squareAt(x: number, y: number): number {
    const column = this.#columnOf(x);
    const row = this.#rowOf(y);
    const isInside = column >= 0 && column < this.#columns && row >= 0 && row < this.#rows;
    return isInside ? (row * this.#columns + column) | 0 : OUTSIDE;
  }

  /** Whether the square of one point is within `reach` squares of that of another. */
  isNear(x: number, y: number, toX: number, toY: number, reach: number): boolean {
    const grid = this.#grid;
    const dx = Math.abs(grid.deltaX(Math.floor(x), Math.floor(toX)));
    const dy = Math.abs(grid.deltaY(Math.floor(y), Math.floor(toY)));
    return dx <= reach && dy <= reach;
  }

  /** How many rows of the table stand in the square of a point and `reach` squares around it. */
  countOwn(x: number, y: number, reach: number): number {
    if (reach === 0) {
      const square = this.#squareAt(x, y);
      if (square !== OUTSIDE) return this.#ownIn(square);
    }
    this.find(this.#counted, -1, x, y, reach);
    let count = 0;
    for (let i = 0; i < this.#counted.count; i++) {
      if ((this.#counted.who[i] as number) < this.own) count++;
    }
    return count;
  }

  #ownIn(square: number): number {
    let count = 0;
    for (let n = this.#head[square] as number; n !== -1; n = this.#next[n] as number) {
      if (n < this.own) count++;
    }
    return count;
  }

  /** The number of a copy, −1 if nobody in the pool has this id. */
  copyOf(id: number): number {
    const { ids, count } = this.pool;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ids[middle] as number) < id) low = middle + 1;
      else high = middle;
    }
    return low < count && ids[low] === id ? this.own + low : -1;
  }

  idOf(n: number): number {
    return (n < this.own ? this.#ids[n] : this.pool.ids[n - this.own]) as number;
  }

  xOf(n: number): number {
    return (n < this.own ? this.#xs.column[n] : this.pool.x[n - this.own]) as number;
  }

  yOf(n: number): number {
    return (n < this.own ? this.#ys.column[n] : this.pool.y[n - this.own]) as number;
  }

  /** Whether somebody was dropped. */
  isGone(n: number): boolean {
    return this.#square[n] === GONE;
  }

  /** Moves a row of the table to the square that it stands in now. */
  settle(row: number): void {
    const before = this.#square[row] as number;
    if (before === GONE) return;
    const square = this.#squareAt(this.#xs.column[row] as number, this.#ys.column[row] as number);
    if (square === before) return;
    this.#leave(row, before);
    this.#square[row] = square;
    if (square !== OUTSIDE) this.#enter(row, square);
  }

  /** A row of the table is found no more. */
  drop(row: number): void {
    const square = this.#square[row] as number;
    if (square === GONE) return;
    this.#leave(row, square);
    this.#square[row] = GONE;
    this.drops++;
  }

  /** PERF: lists lead one way. A square holds few, and who is alone in it is unlinked at once. */
  #leave(n: number, square: number): void {
    if (square === OUTSIDE) return;
    const next = this.#next;
    let at = this.#head[square] as number;
    if (at === n) {
      this.#head[square] = next[n] as number;
      return;
    }
    while (next[at] !== n) at = next[at] as number;
    next[at] = next[n] as number;
  }

  #enter(n: number, square: number): void {
    const next = this.#next;
    let at = this.#head[square] as number;
    if (at === -1 || this.idOf(at) > this.idOf(n)) {
      next[n] = at;
      this.#head[square] = n;
      return;
    }
    const id = this.idOf(n);
    for (let then = next[at] as number; then !== -1 && this.idOf(then) < id; ) {
      at = then;
      then = next[at] as number;
    }
    next[n] = next[at] as number;
    next[at] = n;
  }

  /**
   * Finds all but `self` in the square of a point and up to `reach` squares around it, diagonals
   * included.
   *
   * PERF: all that the loops need stands in locals, as V8 reads a field again after every call.
   */
  find(found: Found, self: number, x: number, y: number, reach: number): void {
    const columns = this.#columns;
    const rows = this.#rows;
    const atX = this.#columnOf(x);
    const atY = this.#rowOf(y);
    const spanX = this.#isRoundX ? Math.min(columns - 1, 2 * reach) : 2 * reach;
    const spanY = this.#isRoundY ? Math.min(rows - 1, 2 * reach) : 2 * reach;
    found.count = 0;
    const isInsideX = this.#isRoundX || (atX >= reach && atX + reach < columns);
    const isInsideY = this.#isRoundY || (atY >= reach && atY + reach < rows);
    if (!isInsideX || !isInsideY) {
      this.#findFarOut(found, self, { left: atX - reach, low: atY - reach, spanX, spanY });
      return;
    }
    const left = (atX | 0) - reach;
    const low = (atY | 0) - reach;
    const right = left + spanX;
    const high = low + spanY;
    const head = this.#head;
    const next = this.#next;
    let who = found.who;
    let count = 0;
    for (let row = low; row <= high; row++) {
      const line = (row < 0 ? row + rows : row >= rows ? row - rows : row) * columns;
      for (let column = left; column <= right; column++) {
        const inside =
          column < 0 ? column + columns : column >= columns ? column - columns : column;
        let n = head[line + inside] as number;
        for (; n !== -1; n = next[n] as number) {
          if (count === who.length) who = found.widen();
          who[count] = n;
          // Itself is written and then overwritten, or not counted.
          count += n === self ? 0 : 1;
        }
      }
    }
    found.count = count;
  }

  /** Where no squares are kept, far from the cell, everybody is looked at. */
  #findFarOut(
    found: Found,
    self: number,
    { left, low, spanX, spanY }: Record<'left' | 'low' | 'spanX' | 'spanY', number>,
  ): void {
    const grid = this.#grid;
    const from = (first: number, at: number, extent: number): number =>
      extent === 0 ? at - first : at - first - Math.floor((at - first) / extent) * extent;
    const spots: { n: number; id: number; square: number }[] = [];
    for (let n = 0; n < this.#count; n++) {
      if (n === self || this.#square[n] === GONE) continue;
      const column = from(left, this.#columnOf(this.xOf(n)), grid.wrapsX ? grid.width : 0);
      const row = from(low, this.#rowOf(this.yOf(n)), grid.wrapsY ? grid.height : 0);
      if (column < 0 || row < 0 || column > spanX || row > spanY) continue;
      spots.push({ n, id: this.idOf(n), square: row * (spanX + 1) + column });
    }
    for (const { n } of spots.sort((a, b) => a.square - b.square || a.id - b.id)) found.add(n);
  }
}
