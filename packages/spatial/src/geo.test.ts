import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Box,
  boxContains,
  fromGeo,
  type GeoBox,
  Grid,
  geoAround,
  geoBoxes,
  REDIS_EARTH_RADIUS_M,
  toGeo,
} from './index.ts';

/** The index as Redis keeps it: 26 bits along each axis, answered by the middle of the step. */
function indexed(longitude: number, latitude: number): [number, number] {
  const round = (value: number, low: number, high: number) => {
    const step = Math.floor(((value - low) / (high - low)) * 2 ** 26);
    return low + ((step + 0.5) / 2 ** 26) * (high - low);
  };
  return [round(longitude, -180, 180), round(latitude, -85.05112878, 85.05112878)];
}

const radians = (degrees: number) => (degrees * Math.PI) / 180;
const redisDistance = (aLon: number, aLat: number, bLon: number, bLat: number) => {
  const v = Math.sin(radians(bLon - aLon) / 2);
  const u = Math.sin(radians(bLat - aLat) / 2);
  const a = u * u + Math.cos(radians(aLat)) * Math.cos(radians(bLat)) * v * v;
  return 2 * REDIS_EARTH_RADIUS_M * Math.asin(Math.sqrt(a));
};
/** GEOSEARCH BYBOX, as the server decides (geohashGetDistanceIfInRectangle). */
function isFound(box: GeoBox, longitude: number, latitude: number): boolean {
  const up = REDIS_EARTH_RADIUS_M * Math.abs(radians(latitude) - radians(box.latitude));
  if (up > box.heightM / 2) return false;
  return redisDistance(longitude, latitude, box.longitude, latitude) <= box.widthM / 2;
}

const anyFraction = fc.double({ min: 0, max: 1, noNaN: true });
const planar = [
  new Grid({ kind: 'plane', width: 10_000, height: 10_000, cell: 1_000 }),
  new Grid({ kind: 'torus', width: 10_000, height: 3_000, cell: 1_000 }),
];
const globe = new Grid({ kind: 'wgs84', cell: 5 });

/** A grid, a cell, and a point that the cell may hold: in it or within its margin. */
const anyHeld = fc
  .record({
    grid: fc.constantFrom(...planar, globe),
    at: anyFraction,
    lean: fc.tuple(anyFraction, anyFraction),
  })
  .map(({ grid, at, lean }) => {
    const cell = Math.min(grid.cells - 1, Math.floor(at * grid.cells));
    const reach = grid.cellSize * (1 + 2 * grid.margin);
    const x = grid.centreX(cell) + (lean[0] - 0.5) * reach;
    const y = grid.centreY(cell) + (lean[1] - 0.5) * reach;
    return { grid, cell, x: grid.wrapX(x), y: grid.wrapY(y) };
  });

