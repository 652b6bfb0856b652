/**
 * One ring on the plane of coordinates, unrolled where the space wraps: checked by itself, and asked
 * on which side of it a point lies. Its sides are straight in the coordinates of the space, on WGS84
 * in longitude and latitude.
 *
 * Turf says where sides meet, once per ring. Where a point lies is asked per entity and tick: turf's
 * answer allocates, so it is only the reference of the tests.
 */
import { kinks } from '@turf/kinks';
import { areaFault, checkFinite } from './area-fault.ts';
import type { Grid } from './grid.ts';

/** Enough to draw round a country; the check for crossings takes 0.1 ms at this number. */
export const POLYGON_POINTS_MAX = 128;
const POINTS_MIN = 3;
/** Below this part of the box around it, an area is rounding. */
const AREA_LEAST = 1e-12;
/** Farther from the space than this many times its extent, doubles tell no inside. */
const EXTENTS_MAX = 1e6;

export const OUTSIDE = -1;
/** Belongs to the polygon, of an outer ring as of a hole. */
export const BORDER = 0;
export const INSIDE = 1;

export type Point = readonly [number, number];

/** What a ring is made of. */
export type Drawn = {
  /** Of `cornersOf`. */
  readonly corners: readonly Point[];
  /** As a fault writes it, such as `area.holes[1]`. */
  readonly field: string;
  /** Where the space wraps, the lowest x and y lie within one turn from here. */
  readonly fromX: number;
  readonly fromY: number;
};

export class Ring {
  readonly count: number;
  readonly field: string;
  /** Corners, unrolled. */
  readonly xs: Float64Array;
  readonly ys: Float64Array;
  readonly minX: number;
  readonly minY: number;
  readonly maxX: number;
  readonly maxY: number;

  /** Throws `AREA_INVALID`. */
  constructor(grid: Grid, { corners, field, fromX, fromY }: Drawn) {
    const ring = unroll(grid, corners, field);
    this.field = field;
    this.count = ring.length;
    this.xs = Float64Array.from(ring, ([x]) => x);
    this.ys = Float64Array.from(ring, ([, y]) => y);
    shift(this.xs, grid.wrapsX, fromX, grid.width);
    shift(this.ys, grid.wrapsY, fromY, grid.height);
    this.minX = Math.min(...this.xs);
    this.minY = Math.min(...this.ys);
    this.maxX = Math.max(...this.xs);
    this.maxY = Math.max(...this.ys);
    this.#check(grid);
  }

  /**
   * `INSIDE`, `BORDER` or `OUTSIDE`, the last for NaN. Even–odd. PERF: allocates nothing; the box
   * around the ring answers most points.
   */
  sideOf(x: number, y: number): number {
    const inBox = x >= this.minX && x <= this.maxX && y >= this.minY && y <= this.maxY;
    if (!inBox) return OUTSIDE;
    const { xs, ys, count } = this;
    let isInside = false;
    let fromX = (xs[count - 1] as number) - x;
    let fromY = (ys[count - 1] as number) - y;
    for (let i = 0; i < count; i++) {
      const toX = (xs[i] as number) - x;
      const toY = (ys[i] as number) - y;
      // A side that the point lies beside: one end below or level with it, the other above.
      const isCrossed = fromY > 0 !== toY > 0;
      if (isCrossed || fromY === 0 || toY === 0) {
        const cross = fromX * toY - toX * fromY;
        if (cross === 0 && isBetween(fromX, toX) && isBetween(fromY, toY)) return BORDER;
        if (isCrossed && cross > 0 === toY > fromY) isInside = !isInside;
      }
      fromX = toX;
      fromY = toY;
    }
    return isInside ? INSIDE : OUTSIDE;
  }

  /** Where this one and another touch or cross, as a fault shows it. */
  meeting(other: Ring): string | undefined {
    return meetingOf(this.#closed(), other.#closed());
  }

  #closed(): [number, number][] {
    const ring = Array.from(this.xs, (x, i): [number, number] => [x, this.ys[i] as number]);
    return [...ring, ring[0] as [number, number]];
  }

