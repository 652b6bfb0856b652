import type { Plan } from '@leasehold/protocol';
import { describe, expect, test } from 'vitest';
import { makePlan, type PlanInput, type PlanPod, POLICIES, regionsByLoad } from './index.ts';
import { expectSound, gridOf, loadsOf, patchyLoads, podsOf } from './testing.ts';

const grid = gridOf(16, 9);
const input: PlanInput = { grid, loads: patchyLoads(grid, 1), pods: podsOf(5), nowMs: 1_000 };
const podsIn = (plan: Plan): string[] => [...new Set(plan.regions.map(({ pod }) => pod))].sort();
const made = (more: Partial<PlanInput>) => makePlan(regionsByLoad, { ...input, ...more });

test('a plan from nothing covers the grid with one region for each pod', () => {
  const { plan, decisions } = made({});
  expectSound(plan, grid, podsOf(5));
  expect(plan.regions.map(({ pod }) => pod).sort()).toEqual(['p0', 'p1', 'p2', 'p3', 'p4']);
  expect(decisions.map(({ kind }) => kind)).toEqual(['split']);
  expect(plan).toMatchObject({ version: 1, atMs: 1_000 });
});

test.each([...POLICIES])('%s: what does not change is the same plan', (_, policy) => {
  const { plan, refused } = makePlan(policy, input);
  expect(refused).toBeUndefined();
  expect(makePlan(policy, { ...input, previous: plan, nowMs: 2_000 }).plan).toBe(plan);
});

test('a wide region is cut from side to side where its load is halved', () => {
  const wide = gridOf(10, 2);
  const tickMs = new Float64Array(20);
  tickMs[7] = 1;
  tickMs[8] = 1;
  const { plan } = made({ grid: wide, loads: loadsOf(tickMs), pods: podsOf(2) });
  expect(plan.regions.map(({ rect }) => rect)).toEqual([
    { column: 0, row: 0, columns: 8, rows: 2 },
    { column: 8, row: 0, columns: 2, rows: 2 },
  ]);
});

test.each([
  [10, 4],
  [4, 10],
])('%i × %i cells of the same load are cut across the long axis', (columns, rows) => {
  const even = gridOf(columns, rows);
  const loads = loadsOf(new Float64Array(40).fill(1));
  const settings = { borderCellMs: 0, borderEntityMs: 0 };
  const { plan } = made({ grid: even, loads, settings, pods: podsOf(2) });
  for (const { rect } of plan.regions) expect([rect.columns, rect.rows].sort()).toEqual([4, 5]);
});

describe('through a seam', () => {
  test('the first and the last region are across from each other', () => {
    const globe = { columns: 12, rows: 2, wrapsX: true, wrapsY: false };
    const loads = loadsOf(new Float64Array(24).fill(1));
    const { plan } = made({ grid: globe, loads, pods: podsOf(3) });
    const [west] = plan.regions;
    expect(west!.edges.map(({ side, cells }) => [side, cells])).toEqual([
      ['west', 2],
      ['east', 2],
    ]);
    expect(new Set(west!.edges.map(({ pod }) => pod)).size).toBe(2);
  });
});

