/**
 * Goal: an event takes effect once, in order, wherever its entity goes and whoever dies meanwhile.
 * Method: entities that walk about and write to each other, on pods that are killed.
 */
import { join } from 'node:path';
import { openPods } from '@leasehold/pod/pods-fixture';
import { loadWorld } from '@leasehold/world';
import { describe, expect, test } from 'vitest';
import { mailCount } from './mailbag.ts';

const UNTIL = 120;

const { simulation } = await loadWorld(join(import.meta.dirname, '../../../../examples/couriers'));

const TICK_MS = 50;

/** Three pods far from their store, of a world in which everybody writes to everybody. */
async function openCouriers(seed = 7) {
  const pods = await openPods({
    mode: 'realtime',
    simulation,
    params: { couriers: 60, friends: 20, untilTick: UNTIL, letterChance: 0.5 },
    roundTripMs: 2,
    seed,
  });
  for (const name of ['a', 'b', 'c']) void pods.start(name, 3);
  return { pods, run: (ticks: number) => pods.clock.advance(ticks * TICK_MS) };
}

describe('in realtime', () => {
  test('M1 M2 letters to anybody arrive once and in order, mostly two ticks later', async () => {
    const { pods, run } = await openCouriers();
    await run(UNTIL * 2);
    const end = await mailCount(pods.watcher, pods.engine);
    expect(end).toMatchObject({ got: end.sent, faults: 0, dead: 0, back: 0 });
    expect(end.sent).toBeGreaterThan(2_000);
    const [one = 0, two = 0] = end.ways;
    expect((one + two) / end.sent).toBeGreaterThan(0.9);
    await pods.close();
  });

  test.each([1, 2, 3, 4])('M1 M2 also while pods are killed (seed %i)', async (seed) => {
    const { pods, run } = await openCouriers(seed);
    for (let round = 0; round < 4; round++) {
      await run(20 + round);
      const name = [...pods.pods.keys()][round % 3] as string;
      pods.kill(name);
      void pods.start(`${name}${round}`);
    }
    await run(UNTIL + 100);
    const end = await mailCount(pods.watcher, pods.engine);
    expect(end).toMatchObject({ got: end.sent, faults: 0, dead: 0, back: 0 });
    expect(end.sent).toBeGreaterThan(2_000);
    await pods.close();
  });
});

describe('in lockstep', () => {
  test('T1 M1 M2 letters to neighbours give one state on any number of pods, also when they die', async () => {
    const params = { couriers: 80, untilTick: 60, reach: 6 };
    const hashes = new Set<string>();
    for (const names of [['a'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd']]) {
      const pods = await openPods({
        ...{ mode: 'lockstep', endTick: 70, simulation, params },
      });
      for (const name of names) await pods.start(name, names.length);
      if (names.length === 4) {
        await pods.until(20, 5);
        pods.kill('b');
        await pods.until(40, 5);
        pods.kill('c');
        await pods.start('e');
      }
      await pods.until(70, 5);
      hashes.add((await pods.census()).hash);
      const { sent, got, faults, dead, ways } = await mailCount(pods.watcher, pods.engine);
      expect({ got, faults, dead }).toEqual({ got: sent, faults: 0, dead: 0 });
      expect(sent).toBeGreaterThan(500);
      // The next tick, or the one after to those who cross a border in it, which is a sixth here.
      expect(ways[0]).toBeGreaterThan(sent * 0.75);
      expect(ways.slice(3)).toEqual([0, 0, 0, 0, 0, 0]);
      await pods.close();
    }
    expect(hashes.size).toBe(1);
  });
});
