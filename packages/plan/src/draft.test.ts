import { expect, test } from 'vitest';
import { Draft } from './draft.ts';
import { makePlan, regionsByLoad } from './index.ts';
import { cutOf } from './rects.ts';
import { gridOf, loadsOf, patchyLoads, podsOf } from './testing.ts';

test('when the region of the highest id goes, its id is not given again: another takes a new one', () => {
  const grid = gridOf(4, 4);
  const input = { grid, loads: patchyLoads(grid, 1), pods: podsOf(3), nowMs: 0 };
  const { plan } = makePlan(regionsByLoad, input);
  expect(plan.regions.map(({ id }) => id)).toEqual([1, 2, 3]);
  const draft = new Draft({ ...input, previous: plan }, plan);
  draft.decide(
    'merge',
    () => [{ ...draft.regions[0]!, rect: { column: 0, row: 0, columns: 4, rows: 4 } }],
    () => 'one is left',
  );
  expect(draft.regions.map(({ id }) => id)).toEqual([4]);
  expect(draft.decisions).toMatchObject([{ regions: [4] }]);
  expect(draft.nextId()).toBe(5);
});

test('what is done for a cell goes where the cell goes, and what is left of its region is as ever', () => {
  const grid = gridOf(4, 4);
  const tickMs = new Float64Array(16).fill(0.1);
  tickMs[5] = 400;
  const input = { grid, loads: loadsOf(tickMs), pods: podsOf(2), nowMs: 0 };
  const rect = { column: 0, row: 0, columns: 4, rows: 4 };
  const whole = { id: 1, rect, pod: 'p0', standby: '', relief: 'dilated', dilation: 4 } as const;
  const plan = { version: 1, atMs: 0, regions: [{ ...whole, edges: [] }], asleep: [] };
  const draft = new Draft({ ...input, previous: plan }, plan);
  const [kept, off] = cutOf(rect, 'column', 1)!;
  draft.decide(
    'split',
    () => [
      { ...draft.regions[0]!, rect: kept },
      { id: 2, rect: off, pod: 'p1', standby: '', relief: undefined, dilation: 1 },
    ],
    () => 'cut',
  );
  expect(draft.regions).toMatchObject([
    { id: 1, relief: undefined, dilation: 1 },
    { id: 2, relief: 'dilated', dilation: 4 },
  ]);
});