describe('the GEO index of a cell', () => {
  test('gives a point of a 1,000-unit cell back within 5 mm', () => {
    fc.assert(
      fc.property(anyHeld, ({ grid, cell, x, y }) => {
        const out: [number, number] = [0, 0];
        if (grid === globe) return;
        expect(toGeo(grid, cell, x, y, out)).toBe(true);
        fromGeo(grid, cell, ...indexed(...out), out);
        expect(Math.abs(grid.deltaX(x, out[0]))).toBeLessThan(0.005);
        expect(Math.abs(grid.deltaY(y, out[1]))).toBeLessThan(0.005);
      }),
      { numRuns: 4_000 },
    );
  });

  test('distorts distances within a planar cell by less than 0.01 %', () => {
    fc.assert(
      fc.property(fc.array(anyFraction, { minLength: 4, maxLength: 4 }), (at) => {
        const grid = planar[0] as Grid;
        const [ax, ay, bx, by] = at.map((f) => 3_000 + f * 999.9) as [
          number,
          number,
          number,
          number,
        ];
        const a: [number, number] = [0, 0];
        const b: [number, number] = [0, 0];
        const cell = grid.cellAt(3_500, 3_500);
        toGeo(grid, cell, ax, ay, a);
        toGeo(grid, cell, bx, by, b);
        const exact = grid.distance(ax, ay, bx, by);
        const seen = (redisDistance(...a, ...b) / (radians(1) * REDIS_EARTH_RADIUS_M)) * 1_000;
        expect(Math.abs(seen - exact)).toBeLessThanOrEqual(exact * 1e-4 + 1e-6);
      }),
      { numRuns: 2_000 },
    );
  });

  test('holds true longitude and latitude on WGS84, +180 as −180, nothing beyond ±85.05', () => {
    const out: [number, number] = [0, 0];
    expect(toGeo(globe, 0, 180, 12.5, out)).toBe(true);
    expect(out).toEqual([-180, 12.5]);
    expect(toGeo(globe, 0, 0, 85.06, out)).toBe(false);
    expect(toGeo(globe, 0, 0, -85.06, out)).toBe(false);
    expect(toGeo(globe, 0, 0, -85.05, out)).toBe(true);
    fromGeo(globe, 0, 8.5, 50, out);
    expect(out).toEqual([8.5, 50]);
  });

  test('leaves out who is far from the cell and on the way home', () => {
    const grid = planar[0] as Grid;
    const out: [number, number] = [0, 0];
    expect(toGeo(grid, 0, 5_000, 500, out)).toBe(false);
    expect(toGeo(grid, 0, 1_020, 500, out)).toBe(true);
  });

  test('asked widened, finds everyone in the box although they moved up to the resolution', () => {
    const anyShift = fc.tuple(
      fc.double({ min: -1, max: 1, noNaN: true }),
      fc.double({ min: -1, max: 1, noNaN: true }),
    );
    let asked = 0;
    fc.assert(
      fc.property(
        anyHeld,
        anyFraction,
        anyFraction,
        anyShift,
        fc.constantFrom(0, 0.01),
        ({ grid, cell, x, y }, wide, high, shift, share) => {
          const resolution = share * grid.cellSize;
          // A box that has the point somewhere inside, also at its very border.
          const size = grid.cellSize * 1.7;
          const box: Box = {
            minX: x - wide * size,
            maxX: x + (1 - wide) * size,
            minY: y - high * size,
            maxY: y + (1 - high) * size,
          };
          if (!boxContains(grid, box, x, y)) return;
          const out: [number, number] = [0, 0];
          const then: [number, number] = [x + shift[0] * resolution, y + shift[1] * resolution];
          if (!toGeo(grid, cell, x, y, out) || !toGeo(grid, cell, ...then, out)) return;
          const at = indexed(...out);
          const searches = geoBoxes(grid, cell, box, resolution);
          expect(searches.some((search) => isFound(search, ...at))).toBe(true);
          asked++;
        },
      ),
      { numRuns: 6_000 },
    );
    expect(asked).toBeGreaterThan(3_000);
  });

  test('is not asked about a box that is elsewhere, and twice at the antimeridian', () => {
    const far = { minX: 20, minY: 0, maxX: 30, maxY: 10 };
    expect(geoBoxes(globe, globe.cellAt(100, 5), far, 0)).toEqual([]);
    const seam = { minX: 179, minY: 0, maxX: -179, maxY: 1 };
    const searches = geoBoxes(globe, globe.cellAt(179, 0.5), seam, 0);
    expect(searches.map(({ longitude }) => Math.sign(longitude))).toEqual([1, -1]);
    for (const { longitude, widthM } of searches) {
      expect(Math.abs(longitude)).toBeCloseTo(179.5, 4);
      expect(widthM).toBeCloseTo(radians(1) * REDIS_EARTH_RADIUS_M, -1);
    }
  });

  test('is searched whole around any point, from the place of the cell that is nearest to it', () => {
    fc.assert(
      fc.property(anyHeld, anyFraction, anyFraction, ({ grid, cell, x, y }, across, up) => {
        const out: [number, number] = [0, 0];
        fc.pre(toGeo(grid, cell, x, y, out));
        const fromX = grid.originX + (across * 1.4 - 0.2) * grid.width;
        const fromY = grid.originY + (up * 1.4 - 0.2) * grid.height;
        const { longitude, latitude, radiusM } = geoAround(grid, cell, fromX, fromY);
        expect(Math.abs(latitude)).toBeLessThanOrEqual(85.05);
        expect(longitude).toBeGreaterThanOrEqual(-180);
        expect(longitude).toBeLessThan(180);
        const [atX, atY] = indexed(out[0], out[1]);
        expect(redisDistance(longitude, latitude, atX, atY)).toBeLessThanOrEqual(radiusM);
        // A point that the cell may hold is searched from itself.
        const own = geoAround(grid, cell, x, y);
        expect(own.longitude).toBeCloseTo(out[0], 9);
        expect(own.latitude).toBeCloseTo(out[1], 9);
      }),
      { numRuns: 1_000 },
    );
  });
});
