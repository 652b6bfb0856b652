/**
 * A view that was made from a checkpoint lacks those in flight and must never be given out as exact.
 * Checkpoints every 4 to 6 ticks instead of 64 to 96 make the moment frequent.
 */
import { expect, test, vi } from 'vitest';
import { openPods } from './pods-fixture.ts';

vi.mock('./settings.ts', async (original) => ({
  ...(await original<typeof import('./settings.ts')>()),
  CHECKPOINT_ENTRIES_MIN: 4,
}));

const TICKS = 60;
async function hashOf(pods: number, seed: number, kills: readonly number[]) {
  const world = await openPods({ mode: 'lockstep', endTick: TICKS, seed });
  for (let i = 0; i < pods; i++) await world.start(`pod-${i}`);
  for (const [i, tick] of kills.entries()) {
    await world.until(tick, 1);
    world.kill([...world.pods.keys()][i % pods] as string);
    await world.clock.advance(i * 7);
    await world.start(`pod-after-${tick}`);
  }
  await world.until(TICKS);
  const census = await world.census();
  await world.close();
  return census;
}

test.each([1, 2, 3, 4, 5, 6])(
  'T1 frequent checkpoints and kills leave the hash as it is (seed %i)',
  async (seed) => {
    const calm = await hashOf(1, seed, []);
    const troubled = await hashOf(4, seed, [6, 13, 22, 31, 40, 49]);
    expect(troubled.twice).toEqual([]);
    expect(troubled.hash).toBe(calm.hash);
  },
);
