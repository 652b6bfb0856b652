/**
 * Goal: whatever pods come, go, drain and report, the plan stays one that can be followed.
 * Method: histories that fast-check makes up; each step is planned from the plan before, and what
 * every plan must keep is checked after each.
 */
import type { Plan } from '@leasehold/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makePlan, type PlanInput, type PlanPod, POLICIES, regionsByLoad } from './index.ts';
import { expectSound, gridOf, loadsOf, patchyLoads, podsOf } from './testing.ts';

const STEPS_MAX = 12;

const pod: fc.Arbitrary<PlanPod> = fc.record({
  pod: fc.integer({ min: 0, max: 7 }).map((n) => `p${n}`),
  state: fc.constantFrom<PlanPod['state']>('ready', 'ready', 'ready', 'cordoned', 'draining'),
  budgetMs: fc.constantFrom(50, 50, 50, 25, Number.NaN, 0),
});
const step = fc.record({
  pods: fc.uniqueArray(pod, { selector: ({ pod: name }) => name, maxLength: 8, size: 'max' }),
  loadSeed: fc.integer({ min: 0, max: 50 }),
  /** One cell may be far beyond a pod. */
  hotMs: fc.constantFrom(0, 0, 40, 60, 500),
  elapsedMs: fc.constantFrom(0, 500, 2_500, 60_000, -30_000),
});
const world = fc.record({
  columns: fc.integer({ min: 1, max: 12 }),
  rows: fc.integer({ min: 1, max: 12 }),
  wraps: fc.boolean(),
});
const history = fc.record({
  world,
  steps: fc.array(step, { minLength: 1, maxLength: STEPS_MAX, size: 'max' }),
});

type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

/** Each input of a history with the plan that was made of it. */
function* walk(name: string, { world: { columns, rows, wraps }, steps }: History) {
  const policy = POLICIES.get(name)!;
  const grid = gridOf(columns, rows, wraps);
  let previous: Plan | undefined;
  let nowMs = 100_000;
  for (const { pods, loadSeed, hotMs, elapsedMs } of steps) {
    nowMs += elapsedMs;
    const { tickMs } = patchyLoads(grid, loadSeed);
    tickMs[loadSeed % tickMs.length]! += hotMs;
    const input: PlanInput = { grid, loads: loadsOf(tickMs), pods, nowMs, previous };
    const made = makePlan(policy, input);
    expect(made.refused).toBeUndefined();
    yield { input, made };
    previous = made.plan;
  }
}

