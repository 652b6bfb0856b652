/**
 * Goal: of components that are not told in each tick, or not stored, views show at rest what is.
 * Method: a gateway that has followed from the beginning and one that has just come, after a kill.
 */
import { counters, openPods, walkers } from '@leasehold/pod/pods-fixture';
import { expect, test } from 'vitest';
import { TestClient } from './client-fixture.ts';
import { openHub } from './hub-fixture.ts';

const END_TICK = 200;
const FIELDS = ['sure', 'fuel', 'heat', 'aim'];

async function shown(simulation: typeof counters, isStopped = false) {
  const options = { mode: 'realtime', simulation, endTick: END_TICK } as const;
  const world = await openPods(options);
  const { clock, grid, engine } = world;
  const at = { schema: engine.schema, grid };
  for (const name of ['pod-a', 'pod-b', 'pod-c']) void world.start(name, 3);
  await clock.advance(1_500);
  const old = openHub(world);
  const first = new TestClient(old, at).hello().subscribe(1, { kind: 'world' });
  await clock.advance(4_000);
  world.kill('pod-b');
  await clock.advance(2_000);
  // In the middle of its turns, as when all pods die; or it goes on until its end.
  const time = await world.watcher.clock();
  if (isStopped && time !== undefined) await world.watcher.setClock({ ...time, isPaused: true });
  await clock.advance(6_000);
  const fresh = openHub(world, {}, 'late');
  const last = new TestClient(fresh, at).hello().subscribe(1, { kind: 'world' });
  await clock.advance(2_000);
  const seen = [first, last].map((client) => FIELDS.map((name) => client.values(name, 'n')));
  const stops = [old.stop(), fresh.stop()];
  await clock.advance(5_000);
  await Promise.all(stops);
  await world.close();
  expect(first.breaks + last.breaks).toBe(0);
  return { seen, cells: grid.cells };
}

test('V1 at rest gateways old and new show of every class what the holders have', async () => {
  const { seen, cells } = await shown(counters);
  expect(seen[0]).toEqual(seen[1]);
  const [sure, fuel, , aim] = seen[1] as Map<number, unknown>[];
  expect(sure?.size).toBe(cells);
  const isKilled = (id: number): boolean => aim?.get(id) !== sure?.get(id);
  const killed = [...(sure?.keys() ?? [])].filter(isKilled);
  expect(killed.length).toBeGreaterThan(10);
  expect(killed.length).toBeLessThan(cells / 2);
  for (const [id, n] of sure ?? []) if (!isKilled(id)) expect(fuel?.get(id)).toBe(n);
});

test('V1 whoever is between two cells is shown as it travels, by gateways old and new', async () => {
  const { seen, cells } = await shown(walkers, true);
  expect(seen[1]?.[0]?.size).toBe(cells);
  expect(seen[0]).toEqual(seen[1]);
});
