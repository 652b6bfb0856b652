/**
 * The grid of a world: which cell a point lies in, what is next to it, and how far two points are
 * apart, on a plane, on a torus and on WGS84. Pure and immutable. It never knows who is where.
 */
import { LeaseholdError } from '@leasehold/kernel';
import { BLOCK_CELLS_MAX, measureSpace, type SpaceSpec } from './space.ts';
import {
  angularRadius,
  EARTH_RADIUS_M,
  greatCircleDistance,
  LATITUDE_INDEXED_MAX,
} from './sphere.ts';

export type GridOptions = {
  /** Cells along the side of a block, 1 … 16. Default 4. */
  readonly blockCells?: number;
  /** How far past its cell's border an entity may be before it leaves, as a fraction of a cell. */
  readonly margin?: number;
};

export const BLOCK_CELLS_DEFAULT = 4;
export const MARGIN_DEFAULT = 0.02;
/** Above a quarter, the radius that a cell and its neighbours cover falls below half a cell. */
export const MARGIN_MAX = 0.25;
/** Far above the rounding of 2^20 columns, far below what anybody can see. */
const TOLERANCE = 1e-9;

/**
 * Cells are numbered row * columns + column; row 0 has the lowest y. Coordinates are in the units
 * of the space: the world's own, or degrees of longitude (x) and latitude (y). Methods that take a
 * point accept any finite coordinates: a plane clamps them, a torus and longitude wrap them.
 *
 * Errors: the constructor throws `SPACE_INVALID` for a space that cannot be.
 */
export class Grid {
  readonly spec: SpaceSpec;
  readonly cellSize: number;
  readonly columns: number;
  readonly rows: number;
  readonly cells: number;
  readonly blockCells: number;
  readonly margin: number;
  /** Blocks in a row of blocks. The last may be narrower than `blockCells`. */
  readonly blockColumns: number;
  readonly blockRows: number;
  readonly blocks: number;
  readonly originX: number;
  readonly originY: number;
  /** Extent of the space; a plane's last column and row may reach beyond it. */
  readonly width: number;
  readonly height: number;
  readonly wrapsX: boolean;
  readonly wrapsY: boolean;
  readonly #isSphere: boolean;
  /** Farthest from its cell's centre, along one axis, that an entity stays in the cell. */
  readonly #reach: number;
  readonly #neighbours: (Int32Array | undefined)[] = [];
  readonly #cellsOfBlocks = new Map<number, Int32Array>();

  constructor(spec: SpaceSpec, options: GridOptions = {}) {
    const measured = measureSpace(spec);
    this.spec = spec;
    this.cellSize = spec.cell;
    this.columns = measured.columns;
    this.rows = measured.rows;
    this.cells = this.columns * this.rows;
    this.width = measured.width;
    this.height = measured.height;
    this.originX = measured.originX;
    this.originY = measured.originY;
    this.wrapsX = spec.kind !== 'plane';
    this.wrapsY = spec.kind === 'torus';
    this.#isSphere = spec.kind === 'wgs84';
    this.blockCells = blockCellsOf(options.blockCells ?? BLOCK_CELLS_DEFAULT);
    this.blockColumns = Math.ceil(this.columns / this.blockCells);
    this.blockRows = Math.ceil(this.rows / this.blockCells);
    this.blocks = this.blockColumns * this.blockRows;
    this.margin = marginOf(options.margin ?? MARGIN_DEFAULT);
    this.#reach = this.cellSize * (0.5 + Math.max(this.margin, TOLERANCE));
  }

  /** The one cell a point lies in. A border belongs to the cell of higher coordinates. */
  cellAt(x: number, y: number): number {
    requireFinite(x, y);
    const column = this.#slot(this.wrapX(x) - this.originX, this.columns);
    const row = this.#slot(this.wrapY(y) - this.originY, this.rows);
    return row * this.columns + column;
  }

