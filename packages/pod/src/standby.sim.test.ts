/**
 * Goal: cells that change hands in order are followed by their heir before, so that nothing is read
 * while they stand still. Method: pods on the twin store that come and go.
 */
import { expect, test } from 'vitest';
import { openPods } from './pods-fixture.ts';

type World = Awaited<ReturnType<typeof openPods>>;

async function settled(...names: readonly string[]): Promise<World> {
  const world = await openPods({ mode: 'realtime' });
  for (const name of names) void world.start(name);
  await world.clock.advance(5_000);
  return world;
}

const counted = ({ pods }: World, name: string) => {
  const { cells = 0, warmCells = 0, coldCells = 0 } = pods.get(name)?.report() ?? {};
  return { cells, warmCells, coldCells };
};

/** The gaps in ticks of the cells that `from` left, or of all. */
async function gapTicks(world: World, after: string, from?: string): Promise<number[]> {
  const { entries } = await world.watcher.readFeed(after);
  return entries
    .filter(({ kind, facts }) => kind === 'takeover' && facts['cause'] === 'handover')
    .filter(({ facts }) => from === undefined || facts['from'] === from)
    .map(({ facts }) => Number(facts['gapTicks']));
}

test('a pod that comes has followed its share before it takes it, and no tick is missed', async () => {
  const world = await settled('pod-a', 'pod-b');
  const { id } = await world.watcher.readFeed('0');
  void world.start('pod-c');
  await world.clock.advance(8_000);
  const { cells, warmCells, coldCells } = counted(world, 'pod-c');
  const gaps = await gapTicks(world, id);
  await world.close();
  expect(cells).toBeGreaterThan(8);
  expect(warmCells).toBe(cells);
  expect(coldCells).toBe(0);
  expect(gaps.length).toBeGreaterThan(2);
  expect(Math.max(...gaps)).toBe(0);
});

test('a pod that drains leaves its cells to heirs that have followed them', async () => {
  const world = await settled('pod-a', 'pod-b', 'pod-c');
  const { id } = await world.watcher.readFeed('0');
  const before = ['pod-a', 'pod-b'].map((name) => counted(world, name));
  const left = counted(world, 'pod-c').cells;
  const pod = world.pods.get('pod-c');
  const drained = pod?.drain(2_000);
  await world.clock.advance(1_500);
  expect(await drained).toBe(true);
  const after = ['pod-a', 'pod-b'].map((name) => counted(world, name));
  const gaps = await gapTicks(world, id, 'pod-c');
  await world.close();
  const grown = (of: 'warmCells' | 'coldCells'): number =>
    after.reduce((sum, each, i) => sum + each[of] - (before[i]?.[of] ?? 0), 0);
  expect(left).toBeGreaterThan(8);
  expect(grown('warmCells')).toBe(left);
  expect(grown('coldCells')).toBe(0);
  expect(Math.max(...gaps)).toBe(0);
});

test('W1 an heir that dies before it answers keeps nobody from leaving', async () => {
  const world = await settled('pod-a', 'pod-b', 'pod-c');
  const drained = world.pods.get('pod-c')?.drain(2_000);
  world.kill('pod-b');
  await world.clock.advance(2_500);
  expect(await drained).toBe(true);
  const cells = counted(world, 'pod-a').cells;
  await world.close();
  expect(cells).toBe(world.grid.cells);
});
