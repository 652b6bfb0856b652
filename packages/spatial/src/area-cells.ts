/**
 * Which cells may hold entities of an area, and which of them hold no others. What counts is the
 * cell's square widened by the margin, within the space; see `cell-distance.ts`.
 */
import type { Box } from './boxes.ts';
import { cellDistanceMax, cellDistanceMin, cellReach } from './cell-distance.ts';
import type { Grid } from './grid.ts';
import type { Polygon } from './polygon.ts';
import { EARTH_RADIUS_M } from './sphere.ts';

export type AreaCells = {
  /** Ascending. */
  readonly cells: Int32Array;
  /** Aligned with `cells`: 1 where every entity of the cell is in the area. */
  readonly whole: Uint8Array;
};

export type Circle = { readonly x: number; readonly y: number; readonly radius: number };

/** Doubles agree to about 1e-15; a cell within this of the border is cut, not whole. */
const ROUNDING = 1e-9;
/** Where a side far outside the space crosses a row is known to this part of its coordinates. */
const DOUBLES = 1e-14;

const NONE = 0;
const CUT = 1;
const WHOLE = 2;

export function worldCells(grid: Grid): AreaCells {
  const cells = Int32Array.from({ length: grid.cells }, (_, cell) => cell);
  return { cells, whole: new Uint8Array(grid.cells).fill(1) };
}

/** One axis of a grid, so that columns and rows are one piece of code. */
type Axis = {
  readonly count: number;
  readonly size: number;
  readonly origin: number;
  readonly extent: number;
  readonly wraps: boolean;
  readonly reach: number;
};

function axisX(grid: Grid): Axis {
  const { columns: count, cellSize: size, originX: origin, width: extent, wrapsX: wraps } = grid;
  return { count, size, origin, extent, wraps, reach: cellReach(grid) };
}

function axisY(grid: Grid): Axis {
  const { rows: count, cellSize: size, originY: origin, height: extent, wrapsY: wraps } = grid;
  return { count, size, origin, extent, wraps, reach: cellReach(grid) };
}

/** Where entities of a slot (column or row) can be; a slot beyond the seam counts on. */
function lowOf(axis: Axis, slot: number): number {
  const low = axis.origin + (slot + 0.5) * axis.size - axis.reach;
  return axis.wraps ? low : Math.max(low, axis.origin);
}

function highOf(axis: Axis, slot: number): number {
  const high = axis.origin + (slot + 0.5) * axis.size + axis.reach;
  return axis.wraps ? high : Math.min(high, axis.origin + axis.extent);
}

/** The first and last slot that a span may touch, generously; beyond the seam they count on. */
function slotsOf(axis: Axis, min: number, max: number): [number, number] {
  const first = Math.floor((min - axis.origin - axis.reach) / axis.size);
  const last = Math.ceil((max - axis.origin + axis.reach) / axis.size);
  return axis.wraps ? [first, last] : [Math.max(0, first), Math.min(axis.count - 1, last)];
}

function slotAt(axis: Axis, slot: number): number {
  return ((slot % axis.count) + axis.count) % axis.count;
}

/** What a span of one axis has of each slot. */
function coverOf(axis: Axis, min: number, max: number): Uint8Array {
  const cover = new Uint8Array(axis.count);
  if (axis.wraps && max - min >= axis.extent) return cover.fill(WHOLE);
  const [first, last] = slotsOf(axis, min, max);
  for (let slot = first; slot <= last; slot++) {
    const low = lowOf(axis, slot);
    const high = highOf(axis, slot);
    if (low > max || high < min) continue;
    const at = slotAt(axis, slot);
    cover[at] = Math.max(cover[at] as number, low >= min && high <= max ? WHOLE : CUT);
  }
  return cover;
}

/** `box` must have been checked: its minimum lies in the space where it wraps. */
export function boxCells(grid: Grid, box: Box): AreaCells {
  const across = coverOf(axisX(grid), box.minX, box.maxX);
  const up = coverOf(axisY(grid), box.minY, box.maxY);
  return collect(
    grid,
    (column, row) => {
      return Math.min(across[column] as number, up[row] as number);
    },
    up,
  );
}

export function circleCells(grid: Grid, { x, y, radius }: Circle): AreaCells {
  const isSphere = grid.spec.kind === 'wgs84';
  const up = isSphere ? (radius / EARTH_RADIUS_M) * (180 / Math.PI) : radius;
  const across = isSphere ? turnOf(y, up) : radius;
  const pad = grid.cellSize * ROUNDING;
  const columns = coverOf(axisX(grid), x - across - pad, x + across + pad);
  const rows = coverOf(axisY(grid), y - up - pad, y + up + pad);
  return collect(
    grid,
    (column, row) => {
      if (columns[column] === NONE) return NONE;
      const cell = row * grid.columns + column;
      if (cellDistanceMin(grid, cell, x, y) > radius * (1 + ROUNDING)) return NONE;
      return cellDistanceMax(grid, cell, x, y) <= radius * (1 - ROUNDING) ? WHOLE : CUT;
    },
    rows,
  );
}

