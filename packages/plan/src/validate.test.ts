import type { Rect, Region } from '@leasehold/protocol';
import { expect, test } from 'vitest';
import { PLAN_FAULTS_MAX, validatePlan } from './index.ts';
import { gridOf, podsOf } from './testing.ts';

const region = (id: number, rect: Partial<Rect>, more: Partial<Region> = {}): Region => ({
  ...{ id, pod: 'p0', standby: '', edges: [] },
  rect: { column: 0, row: 0, columns: 2, rows: 4, ...rect },
  ...more,
});
const west = region(1, {});
const east = region(2, { column: 2 }, { pod: 'p1', standby: 'p0' });
const faultsOf = (regions: Region[], asleep: [number, number][] = []) =>
  validatePlan({ regions, asleep }, gridOf(4, 4), podsOf(2));

test('a plan that covers the grid once is without fault', () => {
  expect(
    faultsOf(
      [west, east],
      [
        [0, 3],
        [3, 13],
      ],
    ),
  ).toEqual([]);
});

test.each([
  ['an overlap', [west, region(2, { column: 1, columns: 3 })], 2, 'rect', /region 1 has cells/],
  ['cells in no region', [west], 0, 'regions', /in no region/],
  ['no region at all', [], 0, 'regions', /in no region/],
  ['a rectangle beyond the grid', [west, region(2, { column: 2, columns: 3 })], 2, 'rect', /4 × 4/],
  ['an empty rectangle', [west, region(2, { column: 2, columns: 0 })], 2, 'rect', /4 × 4/],
  ['half a cell', [west, region(2, { column: 2.5, columns: 1 })], 2, 'rect', /4 × 4/],
  ['an id given twice', [west, { ...east, id: 1 }], 1, 'id', /two regions/],
  ['an id that is none', [west, { ...east, id: 0 }], 0, 'id', /no id/],
  ['a pod that is gone', [west, { ...east, pod: 'p9' }], 2, 'pod', /no such pod/],
  ['a standby that is gone', [west, { ...east, standby: 'p9' }], 2, 'standby', /no such pod/],
  ['a pod that stands by for itself', [west, { ...east, standby: 'p1' }], 2, 'standby', /itself/],
] as const)('%s is named, with the region and what to do', (_, regions, id, field, message) => {
  const [fault] = faultsOf([...regions]);
  expect(fault).toMatchObject({ region: id, field });
  expect(fault!.message).toMatch(message);
  expect(fault!.remedy).not.toBe('');
});

test.each([
  [
    [
      [2, 2],
      [3, 1],
    ] as [number, number][],
  ],
  [[[15, 2]] as [number, number][]],
  [[[-1, 2]] as [number, number][]],
  [[[3, 0]] as [number, number][]],
])('sleeping cells %j are refused', (asleep) => {
  expect(faultsOf([west, east], asleep)).toMatchObject([{ field: 'asleep' }]);
});

test('a plan without pods names none, and pods may be left out of the question', () => {
  expect(faultsOf([{ ...west, pod: '' }, east])).toEqual([]);
  expect(
    validatePlan({ regions: [{ ...west, pod: 'x' }, east], asleep: [] }, gridOf(4, 4)),
  ).toEqual([]);
});

test('the first faults are named', () => {
  const regions = Array.from({ length: 99 }, (_, n) => region(n + 1, { column: 9 }));
  expect(faultsOf(regions)).toHaveLength(PLAN_FAULTS_MAX);
});
