import type { Plan } from '@leasehold/protocol';
import { describe, expect, test } from 'vitest';
import { makePlan, type PlanInput, type Policy, regionsByLoad } from './index.ts';
import { expectSound, gridOf, patchyLoads, podsOf } from './testing.ts';

const grid = gridOf(8, 8);
const input: PlanInput = { grid, loads: patchyLoads(grid, 1), pods: podsOf(3), nowMs: 1_000 };
const { plan: previous } = makePlan(regionsByLoad, input);
const failing: Policy = {
  name: 'failing',
  plan() {
    throw new Error('out of ideas');
  },
};
const answering = (change: (plan: Plan) => Plan): Policy => ({
  name: 'wrong',
  plan: () => ({ plan: change({ ...previous, version: 2 }), decisions: [] }),
});

describe('a policy that throws', () => {
  test('leaves the plan as it is, and its reason is known', () => {
    const made = makePlan(failing, { ...input, previous });
    expect(made.plan).toBe(previous);
    expect(made.decisions).toEqual([]);
    expect(made.refused).toMatch(/failing failed: out of ideas/);
  });

  test('of a world without a plan leaves the grid cut evenly', () => {
    const made = makePlan(failing, input);
    expectSound(made.plan, grid, input.pods);
    expect(made.refused).toMatch(/out of ideas/);
  });
});

test.each([
  ['a region less', (plan: Plan) => ({ ...plan, regions: plan.regions.slice(1) }), /in no region/],
  ['a version left out', (plan: Plan) => ({ ...plan, version: 7 }), /version is 7 and not 2/],
  [
    'a pod that is gone',
    (plan: Plan) => ({ ...plan, regions: plan.regions.map((one) => ({ ...one, pod: 'ghost' })) }),
    /pod ghost: there is no such pod/,
  ],
])('a plan with %s is refused', (_, change, why) => {
  const made = makePlan(answering(change), { ...input, previous });
  expect(made.plan).toBe(previous);
  expect(made.refused).toMatch(why);
});
