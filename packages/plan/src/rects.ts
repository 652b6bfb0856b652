/** Rectangles of cells: what they hold, share and touch. They never go through a seam. */
import type { Rect } from '@leasehold/protocol';
import type { PlanGrid } from './policy.ts';

export const cellsIn = (rect: Rect): number => rect.columns * rect.rows;

export const wholeOf = ({ columns, rows }: PlanGrid): Rect => ({
  column: 0,
  row: 0,
  columns,
  rows,
});

export const isSameRect = (a: Rect, b: Rect): boolean =>
  a.column === b.column && a.row === b.row && a.columns === b.columns && a.rows === b.rows;

/** What two rectangles have in common, or undefined. */
export function overlapOf(a: Rect, b: Rect): Rect | undefined {
  const column = Math.max(a.column, b.column);
  const row = Math.max(a.row, b.row);
  const columns = Math.min(a.column + a.columns, b.column + b.columns) - column;
  const rows = Math.min(a.row + a.rows, b.row + b.rows) - row;
  return columns > 0 && rows > 0 ? { column, row, columns, rows } : undefined;
}

/** The smallest rectangle around both. */
export function aroundOf(a: Rect, b: Rect): Rect {
  const column = Math.min(a.column, b.column);
  const row = Math.min(a.row, b.row);
  return {
    column,
    row,
    columns: Math.max(a.column + a.columns, b.column + b.columns) - column,
    rows: Math.max(a.row + a.rows, b.row + b.rows) - row,
  };
}

/** The two parts of a rectangle, below and from the line `at`. */
export function cutOf(rect: Rect, axis: 'column' | 'row', at: number): [low: Rect, high: Rect] {
  if (axis === 'column') {
    const columns = at - rect.column;
    return [
      { ...rect, columns },
      { ...rect, column: at, columns: rect.columns - columns },
    ];
  }
  const rows = at - rect.row;
  return [
    { ...rect, rows },
    { ...rect, row: at, rows: rect.rows - rows },
  ];
}

/** Such as `3 × 4 cells at 10, 0`. */
export const rectName = (rect: Rect): string =>
  `${rect.columns} × ${rect.rows} cells at ${rect.column}, ${rect.row}`;
