/**
 * Goal: a lockstep world comes out the same whatever happens to its pods. Method: real pods on the
 * twin store with a clock that only the test moves; one hash is compared.
 */
import { expect, test } from 'vitest';
import { openPods } from './pods-fixture.ts';

const TICKS = 60;

async function hashOf(pods: number, trouble: 'none' | 'kills' = 'none', seed = 7) {
  const world = await openPods({ mode: 'lockstep', endTick: TICKS, seed });
  for (let i = 0; i < pods; i++) await world.start(`pod-${i}`);
  if (trouble === 'kills') {
    for (const tick of [10, 25, 40]) {
      await world.until(tick);
      world.kill(`pod-${(tick / 5) % pods}`);
      await world.start(`pod-after-${tick}`);
    }
  }
  await world.until(TICKS);
  const census = await world.census();
  await world.close();
  return census;
}

test('T1 a lockstep world has one hash on one, two and four pods', async () => {
  const one = await hashOf(1);
  expect(one.entities).toBeGreaterThan(50);
  expect(one.tick).toBe(TICKS);
  expect(one.twice).toEqual([]);
  expect((await hashOf(2)).hash).toBe(one.hash);
  expect((await hashOf(4)).hash).toBe(one.hash);
});

test('T1 pods that are killed leave the hash as it is', async () => {
  const calm = await hashOf(1);
  const troubled = await hashOf(4, 'kills');
  expect(troubled.twice).toEqual([]);
  expect(troubled.hash).toBe(calm.hash);
});

test('T1 another seed gives another hash', async () => {
  expect((await hashOf(1, 'none', 8)).hash).not.toBe((await hashOf(1)).hash);
});