describe.each([...POLICIES.keys()])('%s', (name) => {
  test('covers the grid, overlaps nowhere, names only pods that live, and says who is across', () => {
    fc.assert(
      fc.property(history, (one) => {
        for (const { input, made } of walk(name, one)) {
          const { plan, decisions } = made;
          expectSound(plan, input.grid, input.pods);
          if (plan === input.previous) expect(decisions).toEqual([]);
          else expect(plan.version).toBe((input.previous?.version ?? 0) + 1);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('the same input gives the same plan', () => {
    fc.assert(
      fc.property(history, (one) => {
        for (const { input, made } of walk(name, one)) {
          const pods = [...input.pods].reverse();
          expect(makePlan(POLICIES.get(name)!, { ...input, pods })).toEqual(made);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('by-load', () => {
  test('nobody but pods that carry has a region, and all that may have one do while cells last', () => {
    fc.assert(
      fc.property(history, (one) => {
        for (const { input, made } of walk('by-load', one)) {
          const { regions } = made.plan;
          const held = new Set(regions.map((region) => region.pod));
          const ready = input.pods.filter(({ state }) => state === 'ready');
          const draining = input.pods.filter(({ state }) => state === 'draining');
          if (ready.length > 0) {
            expect(held).not.toContain('');
            for (const gone of draining) expect(held).not.toContain(gone.pod);
          }
          const spares = ready.filter((taker) => !held.has(taker.pod));
          if (spares.length > 0) {
            expect(regions.length).toBe(held.size);
            for (const { rect } of regions) expect(rect.columns * rect.rows).toBe(1);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  test('an id is never given to another region, and is never given again', () => {
    fc.assert(
      fc.property(history, (one) => {
        let highest = 0;
        for (const { input, made } of walk('by-load', one)) {
          const before = new Set(input.previous?.regions.map(({ id }) => id));
          for (const { id } of made.plan.regions) {
            if (!before.has(id)) expect(id).toBeGreaterThan(highest);
          }
          highest = Math.max(highest, ...made.plan.regions.map(({ id }) => id));
          expect(made.plan.regions.some(({ id }) => id === highest)).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('a cordoned pod gets no cell it did not have', () => {
    fc.assert(
      fc.property(history, (one) => {
        for (const { input, made } of walk('by-load', one)) {
          const cordoned = input.pods.filter(({ state }) => state === 'cordoned');
          const before = holdersOf(input.previous, input);
          const after = holdersOf(made.plan, input);
          after.forEach((held, cell) => {
            if (cordoned.some((one) => one.pod === held)) expect(before[cell]).toBe(held);
          });
        }
      }),
      { numRuns: 150 },
    );
  });

  test('what pods say of their loads moves nothing once it stays as it is', () => {
    fc.assert(
      fc.property(history, (one) => {
        const last = [...walk('by-load', one)].at(-1)!;
        let { plan } = last.made;
        let changed = 0;
        const why: string[] = [];
        for (let round = 1; round <= 30; round++) {
          const nowMs = 1e9 + round * 10_000;
          const made = makePlan(regionsByLoad, { ...last.input, previous: plan, nowMs });
          if (made.plan !== plan) changed = round;
          why.push(...made.decisions.map(({ cause }) => cause));
          plan = made.plan;
        }
        expect(changed, why.slice(-12).join('\n')).toBeLessThan(20);
      }),
      { numRuns: 150 },
    );
  });

  test('who comes gets cells, and nobody else does', () => {
    fc.assert(
      fc.property(world, fc.integer({ min: 1, max: 6 }), fc.integer(), (size, count, seed) => {
        const grid = gridOf(size.columns, size.rows, size.wraps);
        const loads = patchyLoads(grid, seed);
        const input = { grid, loads, pods: podsOf(count), nowMs: 0 };
        const { plan: previous } = makePlan(regionsByLoad, input);
        const joined = { ...input, previous, nowMs: 10, pods: podsOf(count + 1) };
        const before = holdersOf(previous, joined);
        const after = holdersOf(makePlan(regionsByLoad, joined).plan, joined);
        const gained = after.filter((held, cell) => held !== before[cell]);
        expect(new Set(gained).size).toBe(count + 1 <= grid.columns * grid.rows ? 1 : 0);
        for (const held of gained) expect(held).toBe(`p${count}`);
      }),
    );
  });

  test('who leaves gives cells, and nobody else does', () => {
    fc.assert(
      fc.property(world, fc.integer({ min: 2, max: 7 }), fc.boolean(), (size, count, drains) => {
        // A spare that gets its first cells as another leaves is welcomed as one who comes.
        fc.pre(count <= size.columns * size.rows);
        const grid = gridOf(size.columns, size.rows, size.wraps);
        const input = { grid, loads: patchyLoads(grid, count), pods: podsOf(count), nowMs: 0 };
        const { plan: previous } = makePlan(regionsByLoad, input);
        const [first, ...rest] = podsOf(count);
        const pods = drains ? [{ ...first!, state: 'draining' as const }, ...rest] : rest;
        const left = { ...input, previous, nowMs: 10, pods };
        const before = holdersOf(previous, left);
        const after = holdersOf(makePlan(regionsByLoad, left).plan, left);
        after.forEach((held, cell) => {
          expect(held).not.toBe('p0');
          if (before[cell] !== 'p0') expect(held).toBe(before[cell]);
        });
      }),
    );
  });
});

function holdersOf(plan: Plan | undefined, { grid }: PlanInput): string[] {
  const holders = new Array<string>(grid.columns * grid.rows).fill('');
  for (const { rect, pod: held } of plan?.regions ?? []) {
    for (let row = rect.row; row < rect.row + rect.rows; row++) {
      const from = row * grid.columns + rect.column;
      holders.fill(held, from, from + rect.columns);
    }
  }
  return holders;
}