describe('pods', () => {
  test('none: the plan says that nobody has the regions, until somebody comes', () => {
    const { plan } = made({ pods: [] });
    expect(podsIn(plan)).toEqual(['']);
    const later = made({ previous: plan, pods: podsOf(3), nowMs: 2_000 });
    expectSound(later.plan, grid, podsOf(3));
    expect(podsIn(later.plan)).toEqual(['p0', 'p1', 'p2']);
  });

  test('all gone: regions stay as they are, for whoever comes', () => {
    const { plan } = made({});
    const { plan: empty } = made({ previous: plan, pods: [] });
    expect(podsIn(empty)).toEqual(['']);
    expect(empty.regions.map(({ standby }) => standby)).toEqual(empty.regions.map(() => ''));
  });

  test('more than cells: those for whom there is no cell are spares, and stand by', () => {
    const small = gridOf(2, 2);
    const loads = loadsOf(new Float64Array(4).fill(1));
    const { plan } = made({ grid: small, loads, pods: podsOf(9) });
    expect(podsIn(plan)).toHaveLength(4);
    for (const { standby } of plan.regions) expect(podsIn(plan)).not.toContain(standby);
  });

  test('a single one has everything, and nobody to stand by', () => {
    const { plan } = made({ pods: podsOf(1) });
    expect(plan.regions).toMatchObject([{ pod: 'p0', standby: '', edges: [] }]);
  });

  test('one of half the budget gets half the load', () => {
    const loads = loadsOf(new Float64Array(16 * 9).fill(0.1));
    const pods: PlanPod[] = [...podsOf(2), { pod: 'small', state: 'ready', budgetMs: 25 }];
    const { plan } = made({ loads, pods });
    const cells = new Map(plan.regions.map(({ pod, rect }) => [pod, rect.columns * rect.rows]));
    expect(cells.get('small')! / cells.get('p0')!).toBeCloseTo(0.5, 0);
    expect(cells.get('small')!).toBeLessThan(35);
  });

  test('whose pod is gone is taken over by the standby, whole', () => {
    const { plan } = made({});
    const lost = plan.regions[0]!;
    const rest = podsOf(5).filter(({ pod }) => pod !== lost.pod);
    const { plan: next, decisions } = made({ previous: plan, pods: rest, nowMs: 1_100 });
    expect(decisions[0]).toMatchObject({ kind: 'move', regions: [lost.id] });
    expect(decisions[0]!.cause).toContain('is gone');
    expect(decisions[0]!.before).toHaveProperty(lost.standby);
    const cells = lost.rect.columns * lost.rect.rows;
    expect(decisions[0]!.cells).toBe(cells);
    const held = next.regions.filter(({ pod }) => pod === lost.standby);
    const before = plan.regions.find(({ pod }) => pod === lost.standby)!.rect;
    const sum = held.reduce((all, { rect }) => all + rect.columns * rect.rows, 0);
    expect(sum).toBe(cells + before.columns * before.rows);
  });

  test('and goes whole to the standby even where that is too much for it, as it has it by now', () => {
    const loads = loadsOf(new Float64Array(16 * 9).fill(1));
    const { plan } = made({ loads, pods: podsOf(4) });
    for (const { id, pod, standby } of plan.regions) {
      const pods = podsOf(4).filter((one) => one.pod !== pod);
      const [move] = made({ loads, pods, previous: plan, nowMs: 1_100 }).decisions;
      expect(move).toMatchObject({ kind: 'move', regions: [id] });
      expect(Object.keys(move!.expected).sort()).toEqual([pod, standby].sort());
    }
  });

  test('a draining one with more than one heir can carry gives to several', () => {
    const loads = loadsOf(new Float64Array(16 * 9).fill(1));
    const { plan } = made({ loads, pods: podsOf(4) });
    const drains = plan.regions.find(({ edges }) => edges.length > 1)!.pod;
    const pods = podsOf(4).map(
      (one): PlanPod => (one.pod === drains ? { ...one, state: 'draining' } : one),
    );
    const [move] = made({ loads, pods, previous: plan, nowMs: 1_100 }).decisions;
    expect(move!.kind).toBe('move');
    expect(Object.keys(move!.expected).length).toBeGreaterThan(2);
    expect(move!.expected[drains] ?? 0).toBe(0);
  });

  test('a draining one gives first of all to one that has nothing', () => {
    const { plan } = made({});
    const pods: PlanPod[] = [
      { pod: 'p0', state: 'draining' },
      ...podsOf(5).slice(1),
      { pod: 'new', state: 'ready' },
    ];
    const { plan: next, decisions } = made({ previous: plan, pods, nowMs: 1_100 });
    const moved = plan.regions.find(({ pod }) => pod === 'p0')!;
    expect(next.regions.find(({ pod }) => pod === 'new')!.rect).toEqual(moved.rect);
    expect(decisions.map(({ kind }) => kind)).not.toContain('split');
  });
});

test('a world of another size than the plan is planned anew, and told so', () => {
  const { plan } = made({});
  const larger = gridOf(20, 9);
  const { plan: next, decisions } = made({
    ...{ grid: larger, loads: patchyLoads(larger, 1), previous: plan, nowMs: 5_000 },
  });
  expectSound(next, larger, podsOf(5));
  expect(next.version).toBe(plan.version + 1);
  expect(decisions[0]!.cause).toMatch(/not of this grid/);
  const highest = Math.max(...plan.regions.map(({ id }) => id));
  for (const { id } of next.regions) expect(id).toBeGreaterThan(highest);
});

test('loads of a grid of another size are not used', () => {
  expectSound(made({ loads: patchyLoads(gridOf(3, 3), 1) }).plan, grid, podsOf(5));
});

test('a plan of another policy is cut anew, for pods that keep most of what they had', () => {
  const { plan: even } = makePlan(POLICIES.get('greedy-by-cell')!, input);
  const { plan, decisions } = made({ previous: even, nowMs: 60_000 });
  expectSound(plan, grid, podsOf(5));
  expect(plan.regions).toHaveLength(5);
  expect(decisions[0]!.cause).toContain('another policy');
});

describe('time', () => {
  const tickMs = new Float64Array(16 * 9).fill(0.1);
  const loads = loadsOf(tickMs);
  const { plan } = made({ loads });
  const heavy = loadsOf(tickMs.map((ms, cell) => (cell % 16 < 4 ? ms * 8 : ms)));
  const kinds = (nowMs: number, more: Partial<PlanInput> = {}) =>
    made({ loads: heavy, previous: plan, nowMs, ...more }).decisions.map(({ kind }) => kind);

  test('is given to measure before loads are evened out again', () => {
    expect(kinds(1_500)).toEqual([]);
    expect(kinds(4_000)).not.toEqual([]);
  });

  test('that was set back makes nobody wait', () => {
    expect(kinds(-1e9)).not.toEqual([]);
  });

  test('is counted from the last change of regions where the caller knows it', () => {
    expect(kinds(1_500, { shapedAtMs: -5_000 })).not.toEqual([]);
    expect(kinds(4_000, { shapedAtMs: 3_900 })).toEqual([]);
  });
});