  #check({ width, height, wrapsX, wrapsY }: Grid): void {
    const across = this.maxX - this.minX;
    const up = this.maxY - this.minY;
    if ((wrapsX && across > width) || (wrapsY && up > height)) {
      const remedy = 'Keep it within one turn, or use a box.';
      throw areaFault(this.field, this.count, 'points reach more than once round', remedy);
    }
    // Before the area: the halves of a figure eight may cancel out.
    const crossing = meetingOf(this.#closed());
    if (crossing !== undefined) {
      const what = 'is where the border touches or crosses itself';
      const remedy = 'Order the points round the area; make two areas of a figure eight.';
      throw areaFault(this.field, crossing, what, remedy);
    }
    if (!(Math.abs(this.#twiceArea()) > AREA_LEAST * across * up)) {
      const remedy = 'Use points that do not lie on one line.';
      throw areaFault(this.field, this.count, 'points enclose no area', remedy);
    }
  }

  #twiceArea(): number {
    const { xs, ys, count } = this;
    const [x0, y0] = [xs[0] as number, ys[0] as number];
    let sum = 0;
    for (let i = 1; i + 1 < count; i++) {
      const ax = (xs[i] as number) - x0;
      const ay = (ys[i] as number) - y0;
      sum += ax * ((ys[i + 1] as number) - y0) - ((xs[i + 1] as number) - x0) * ay;
    }
    return sum;
  }
}

/** The first place where any of their sides meet that do not follow each other. */
function meetingOf(...rings: [number, number][][]): string | undefined {
  const [found] = kinks({ type: 'Polygon', coordinates: rings }).features;
  return found && `(${found.geometry.coordinates.join(', ')})`;
}

function isBetween(from: number, to: number): boolean {
  return (from <= 0 && to >= 0) || (from >= 0 && to <= 0);
}

/**
 * The corners of a ring: finite, a last point that repeats the first one and other repetitions left
 * out. Throws `AREA_INVALID`.
 */
export function cornersOf(grid: Grid, points: unknown, field: string): Point[] {
  if (!Array.isArray(points)) {
    throw areaFault(field, points, 'is no list of points', 'Use [[x, y], …].');
  }
  // One more than the corners: the ring may be closed.
  if (points.length > POLYGON_POINTS_MAX + 1) {
    const remedy = `Use at most ${POLYGON_POINTS_MAX}.`;
    throw areaFault(field, points.length, 'points are too many', remedy);
  }
  const corners: Point[] = [];
  for (const [i, point] of points.entries()) {
    const at = `${field}[${i}]`;
    if (!Array.isArray(point) || point.length !== 2) {
      throw areaFault(at, point, 'is no point', 'Use [x, y].');
    }
    for (const value of point) checkFinite(at, value);
    if (Math.max(Math.abs(point[0]) / grid.width, Math.abs(point[1]) / grid.height) > EXTENTS_MAX) {
      throw areaFault(at, point, 'is too far away', 'Use coordinates of the space.');
    }
    const last = corners.at(-1);
    if (last?.[0] !== point[0] || last?.[1] !== point[1]) corners.push([point[0], point[1]]);
  }
  const [first, last] = [corners[0], corners.at(-1)];
  const isClosed = corners.length > 1 && first?.[0] === last?.[0] && first?.[1] === last?.[1];
  if (isClosed) corners.pop();
  if (corners.length >= POINTS_MIN && corners.length <= POLYGON_POINTS_MAX) return corners;
  const remedy = `Use ${POINTS_MIN} to ${POLYGON_POINTS_MAX} different points.`;
  throw areaFault(field, corners.length, 'points make no polygon', remedy);
}

/** Each point on the side of the seam that is nearest to the point before it. */
function unroll(grid: Grid, corners: readonly Point[], field: string): Point[] {
  const ring: Point[] = [];
  let [x, y] = corners[0] as Point;
  for (const corner of [...corners.slice(1), corners[0] as Point]) {
    ring.push([x, y]);
    x = beside(x, corner[0], grid.wrapsX ? grid.width : 0);
    y = beside(y, corner[1], grid.wrapsY ? grid.height : 0);
  }
  const [first] = ring as [Point];
  const [turnX, turnY] = [Math.abs(x - first[0]), Math.abs(y - first[1])];
  // Rounding may leave a hair; a turn is at least the space.
  if (turnX < grid.width / 2 && turnY < grid.height / 2) return ring;
  const what = 'points go round the world and do not come back';
  const remedy = 'A side takes the short way: use a circle round a pole, a box for a belt.';
  throw areaFault(field, corners.length, what, remedy);
}

/** `to`, turned by whole turns so that it is at most half a turn from `from`. 0: no turns. */
function beside(from: number, to: number, turn: number): number {
  if (turn === 0 || Math.abs(to - from) <= turn / 2) return to;
  return to - Math.round((to - from) / turn) * turn;
}

/** Moves all by whole turns until the least lies within one turn from `from`. */
function shift(values: Float64Array, wraps: boolean, from: number, turn: number): void {
  if (!wraps) return;
  const turns = Math.floor((Math.min(...values) - from) / turn);
  if (turns === 0) return;
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) - turns * turn;
}
