/** A cell's GEO index as Redis keeps it: positions rounded to its steps, distances on its sphere. */
import type { NearCandidate, NearSearch } from '@leasehold/protocol';

/** By id, as the commits told it. */
type Positions = ReadonlyMap<number, { readonly longitude: number; readonly latitude: number }>;

const EARTH_RADIUS_M = 6_372_797.560856;
/** Web Mercator ends here, and the index with it. */
export const LATITUDE_MAX = 85.05112878;
const STEPS = 2 ** 26;
const RADIANS = Math.PI / 180;

export function nearIn(
  positions: Positions | undefined,
  search: NearSearch,
  count: number,
): NearCandidate[] {
  const found: NearCandidate[] = [];
  for (const [id, at] of positions ?? []) {
    const longitude = rounded(at.longitude, 180);
    const latitude = rounded(at.latitude, LATITUDE_MAX);
    const distanceM = distance(search, longitude, latitude);
    if (distanceM <= search.radiusM) found.push({ id, longitude, latitude, distanceM });
  }
  return found.sort((a, b) => a.distanceM - b.distanceM).slice(0, count);
}

/** The middle of the step that a coordinate lies in. */
function rounded(value: number, max: number): number {
  const size = (2 * max) / STEPS;
  return (Math.floor((value + max) / size) + 0.5) * size - max;
}

function distance(from: NearSearch, longitude: number, latitude: number): number {
  const up = Math.sin(((latitude - from.latitude) * RADIANS) / 2);
  const across = Math.sin(((longitude - from.longitude) * RADIANS) / 2);
  const cosines = Math.cos(from.latitude * RADIANS) * Math.cos(latitude * RADIANS);
  return 2 * EARTH_RADIUS_M * Math.asin(Math.sqrt(up * up + cosines * across * across));
}
