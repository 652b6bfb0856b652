import { expect, test } from 'vitest';
import { bearerOf, CELLS_MAX, counterOf, entityId, ID_COUNTER_MAX } from './index.ts';

test('an id tells the cell that bore it and its place among the births, at every end', () => {
  for (const cell of [0, 1, 12_345, CELLS_MAX - 1]) {
    for (const counter of [0, 1, 2 ** 31, ID_COUNTER_MAX]) {
      for (const origin of [0, 1] as const) {
        const id = entityId(cell, counter, origin);
        expect(Number.isSafeInteger(id)).toBe(true);
        expect([bearerOf(id), counterOf(id), id >= 2 ** 52]).toEqual([cell, counter, origin === 1]);
      }
    }
  }
});

test('the largest id is the largest integer below 2^53', () => {
  expect(entityId(CELLS_MAX - 1, ID_COUNTER_MAX, 1)).toBe(Number.MAX_SAFE_INTEGER);
});

test('ids of one cell ascend with its counter, and no two cells share one', () => {
  expect(entityId(7, 2)).toBeGreaterThan(entityId(7, 1));
  expect(entityId(8, 0)).toBe(entityId(7, ID_COUNTER_MAX) + 1);
});

test('a cell or a counter out of range stops the program', () => {
  expect(() => entityId(CELLS_MAX, 0)).toThrow('assertion failed: cell 1048576');
  expect(() => entityId(-1, 0)).toThrow('assertion failed');
  expect(() => entityId(0, ID_COUNTER_MAX + 1)).toThrow('assertion failed: id counter');
});
