import { expect, test } from 'vitest';
import { boxOf, isWithin, textPlace, visible } from './plan-boxes.ts';

const grid = {
  ...{ columns: 10, rows: 5, cellSize: 10, originX: -50, originY: 0, width: 100, height: 50 },
  ...{ wrapsX: false, wrapsY: false },
};
const rect = { column: 5, row: 1, columns: 2, rows: 3 };
/** Two pixels a unit, x 0 at 100 and y 0 at 200 on the screen. */
const screen = { scale: 2, left: 100, top: 200 };

test('a region is where its cells are, with the rows going up', () => {
  expect(boxOf(rect, grid, screen)).toEqual({ left: 100, right: 140, top: 120, bottom: 180 });
});

test('of what lies partly beyond the screen the rest is seen', () => {
  const box = { left: -30, right: 50, top: 90, bottom: 130 };
  const size = { width: 400, height: 100 };
  expect(visible(box, size)).toEqual({ left: 0, right: 50, top: 90, bottom: 100 });
  expect(visible({ ...box, right: -1 }, size)).toBeUndefined();
  expect(visible({ ...box, top: 100 }, size)).toBeUndefined();
});

test('a text is written where it fits, and nowhere else', () => {
  const seen = { left: 10, top: 20, right: 110, bottom: 60 };
  expect(textPlace(seen, { width: 80, height: 30 })).toEqual({ x: 25, y: 25 });
  expect(textPlace(seen, { width: 91, height: 30 })).toBeUndefined();
  expect(textPlace(seen, { width: 90, height: 31 })).toBeUndefined();
});

test('a point is within a box, its border included', () => {
  const box = { left: 10, top: 20, right: 110, bottom: 60 };
  expect([isWithin(box, 10, 60), isWithin(box, 9, 60), isWithin(box, 50, 61)]).toEqual([
    ...[true, false, false],
  ]);
});
