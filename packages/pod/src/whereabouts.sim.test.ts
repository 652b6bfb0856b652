/** The directory of entities is a hint, and mended by whoever holds them. */
import { bearerOf } from '@leasehold/kernel';
import { expect, test } from 'vitest';
import { openPods } from './pods-fixture.ts';

type World = Awaited<ReturnType<typeof openPods>>;

/** Somebody in the cell that bore it, which nothing but a note of its return would say. */
async function somebodyAtHome(world: World): Promise<{ id: number; cell: number; tick: number }> {
  for (const image of await world.watcher.load(
    [...Array(world.grid.cells).keys()].map((cell) => ({ cell })),
  )) {
    const state = world.engine.createCell(image.cell);
    state.restore(image);
    const { ids, count } = state.table;
    const id = ids.subarray(0, count).find((each) => bearerOf(each) === image.cell);
    if (id !== undefined) return { id, cell: image.cell, tick: state.tick };
  }
  throw new Error('nobody is where it was born');
}

test('M1 a note that died with a pod is made good by the next, and after a failover', async () => {
  const world = await openPods({ mode: 'lockstep', endTick: 5 });
  await world.start('a');
  await world.until(5);
  const { id, cell, tick } = await somebodyAtHome(world);
  const stale = { id, cell: (cell + 20) % world.grid.cells, tick: tick - 1 };
  await world.watcher.noteWhereabouts([stale]);
  world.kill('a');
  await world.start('b');
  await world.clock.advance(5_000);
  expect(await world.watcher.whereabouts([id])).toEqual([cell]);

  const before = world.server.snapshot();
  for (const { lives } of before.worlds.values()) {
    for (const { where } of lives.values()) where.set(id, stale);
  }
  world.server.rollback(before);
  await world.clock.advance(5_000);
  expect(await world.watcher.whereabouts([id])).toEqual([cell]);
  await world.close();
});
