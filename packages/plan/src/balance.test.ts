import type { Plan, Rect } from '@leasehold/protocol';
import { expect, test } from 'vitest';
import { type Loads, makePlan, type PlanGrid, type PlanInput, regionsByLoad } from './index.ts';
import { expectSound, gridOf, loadsOf, podsOf } from './testing.ts';

const SETTINGS = { borderCellMs: 0, borderEntityMs: 0 };

/** Regions of a strip from west to east: how many columns, and whose. */
function planOf(parts: readonly (readonly [columns: number, pod: string])[]): Plan {
  let column = 0;
  const regions = parts.map(([columns, pod], i) => {
    const rect: Rect = { column, row: 0, columns, rows: 1 };
    column += columns;
    return { id: i + 1, rect, pod, standby: '', edges: [] };
  });
  return { version: 1, atMs: 0, regions, asleep: [] };
}

const strip = (...tickMs: readonly number[]): Loads => loadsOf(Float64Array.from(tickMs));

const loadOf = (plan: Plan, { tickMs }: Loads): Record<string, number> => {
  const sums: Record<string, number> = {};
  for (const { pod, rect } of plan.regions) {
    const own = tickMs.slice(rect.column, rect.column + rect.columns);
    sums[pod] = (sums[pod] ?? 0) + own.reduce((sum, ms) => sum + ms, 0);
  }
  return sums;
};

function next(grid: PlanGrid, previous: Plan, loads: Loads, more: Partial<PlanInput> = {}) {
  const pods = podsOf(new Set(previous.regions.map(({ pod }) => pod)).size);
  const input: PlanInput = { grid, loads, pods, previous, settings: SETTINGS, nowMs: 60_000 };
  const made = makePlan(regionsByLoad, { ...input, ...more });
  expect(made.refused).toBeUndefined();
  expectSound(made.plan, grid, more.pods ?? pods);
  return made;
}

test('a change that gains less than it is to gain is not made', () => {
  const previous = planOf([
    [4, 'p0'],
    [4, 'p1'],
  ]);
  const loads = strip(1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5);
  const grid = gridOf(8, 1);
  const { decisions } = next(grid, previous, loads);
  expect(decisions.filter(({ kind }) => kind !== 'standby')).toHaveLength(1);
  // The best there is takes a third of a mean off p0.
  const dear = next(grid, previous, loads, { settings: { ...SETTINGS, gainMin: 0.5 } });
  expect(dear.decisions.filter(({ kind }) => kind !== 'standby')).toEqual([]);
});

test('what a pod has elsewhere is counted when it is to take something over', () => {
  const previous = planOf([
    [2, 'p0'],
    [2, 'p1'],
    [2, 'p2'],
    [2, 'p0'],
  ]);
  const loads = strip(0.05, 0.05, 2, 2, 0.05, 0.05, 1.5, 1.5);
  const before = loadOf(previous, loads);
  const { plan, decisions } = next(gridOf(8, 1), previous, loads);
  const most = (of: Readonly<Record<string, number>>): number => Math.max(...Object.values(of));
  expect(most(loadOf(plan, loads))).toBeLessThan(most(before));
  for (const { expected } of decisions)
    expect(most({ '': 0, ...expected })).toBeLessThan(most(before));
});

test('a pod that comes takes a part of the heaviest region, and nobody has more than before', () => {
  const previous = planOf([
    [2, 'p0'],
    [6, 'p1'],
  ]);
  const loads = strip(1, 1, 1, 1, 1, 1, 1, 1);
  const { plan, decisions } = next(gridOf(8, 1), previous, loads, { pods: podsOf(3) });
  expect(decisions[0]).toMatchObject({ kind: 'split', regions: expect.arrayContaining([2]) });
  const after = loadOf(plan, loads);
  expect(after['p0']).toBe(2);
  expect([after['p1'], after['p2']]).toEqual([3, 3]);
});

test('two that come at once share what one of them alone would get half of', () => {
  const previous = planOf([
    [2, 'p0'],
    [6, 'p1'],
  ]);
  const loads = strip(1, 1, 1, 1, 1, 1, 1, 1);
  const { plan } = next(gridOf(8, 1), previous, loads, { pods: podsOf(4) });
  expect(loadOf(plan, loads)).toEqual({ p0: 2, p1: 2, p2: 2, p3: 2 });
});
