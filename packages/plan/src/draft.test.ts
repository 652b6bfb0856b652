import { expect, test } from 'vitest';
import { Draft } from './draft.ts';
import { makePlan, regionsByLoad } from './index.ts';
import { gridOf, patchyLoads, podsOf } from './testing.ts';

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
