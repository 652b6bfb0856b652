/**
 * A polygon on the plane of coordinates, unrolled where the space wraps: checked, and asked whether
 * it holds a point. Its sides are straight in the coordinates of the space, on WGS84 in longitude
 * and latitude.
 *
 * Turf says whether the ring crosses itself, once per polygon. Whether a point lies inside is asked
 * per entity and tick: turf's answer allocates, so it is only the reference of the tests.
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

export class Polygon {
  readonly count: number;
  /** Corners, unrolled; the lowest x and y lie within the space where it wraps. */
  readonly xs: Float64Array;
  readonly ys: Float64Array;
  readonly minX: number;
  readonly minY: number;
  readonly maxX: number;
  readonly maxY: number;
  readonly #grid: Grid;

  /** Throws `AREA_INVALID`. A last point that repeats the first one closes the ring, no more. */
  constructor(grid: Grid, points: unknown) {
    const ring = unroll(grid, checkPoints(grid, points));
    this.#grid = grid;
    this.count = ring.length;
    this.xs = Float64Array.from(ring, ([x]) => x);
    this.ys = Float64Array.from(ring, ([, y]) => y);
    shift(this.xs, grid.wrapsX, grid.originX, grid.width);
    shift(this.ys, grid.wrapsY, grid.originY, grid.height);
    this.minX = Math.min(...this.xs);
    this.minY = Math.min(...this.ys);
    this.maxX = Math.max(...this.xs);
    this.maxY = Math.max(...this.ys);
    this.#check();
  }

  /** Whether a point, wherever it is written, lies inside or on the border. Never for NaN. */
  contains(x: number, y: number): boolean {
    const grid = this.#grid;
    const atX = grid.wrapX(x);
    const atY = grid.wrapY(y);
    if (this.#holds(atX, atY)) return true;
    const isPastX = grid.wrapsX && this.#holds(atX + grid.width, atY);
    if (isPastX || !grid.wrapsY) return isPastX;
    if (this.#holds(atX, atY + grid.height)) return true;
    return grid.wrapsX && this.#holds(atX + grid.width, atY + grid.height);
  }

  /** Even–odd. PERF: allocates nothing; the box around the ring answers most points. */
  #holds(x: number, y: number): boolean {
    const inBox = x >= this.minX && x <= this.maxX && y >= this.minY && y <= this.maxY;
    if (!inBox) return false;
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
        if (cross === 0 && isBetween(fromX, toX) && isBetween(fromY, toY)) return true;
        if (isCrossed && cross > 0 === toY > fromY) isInside = !isInside;
      }
      fromX = toX;
      fromY = toY;
    }
    return isInside;
  }

  #check(): void {
    const { width, height, wrapsX, wrapsY } = this.#grid;
    const across = this.maxX - this.minX;
    const up = this.maxY - this.minY;
    if ((wrapsX && across > width) || (wrapsY && up > height)) {
      const remedy = 'Keep it within one turn, or use a box.';
      throw areaFault('area.points', this.count, 'points reach more than once round', remedy);
    }
    // Before the area: the halves of a figure eight may cancel out.
    this.#checkCrossing();
    if (!(Math.abs(this.#twiceArea()) > AREA_LEAST * across * up)) {
      const remedy = 'Use points that do not lie on one line.';
      throw areaFault('area.points', this.count, 'points enclose no area', remedy);
    }
  }

  #checkCrossing(): void {
    const ring = Array.from(this.xs, (x, i): [number, number] => [x, this.ys[i] as number]);
    const [first] = ring as [[number, number]];
    const [crossing] = kinks({ type: 'Polygon', coordinates: [[...ring, first]] }).features;
    if (crossing === undefined) return;
    const at = `(${crossing.geometry.coordinates.join(', ')})`;
    const remedy = 'Order the points round the area; make two areas of a figure eight.';
    throw areaFault('area.points', at, 'is where the border touches or crosses itself', remedy);
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

function isBetween(from: number, to: number): boolean {
  return (from <= 0 && to >= 0) || (from >= 0 && to <= 0);
}

type Point = readonly [number, number];

/** The corners: finite, the closing point and repetitions left out. */
function checkPoints(grid: Grid, points: unknown): Point[] {
  if (!Array.isArray(points)) {
    throw areaFault('area.points', points, 'is no list of points', 'Use [[x, y], …].');
  }
  // One more than the corners: the ring may be closed.
  if (points.length > POLYGON_POINTS_MAX + 1) {
    const remedy = `Use at most ${POLYGON_POINTS_MAX}.`;
    throw areaFault('area.points', points.length, 'points are too many', remedy);
  }
  const corners: Point[] = [];
  for (const [i, point] of points.entries()) {
    const field = `area.points[${i}]`;
    if (!Array.isArray(point) || point.length !== 2) {
      throw areaFault(field, point, 'is no point', 'Use [x, y].');
    }
    for (const value of point) checkFinite(field, value);
    if (Math.max(Math.abs(point[0]) / grid.width, Math.abs(point[1]) / grid.height) > EXTENTS_MAX) {
      throw areaFault(field, point, 'is too far away', 'Use coordinates of the space.');
    }
    const last = corners.at(-1);
    if (last?.[0] !== point[0] || last?.[1] !== point[1]) corners.push([point[0], point[1]]);
  }
  const [first, last] = [corners[0], corners.at(-1)];
  const isClosed = corners.length > 1 && first?.[0] === last?.[0] && first?.[1] === last?.[1];
  if (isClosed) corners.pop();
  if (corners.length >= POINTS_MIN && corners.length <= POLYGON_POINTS_MAX) return corners;
  const remedy = `Use ${POINTS_MIN} to ${POLYGON_POINTS_MAX} different points.`;
  throw areaFault('area.points', corners.length, 'points make no polygon', remedy);
}

/** Each point on the side of the seam that is nearest to the point before it. */
function unroll(grid: Grid, corners: readonly Point[]): Point[] {
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
  throw areaFault('area.points', corners.length, what, remedy);
}

/** `to`, turned by whole turns so that it is at most half a turn from `from`. 0: no turns. */
function beside(from: number, to: number, turn: number): number {
  if (turn === 0 || Math.abs(to - from) <= turn / 2) return to;
  return to - Math.round((to - from) / turn) * turn;
}

/** Moves all by whole turns until the least lies within the space. */
function shift(values: Float64Array, wraps: boolean, origin: number, turn: number): void {
  if (!wraps) return;
  const turns = Math.floor((Math.min(...values) - origin) / turn);
  if (turns === 0) return;
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) - turns * turn;
}
