/**
 * The land of the Earth as flat rings, degrees of longitude and latitude. The source knows no edge
 * at 180°: a ring there runs on beyond it, and one runs round the pole. On a plate carrée such rings
 * are unrolled and cut at the edges of the map. Pure, but for `loadLand`, which loads the source.
 */
type Ring = readonly (readonly number[])[];
/** x, y, x, y, … */
export type FlatRing = number[];
export type LandPolygon = { readonly outline: FlatRing; readonly holes: readonly FlatRing[] };

/** Loaded on its own, so that worlds that are not on the globe never load it. */
export async function loadLand(): Promise<LandPolygon[]> {
  const [{ feature }, { default: atlas }] = await Promise.all([
    import('topojson-client'),
    import('world-atlas/land-110m.json'),
  ]);
  const topology = atlas as unknown as Parameters<typeof feature>[0];
  const land = feature(topology, topology.objects['land']!);
  const shapes = land.type === 'FeatureCollection' ? land.features : [land];
  return shapes.flatMap(({ geometry }) => {
    if (geometry.type === 'Polygon') return flatPolygons(geometry.coordinates);
    return geometry.type === 'MultiPolygon' ? geometry.coordinates.flatMap(flatPolygons) : [];
  });
}

/** One polygon of the source as those polygons of the map that it is seen as. */
export function flatPolygons(rings: readonly Ring[]): LandPolygon[] {
  const [outline, ...holes] = rings.map(unrolled);
  if (outline === undefined) return [];
  return [-360, 0, 360].flatMap((shift) => {
    const cut = clipped(outline, shift);
    if (cut.length < 6) return [];
    const inner = holes.map((hole) => clipped(hole, shift)).filter((hole) => hole.length >= 6);
    return [{ outline: cut, holes: inner }];
  });
}

/** Longitudes continue beyond ±180 instead of jumping; a ring round a pole is closed at it. */
function unrolled(ring: Ring): FlatRing {
  const flat: FlatRing = [];
  let turns = 0;
  for (const [i, point] of ring.entries()) {
    const before = ring[i - 1]?.[0] ?? point[0]!;
    if (point[0]! - before > 180) turns--;
    if (point[0]! - before < -180) turns++;
    flat.push(point[0]! + turns * 360, point[1]!);
  }
  if (turns === 0) return flat;
  const pole = flat[1]! < 0 ? -90 : 90;
  flat.push(flat.at(-2)!, pole, flat[0]!, pole);
  return flat;
}

/** What lies between −180 and 180 of a ring that is moved by `shift` degrees. */
function clipped(ring: FlatRing, shift: number): FlatRing {
  const moved = ring.map((value, i) => (i % 2 === 0 ? value + shift : value));
  return half(half(moved, -180, 1), 180, -1);
}

/** Sutherland and Hodgman's cut along one meridian; `side` 1 keeps the east of it, −1 the west. */
function half(ring: FlatRing, meridian: number, side: 1 | -1): FlatRing {
  const kept: FlatRing = [];
  const count = ring.length / 2;
  for (let i = 0; i < count; i++) {
    const [x, y] = [ring[i * 2]!, ring[i * 2 + 1]!];
    const j = (i + 1) % count;
    const [nextX, nextY] = [ring[j * 2]!, ring[j * 2 + 1]!];
    const isIn = (x - meridian) * side >= 0;
    if (isIn) kept.push(x, y);
    if (isIn === (nextX - meridian) * side >= 0) continue;
    kept.push(meridian, y + ((meridian - x) / (nextX - x)) * (nextY - y));
  }
  return kept;
}
