/**
 * How a cell's entities are written into its GEO index, and how the index is asked. Each cell has
 * an index of its own, which is never authoritative: ask it widened, then filter exactly from
 * state.
 *
 *   WGS84          longitude and latitude as they are; beyond |latitude| 85.05 nothing is indexed
 *   plane, torus   the cell becomes the 1° × 1° box around (0, 0): there a degree of longitude is
 *                  within 0.004 % of one of latitude, and one of the index's steps of 360° / 2^26
 *                  is 5 mm of a cell of 1,000 m
 */
import { type Box, checkBox } from './boxes.ts';
import type { Grid } from './grid.ts';
import { LATITUDE_INDEXED_MAX, type PointOut } from './sphere.ts';

/** What `GEOSEARCH … FROMLONLAT longitude latitude BYBOX widthM heightM m` is told. */
export type GeoBox = {
  readonly longitude: number;
  readonly latitude: number;
  readonly widthM: number;
  readonly heightM: number;
};

/** Redis measures on a sphere of its own. */
export const REDIS_EARTH_RADIUS_M = 6_372_797.560856;
/** One step of the index along longitude, the coarser axis: positions are rounded by half of it. */
export const INDEX_STEP_DEGREES = 360 / 2 ** 26;
/** Farther than this from the cell's centre an entity is on its way home, and not indexed. */
const OFFSET_CELLS_MAX = 1;
const RADIANS = Math.PI / 180;

/** Writes longitude and latitude of a point of `cell` to `out`; false if it cannot be indexed. */
export function toGeo(grid: Grid, cell: number, x: number, y: number, out: PointOut): boolean {
  if (grid.spec.kind === 'wgs84') {
    if (Math.abs(y) > LATITUDE_INDEXED_MAX) return false;
    out[0] = grid.wrapX(x);
    out[1] = y;
    return true;
  }
  const right = grid.deltaX(grid.centreX(cell), x) / grid.cellSize;
  const up = grid.deltaY(grid.centreY(cell), y) / grid.cellSize;
  if (Math.abs(right) > OFFSET_CELLS_MAX || Math.abs(up) > OFFSET_CELLS_MAX) return false;
  out[0] = right;
  out[1] = up;
  return true;
}

/** What the index knows of: the square that Web Mercator projects the Earth to. */
const LATITUDE_MAX = 85.05112878;
const STEPS = 2 ** 26;

/**
 * The score under which `GEOADD` keeps a point: 26 bits of longitude and of latitude in turns, as
 * Redis documents it. `ZADD` of it is the same entry for a third of the work. −1 where the index does
 * not reach.
 */
export function geoScore(longitude: number, latitude: number): number {
  // Negated, so that NaN is refused.
  if (!(Math.abs(longitude) <= 180 && Math.abs(latitude) <= LATITUDE_MAX)) return -1;
  // Both names of the antimeridian and of the upper edge are steps that exist.
  const across = longitude === 180 ? 0 : Math.floor(((longitude + 180) / 360) * STEPS);
  const up = Math.floor(((latitude + LATITUDE_MAX) / (2 * LATITUDE_MAX)) * STEPS);
  const [x, y] = [across, Math.min(up, STEPS - 1)];
  const high = interleaved(x >>> 13, y >>> 13);
  return high * STEPS + interleaved(x & 0x1fff, y & 0x1fff);
}

/** 13 bits each: those of `y` at even places, those of `x` at odd ones. */
const interleaved = (x: number, y: number): number => spread(y) | (spread(x) << 1);

/** Puts a 0 between each two of 13 bits. */
function spread(bits: number): number {
  let wide = (bits | (bits << 8)) & 0x00ff00ff;
  wide = (wide | (wide << 4)) & 0x0f0f0f0f;
  wide = (wide | (wide << 2)) & 0x33333333;
  return (wide | (wide << 1)) & 0x55555555;
}

/** Writes x and y of an indexed point of `cell` to `out`: the inverse of `toGeo`. */
export function fromGeo(
  grid: Grid,
  cell: number,
  longitude: number,
  latitude: number,
  out: PointOut,
): void {
  if (grid.spec.kind === 'wgs84') {
    out[0] = grid.wrapX(longitude);
    out[1] = latitude;
    return;
  }
  out[0] = grid.centreX(cell) + longitude * grid.cellSize;
  out[1] = grid.centreY(cell) + latitude * grid.cellSize;
  if (grid.wrapsX) out[0] = grid.wrapX(out[0]);
  if (grid.wrapsY) out[1] = grid.wrapY(out[1]);
}

/**
 * The searches of one cell's index that together find every entity of `box` that the cell holds and
 * that stands within a cell's length of its centre, although it may have moved `resolution` along
 * each axis (space units; degrees on WGS84) since it was indexed. None if the box is elsewhere.
 * Finds more than the box: filter from state.
 */
