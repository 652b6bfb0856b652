import type { JournalItem, PlanRegion, PlanView } from '@leasehold/client';
import { describe, expect, test } from 'vitest';
import {
  asleepCells,
  asleepCount,
  byLoad,
  changeText,
  imbalanceOf,
  mergeJournal,
  regionText,
  reliefText,
  shareOf,
} from './plan-words.ts';

const region = (of: Partial<PlanRegion> = {}): PlanRegion => ({
  ...{ id: 4, rect: { column: 1, row: 2, columns: 3, rows: 2 }, pod: 'pod-1', standby: 'pod-2' },
  ...{ tickMs: 12.5, entities: 1_200, edges: [] },
  ...of,
});
const planOf = (regions: PlanRegion[]): PlanView => ({
  ...{
    version: 1,
    atMs: 1,
    regionCount: regions.length,
    regions,
    asleep: [
      [2, 2],
      [7, 1],
    ],
  },
});
const entry = (id: string, of: Partial<JournalItem> = {}): JournalItem => ({
  ...{ id, atMs: 1, version: 1, kind: 'move', cause: 'heavy', regions: [], cells: 1 },
  ...{ before: {}, expected: {} },
  ...of,
});

test('a region says who has it, what it costs of a tick, and who is across each side', () => {
  const edges = [
    { side: 'west', region: 9, pod: 'pod-2', cells: 2 },
    { side: 'north', region: 5, pod: 'pod-2', cells: 1 },
    { side: 'north', region: 6, pod: '', cells: 2 },
  ] as const;
  expect(regionText(region({ edges, relief: 'dilated', dilation: 3 }), 20).split('\n')).toEqual([
    'region 4 of pod-1, 3 × 2 cells',
    '12.5 ms · 25 % of a tick, 1,200 entities',
    'dilated, time at 1/3',
    'standby: pod-2',
    'north: region 5 of pod-2 (1) and region 6 of nobody (2)',
    'west: region 9 of pod-2 (2)',
  ]);
  expect(regionText(region({ pod: '', standby: '' }), 20)).toBe(
    'region 4 of nobody, 3 × 2 cells\n12.5 ms · 25 % of a tick, 1,200 entities',
  );
});

test('the share of a tick is of what it may take, and does not fall by dilating', () => {
  expect([shareOf(region(), 20), shareOf(region({ dilation: 5 }), 20)]).toEqual([0.25, 0.25]);
});

test('regions are listed with the dearest first, and a little more or less moves none of them', () => {
  const costs = [3, 20, 2, 21].map((tickMs, id) => region({ id, tickMs }));
  expect(byLoad(costs, 20).map(({ id }) => id)).toEqual([1, 3, 0, 2]);
});

test('each relief is said in words', () => {
  const text = (of: Partial<PlanRegion>) => reliefText(region(of));
  expect(text({ relief: 'slow-views' })).toBe('slow-views');
  expect(text({ relief: 'dilated', dilation: 2 })).toBe('dilated, time at 1/2');
  expect(text({ relief: 'overloaded' })).toBe('OVERLOADED');
  expect(text({ relief: 'overloaded', dilation: 4 })).toBe('OVERLOADED, time at 1/4');
  expect(reliefText(region())).toBe('');
});

describe('imbalance', () => {
  const plan = planOf([region({ pod: 'a', tickMs: 9 }), region({ pod: 'b', tickMs: 3 })]);

  test('is the busiest pod by the mean of all that live, those without a region included', () => {
    expect(imbalanceOf(plan, ['a', 'b'])).toBe(1.5);
    expect(imbalanceOf(plan, ['a', 'b', 'c'])).toBe(2.25);
  });

  test('is not known where nothing costs anything', () => {
    expect(imbalanceOf(planOf([region({ tickMs: 0 })]), ['a'])).toBeUndefined();
    expect(imbalanceOf(planOf([region({ pod: '', tickMs: 5 })]), [])).toBeUndefined();
  });
});

test('the journal has each entry once, newest first, and no more than can be read', () => {
  const ids = (items: readonly JournalItem[]) => items.map(({ id }) => id);
  const first = mergeJournal([], [entry('1-0'), entry('2-0')]);
  expect(ids(mergeJournal(first, [entry('1-0'), entry('2-0'), entry('3-0')]))).toEqual([
    ...['3-0', '2-0', '1-0'],
  ]);
  const many = Array.from({ length: 100 }, (_, i) => entry(`${i + 10}-0`));
  expect(ids(mergeJournal(first, many)).slice(0, 2)).toEqual(['109-0', '108-0']);
  expect(mergeJournal(first, many)).toHaveLength(60);
});

test('an entry tells the load of its pods before and after', () => {
  const of = { before: { b: 30.04, a: 1 }, expected: { b: 20, c: 11 } };
  expect(changeText(entry('1-0', of))).toBe('a 1.00 → – ms, b 30.0 → 20.0 ms, c – → 11.0 ms');
  expect(changeText(entry('1-0'))).toBe('');
});

test('cells that sleep are known one by one', () => {
  expect([...asleepCells(planOf([]), 8)]).toEqual([0, 0, 1, 1, 0, 0, 0, 1]);
  expect(asleepCount(planOf([]))).toBe(3);
});
