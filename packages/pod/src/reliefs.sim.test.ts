/**
 * Goal: cells whose time the plan dilates tick as seldom as it says, on whatever pod, keep up with
 * the world all the same, and nobody in them is lost; in lockstep nothing of it happens. Method:
 * pods on the twin store and plans written by hand: the western half is dilated.
 */
import { decodeCommit, type Region } from '@leasehold/protocol';
import { openTwinPlanStore } from '@leasehold/twin-store';
import { expect, test } from 'vitest';
import { openPods } from './pods-fixture.ts';
import { dueAfter, dueBy } from './reliefs.ts';

type World = Awaited<ReturnType<typeof openPods>>;
type Relieved = Pick<Region, 'relief' | 'dilation'>;

const isWest = (cell: number): boolean => cell % 8 < 4;

/** Writes plans one after the other. */
function planner(world: World) {
  const facts = { world: 'w', incarnation: 1, layer: 'main', name: 'by-hand' };
  const store = openTwinPlanStore(world.server, facts);
  let version = 0;
  return async (west: Relieved): Promise<void> => {
    await store.lead('by-hand', 60_000);
    const half = (id: number, pod: string, standby: string, relieved: Relieved): Region => ({
      ...{ id, pod, standby, edges: [], ...relieved },
      rect: { column: id === 1 ? 0 : 4, row: 0, columns: 4, rows: 8 },
    });
    const regions = [half(1, 'pod-a', 'pod-b', west), half(2, 'pod-b', 'pod-a', {})];
    const plan = { version: ++version, atMs: 0, regions, asleep: [] };
    expect(await store.writePlan('by-hand', plan, [])).toEqual({ tag: 'OK' });
  };
}

/** Ticks in the logs behind `after`, and how many each has left out; of one half of the world. */
async function ticksOf({ watcher, grid, engine }: World, ofWest: boolean, after: number) {
  const cells = [...Array(grid.cells).keys()].filter((cell) => isWest(cell) === ofWest);
  const images = await watcher.load(cells.map((cell) => ({ cell })));
  return images.flatMap(({ entries }) =>
    entries
      .filter(({ tick }) => tick > after)
      .map(({ tick, body }) => ({ tick, jumped: decodeCommit(body, engine.schema).jumped })),
  );
}

const tickNow = ({ pods }: World): number =>
  Math.max(...[...pods.values()].map((pod) => pod.report()['tick'] ?? 0));

const feedOf = async ({ watcher }: World, kind: string) =>
  (await watcher.readFeed('0')).entries.filter((entry) => entry.kind === kind);

const ofPods = ({ pods }: World, name: string): number[] =>
  [...pods.values()].map((pod) => pod.report()[name] ?? 0);

test('cells of a dilated region tick in each so many-th tick, and stay in the time of the world', async () => {
  const world = await openPods({ mode: 'realtime' });
  const write = planner(world);
  await write({});
  for (const name of ['pod-a', 'pod-b']) void world.start(name, 2);
  await world.clock.advance(5_000);
  await write({ relief: 'dilated', dilation: 4 });
  await world.clock.advance(500);
  const from = tickNow(world);
  await world.clock.advance(1_400);
  const west = await ticksOf(world, true, from + 4);
  const east = await ticksOf(world, false, from + 4);
  const began = await feedOf(world, 'dilation');
  const behind = ofPods(world, 'behindTicks');
  const dilation = ofPods(world, 'dilation');
  const [heldWest] = ofPods(world, 'dilatedCells');
  await world.clock.advance(10_000);
  const { twice, entities } = await world.census();
  await write({ relief: 'slow-views' });
  await world.clock.advance(500);
  const since = tickNow(world);
  await world.clock.advance(1_000);
  const after = await ticksOf(world, true, since);
  const told = await feedOf(world, 'dilation');
  const jumps = await feedOf(world, 'jump');
  await world.close();
  expect(west.length).toBeGreaterThan(30);
  expect(west.filter(({ tick }) => tick % 4 !== 0)).toEqual([]);
  expect(new Set(west.map(({ jumped }) => jumped))).toEqual(new Set([3]));
  expect(new Set(east.map(({ tick }) => tick % 4)).size).toBe(4);
  expect(new Set(east.map(({ jumped }) => jumped))).toEqual(new Set([0]));
  expect(Math.max(...behind)).toBeLessThanOrEqual(1);
  expect(dilation).toEqual([4, 1]);
  expect(heldWest).toBe(32);
  expect(twice).toEqual([]);
  expect(entities).toBeGreaterThan(50);
  expect(new Set(after.map(({ tick }) => tick % 4)).size).toBe(4);
  // Once when it began, and once when it ended.
  expect(began).toHaveLength(1);
  expect(began[0]?.facts).toMatchObject({ region: 1, before: 1, dilation: 4, budgetMs: 50 });
  expect(began[0]?.facts['cells']).toBe(32);
  expect(isWest(Number(began[0]?.facts['cell']))).toBe(true);
  expect(told.slice(1).map(({ facts }) => [facts['before'], facts['dilation']])).toEqual([[4, 1]]);
  expect(jumps).toEqual([]);
});

