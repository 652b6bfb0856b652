import { describe, expect, test } from 'vitest';
import { areaFor, homeScale, scaleLimits, worldBounds } from './camera.ts';

const globe = {
  columns: 36,
  rows: 18,
  cellSize: 10,
  originX: -180,
  originY: -90,
  width: 360,
  height: 180,
  wrapsX: true,
  wrapsY: false,
};
const box = (minX: number, minY: number, maxX: number, maxY: number) => ({
  minX,
  minY,
  maxX,
  maxY,
});

describe('the area of a camera', () => {
  test('is the world when most of it is seen', () => {
    expect(areaFor(worldBounds(globe), globe, undefined)).toEqual({ kind: 'world' });
    expect(areaFor(box(-500, -300, 500, 300), globe, undefined)).toEqual({ kind: 'world' });
    expect(areaFor(box(-130, -65, 130, 65), globe, undefined)).toEqual({ kind: 'world' });
  });

  test('is otherwise a box a quarter of a screen larger on each side, within the world', () => {
    expect(areaFor(box(0, 0, 40, 20), globe, undefined)).toEqual({
      kind: 'box',
      ...box(-10, -5, 50, 25),
    });
    expect(areaFor(box(140, 60, 180, 80), globe, undefined)).toEqual({
      kind: 'box',
      ...box(130, 55, 180, 85),
    });
  });

  test('stays the same object while what is seen is within it', () => {
    const first = areaFor(box(0, 0, 40, 20), globe, undefined);
    expect(areaFor(box(8, 4, 48, 24), globe, first)).toBe(first);
    expect(areaFor(box(11, 4, 51, 24), globe, first)).not.toBe(first);
  });

  test('shrinks when it is far larger than what is seen', () => {
    const first = areaFor(box(0, 0, 40, 20), globe, undefined);
    expect(areaFor(box(10, 5, 30, 15), globe, first)).toBe(first);
    expect(areaFor(box(18, 9, 22, 11), globe, first)).toEqual({
      kind: 'box',
      ...box(17, 8.5, 23, 11.5),
    });
  });

  test('is never empty, even beside the world', () => {
    const area = areaFor(box(400, 200, 440, 220), globe, undefined);
    if (area.kind !== 'box') throw new Error('no box');
    expect(area.maxX).toBeGreaterThan(area.minX);
    expect(area.maxY).toBeGreaterThan(area.minY);
    expect(area.maxX).toBeLessThanOrEqual(180);
  });
});

test('at home a wide screen shows the whole world, a tall one part of its width', () => {
  expect(homeScale(globe, 1_440, 720)).toBe(4);
  expect(homeScale(globe, 2_000, 720)).toBe(4);
  expect(homeScale(globe, 390, 700)).toBeCloseTo((700 / 180) * 0.6);
});

test('the camera can come close to a cell and go a little beyond the world', () => {
  const { min, max } = scaleLimits(globe, 1_440, 720);
  expect(min).toBeLessThan(4);
  expect(max).toBe((720 * 50) / 10);
});
