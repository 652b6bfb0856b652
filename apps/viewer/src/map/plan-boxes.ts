/** Where the regions of the plan are on the screen, and where there is room to write on them. Pure. */
import type { Rect } from '@leasehold/client';
import type { Grid } from './camera.ts';
import type { Screen } from './picking.ts';

/** In pixels; y goes down. */
export type Box = {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
};

export type Size = { readonly width: number; readonly height: number };

/** Between the border of a region and what is written in it. */
const INSET_PX = 5;

export function boxOf({ column, row, columns, rows }: Rect, grid: Grid, screen: Screen): Box {
  const { originX, originY, cellSize } = grid;
  const { scale, left, top } = screen;
  return {
    left: (originX + column * cellSize) * scale + left,
    right: (originX + (column + columns) * cellSize) * scale + left,
    top: top - (originY + (row + rows) * cellSize) * scale,
    bottom: top - (originY + row * cellSize) * scale,
  };
}

/** What of a box is on a screen of this size; undefined = nothing. */
export function visible(box: Box, { width, height }: Size): Box | undefined {
  const seen = {
    left: Math.max(0, box.left),
    top: Math.max(0, box.top),
    right: Math.min(width, box.right),
    bottom: Math.min(height, box.bottom),
  };
  return seen.left < seen.right && seen.top < seen.bottom ? seen : undefined;
}

/**
 * Where a text of this size goes: the upper right corner of what is seen, for on the left there are
 * controls; undefined = no room.
 */
export function textPlace(
  seen: Box,
  { width, height }: Size,
): { readonly x: number; readonly y: number } | undefined {
  const isRoom =
    seen.right - seen.left >= width + 2 * INSET_PX &&
    seen.bottom - seen.top >= height + 2 * INSET_PX;
  return isRoom
    ? { x: Math.round(seen.right - INSET_PX - width), y: Math.round(seen.top + INSET_PX) }
    : undefined;
}

export const isWithin = (box: Box, x: number, y: number): boolean =>
  x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