/** How many degrees of longitude a circle of `angle` degrees reaches to either side. */
function turnOf(latitude: number, angle: number): number {
  // It has a pole inside, or nearly so.
  if (Math.abs(latitude) + angle >= 90 - ROUNDING) return 180;
  const sine = Math.sin((angle * Math.PI) / 180) / Math.cos((latitude * Math.PI) / 180);
  return (Math.asin(Math.min(1, sine)) * 180) / Math.PI;
}

/**
 * Cells that a side touches are cut; others are whole or not at all, and so are all between two of
 * a row that are cut: one point of each such run is asked. Turf's relations would cost 0.2 ms for
 * each cell of a polygon of 128 points.
 */
export function polygonCells(grid: Grid, polygon: Polygon): AreaCells {
  const marks = new Uint8Array(grid.cells);
  const rows = coverOf(axisY(grid), polygon.outer.minY, polygon.outer.maxY);
  for (const { xs, ys, count } of [polygon.outer, ...polygon.holes]) {
    for (let i = 0; i < count; i++) {
      const j = (i + 1) % count;
      markSide(grid, marks, [xs[i], ys[i], xs[j], ys[j]] as Side);
    }
  }
  for (let row = 0; row < grid.rows; row++) {
    if (rows[row] !== NONE) fillRuns(grid, polygon, marks, row);
  }
  return collect(grid, (column, row) => marks[row * grid.columns + column] as number, rows);
}

type Side = readonly [fromX: number, fromY: number, toX: number, toY: number];

/** Marks every cell whose widened square the side touches. */
function markSide(grid: Grid, marks: Uint8Array, [fromX, fromY, toX, toY]: Side): void {
  const across = axisX(grid);
  const up = axisY(grid);
  const largest = Math.max(Math.abs(fromX), Math.abs(fromY), Math.abs(toX), Math.abs(toY));
  const pad = grid.cellSize * ROUNDING + largest * DOUBLES;
  const low = Math.min(fromY, toY);
  const high = Math.max(fromY, toY);
  const [firstRow, lastRow] = slotsOf(up, low, high);
  for (let row = firstRow; row <= lastRow; row++) {
    const bottom = Math.max(low, lowOf(up, row) - pad);
    const top = Math.min(high, highOf(up, row) + pad);
    if (bottom > top) continue;
    // The part of the side within the row, as a span of x.
    const isLevel = high - low <= pad;
    const slope = isLevel ? 0 : (toX - fromX) / (toY - fromY);
    const atBottom = isLevel ? fromX : fromX + (bottom - fromY) * slope;
    const atTop = isLevel ? toX : fromX + (top - fromY) * slope;
    const left = Math.max(Math.min(atBottom, atTop) - pad, Math.min(fromX, toX) - pad);
    const right = Math.min(Math.max(atBottom, atTop) + pad, Math.max(fromX, toX) + pad);
    const begin = slotAt(up, row) * grid.columns;
    const [first, last] = slotsOf(across, left, right);
    for (let column = first; column <= last; column++) {
      if (lowOf(across, column) > right || highOf(across, column) < left) continue;
      marks[begin + slotAt(across, column)] = CUT;
    }
  }
}

function fillRuns(grid: Grid, polygon: Polygon, marks: Uint8Array, row: number): void {
  const across = axisX(grid);
  const up = axisY(grid);
  const y = (lowOf(up, row) + highOf(up, row)) / 2;
  const begin = row * grid.columns;
  let run = -1;
  for (let column = 0; column < grid.columns; column++) {
    if (marks[begin + column] === CUT) {
      run = -1;
      continue;
    }
    if (run === -1) {
      const x = (lowOf(across, column) + highOf(across, column)) / 2;
      run = polygon.contains(x, y) ? WHOLE : NONE;
    }
    marks[begin + column] = run;
  }
}

/** The cells of rows that are touched at all, with what `stateOf` says of each. */
function collect(
  grid: Grid,
  stateOf: (column: number, row: number) => number,
  rows: Uint8Array,
): AreaCells {
  const cells: number[] = [];
  const whole: number[] = [];
  for (let row = 0; row < grid.rows; row++) {
    if (rows[row] === NONE) continue;
    for (let column = 0; column < grid.columns; column++) {
      const state = stateOf(column, row);
      if (state === NONE) continue;
      cells.push(row * grid.columns + column);
      whole.push(state === WHOLE ? 1 : 0);
    }
  }
  return { cells: Int32Array.from(cells), whole: Uint8Array.from(whole) };
}
