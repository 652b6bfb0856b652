/**
 * What the camera sees, as an area of the world. The map is drawn with x to the right and y up, in
 * units of the space, so on the globe it is a plate carrée. Pure.
 */
import type { Area, Welcome } from '@leasehold/client';

export type Bounds = {
  readonly minX: number;
  readonly minY: number;
  readonly maxX: number;
  readonly maxY: number;
};

/** Share of the screen that is subscribed beyond each of its edges. */
const MARGIN = 0.25;
/** A camera that sees this share of the world's width and height is told all of it. */
const WORLD_SHARE = 0.7;
/** A box this many times as wide as what is needed is replaced. */
const WASTE_MAX = 2.5;
/** A tall screen shows this share of its height as map, and part of the width. */
const TALL_SHARE = 0.6;

export type Grid = Welcome['grid'];

export function worldBounds({ originX, originY, width, height }: Grid): Bounds {
  return { minX: originX, minY: originY, maxX: originX + width, maxY: originY + height };
}

/** Pixels per unit at which the whole world fits; a tall screen shows part of a wide world. */
export function homeScale(grid: Grid, widthPx: number, heightPx: number): number {
  const wide = widthPx / grid.width;
  const high = heightPx / grid.height;
  return wide >= high ? high : Math.max(wide, Math.min(high, high * TALL_SHARE));
}

/** The smallest and the largest scale: a little beyond the world, and a fiftieth of a cell. */
export function scaleLimits(
  grid: Grid,
  widthPx: number,
  heightPx: number,
): { readonly min: number; readonly max: number } {
  const fit = Math.min(widthPx / grid.width, heightPx / grid.height);
  return { min: fit * 0.9, max: Math.max(fit, (Math.min(widthPx, heightPx) * 50) / grid.cellSize) };
}

/**
 * The area to subscribe to. `current` stays as long as it covers what is seen and is not far too
 * large, so that small movements of the camera send nothing.
 */
export function areaFor(seen: Bounds, grid: Grid, current: Area | undefined): Area {
  const world = worldBounds(grid);
  const inside = intersection(seen, world);
  const width = inside.maxX - inside.minX;
  const height = inside.maxY - inside.minY;
  if (width >= grid.width * WORLD_SHARE && height >= grid.height * WORLD_SHARE) {
    return current?.kind === 'world' ? current : { kind: 'world' };
  }
  if (current?.kind === 'box' && isFitting(current, inside)) return current;
  const box = intersection(
    {
      minX: inside.minX - width * MARGIN,
      minY: inside.minY - height * MARGIN,
      maxX: inside.maxX + width * MARGIN,
      maxY: inside.maxY + height * MARGIN,
    },
    world,
  );
  return { kind: 'box', ...box };
}

function isFitting(box: Bounds, needed: Bounds): boolean {
  const covers =
    box.minX <= needed.minX &&
    box.minY <= needed.minY &&
    box.maxX >= needed.maxX &&
    box.maxY >= needed.maxY;
  const share = 1 + 2 * MARGIN;
  const isWasteful =
    box.maxX - box.minX > (needed.maxX - needed.minX) * share * WASTE_MAX ||
    box.maxY - box.minY > (needed.maxY - needed.minY) * share * WASTE_MAX;
  return covers && !isWasteful;
}

/** Never empty: bounds that do not meet become a sliver at the nearest edge. */
function intersection(a: Bounds, b: Bounds): Bounds {
  const minX = Math.min(Math.max(a.minX, b.minX), b.maxX - (b.maxX - b.minX) * 1e-6);
  const minY = Math.min(Math.max(a.minY, b.minY), b.maxY - (b.maxY - b.minY) * 1e-6);
  return {
    minX,
    minY,
    maxX: Math.max(Math.min(a.maxX, b.maxX), minX + (b.maxX - b.minX) * 1e-6),
    maxY: Math.max(Math.min(a.maxY, b.maxY), minY + (b.maxY - b.minY) * 1e-6),
  };
}
