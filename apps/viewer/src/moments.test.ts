import { expect, test } from 'vitest';
import { dividerAfter, momentOf, timeText } from './moments.ts';

const taken = (id: string, tick: number) => ({ id, tick, takenAtMs: 0, entities: 1 });

test('now comes after the last snapshot, and so does one that is gone', () => {
  const snapshots = [taken('a', 1), taken('b', 2)];
  expect(['a', 'b', '', 'gone'].map((id) => momentOf(snapshots, id))).toEqual([0, 1, 2, 2]);
  expect(momentOf([], 'a')).toBe(0);
});

test('a moment is told with its id, tick, time and day', () => {
  expect(timeText(taken('noon', 1_234))).toMatch(/^noon · tick 1,234 · \d\d:\d\d:\d\d, \d+ \w+$/);
});

test('keys move the divider within the map, and others are not its own', () => {
  expect(dividerAfter('ArrowLeft', 0.5)).toBeCloseTo(0.48);
  expect(dividerAfter('PageUp', 0.5)).toBeCloseTo(0.6);
  expect([dividerAfter('ArrowRight', 1), dividerAfter('ArrowDown', 0)]).toEqual([1, 0]);
  expect([dividerAfter('Home', 0.3), dividerAfter('End', 0.3)]).toEqual([0, 1]);
  expect([dividerAfter('Tab', 0.3), dividerAfter('toString', 0.3)]).toEqual([undefined, undefined]);
});
