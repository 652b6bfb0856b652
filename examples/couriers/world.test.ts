import { type TestWorld, testWorld } from '@leasehold/sdk';
import { expect, test } from 'vitest';
import simulation, { Got, Sent } from './world.ts';

const space = { kind: 'torus', width: 200, height: 200, cell: 25 } as const;

function counts(world: TestWorld) {
  const got = world.all(Got);
  return {
    sent: world.all(Sent).reduce((sum, { total }) => sum + total, 0),
    got: got.reduce((sum, { total }) => sum + total, 0),
    faults: got.reduce((sum, { faults }) => sum + faults, 0),
  };
}

test('M1 M2 who writes to those nearby is heard once and in order, in whatever order cells run', async () => {
  const params = { couriers: 200, reach: 15, untilTick: 50 };
  const run = async (cellOrder: 'ascending' | 'descending' | number) =>
    (await testWorld(simulation, { space, tickHz: 20, params, cellOrder })).run(60);
  const world = await run('ascending');
  const { sent, got, faults } = counts(world);
  expect(sent).toBeGreaterThan(10_000);
  expect({ got, faults }).toEqual({ got: sent, faults: 0 });
  for (const other of ['descending', 3] as const) {
    expect((await run(other)).hash()).toBe(world.hash());
  }
});

test('in lockstep a letter to somebody far away is refused aloud', async () => {
  const params = { couriers: 100, letterChance: 0.2, untilTick: 40 };
  const world = (await testWorld(simulation, { space, tickHz: 20, params })).run(45);
  const { sent, got } = counts(world);
  const far = world.undelivered.filter(({ reason }) => reason === 'FAR').length;
  expect(got + far).toBe(sent);
  expect(far).toBeGreaterThan(100);
});
