/**
 * Goal: in realtime no fault of a pod or of its connection loses or doubles an entity. Method:
 * pods on the twin store under a seeded schedule of kills, drains, lost replies and stalls.
 */
import { createRandom } from '@leasehold/kernel';
import { inspectCommit } from '@leasehold/protocol';
import { expect, test } from 'vitest';
import { openPods } from './pods-fixture.ts';

const STEPS = 16;

/** Births less deaths of the whole history, read from complete logs. */
function ledger() {
  const born = new Set<number>();
  const dead = new Set<number>();
  const next = new Map<number, number>();
  return {
    get alive(): number {
      return [...born].filter((id) => !dead.has(id)).length;
    },
    async read(world: Awaited<ReturnType<typeof openPods>>): Promise<void> {
      const cells = [...Array(world.grid.cells).keys()];
      const images = await world.watcher.load(cells.map((cell) => ({ cell, beforeTick: 1 })));
      for (const { cell, entries } of images) {
        for (const { seq, body } of entries) {
          if (seq < (next.get(cell) ?? 1)) continue;
          expect(seq, `the log of cell ${cell} was read too late`).toBe(next.get(cell) ?? 1);
          next.set(cell, seq + 1);
          const { births, deaths } = inspectCommit(body);
          for (const id of births) born.add(id);
          for (const id of deaths) dead.add(id);
        }
      }
    },
  };
}

test.each([1, 2, 3, 4])(
  'E1 E2 no entity is lost or doubled, whatever happens (seed %i)',
  async (seed) => {
    const random = createRandom(seed);
    const world = await openPods({ mode: 'realtime', seed });
    const book = ledger();
    let born = 0;
    // Often enough for logs that are trimmed after 32 ticks.
    const live = async (ms: number): Promise<void> => {
      for (let i = 0; i < ms; i += 500) {
        await world.clock.advance(500);
        await book.read(world);
      }
    };
    // Not awaited: while the store is stalled nothing answers until time moves on.
    const start = () => void world.start(`pod-${born++}`);
    for (let i = 0; i < 3; i++) start();
    await live(1_500);
    for (let step = 0; step < STEPS; step++) {
      const names = [...world.pods.keys()];
      const name = names[random.below(names.length)] as string;
      const dice = random.below(6);
      if (dice === 0) {
        world.kill(name);
        start();
      } else if (dice === 1) {
        const pod = world.pods.get(name);
        world.pods.delete(name);
        void pod?.drain(2_000).then(() => pod.stop());
        start();
      } else if (dice === 2) world.server.dropReplies(1 + random.below(4), 'commit');
      else if (dice === 3) {
        // Nothing is committed and nothing can be read until the stall is over.
        world.server.stall(1_000 + random.below(1_500));
        await world.clock.advance(2_500);
      }
      await live(2_500);
    }
    await live(8_000);
    await world.close();
    await book.read(world);
    const census = await world.census();
    expect(census.twice, `seed ${seed}`).toEqual([]);
    expect(census.entities, `seed ${seed}`).toBe(book.alive);
    expect(census.entities).toBeGreaterThan(10);
  },
);

test('W1 the cells of a killed pod tick again within half a second, taken by revocation', async () => {
  const world = await openPods({ mode: 'realtime' });
  for (const name of ['pod-a', 'pod-b', 'pod-c']) void world.start(name);
  await world.clock.advance(5_000);
  const { id } = await world.watcher.readFeed('0');
  const killedMs = world.watcher.nowMs();
  world.kill('pod-b');
  await world.clock.advance(1_500);
  const { entries } = await world.watcher.readFeed(id);
  await world.close();
  const taken = entries.filter(
    ({ kind, facts }) => kind === 'takeover' && facts['from'] === 'pod-b',
  );
  const revoked = taken.filter(({ facts }) => facts['cause'] === 'revoked');
  expect(revoked.reduce((sum, { facts }) => sum + Number(facts['cells']), 0)).toBeGreaterThan(16);
  expect(taken.filter(({ facts }) => facts['cause'] === 'expired')).toEqual([]);
  for (const { facts } of revoked) {
    expect(Number(facts['resumedAtMs']) - killedMs).toBeLessThanOrEqual(500);
  }
});

test('pods that are started together share the world before they claim, however late one comes', async () => {
  const world = await openPods({ mode: 'realtime' });
  const shares = () => [...world.pods.values()].map((pod) => pod.report()['cells'] ?? 0);
  void world.start('pod-a', 3);
  await world.clock.advance(400);
  void world.start('pod-b', 3);
  await world.clock.advance(400);
  expect(shares()).toEqual([0, 0]);
  void world.start('pod-c', 3);
  await world.clock.advance(1_000);
  const shared = shares();
  const { entries } = await world.watcher.readFeed('0');
  await world.close();
  expect(shared.reduce((sum, cells) => sum + cells, 0)).toBe(world.grid.cells);
  expect(Math.max(...shared) - Math.min(...shared)).toBeLessThanOrEqual(world.grid.cells / 4);
  expect(entries.filter(({ kind }) => kind === 'takeover')).toEqual([]);
});

test('a pod whose companions do not come goes on alone after two seconds', async () => {
  const world = await openPods({ mode: 'realtime' });
  const pod = await world.start('pod-a', 3);
  await world.clock.advance(1_500);
  const before = pod.report()['cells'];
  await world.clock.advance(1_500);
  const after = pod.report()['cells'];
  await world.close();
  expect([before, after]).toEqual([0, world.grid.cells]);
});

test('ticks that begin after the next is due are counted, those that are left out too', async () => {
  const world = await openPods({ mode: 'realtime' });
  void world.start('a');
  await world.clock.advance(3_000);
  const deadlines = (): number[] => {
    const report = world.pods.get('a')?.report() ?? {};
    return [report['dueTicks'] ?? 0, report['lateTicks'] ?? 0];
  };
  const [dueBefore = 0, lateBefore = 0] = deadlines();
  await world.clock.advance(1_000);
  const [due = 0, late = 0] = deadlines();
  const busy = world.pods.get('a')?.report()['busyCells'] ?? 0;
  // 20 ticks of each cell in which something is, give or take those that emptied or filled.
  expect((due - dueBefore) / busy).toBeGreaterThan(15);
  expect((due - dueBefore) / busy).toBeLessThan(25);
  expect(late).toBe(lateBefore);
  world.server.stall(400);
  await world.clock.advance(1_000);
  const [dueAfter = 0, lateAfter = 0] = deadlines();
  await world.close();
  expect((lateAfter - late) / busy).toBeGreaterThan(4);
  expect((lateAfter - late) / busy).toBeLessThan(10);
  expect(dueAfter - due).toBeGreaterThan(lateAfter - late);
});
