import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EARTH_RADIUS_M,
  greatCircleDestination,
  greatCircleDistance,
  greatCirclePoint,
  initialBearing,
} from './index.ts';

const anyLongitude = fc.oneof(
  fc.double({ min: -180, max: 180, noNaN: true }),
  fc.constantFrom(-180, -90, 0, 90, 179.999_999, 180),
);
const anyLatitude = fc.oneof(
  fc.double({ min: -90, max: 90, noNaN: true }),
  fc.constantFrom(-90, -45, 0, 45, 89.999_999, 90),
);
const anyPoint = fc.tuple(anyLongitude, anyLatitude);
const runs = { numRuns: 2_000 };
/** A thousandth of a millimetre, and what doubles leave of 20,000 km near the antipode. */
const EXACT_M = 1e-6;
const ROUGH_M = 0.5;

function pointAt(a: [number, number], b: [number, number], fraction: number): [number, number] {
  const out: [number, number] = [Number.NaN, Number.NaN];
  greatCirclePoint(...a, ...b, fraction, out);
  return out;
}

describe('great circles', () => {
  test('begin at the first point and end at the second', () => {
    fc.assert(
      fc.property(anyPoint, anyPoint, (a, b) => {
        expect(greatCircleDistance(...pointAt(a, b, 0), ...a)).toBeLessThan(EXACT_M * 10);
        // Antipodes to within the noise are joined over the pole, so the end may be that far off.
        expect(greatCircleDistance(...pointAt(a, b, 1), ...b)).toBeLessThan(0.02);
      }),
      runs,
    );
  });

  test('are walked evenly: each part is its fraction of the whole', () => {
    fc.assert(
      fc.property(anyPoint, anyPoint, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, part) => {
        const at = pointAt(a, b, part);
        const whole = greatCircleDistance(...a, ...b);
        const walked = greatCircleDistance(...a, ...at);
        expect(Math.abs(walked - part * whole)).toBeLessThan(ROUGH_M);
        expect(Math.abs(greatCircleDistance(...at, ...b) - (1 - part) * whole)).toBeLessThan(
          ROUGH_M,
        );
        expect(at[0]).toBeGreaterThanOrEqual(-180);
        expect(at[0]).toBeLessThan(180);
        expect(Math.abs(at[1])).toBeLessThanOrEqual(90);
      }),
      runs,
    );
  });

  test('the distance is symmetric, at most half round, and right where it is known', () => {
    fc.assert(
      fc.property(anyPoint, anyPoint, (a, b) => {
        const there = greatCircleDistance(...a, ...b);
        expect(greatCircleDistance(...b, ...a)).toBeCloseTo(there, 6);
        expect(there).toBeLessThanOrEqual(Math.PI * EARTH_RADIUS_M);
      }),
      runs,
    );
    const quarter = (Math.PI / 2) * EARTH_RADIUS_M;
    expect(greatCircleDistance(0, 0, 90, 0)).toBeCloseTo(quarter, 3);
    expect(greatCircleDistance(17, 0, -120, 90)).toBeCloseTo(quarter, 3);
    expect(greatCircleDistance(0, 0, 180, 0)).toBeCloseTo(2 * quarter, 3);
    // Frankfurt to New York JFK, published as 6,184 km (sphere: 6,185).
    expect(greatCircleDistance(8.5622, 50.0379, -73.7789, 40.6397) / 1_000).toBeCloseTo(6_185, -1);
  });

  test('the midpoint of a meridian and of a crossing of the antimeridian are where they should be', () => {
    const north = pointAt([10, 0], [10, 80], 0.5);
    expect(north[0]).toBeCloseTo(10, 10);
    expect(north[1]).toBeCloseTo(40, 10);
    const [longitude, latitude] = pointAt([170, 0], [-170, 0], 0.5);
    expect(longitude).toBe(-180);
    expect(latitude).toBeCloseTo(0, 10);
    expect(pointAt([170, 0], [-170, 0], 0.75)[0]).toBeCloseTo(-175, 10);
  });

  test('antipodes are joined over the north pole, and a point to itself stays', () => {
    expect(pointAt([20, 10], [-160, -10], 80 / 180)[1]).toBeCloseTo(90, 5);
    expect(pointAt([0, 90], [0, -90], 0.5)).toEqual([0, expect.closeTo(0, 8)]);
    const still = pointAt([20, 10], [20, 10], 0.3);
    expect(still[0]).toBeCloseTo(20, 12);
    expect(still[1]).toBeCloseTo(10, 12);
  });

  test('the bearing leads there', () => {
    fc.assert(
      fc.property(anyPoint, anyPoint, (a, b) => {
        const bearing = initialBearing(...a, ...b);
        expect(bearing >= 0 && bearing < 360).toBe(true);
        const out: [number, number] = [0, 0];
        greatCircleDestination(...a, bearing, greatCircleDistance(...a, ...b), out);
        expect(greatCircleDistance(...out, ...b)).toBeLessThan(ROUGH_M);
      }),
      runs,
    );
    expect(initialBearing(0, 0, 0, 10)).toBe(0);
    expect(initialBearing(0, 0, 10, 0)).toBe(90);
    expect(initialBearing(0, 10, 0, 0)).toBe(180);
    expect(initialBearing(179, 0, -179, 0)).toBe(90);
    expect(initialBearing(0, 0, -10, 0)).toBe(270);
  });

  test('points are written at an offset of a typed array', () => {
    const out = new Float64Array(4);
    greatCirclePoint(10, 0, 10, 80, 0.5, out, 2);
    expect([...out]).toEqual([0, 0, expect.closeTo(10, 10), expect.closeTo(40, 10)]);
  });
});