export function geoBoxes(grid: Grid, cell: number, box: Box, resolution: number): GeoBox[] {
  const checked = checkBox(grid, box);
  const reach = grid.cellSize * OFFSET_CELLS_MAX;
  const centreX = grid.centreX(cell);
  const centreY = grid.centreY(cell);
  const across = parts(checked.minX - centreX, checked.maxX - centreX, {
    turn: grid.wrapsX ? grid.width : 0,
    reach,
  });
  const up = parts(checked.minY - centreY, checked.maxY - centreY, {
    turn: grid.wrapsY ? grid.height : 0,
    reach,
  });
  const isSphere = grid.spec.kind === 'wgs84';
  const scale = isSphere ? 1 : 1 / grid.cellSize;
  const pad = resolution * scale + INDEX_STEP_DEGREES;
  const found: GeoBox[] = [];
  for (const [low, high] of up) {
    const south = low * scale + (isSphere ? centreY : 0) - pad;
    const north = high * scale + (isSphere ? centreY : 0) + pad;
    for (const [left, right] of across) {
      const west = left * scale + (isSphere ? centreX : 0) - pad;
      const east = right * scale + (isSphere ? centreX : 0) + pad;
      pushSplit(found, { west, south, east, north });
    }
  }
  return found;
}

/** What `GEOSEARCH … FROMLONLAT longitude latitude BYRADIUS radiusM m` is told. */
export type GeoCircle = {
  readonly longitude: number;
  readonly latitude: number;
  readonly radiusM: number;
};

/**
 * The search of one cell's index that finds everybody in it, those near a point first: from the
 * place nearest to the point that lies within a cell's length of the centre, since the index knows
 * nothing farther away. So the order is a good guess, not the order of distance to the point.
 */
export function geoAround(grid: Grid, cell: number, x: number, y: number): GeoCircle {
  const reach = grid.cellSize * OFFSET_CELLS_MAX;
  const clamp = (value: number, max: number): number => Math.max(-max, Math.min(value, max));
  const right = clamp(grid.deltaX(grid.centreX(cell), grid.wrapX(x)), reach);
  const up = clamp(grid.deltaY(grid.centreY(cell), grid.wrapY(y)), reach);
  const isSphere = grid.spec.kind === 'wgs84';
  const degrees = isSphere ? reach : OFFSET_CELLS_MAX;
  // From corner to corner of the square of everybody, on the plane: on the sphere it is shorter.
  const radiusM = 2 * Math.SQRT2 * degrees * RADIANS * REDIS_EARTH_RADIUS_M * ROUNDING;
  return {
    longitude: isSphere ? grid.wrapX(grid.centreX(cell) + right) : right / grid.cellSize,
    latitude: isSphere ? clamp(grid.centreY(cell) + up, LATITUDE_INDEXED_MAX) : up / grid.cellSize,
    radiusM: Math.min(radiusM, Math.PI * REDIS_EARTH_RADIUS_M),
  };
}

/** The offsets of a span from the cell's centre, clipped to its reach, once for every turn. */
function parts(
  low: number,
  high: number,
  { turn, reach }: { readonly turn: number; readonly reach: number },
): [number, number][] {
  const found: [number, number][] = [];
  for (const shift of turn === 0 ? [0] : [-2 * turn, -turn, 0, turn, 2 * turn]) {
    const from = Math.max(low + shift, -reach);
    const to = Math.min(high + shift, reach);
    if (from <= to) found.push([from, to]);
  }
  return found;
}

type Degrees = {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
};

/** Adds an area as one search, or as one on either side of the antimeridian. */
function pushSplit(found: GeoBox[], { west, south, east, north }: Degrees): void {
  const low = Math.max(south, -LATITUDE_INDEXED_MAX);
  const high = Math.min(north, LATITUDE_INDEXED_MAX);
  if (low > high) return;
  const push = (left: number, right: number) => {
    found.push(search({ west: left, south: low, east: right, north: high }));
  };
  if (west < -180) {
    push(west + 360, 180);
    push(-180, east);
  } else if (east > 180) {
    push(west, 180);
    push(-180, east - 360);
  } else {
    push(west, east);
  }
}

function search({ west, south, east, north }: Degrees): GeoBox {
  // The index compares widths at each entity's own latitude: the widest is nearest the equator.
  const widest = south <= 0 && north >= 0 ? 0 : Math.min(Math.abs(south), Math.abs(north));
  const half = Math.sin(((east - west) / 4) * RADIANS) * Math.cos(widest * RADIANS);
  const widthM = 4 * REDIS_EARTH_RADIUS_M * Math.asin(half);
  const heightM = (north - south) * RADIANS * REDIS_EARTH_RADIUS_M;
  return {
    longitude: (west + east) / 2,
    latitude: (south + north) / 2,
    widthM: widthM * ROUNDING,
    heightM: heightM * ROUNDING,
  };
}

/** Metres and degrees are converted back and forth in doubles; a border case must stay inside. */
const ROUNDING = 1 + 1e-9;
