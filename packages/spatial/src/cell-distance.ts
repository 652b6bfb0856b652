/**
 * How near and how far the entities of a cell can be. An entity stays in its cell until it is past
 * the margin, so what counts is the cell's square widened by the margin, within the space.
 */
import type { Grid } from './grid.ts';
import { EARTH_RADIUS_M, greatCircleDistance } from './sphere.ts';

/** Above the rounding of coordinates on 2^20 columns, so that the widened square is never short. */
const TOLERANCE = 1e-9;
const RADIANS = Math.PI / 180;

/** Farthest from its cell's centre, along one axis, that an entity stays in the cell. */
export function cellReach(grid: Grid): number {
  return grid.cellSize * (0.5 + Math.max(grid.margin, TOLERANCE) + TOLERANCE);
}

type Range = { readonly least: number; readonly most: number };

/**
 * No entity of the cell is nearer to the point than this: in the unit of `grid.distance`, exact but
 * for rounding. An entity that has left its cell and not arrived elsewhere is the exception.
 */
export function cellDistanceMin(grid: Grid, cell: number, x: number, y: number): number {
  const across = rangeX(grid, cell, grid.wrapX(x)).least;
  if (grid.spec.kind !== 'wgs84') {
    const up = rangeY(grid, cell, grid.wrapY(y)).least;
    return Math.sqrt(across * across + up * up);
  }
  return parallelDistances(grid, cell, grid.wrapY(y), across).least;
}

/** No entity of the cell is farther from the point than this. See `cellDistanceMin`. */
export function cellDistanceMax(grid: Grid, cell: number, x: number, y: number): number {
  const across = rangeX(grid, cell, grid.wrapX(x)).most;
  if (grid.spec.kind !== 'wgs84') {
    const up = rangeY(grid, cell, grid.wrapY(y)).most;
    return Math.sqrt(across * across + up * up);
  }
  return parallelDistances(grid, cell, grid.wrapY(y), across).most;
}

function rangeX(grid: Grid, cell: number, x: number): Range {
  const centre = grid.centreX(cell);
  const reach = cellReach(grid);
  if (grid.wrapsX) return rangeAround(Math.abs(grid.deltaX(centre, x)), reach, grid.width);
  return rangeOf(x, centre - reach, centre + reach, 0, grid.width);
}

function rangeY(grid: Grid, cell: number, y: number): Range {
  const centre = grid.centreY(cell);
  const reach = cellReach(grid);
  if (grid.wrapsY) return rangeAround(Math.abs(grid.deltaY(centre, y)), reach, grid.height);
  return rangeOf(y, centre - reach, centre + reach, grid.originY, grid.originY + grid.height);
}

function rangeAround(away: number, reach: number, extent: number): Range {
  return { least: Math.max(0, away - reach), most: Math.min(extent / 2, away + reach) };
}

function rangeOf(at: number, low: number, high: number, from: number, to: number): Range {
  const first = Math.max(low, from);
  const last = Math.min(high, to);
  return {
    least: Math.max(0, first - at, at - last),
    most: Math.max(Math.abs(at - first), Math.abs(at - last)),
  };
}

/**
 * The least and greatest distance in metres from a point at `latitude` to the part of a meridian,
 * `turn` degrees away, that lies in the rows of the cell. On one latitude distance grows with the
 * turn, so the nearest and farthest meridian of a cell hold its nearest and farthest point.
 */
function parallelDistances(grid: Grid, cell: number, latitude: number, turn: number): Range {
  const centre = grid.centreY(cell);
  const low = Math.max(-90, centre - cellReach(grid));
  const high = Math.min(90, centre + cellReach(grid));
  const north = Math.sin(latitude * RADIANS);
  const south = Math.cos(latitude * RADIANS) * Math.cos(turn * RADIANS);
  // The cosine of the distance is north·sin φ + south·cos φ: one wave, highest at `peak`.
  const peak = Math.atan2(north, south) / RADIANS;
  const trough = peak > 0 ? peak - 180 : peak + 180;
  const away = (at: number): number => greatCircleDistance(0, latitude, turn, at);
  const [atLow, atHigh] = [away(low), away(high)];
  return {
    least: peak >= low && peak <= high ? away(peak) : Math.min(atLow, atHigh),
    most:
      trough >= low && trough <= high
        ? Math.min(Math.PI * EARTH_RADIUS_M, away(trough))
        : Math.max(atLow, atHigh),
  };
}
