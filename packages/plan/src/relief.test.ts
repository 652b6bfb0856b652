import type { Plan, Relief } from '@leasehold/protocol';
import { describe, expect, test } from 'vitest';
import { makePlan, type PlanPod, type PlanSettings, regionsByLoad } from './index.ts';
import { expectSound, gridOf, loadsOf, podsOf } from './testing.ts';

const grid = gridOf(8, 8);
const HOT = 8 * 3 + 4;

/** A plan every ten seconds, of a world in which one cell costs what is asked. */
class World {
  plan: Plan | undefined;
  nowMs = 0;
  pods: readonly PlanPod[];
  readonly kinds: string[] = [];
  readonly causes: string[] = [];
  readonly settings: Partial<PlanSettings>;

  constructor(pods: readonly PlanPod[] = podsOf(4), settings: Partial<PlanSettings> = {}) {
    this.pods = pods;
    this.settings = settings;
  }

  costs(cellMs: number, restMs = 40): Relief | undefined {
    this.nowMs += 10_000;
    const tickMs = new Float64Array(64).fill(restMs / 63);
    tickMs[HOT] = cellMs;
    const { pods, nowMs, settings, plan: previous } = this;
    const loads = loadsOf(tickMs);
    const made = makePlan(regionsByLoad, { grid, loads, pods, nowMs, previous, settings });
    expectSound(made.plan, grid, pods);
    this.kinds.push(...made.decisions.map(({ kind }) => kind));
    this.causes.push(...made.decisions.map(({ cause }) => cause));
    this.plan = made.plan;
    return this.hot.relief;
  }

  get hot() {
    return this.plan!.regions.find(
      ({ rect: { column, row, columns, rows } }) =>
        column <= 4 && column + columns > 4 && row <= 3 && row + rows > 3,
    )!;
  }

  /** What else the pod of the hot cell has. */
  get besideMs(): number {
    const held = this.plan!.regions.filter(({ pod }) => pod === this.hot.pod);
    return (held.reduce((sum, { rect }) => sum + rect.columns * rect.rows, 0) - 1) * (40 / 63);
  }
}

test('a cell that is nearly all a pod can carry gets a pod of its own, which keeps it', () => {
  const world = new World();
  world.costs(10);
  const { pod } = world.hot;
  expect(world.costs(40)).toBe('alone');
  expect(world.hot.pod).toBe(pod);
  expect(world.besideMs).toBeLessThan(2.5);
});

test('steps are taken one by one, in their order, each with a decision that says why', () => {
  const world = new World();
  const steps = Array.from({ length: 6 }, () => world.costs(400));
  expect(steps).toEqual([
    'alone',
    'slow-views',
    'dilated',
    'overloaded',
    'overloaded',
    'overloaded',
  ]);
  expect(world.kinds.filter((kind) => kind === 'relief')).toHaveLength(4);
  for (const word of ['alone.', 'slow-views.', 'its time runs at 1/4.', 'OVERLOADED.']) {
    expect(world.causes.filter((cause) => cause.endsWith(word))).toHaveLength(1);
  }
});

test('a cell that dilated time can carry is not called overloaded', () => {
  const world = new World();
  const steps = Array.from({ length: 6 }, () => world.costs(150));
  expect(steps.at(-1)).toBe('dilated');
});

