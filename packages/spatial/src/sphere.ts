/**
 * Great circles on the sphere that stands for WGS84. Angles in and out are degrees, longitude
 * before latitude; distances are metres. Nothing here allocates: points are written where the
 * caller says.
 */

/** The mean radius of the Earth (IUGG 1980 R1). The ellipsoid differs by up to 0.5 %. */
export const EARTH_RADIUS_M = 6_371_008.8;
/** Redis indexes no point nearer the poles (the square of Web Mercator ends there). */
export const LATITUDE_INDEXED_MAX = 85.05;

const RADIANS = Math.PI / 180;
const DEGREES = 180 / Math.PI;

/** Where points are written: longitude at `offset`, latitude behind it. */
export type PointOut = Float64Array | Float32Array | number[];

/** The distance between two points by the haversine, good from millimetres to the antipode. */
export function greatCircleDistance(
  fromLongitude: number,
  fromLatitude: number,
  toLongitude: number,
  toLatitude: number,
): number {
  const sinLatitude = Math.sin(((toLatitude - fromLatitude) * RADIANS) / 2);
  const sinLongitude = Math.sin(((toLongitude - fromLongitude) * RADIANS) / 2);
  const squared =
    sinLatitude * sinLatitude +
    Math.cos(fromLatitude * RADIANS) * Math.cos(toLatitude * RADIANS) * sinLongitude * sinLongitude;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(squared)));
}

/** The course at the first point towards the second: degrees clockwise from north, in [0, 360). */
export function initialBearing(
  fromLongitude: number,
  fromLatitude: number,
  toLongitude: number,
  toLatitude: number,
): number {
  const turn = (toLongitude - fromLongitude) * RADIANS;
  const from = fromLatitude * RADIANS;
  const to = toLatitude * RADIANS;
  const east = Math.sin(turn) * Math.cos(to);
  const north = Math.cos(from) * Math.sin(to) - Math.sin(from) * Math.cos(to) * Math.cos(turn);
  const bearing = Math.atan2(east, north) * DEGREES;
  // −1e-17 + 360 rounds to 360, which is north again.
  return bearing >= 0 ? bearing : (bearing + 360) % 360;
}

/**
 * The point at `fraction` of the way along the shorter great circle, 0 = from, 1 = to, written to
 * `out`. Between antipodes, where every way is shortest, it goes over the north pole (from a pole:
 * along the meridian of 0°).
 */
export function greatCirclePoint(
  fromLongitude: number,
  fromLatitude: number,
  toLongitude: number,
  toLatitude: number,
  fraction: number,
  out: PointOut,
  offset = 0,
): void {
  const cosA = Math.cos(fromLatitude * RADIANS);
  const ax = cosA * Math.cos(fromLongitude * RADIANS);
  const ay = cosA * Math.sin(fromLongitude * RADIANS);
  const az = Math.sin(fromLatitude * RADIANS);
  const cosB = Math.cos(toLatitude * RADIANS);
  const bx = cosB * Math.cos(toLongitude * RADIANS);
  const by = cosB * Math.sin(toLongitude * RADIANS);
  const bz = Math.sin(toLatitude * RADIANS);
  const dot = ax * bx + ay * by + az * bz;
  // The part of b at right angles to a, by the double cross product: exact where b − dot·a cancels.
  const cx = ay * bz - az * by;
  const cy = az * bx - ax * bz;
  const cz = ax * by - ay * bx;
  const sine = Math.sqrt(cx * cx + cy * cy + cz * cz);
  let nx = cy * az - cz * ay;
  let ny = cz * ax - cx * az;
  let nz = cx * ay - cy * ax;
  if (sine < ANTIPODE_SINE && dot < 0) {
    const isPole = cosA < ANTIPODE_SINE;
    nx = isPole ? 1 : -az * ax;
    ny = isPole ? 0 : -az * ay;
    nz = isPole ? 0 : 1 - az * az;
  }
  const length = Math.sqrt(nx * nx + ny * ny + nz * nz);
  const angle = Math.atan2(sine, dot) * fraction;
  const along = Math.cos(angle);
  const across = length === 0 ? 0 : Math.sin(angle) / length;
  writePoint(
    ax * along + nx * across,
    ay * along + ny * across,
    az * along + nz * across,
    out,
    offset,
  );
}

/** Below this sine (about 6 mm) the plane through two points is noise. */
const ANTIPODE_SINE = 1e-9;

/** The point reached from a point on a course after a distance, written to `out`. */
export function greatCircleDestination(
  longitude: number,
  latitude: number,
  bearing: number,
  distanceM: number,
  out: PointOut,
  offset = 0,
): void {
  const angle = distanceM / EARTH_RADIUS_M;
  const sinLatitude = Math.sin(latitude * RADIANS);
  const cosLatitude = Math.cos(latitude * RADIANS);
  const sinLongitude = Math.sin(longitude * RADIANS);
  const cosLongitude = Math.cos(longitude * RADIANS);
  const north = Math.cos(bearing * RADIANS) * Math.sin(angle);
  const east = Math.sin(bearing * RADIANS) * Math.sin(angle);
  const up = Math.cos(angle);
  const outward = up * cosLatitude - north * sinLatitude;
  writePoint(
    outward * cosLongitude - east * sinLongitude,
    outward * sinLongitude + east * cosLongitude,
    up * sinLatitude + north * cosLatitude,
    out,
    offset,
  );
}

function writePoint(x: number, y: number, z: number, out: PointOut, offset: number): void {
  const longitude = Math.atan2(y, x) * DEGREES;
  out[offset] = longitude >= 180 ? -180 : longitude;
  out[offset + 1] = Math.atan2(z, Math.sqrt(x * x + y * y)) * DEGREES;
}

/**
 * The largest angle, in radians, such that a circle of it around any point up to |latitude| stays
 * within `span` degrees of longitude and of latitude on either side.
 */
export function angularRadius(span: number, latitude: number): number {
  return Math.asin(Math.cos(latitude * RADIANS) * Math.sin(Math.min(span, 90) * RADIANS));
}