  #slot(offset: number, count: number): number {
    const size = this.cellSize;
    let slot = Math.floor(offset / size);
    // Division rounds: 0.3 / 0.1 is below 3. Multiples of the cell size are what minX tells.
    if (slot * size > offset) slot--;
    else if ((slot + 1) * size <= offset) slot++;
    return slot < 0 ? 0 : slot >= count ? count - 1 : slot;
  }

  columnOf(cell: number): number {
    return cell % this.columns;
  }

  rowOf(cell: number): number {
    return Math.floor(cell / this.columns);
  }

  minX(cell: number): number {
    return this.originX + this.columnOf(cell) * this.cellSize;
  }

  minY(cell: number): number {
    return this.originY + this.rowOf(cell) * this.cellSize;
  }

  centreX(cell: number): number {
    return this.originX + (this.columnOf(cell) + 0.5) * this.cellSize;
  }

  centreY(cell: number): number {
    return this.originY + (this.rowOf(cell) + 0.5) * this.cellSize;
  }

  /** Up to 8 cells that touch this one: distinct, ascending, without itself. Do not change it. */
  neighbours(cell: number): Int32Array {
    const known = this.#neighbours[cell];
    if (known !== undefined) return known;
    const computed = this.#computeNeighbours(cell);
    this.#neighbours[cell] = computed;
    return computed;
  }

  #computeNeighbours(cell: number): Int32Array {
    const column = this.columnOf(cell);
    const row = this.rowOf(cell);
    const found = new Set<number>();
    for (let down = -1; down <= 1; down++) {
      for (let right = -1; right <= 1; right++) {
        const near = this.#cellFrom(column + right, row + down);
        if (near !== -1 && near !== cell) found.add(near);
      }
    }
    return Int32Array.from(found).sort();
  }

  /** The cell of a column and row at most one turn outside the grid, or −1 beyond an edge. */
  #cellFrom(column: number, row: number): number {
    const { columns, rows } = this;
    if (this.wrapsX) column = (column + columns) % columns;
    if (this.wrapsY) row = (row + rows) % rows;
    if (column < 0 || column >= columns || row < 0 || row >= rows) return -1;
    return row * columns + column;
  }

  blockOf(cell: number): number {
    const across = Math.floor(this.columnOf(cell) / this.blockCells);
    const up = Math.floor(this.rowOf(cell) / this.blockCells);
    return up * this.blockColumns + across;
  }

  /** Where a cell is in its block: row by row, below `blockCells` squared. */
  placeOf(cell: number): number {
    const across = this.columnOf(cell) % this.blockCells;
    return (this.rowOf(cell) % this.blockCells) * this.blockCells + across;
  }

  blockX(block: number): number {
    return block % this.blockColumns;
  }

  blockY(block: number): number {
    return Math.floor(block / this.blockColumns);
  }

  /** Cells of a block, ascending. Do not change it. */
  cellsOfBlock(block: number): Int32Array {
    const known = this.#cellsOfBlocks.get(block);
    if (known !== undefined) return known;
    const left = this.blockX(block) * this.blockCells;
    const low = this.blockY(block) * this.blockCells;
    const right = Math.min(left + this.blockCells, this.columns);
    const high = Math.min(low + this.blockCells, this.rows);
    const cells = new Int32Array((right - left) * (high - low));
    let count = 0;
    for (let row = low; row < high; row++) {
      for (let column = left; column < right; column++) {
        cells[count++] = row * this.columns + column;
      }
    }
    this.#cellsOfBlocks.set(block, cells);
    return cells;
  }

  /**
   * Where an entity of `cell` that stands at (x, y) belongs next: `cell` itself while the point
   * lies in it or within its margin, so that a border is not paid twice a tick; else the neighbour
   * one step nearer, the shorter way round. Repeated, it reaches the point's cell, or the margin of
   * one beside it, in no more steps than the cells are apart.
   */
  nextCell(cell: number, x: number, y: number): number {
    requireFinite(x, y);
    const column = cell % this.columns;
    const row = (cell - column) / this.columns;
    const dx = this.deltaX(this.originX + (column + 0.5) * this.cellSize, this.wrapX(x));
    const dy = this.deltaY(this.originY + (row + 0.5) * this.cellSize, this.wrapY(y));
    const right = dx > this.#reach ? 1 : dx < -this.#reach ? -1 : 0;
    const up = dy > this.#reach ? 1 : dy < -this.#reach ? -1 : 0;
    if (right === 0 && up === 0) return cell;
    const next = this.#cellFrom(column + right, row + up);
    return next === -1 ? cell : next;
  }

  /** The x within the space: clamped on a plane, modulo on a torus, in [−180, 180) on WGS84. */
  wrapX(x: number): number {
    if (this.wrapsX) return wrap(x, this.originX, this.width);
    return Math.max(0, Math.min(x, this.width));
  }

  /** The y within the space: clamped on a plane and on WGS84 (±90), modulo on a torus. */
  wrapY(y: number): number {
    if (this.wrapsY) return wrap(y, this.originY, this.height);
    return Math.max(this.originY, Math.min(y, this.originY + this.height));
  }

  /** The shortest signed way from one x to another, in space units. Half-way round is negative. */
  deltaX(fromX: number, toX: number): number {
    return this.wrapsX ? shortest(toX - fromX, this.width) : toX - fromX;
  }

  deltaY(fromY: number, toY: number): number {
    return this.wrapsY ? shortest(toY - fromY, this.height) : toY - fromY;
  }

  /** Plane and torus: space units. WGS84: metres along the great circle. */
  distance(ax: number, ay: number, bx: number, by: number): number {
    if (this.#isSphere) return greatCircleDistance(ax, ay, bx, by);
    const dx = this.deltaX(ax, bx);
    const dy = this.deltaY(ay, by);
    return Math.sqrt(dx * dx + dy * dy);
  }

  /**
   * The largest radius at which a cell and its neighbours hold everybody in reach, in the unit of
   * `distance`. Both sides may stand a margin outside their cells, hence twice the margin. On WGS84
   * it holds up to |latitude| 85.05, where cells are narrowest; nearer the poles some are missed.
   */
  radiusMax(): number {
    const span = this.cellSize * (1 - 2 * this.margin);
    if (!this.#isSphere) return span;
    return angularRadius(span, LATITUDE_INDEXED_MAX) * EARTH_RADIUS_M;
  }
}

function wrap(value: number, origin: number, extent: number): number {
  if (value >= origin && value < origin + extent) return value;
  const wrapped = value - Math.floor((value - origin) / extent) * extent;
  // A hair below the origin rounds up to the far end, which is the origin again.
  return wrapped >= origin + extent || wrapped < origin ? origin : wrapped;
}

function shortest(delta: number, extent: number): number {
  const half = extent / 2;
  if (delta >= -half && delta < half) return delta;
  return delta - Math.floor(delta / extent + 0.5) * extent;
}

function requireFinite(x: number, y: number): void {
  // Only a finite number less itself is 0.
  if (x - x === 0 && y - y === 0) return;
  throw new LeaseholdError('SPATIAL_NOT_FINITE', `(${x}, ${y}) is not a point`, {
    field: x - x === 0 ? 'y' : 'x',
    value: String(x - x === 0 ? y : x),
    remedy: 'Check the arithmetic that made this coordinate; both must be finite numbers.',
  });
}

function blockCellsOf(blockCells: number): number {
  if (Number.isInteger(blockCells) && blockCells >= 1 && blockCells <= BLOCK_CELLS_MAX) {
    return blockCells;
  }
  throw new LeaseholdError('SPACE_INVALID', `blockCells: ${blockCells} cells make no block`, {
    field: 'blockCells',
    value: String(blockCells),
    remedy: `Use a whole number from 1 to ${BLOCK_CELLS_MAX}.`,
  });
}

function marginOf(margin: number): number {
  if (margin >= 0 && margin <= MARGIN_MAX) return margin;
  throw new LeaseholdError('SPACE_INVALID', `margin: ${margin} is not a fraction of a cell`, {
    field: 'margin',
    value: String(margin),
    remedy: `Use a number from 0 to ${MARGIN_MAX}.`,
  });
}