describe('dilation', () => {
  const dilated = (cellMs: number, settings?: Partial<PlanSettings>): World => {
    const world = new World(podsOf(4), settings);
    for (let n = 0; n < 3; n++) world.costs(cellMs);
    return world;
  };

  test.each([
    [55, 2],
    [90, 3],
    [140, 4],
    [400, 4],
  ])('a tick of %d ms is run in each %d-th tick of the world, so that some is spare', (ms, n) => {
    const { hot } = dilated(ms);
    expect(hot.relief).toBe('dilated');
    expect(hot.dilation).toBe(n);
  });

  test('is what it was while what is spare bears the change, and follows what does not', () => {
    const world = dilated(90);
    const before = world.kinds.length;
    const of = (ms: number): number | undefined => {
      world.costs(ms);
      return world.hot.dilation;
    };
    expect([140, 62, 149, 90].map(of)).toEqual([3, 3, 3, 3]);
    expect(world.kinds).toHaveLength(before);
    expect([155, 125, 140, 88, 55].map(of)).toEqual([4, 4, 4, 3, 2]);
  });

  test('is gone with the last step that it belongs to', () => {
    const world = dilated(400);
    const steps = [400, 100, 100, 35, 35, 5, 5].map((ms) => [world.costs(ms), world.hot.dilation]);
    expect(steps).toEqual([
      ['overloaded', 4],
      ['dilated', 3],
      ['dilated', 3],
      ['slow-views', undefined],
      ['alone', undefined],
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  test('is as far as is wanted, and not at all where that is once', () => {
    expect(dilated(400, { dilationMax: 8 }).hot.dilation).toBe(8);
    const { hot } = dilated(400, { dilationMax: 1 });
    expect([hot.relief, hot.dilation]).toEqual(['overloaded', undefined]);
  });

  test.each([1, 3])(
    'goes with its cell alone when its pod dies and there are %d others',
    (pods) => {
      const world = dilated(400);
      const { pod } = world.hot;
      const rest = podsOf(4).filter((other) => other.pod !== pod);
      world.pods = rest.slice(0, pods);
      world.costs(400);
      // At once, and not when loads have been looked at for a while.
      if (pods > 1) expect(world.besideMs).toBeLessThan(2.5);
      for (let n = 0; n < 3; n++) world.costs(400);
      const relieved = world.plan!.regions.filter(({ relief }) => relief !== undefined);
      expect(relieved).toEqual([world.hot]);
      expect(world.hot.dilation).toBe(4);
      const { columns, rows } = world.hot.rect;
      expect(columns * rows).toBeLessThan(5);
      if (pods > 1) expect(world.besideMs).toBeLessThan(2.5);
    },
  );
});

test('and are taken back one by one', () => {
  const world = new World();
  for (let n = 0; n < 5; n++) world.costs(400);
  const steps = Array.from({ length: 5 }, () => world.costs(5));
  expect(steps).toEqual(['dilated', 'slow-views', 'alone', undefined, undefined]);
});

test.each([
  ['alone', [36, 40, 35]],
  ['slow-views', [60, 45, 49]],
] as const)('a cost around the limit of %s does not flap', (relief, costs) => {
  const world = new World();
  world.costs(costs[0] + 5);
  if (relief === 'slow-views') world.costs(costs[0]);
  expect(world.hot.relief).toBe(relief);
  const before = world.kinds.length;
  for (let n = 0; n < 10; n++) world.costs(costs[1 + (n % 2)]!);
  expect(world.kinds.slice(before).filter((kind) => kind === 'relief').length).toBeLessThanOrEqual(
    relief === 'alone' ? 0 : 1,
  );
});

test('a step is given time to work', () => {
  const world = new World();
  world.costs(400);
  world.nowMs -= 9_000;
  expect(world.costs(400)).toBe('alone');
  expect(world.costs(400)).toBe('slow-views');
});

test('what is left is spread over the other pods', () => {
  const world = new World();
  for (let n = 0; n < 8; n++) world.costs(400);
  const loads = new Map<string, number>();
  for (const { pod, rect } of world.plan!.regions) {
    if (pod === world.hot.pod) continue;
    loads.set(pod, (loads.get(pod) ?? 0) + rect.columns * rect.rows);
  }
  expect(loads.size).toBe(3);
  const mean = [...loads.values()].reduce((sum, cells) => sum + cells, 0) / 3;
  expect(Math.max(...loads.values()) / mean).toBeLessThan(1.25);
});

describe('a single pod', () => {
  test('has a hot cell for itself only if there is nothing else to do', () => {
    expect(new World(podsOf(1)).costs(400)).toBeUndefined();
    expect(new World(podsOf(1)).costs(400, 0.1)).toBe('alone');
  });
});
