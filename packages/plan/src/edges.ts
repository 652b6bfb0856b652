/** Who is across each side of each region, through seams too. */
import type { Edge, Rect, Side } from '@leasehold/protocol';
import type { PlanGrid } from './policy.ts';

type Held = { readonly id: number; readonly rect: Rect; readonly pod: string };

const SIDES: readonly Side[] = ['west', 'east', 'north', 'south'];

/** By cell, the place in `rects` of the rectangle that has it; −1 = none has. */
export function ownersOf(grid: PlanGrid, rects: readonly Rect[]): Int32Array {
  const owners = new Int32Array(grid.columns * grid.rows).fill(-1);
  rects.forEach((rect, index) => {
    for (let row = rect.row; row < rect.row + rect.rows; row++) {
      const from = row * grid.columns + rect.column;
      owners.fill(index, from, from + rect.columns);
    }
  });
  return owners;
}

/** The edges of each region, side by side and along each side by rising coordinates. */
export function edgesOf(grid: PlanGrid, regions: readonly Held[]): Edge[][] {
  const owners = ownersOf(
    grid,
    regions.map(({ rect }) => rect),
  );
  return regions.map(({ rect }, own) =>
    SIDES.flatMap((side) => {
      const lengths = new Map<number, number>();
      for (const cell of across(grid, rect, side)) {
        const other = owners[cell]!;
        if (other !== own && other !== -1) lengths.set(other, (lengths.get(other) ?? 0) + 1);
      }
      return [...lengths].map(([index, cells]) => {
        const { id, pod } = regions[index]!;
        return { side, region: id, pod, cells };
      });
    }),
  );
}

/** The cells beyond one side; none where the grid ends there. */
function across(grid: PlanGrid, rect: Rect, side: Side): number[] {
  const { columns, rows } = grid;
  if (side === 'west' || side === 'east') {
    const beyond = side === 'west' ? rect.column - 1 : rect.column + rect.columns;
    const column = inside(beyond, columns, grid.wrapsX);
    if (column === -1) return [];
    return Array.from({ length: rect.rows }, (_, n) => (rect.row + n) * columns + column);
  }
  const beyond = side === 'south' ? rect.row - 1 : rect.row + rect.rows;
  const row = inside(beyond, rows, grid.wrapsY);
  if (row === -1) return [];
  return Array.from({ length: rect.columns }, (_, n) => row * columns + rect.column + n);
}

function inside(place: number, length: number, wraps: boolean): number {
  if (place >= 0 && place < length) return place;
  return wraps ? (place + length) % length : -1;
}
