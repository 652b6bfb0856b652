import { describe, expect, test } from 'vitest';
import { idBeside, slotAt } from './picking.ts';

function positions(...entities: readonly (readonly [id: number, x: number, y: number])[]) {
  return {
    count: entities.length,
    ids: Float64Array.from(entities, ([id]) => id),
    x: Float64Array.from(entities, ([, x]) => x),
    y: Float64Array.from(entities, ([, , y]) => y),
    heading: new Float32Array(entities.length),
    version: 1,
    tick: 1,
  };
}
const screen = { scale: 10, left: 100, top: 100 };

describe('the entity at a pixel', () => {
  const some = positions([7, 0, 0], [0, 1, 1], [9, 2, 1]);

  test('is the nearest one; y grows upwards', () => {
    expect(slotAt(some, screen, { xPx: 119, yPx: 91, withinPx: 12 })).toBe(2);
    expect(slotAt(some, screen, { xPx: 102, yPx: 101, withinPx: 12 })).toBe(0);
  });

  test('is none when all are too far away, and never a free slot', () => {
    expect(slotAt(some, screen, { xPx: 110, yPx: 90, withinPx: 9 })).toBe(-1);
  });
});

describe('going through entities', () => {
  const some = positions([5, 0, 0], [3, 1, 1], [0, 1, 1], [9, 50, 0], [7, 2, 2]);
  const seen = { minX: -1, minY: -1, maxX: 10, maxY: 10 };

  test('goes by id through those in sight, and round', () => {
    const order = [0, 3, 5, 7].map((id) => idBeside(some, seen, id, 1));
    expect(order).toEqual([3, 5, 7, 3]);
    expect([3, 7, 0].map((id) => idBeside(some, seen, id, -1))).toEqual([7, 5, 7]);
  });

  test('finds nobody where nobody is', () => {
    expect(idBeside(some, { minX: 90, minY: 90, maxX: 99, maxY: 99 }, 3, 1)).toBe(0);
  });
});
