/**
 * Areas: what part of a space somebody looks at, which cells may hold it, and which points lie in
 * it. All borders belong to the area. Where the space wraps, areas reach through the seam.
 *
 *   world     everything
 *   box       as `Box`: through the seam if its minimum is above its maximum
 *   circle    by `grid.distance`: space units, on WGS84 metres along the great circle
 *   polygon   sides straight in coordinates, each the short way round; 3 … 128 points, not crossing.
 *             What is inside of a hole is outside; the points of all holes count
 */

import { type AreaCells, boxCells, circleCells, polygonCells, worldCells } from './area-cells.ts';
import { areaFault, checkFinite } from './area-fault.ts';
import { type Box, checkBox } from './boxes.ts';
import type { Grid } from './grid.ts';
import { Polygon } from './polygon.ts';
import { EARTH_RADIUS_M } from './sphere.ts';

export type AreaSpec =
  | { readonly kind: 'world' }
  | ({ readonly kind: 'box' } & Box)
  | { readonly kind: 'circle'; readonly x: number; readonly y: number; readonly radius: number }
  | {
      readonly kind: 'polygon';
      readonly points: readonly (readonly [number, number])[];
      readonly holes?: readonly (readonly (readonly [number, number])[])[];
    };

/** Immutable. What takes long is done at the making: an area is asked far more often than moved. */
export class AreaShape {
  readonly spec: AreaSpec;
  /**
   * Every cell that may hold a point of the area, ascending. An entity stays in its cell until it
   * is past the margin, so these are more than the cells under the area. Do not change it.
   */
  readonly cells: Int32Array;
  readonly #whole: Uint8Array;
  readonly #contains: (x: number, y: number) => boolean;

  /** Throws `AREA_INVALID`, naming the field as a view message writes it. */
  constructor(grid: Grid, spec: AreaSpec) {
    this.spec = spec;
    const { cells, contains } = shapeOf(grid, spec);
    this.cells = cells.cells;
    this.#whole = cells.whole;
    this.#contains = contains;
  }

  /** Every entity that the cell may hold lies in the area: its points need no asking. */
  isWhole(cell: number): boolean {
    return this.#whole[this.#indexOf(cell)] === 1;
  }

  /** Whether the area may have entities in this cell: it is one of `cells`. */
  touches(cell: number): boolean {
    return this.#indexOf(cell) >= 0;
  }

  /**
   * Whether a point lies in the area; coordinates as in `Grid`: a plane clamps them, others wrap.
   * NaN lies in no area but the world. PERF: allocates nothing.
   */
  contains(x: number, y: number): boolean {
    return this.#contains(x, y);
  }

  #indexOf(cell: number): number {
    const { cells } = this;
    let low = 0;
    let high = cells.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = cells[middle] as number;
      if (found === cell) return middle;
      if (found < cell) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

type Shape = {
  readonly cells: AreaCells;
  readonly contains: (x: number, y: number) => boolean;
};

function shapeOf(grid: Grid, spec: AreaSpec): Shape {
  switch (spec.kind) {
    case 'world':
      return { cells: worldCells(grid), contains: () => true };
    case 'box':
      return boxShape(grid, spec);
    case 'circle':
      return circleShape(grid, spec.x, spec.y, spec.radius);
    case 'polygon': {
      const polygon = new Polygon(grid, spec.points, spec.holes);
      const contains = (x: number, y: number): boolean => polygon.contains(x, y);
      return { cells: polygonCells(grid, polygon), contains };
    }
    default: {
      const { kind } = spec as { readonly kind: unknown };
      const remedy = 'Use world, box, circle or polygon.';
      throw areaFault('area.kind', kind, 'is no kind of area', remedy);
    }
  }
}

function boxShape(grid: Grid, box: Box): Shape {
  for (const field of ['minX', 'minY', 'maxX', 'maxY'] as const) {
    checkFinite(`area.${field}`, box[field]);
  }
  checkOrder('area.minX', box.minX, box.maxX, grid.wrapsX);
  checkOrder('area.minY', box.minY, box.maxY, grid.wrapsY);
  const checked = checkBox(grid, box);
  const { minX, minY, maxX, maxY } = checked;
  const turnX = grid.wrapsX ? grid.width : 0;
  const turnY = grid.wrapsY ? grid.height : 0;
  // Past the seam a box goes on where the space begins. One that ends at it ends on this side.
  const pastX = maxX > grid.originX + grid.width ? maxX - turnX : -Infinity;
  const pastY = maxY > grid.originY + grid.height ? maxY - turnY : -Infinity;
  const contains = (x: number, y: number): boolean => {
    const atX = grid.wrapX(x);
    if (!((atX >= minX && atX <= maxX) || (turnX !== 0 && atX <= pastX))) return false;
    const atY = grid.wrapY(y);
    return (atY >= minY && atY <= maxY) || (turnY !== 0 && atY <= pastY);
  };
  return { cells: boxCells(grid, checked), contains };
}

function checkOrder(field: string, min: number, max: number, wraps: boolean): void {
  if (wraps || min <= max) return;
  const other = field.replace('min', 'max');
  throw areaFault(field, min, `is above ${other}`, `Use at most ${max}.`);
}

function circleShape(grid: Grid, x: number, y: number, radius: number): Shape {
  checkFinite('area.x', x);
  checkFinite('area.y', y);
  checkRadius(grid, radius);
  const atX = grid.wrapX(x);
  const atY = grid.wrapY(y);
  const contains = (px: number, py: number): boolean =>
    grid.distance(atX, atY, grid.wrapX(px), grid.wrapY(py)) <= radius;
  return { cells: circleCells(grid, { x: atX, y: atY, radius }), contains };
}

/** The largest radius of a circle: half the diagonal, or half the way round the earth in metres. */
export function circleRadiusMax(grid: Grid): number {
  if (grid.spec.kind === 'wgs84') return Math.PI * EARTH_RADIUS_M;
  return Math.hypot(grid.width, grid.height) / 2;
}

function checkRadius(grid: Grid, radius: unknown): void {
  const max = circleRadiusMax(grid);
  const unit = grid.spec.kind === 'wgs84' ? ' metres' : '';
  if (typeof radius !== 'number' || !(radius > 0 && Number.isFinite(radius))) {
    const remedy = `Use a number above 0, at most ${Math.floor(max)}${unit}.`;
    throw areaFault('area.radius', radius, 'is no radius', remedy);
  }
  if (radius <= max) return;
  const remedy = `Use at most ${Math.floor(max)}${unit}, or the area world.`;
  throw areaFault('area.radius', radius, 'reaches beyond half the space', remedy);
}
