/**
 * Boxes of space and rectangles of cells. On an axis that wraps, a box runs from its minimum in
 * rising direction, through the seam if need be: both 170 … −170 and 170 … 190 are the 20 degrees
 * around the antimeridian. All borders belong to the box, but a box that ends at the seam ends on
 * this side of it.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { Grid } from './grid.ts';

/** In space units. Finite; on an axis that does not wrap, minimum ≤ maximum. */
export type Box = {
  readonly minX: number;
  readonly minY: number;
  readonly maxX: number;
  readonly maxY: number;
};

/** `columns` counts from `column` in rising direction, through the seam; rows likewise. */
export type CellRect = {
  readonly column: number;
  readonly row: number;
  readonly columns: number;
  readonly rows: number;
};

type Axis = { readonly origin: number; readonly extent: number; readonly wraps: boolean };
type Span = { readonly min: number; readonly max: number };

const axisX = (grid: Grid): Axis => ({
  origin: grid.originX,
  extent: grid.width,
  wraps: grid.wrapsX,
});
const axisY = (grid: Grid): Axis => ({
  origin: grid.originY,
  extent: grid.height,
  wraps: grid.wrapsY,
});

/** The box checked and with each minimum inside the space; a maximum may lie beyond the seam. */
export function checkBox(grid: Grid, box: Box): Box {
  const x = checkSpan(axisX(grid), box.minX, box.maxX, 'box.minX', 'box.maxX');
  const y = checkSpan(axisY(grid), box.minY, box.maxY, 'box.minY', 'box.maxY');
  return { minX: x.min, minY: y.min, maxX: x.max, maxY: y.max };
}

function checkSpan(axis: Axis, min: number, max: number, minField: string, maxField: string): Span {
  for (const [field, value] of [[minField, min] as const, [maxField, max] as const]) {
    if (!Number.isFinite(value)) {
      throw boxFault(field, value, 'is not a coordinate', 'Use a finite number.');
    }
  }
  const { origin, extent, wraps } = axis;
  if (!wraps && min > max) {
    throw boxFault(minField, min, `is above ${maxField}`, `Use at most ${max}.`);
  }
  if (!wraps) return { min, max };
  if (max - min >= extent) return { min: origin, max: origin + extent };
  const from = modulo(min, axis);
  const to = max < origin + extent && max >= from ? max : modulo(max, axis);
  return { min: from, max: to >= from ? to : to + extent };
}

function boxFault(field: string, value: number, problem: string, remedy: string): LeaseholdError {
  return new LeaseholdError('SPACE_INVALID', `${field}: ${value} ${problem}`, {
    field,
    value: String(value),
    remedy,
  });
}

function modulo(value: number, { origin, extent }: Axis): number {
  if (value >= origin && value < origin + extent) return value;
  const wrapped = value - Math.floor((value - origin) / extent) * extent;
  return wrapped >= origin + extent || wrapped < origin ? origin : wrapped;
}

/** The same area as up to two boxes (torus: four) that do not cross the seam. */
export function splitBox(grid: Grid, box: Box): Box[] {
  const checked = checkBox(grid, box);
  const across = splitSpan(axisX(grid), { min: checked.minX, max: checked.maxX });
  const up = splitSpan(axisY(grid), { min: checked.minY, max: checked.maxY });
  return up.flatMap((y) =>
    across.map((x) => ({ minX: x.min, minY: y.min, maxX: x.max, maxY: y.max })),
  );
}

function splitSpan({ origin, extent, wraps }: Axis, span: Span): Span[] {
  const end = origin + extent;
  if (!wraps || span.max <= end) return [span];
  return [
    { min: span.min, max: end },
    { min: origin, max: span.max - extent },
  ];
}

