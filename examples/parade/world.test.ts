import { testWorld } from '@leasehold/sdk';
import { expect, test } from 'vitest';
import simulation, { band, Position } from './world.ts';

const space = { kind: 'torus', width: 320, height: 320, cell: 20 } as const;
const small = { space, tickHz: 10, params: { people: 300, spread: 10 } };

test('the crowd walks with its band, and keeps together', async () => {
  const world = await testWorld(simulation, small);
  const { grid } = world.engine;
  const far = (seconds: number): number => {
    const { x, y } = band(seconds, 8, space.height);
    const away = world.all(Position).map((at) => grid.distance(at.x, at.y, grid.wrapX(x), y));
    return away.reduce((sum, each) => sum + each, 0) / away.length;
  };
  expect(far(0)).toBeLessThan(25);
  world.run(180);
  expect(far(18)).toBeLessThan(25);
  expect(far(0)).toBeGreaterThan(100);
  expect(world.count).toBe(300);
});

test('nobody stands in another for long', async () => {
  const world = await testWorld(simulation, { ...small, params: { people: 200, spread: 3 } });
  const { grid } = world.engine;
  const crowded = (): number => {
    const all = world.all(Position);
    const near = all.filter((a) =>
      all.some((b) => a.id !== b.id && grid.distance(a.x, a.y, b.x, b.y) < 0.3),
    );
    return near.length / all.length;
  };
  const before = crowded();
  world.run(100);
  expect(before).toBeGreaterThan(0.2);
  expect(crowded()).toBeLessThan(before / 2);
});

test('T1 a parade is the same in whatever order its cells are simulated', async () => {
  const run = async (cellOrder: 'ascending' | 'descending' | number) =>
    (await testWorld(simulation, { ...small, cellOrder })).run(40).hash();
  const hash = await run('ascending');
  expect(await run('descending')).toBe(hash);
  expect(await run(5)).toBe(hash);
});
