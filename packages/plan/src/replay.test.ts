import { describe, expect, test } from 'vitest';
import {
  borderLength,
  makePlan,
  type Policy,
  type ReplaySample,
  regionsByLoad,
  replay,
  staticGrid,
} from './index.ts';
import { gridOf, patchyLoads, podsOf } from './testing.ts';

const grid = gridOf(4, 1);

/** Two pods of two cells each, under a static grid. */
const sample = (atMs: number, tickMs: readonly number[]): ReplaySample => ({
  atMs,
  pods: [
    { pod: 'a', state: 'ready', order: '', cells: [] },
    {
      ...{ pod: 'b', state: 'ready' },
      cells: tickMs.map((ms, cell) => ({ cell, tickMs: ms, entities: 10 })),
    },
  ],
});

test('each plan is judged by the loads that came after it', () => {
  const samples = [
    sample(0, [1, 1, 1, 1]),
    sample(30_000, [3, 3, 1, 1]),
    sample(60_000, [1, 1, 1, 5]),
  ];
  const replayed = replay({ grid, samples, policy: staticGrid });
  expect(replayed).toMatchObject({ policy: 'static-grid', samples: 3, plans: 0, borderLength: 1 });
  expect(replayed.imbalance.mean).toBeCloseTo((1.5 + 1.5) / 2);
  // 3 of a mean of 4 are no limit; 5 of a mean of 4 are.
  expect(replayed.imbalanceFloor).toBeCloseTo((1 + 1.25) / 2);
  expect(replayed.cellsMovedPerMinute).toBe(0);
});

test('cells that change hands are counted by the minute', () => {
  let turn = 0;
  const swapping: Policy = {
    name: 'swapping',
    plan(input) {
      const { plan } = staticGrid.plan({ ...input, previous: undefined });
      const isTurned = turn++ % 2 === 1;
      const regions = plan.regions.map((region) => ({
        ...region,
        ...{ standby: '', pod: isTurned ? (region.pod === 'a' ? 'b' : 'a') : region.pod },
      }));
      const version = (input.previous?.version ?? 0) + 1;
      return { plan: { ...plan, version, regions }, decisions: [] };
    },
  };
  const samples = [0, 30_000, 60_000].map((atMs) => sample(atMs, [1, 1, 1, 1]));
  expect(replay({ grid, samples, policy: swapping })).toMatchObject({
    ...{ plans: 2, cellsMovedPerMinute: 8, entitiesMovedPerMinute: 80 },
  });
});

test('what a policy does while it settles is left out', () => {
  const samples = [sample(0, [9, 1, 1, 1]), sample(10_000, [1, 1, 1, 1])];
  const { imbalance } = replay({ grid, samples, policy: staticGrid, settleMs: 20_000 });
  expect(imbalance).toEqual({ mean: 0, p95: 0, max: 0 });
});

test('pods that drain or were told to carry nothing', () => {
  const samples = [0, 60_000].map((atMs) => {
    const { pods } = sample(atMs, [1, 1, 1, 1]);
    return { atMs, pods: [{ ...pods[0]!, order: 'drain' }, pods[1]!] };
  });
  const { plan } = replay({ grid, samples, policy: regionsByLoad });
  expect(plan!.regions.map(({ pod }) => pod)).toEqual(['b']);
});

test('a policy that throws is said to', () => {
  const policy: Policy = {
    name: 'lost',
    plan() {
      throw new Error('no idea');
    },
  };
  const replayed = replay({ grid, samples: [sample(0, [1, 1, 1, 1])], policy });
  expect(replayed.refused).toContain('no idea');
});

test('of no samples nothing is said', () => {
  expect(replay({ grid, samples: [], policy: regionsByLoad })).toMatchObject({
    samples: 0,
    plans: 0,
  });
});

describe('standbys', () => {
  const field = gridOf(20, 20);
  const pods = podsOf(7);
  const { plan } = makePlan(regionsByLoad, {
    grid: field,
    loads: patchyLoads(field, 3),
    pods,
    nowMs: 0,
  });

  test('are neighbours, and nobody inherits more than three regions', () => {
    const counts = new Map<string, number>();
    for (const { standby, edges } of plan.regions) {
      expect(edges.map(({ pod }) => pod)).toContain(standby);
      counts.set(standby, (counts.get(standby) ?? 0) + 1);
    }
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(3);
  });

  test('stay while they may, when loads change', () => {
    const loads = patchyLoads(field, 4);
    const later = makePlan(regionsByLoad, { grid: field, loads, pods, nowMs: 10, previous: plan });
    expect(later.plan).toBe(plan);
  });
});

test('the border is as long as the sides of cells between two pods', () => {
  const field = gridOf(4, 4);
  const loads = patchyLoads(field, 1);
  const { plan } = makePlan(staticGrid, { grid: field, loads, pods: podsOf(4), nowMs: 0 });
  expect(borderLength(plan)).toBe(8);
});
