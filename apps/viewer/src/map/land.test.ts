import { describe, expect, test } from 'vitest';
import { flatPolygons, type LandPolygon, loadLand } from './land.ts';

/** Square degrees, holes left out. */
function areaOf({ outline, holes }: LandPolygon): number {
  const ring = (flat: readonly number[]): number => {
    let sum = 0;
    for (let i = 0; i < flat.length; i += 2) {
      const j = (i + 2) % flat.length;
      sum += flat[i]! * flat[j + 1]! - flat[j]! * flat[i + 1]!;
    }
    return Math.abs(sum) / 2;
  };
  return ring(outline) - holes.reduce((sum, hole) => sum + ring(hole), 0);
}
const total = (polygons: readonly LandPolygon[]): number =>
  polygons.reduce((sum, polygon) => sum + areaOf(polygon), 0);

describe('a ring on the map', () => {
  test('stays as it is in the middle, with its holes', () => {
    const square = [
      [0, 0],
      [10, 0],
      [10, 10],
      [0, 10],
      [0, 0],
    ];
    const hole = [
      [2, 2],
      [4, 2],
      [4, 4],
      [2, 4],
      [2, 2],
    ];
    const polygons = flatPolygons([square, hole]);
    expect(polygons).toHaveLength(1);
    expect(total(polygons)).toBeCloseTo(96);
  });

  test('that crosses 180 degrees is seen at both edges', () => {
    const square = [
      [170, 0],
      [-170, 0],
      [-170, 10],
      [170, 10],
      [170, 0],
    ];
    const polygons = flatPolygons([square]);
    expect(polygons).toHaveLength(2);
    expect(total(polygons)).toBeCloseTo(200);
    for (const x of polygons.flatMap(({ outline }) => outline.filter((_, i) => i % 2 === 0))) {
      expect(Math.abs(x)).toBeGreaterThanOrEqual(170);
      expect(Math.abs(x)).toBeLessThanOrEqual(180);
    }
  });

  test.each([1, -1])('round a pole reaches down to it (direction %i)', (direction) => {
    const ring = Array.from({ length: 37 }, (_, i) => {
      const turned = (((i * 10 * direction) % 360) + 540) % 360;
      return [turned - 180, -70];
    });
    expect(total(flatPolygons([ring]))).toBeCloseTo(360 * 20);
  });
});

test('the land of the Earth is about a third of a plate carrée, and all within it', async () => {
  const land = await loadLand();
  expect(total(land) / (360 * 180)).toBeGreaterThan(0.3);
  expect(total(land) / (360 * 180)).toBeLessThan(0.4);
  for (const value of land.flatMap(({ outline }) => outline)) {
    expect(Math.abs(value)).toBeLessThanOrEqual(180.000001);
  }
});