/** Whether a point, wherever it is written, lies in the box. */
export function boxContains(grid: Grid, box: Box, x: number, y: number): boolean {
  const checked = checkBox(grid, box);
  return (
    spanContains(axisX(grid), { min: checked.minX, max: checked.maxX }, x) &&
    spanContains(axisY(grid), { min: checked.minY, max: checked.maxY }, y)
  );
}

function spanContains(axis: Axis, span: Span, value: number): boolean {
  if (!axis.wraps) return value >= span.min && value <= span.max;
  const at = modulo(value, axis);
  if (at >= span.min && at <= span.max) return true;
  return span.max > axis.origin + axis.extent && at + axis.extent <= span.max;
}

/**
 * The same box, larger by `by` space units on every side; at most the whole space where it wraps.
 */
export function widenBox(grid: Grid, box: Box, by: number): Box {
  const { minX, minY, maxX, maxY } = checkBox(grid, box);
  return { minX: minX - by, minY: minY - by, maxX: maxX + by, maxY: maxY + by };
}

/**
 * The cells that a box touches. An entity may stand a margin outside the cell that holds it: to
 * find every holder, widen the box by `grid.margin * grid.cellSize` first.
 */
export function rectOfBox(grid: Grid, box: Box): CellRect {
  const { minX, minY, maxX, maxY } = checkBox(grid, box);
  const low = grid.cellAt(minX, minY);
  const high = grid.cellAt(
    grid.wrapsX ? thisSide(maxX, grid.originX + grid.width) : maxX,
    grid.wrapsY ? thisSide(maxY, grid.originY + grid.height) : maxY,
  );
  const column = grid.columnOf(low);
  const row = grid.rowOf(low);
  const turnX = grid.wrapsX ? (maxX - minX) / grid.cellSize : 0;
  const turnY = grid.wrapsY ? (maxY - minY) / grid.cellSize : 0;
  return {
    column,
    row,
    columns: slots(column, grid.columnOf(high), grid.columns, turnX),
    rows: slots(row, grid.rowOf(high), grid.rows, turnY),
  };
}

/** Exactly the seam would be read as the first cell behind it: take the number before it. */
function thisSide(max: number, end: number): number {
  return max === end ? end * (1 - Number.EPSILON) : max;
}

/** Slots from first to last; `turn` is the way between in cells, where the axis wraps, else 0. */
function slots(first: number, last: number, count: number, turn: number): number {
  const reached = ((last - first + count) % count) + 1;
  // Once round and back in the column it started from.
  return turn > reached ? count : reached;
}

/** Cells of a rectangle, ascending. It may reach through a seam, never beyond an edge. */
export function cellsOfRect(grid: Grid, rect: CellRect): Int32Array {
  const cells = new Int32Array(rect.columns * rect.rows);
  let count = 0;
  for (let up = 0; up < rect.rows; up++) {
    const row = (rect.row + up) % grid.rows;
    for (let right = 0; right < rect.columns; right++) {
      cells[count++] = row * grid.columns + ((rect.column + right) % grid.columns);
    }
  }
  return cells.sort();
}

/** The cells that a box touches, ascending. */
export function cellsOfBox(grid: Grid, box: Box): Int32Array {
  return cellsOfRect(grid, rectOfBox(grid, box));
}

/** Whether a cell lies in a rectangle. */
export function rectContains(grid: Grid, rect: CellRect, cell: number): boolean {
  const right = (grid.columnOf(cell) - rect.column + grid.columns) % grid.columns;
  const up = (grid.rowOf(cell) - rect.row + grid.rows) % grid.rows;
  return right < rect.columns && up < rect.rows;
}

/** The cells next to a set of cells and not in it, ascending: what a region follows as its halo. */
export function haloOf(grid: Grid, cells: Iterable<number>): Int32Array {
  const own = new Set(cells);
  const halo = new Set<number>();
  for (const cell of own) {
    for (const near of grid.neighbours(cell)) if (!own.has(near)) halo.add(near);
  }
  return Int32Array.from(halo).sort();
}