test('who takes a dilated cell over goes on as slowly, and tells nothing twice', async () => {
  const world = await openPods({ mode: 'realtime' });
  const write = planner(world);
  await write({});
  for (const name of ['pod-a', 'pod-b']) void world.start(name, 2);
  await world.clock.advance(5_000);
  await write({ relief: 'overloaded', dilation: 5 });
  await world.clock.advance(2_000);
  const before = await feedOf(world, 'overloaded');
  const dilated = await feedOf(world, 'dilation');
  world.kill('pod-a');
  await world.clock.advance(1_000);
  const from = tickNow(world);
  await world.clock.advance(2_000);
  const west = await ticksOf(world, true, from);
  // Another plan that says the same is no news either.
  await write({ relief: 'overloaded', dilation: 5 });
  await world.clock.advance(1_000);
  const told = await feedOf(world, 'overloaded');
  const dilations = await feedOf(world, 'dilation');
  const { twice } = await world.census();
  await world.close();
  expect(before).toHaveLength(1);
  expect(before[0]?.facts).toMatchObject({ region: 1, budgetMs: 50 });
  expect(isWest(Number(before[0]?.facts['cell']))).toBe(true);
  expect(told).toEqual(before);
  expect(dilations).toEqual(dilated);
  expect(west.length).toBeGreaterThan(30);
  expect(west.filter(({ tick }) => tick % 5 !== 0)).toEqual([]);
  expect(new Set(west.map(({ jumped }) => jumped))).toEqual(new Set([4]));
  expect(twice).toEqual([]);
});

test('a plan of pods that are not here dilates nothing', async () => {
  const world = await openPods({ mode: 'realtime' });
  await planner(world)({ relief: 'dilated', dilation: 4 });
  void world.start('pod-z');
  await world.clock.advance(5_000);
  const [dilation] = ofPods(world, 'dilation');
  await world.close();
  expect(dilation).toBe(1);
});

test('T1 in lockstep no time is dilated, whatever the plan says', async () => {
  const hashWith = async (west: Relieved) => {
    const world = await openPods({ mode: 'lockstep', endTick: 30 });
    await planner(world)(west);
    for (const name of ['pod-a', 'pod-b']) await world.start(name);
    await world.until(30);
    const { hash, twice } = await world.census();
    const told = await feedOf(world, 'dilation');
    await world.close();
    expect(twice).toEqual([]);
    expect(told).toEqual([]);
    return hash;
  };
  expect(await hashWith({ relief: 'dilated', dilation: 4 })).toBe(await hashWith({}));
});

test('ticks that a dilated cell runs are the same for whoever holds it, and the last is run by all', () => {
  expect([0, 1, 3, 4, 7].map((tick) => dueAfter(tick, 4, 0))).toEqual([4, 4, 4, 8, 8]);
  expect([0, 4, 9].map((tick) => dueAfter(tick, 4, 10))).toEqual([4, 8, 10]);
  expect([7, 8, 10, 10].map((tick) => dueBy(tick, 4, 10))).toEqual([4, 8, 10, 10]);
  expect([0, 7, 9].map((tick) => [dueAfter(tick, 1, 0), dueBy(tick, 1, 0)])).toEqual([
    [1, 0],
    [8, 7],
    [10, 9],
  ]);
});
