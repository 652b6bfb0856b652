/** Where positions that systems wrote are in the space, and to which cells they belong. */
import type { Table } from '@leasehold/protocol';
import type { Placement } from './births.ts';

/** Brings positions that systems moved out of a wrapped space back into it. */
export function wrapPositions(table: Table, placement: Placement): void {
  const { spatial, grid } = placement;
  if (spatial === undefined || !grid.wrapsX) return;
  const { component, x, y } = spatial;
  const marks = table.dirty[component] as Uint32Array;
  const xs = table.columns[component]?.[x] as Float64Array;
  const ys = table.columns[component]?.[y] as Float64Array;
  const right = grid.originX + grid.width;
  const top = grid.originY + grid.height;
  for (let row = 0; row < table.count; row++) {
    if (marks[row] === 0) continue;
    const atX = xs[row] as number;
    const atY = ys[row] as number;
    if (!(atX >= grid.originX && atX < right)) {
      xs[row] = grid.wrapX(atX);
      // Rounded to 32 bits, a hair below the far end is the far end, which is the origin.
      if ((xs[row] as number) >= right) xs[row] = grid.originX;
      if (!Object.is(xs[row], atX)) (marks[row] as number) |= 2 ** x;
    }
    if (!(atY >= grid.originY && atY < top)) {
      ys[row] = placement.wrappedY(atY);
      if (grid.wrapsY && (ys[row] as number) >= top) ys[row] = grid.originY;
      if (!Object.is(ys[row], atY)) (marks[row] as number) |= 2 ** y;
    }
  }
}

/** Rows of those who belong to another cell now, by that cell. */
export function leavingRows(
  table: Table,
  { spatial, grid }: Placement,
  cell: number,
  gone: Uint8Array,
): Map<number, number[]> {
  const leaving = new Map<number, number[]>();
  if (spatial === undefined) return leaving;
  const bit = 2 ** spatial.component;
  const xs = table.columns[spatial.component]?.[spatial.x] as Float64Array;
  const ys = table.columns[spatial.component]?.[spatial.y] as Float64Array;
  const left = grid.minX(cell);
  const low = grid.minY(cell);
  const right = left + grid.cellSize;
  const high = low + grid.cellSize;
  for (let row = 0; row < table.count; row++) {
    const x = xs[row] as number;
    const y = ys[row] as number;
    // PERF: nearly everybody stands inside; only the rest pay for wrap and margin.
    if (x >= left && x < right && y >= low && y < high) continue;
    if (((table.masks[row] as number) & bit) === 0) continue;
    const to = grid.nextCell(cell, x, y);
    if (to === cell || gone[row] !== 0) continue;
    const rows = leaving.get(to);
    if (rows === undefined) leaving.set(to, [row]);
    else rows.push(row);
  }
  return leaving;
}
