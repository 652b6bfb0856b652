import { expect, test } from 'vitest';
import { makePlan, POLICIES, regionsByLoad } from './index.ts';
import { expectSound, gridOf, patchyLoads, podsOf } from './testing.ts';

test('a plan from nothing covers the grid with one region for each pod', () => {
  const grid = gridOf(16, 9);
  const { plan, decisions } = makePlan(regionsByLoad, {
    ...{ grid, loads: patchyLoads(grid, 1), pods: podsOf(5), nowMs: 1_000 },
  });
  expectSound(plan, grid, podsOf(5));
  expect(plan.regions.map(({ pod }) => pod).sort()).toEqual(['p0', 'p1', 'p2', 'p3', 'p4']);
  expect(decisions.map(({ kind }) => kind)).toEqual(['split']);
});

test('what does not change is the same plan', () => {
  const grid = gridOf(16, 9);
  for (const policy of POLICIES.values()) {
    const input = { grid, loads: patchyLoads(grid, 1), pods: podsOf(5), nowMs: 1_000 };
    const { plan, refused } = makePlan(policy, input);
    expect(refused).toBeUndefined();
    expect(makePlan(policy, { ...input, previous: plan, nowMs: 2_000 }).plan).toBe(plan);
  }
});
