/**
 * Goal: what people ask of a pod is done, with nobody there who plans. Method: pods on the twin
 * store, and orders given as the command line gives them.
 */
import type { PlanStore } from '@leasehold/protocol';
import { openTwinPlanStore } from '@leasehold/twin-store';
import { expect, test } from 'vitest';
import { openPods } from './pods-fixture.ts';

type World = Awaited<ReturnType<typeof openPods>>;

async function settled(...names: readonly string[]) {
  const world = await openPods({ mode: 'realtime' });
  for (const name of names) void world.start(name);
  await world.clock.advance(6_000);
  const facts = { world: 'w', incarnation: 1, layer: 'main' };
  return { world, orders: openTwinPlanStore(world.server, facts) };
}

async function ordered(
  { clock }: World,
  orders: PlanStore,
  ...order: Parameters<PlanStore['order']>
) {
  const asked = orders.order(...order);
  await clock.advance(1_000);
  await asked;
}

const cellsOf = ({ pods }: World, name: string): number => pods.get(name)?.report()['cells'] ?? 0;
const allCells = (world: World): number =>
  [...world.pods.keys()].reduce((sum, name) => sum + cellsOf(world, name), 0);

/** Takeovers of the feed, by cause. */
async function causes({ watcher }: World, after: string): Promise<Set<string>> {
  const { entries } = await watcher.readFeed(after);
  const takeovers = entries.filter(({ kind }) => kind === 'takeover');
  return new Set(takeovers.map(({ facts }) => String(facts['cause'])));
}

test('a pod that is ordered to drain hands everything over, ends, and is forgotten', async () => {
  const { world, orders } = await settled('pod-a', 'pod-b', 'pod-c');
  const { id } = await world.watcher.readFeed('0');
  const left = cellsOf(world, 'pod-b');
  await ordered(world, orders, 'pod-b', 'drain');
  await world.clock.advance(1_000);
  const told = { ended: world.ended.get('pod-b'), held: allCells(world) };
  const why = await causes(world, id);
  const names = (await orders.pods()).map(({ pod }) => pod);
  const open = await orders.orders();
  const { twice } = await world.census();
  await world.close();
  expect(left).toBeGreaterThan(8);
  expect(told).toEqual({ ended: true, held: world.grid.cells });
  expect(why).toEqual(new Set(['handover']));
  expect(names).toEqual(['pod-a', 'pod-c']);
  expect(open).toEqual(new Map());
  expect(twice).toEqual([]);
});

test('an order that is lost on the way is heard with the next report', async () => {
  const { world, orders } = await settled('pod-a', 'pod-b');
  world.server.disconnect('pod-b');
  await ordered(world, orders, 'pod-b', 'drain');
  world.server.reconnect('pod-b');
  await world.clock.advance(5_000);
  const ended = world.ended.get('pod-b');
  await world.close();
  expect(ended).toBe(true);
});

test('a cordoned pod keeps what it has, gets nothing of the dead, and shares again afterwards', async () => {
  const { world, orders } = await settled('pod-a', 'pod-b', 'pod-c');
  const had = cellsOf(world, 'pod-b');
  const { id } = await world.watcher.readFeed('0');
  await ordered(world, orders, 'pod-b', 'cordon');
  await world.clock.advance(4_000);
  const kept = cellsOf(world, 'pod-b');
  const quiet = await causes(world, id);
  world.kill('pod-c');
  await world.clock.advance(3_000);
  const after = { cordoned: cellsOf(world, 'pod-b'), all: allCells(world) };
  await ordered(world, orders, 'pod-b', '');
  await world.clock.advance(6_000);
  const shared = cellsOf(world, 'pod-b');
  const { twice } = await world.census();
  await world.close();
  expect(had).toBeGreaterThan(8);
  expect(kept).toBe(had);
  expect([...quiet].filter((cause) => cause !== 'handover')).toEqual([]);
  expect(after).toEqual({ cordoned: had, all: world.grid.cells });
  expect(shared).toBeGreaterThan(had);
  expect(twice).toEqual([]);
});

test('the cells of a cordoned pod that dies are taken by the others', async () => {
  const { world, orders } = await settled('pod-a', 'pod-b', 'pod-c');
  await ordered(world, orders, 'pod-b', 'cordon');
  world.kill('pod-b');
  await world.clock.advance(1_000);
  const held = allCells(world);
  await world.close();
  expect(held).toBe(world.grid.cells);
});

test('a cordoned pod takes nothing, be there nobody else, until it may again', async () => {
  const { world, orders } = await settled('pod-a', 'pod-b');
  const had = cellsOf(world, 'pod-b');
  await ordered(world, orders, 'pod-b', 'cordon');
  world.kill('pod-a');
  await world.clock.advance(4_000);
  const kept = cellsOf(world, 'pod-b');
  await ordered(world, orders, 'pod-b', '');
  await world.clock.advance(2_000);
  const taken = cellsOf(world, 'pod-b');
  await world.close();
  expect(kept).toBe(had);
  expect(taken).toBe(world.grid.cells);
});
