import { readFileSync } from 'node:fs';
import { type TestWorld, testWorld } from '@leasehold/sdk';
import { expect, test } from 'vitest';
import simulation, { flock, Heading, Position } from './world.ts';

const space = { kind: 'torus', width: 200, height: 200, cell: 25 } as const;
const torus = { space, tickHz: 20, params: { birds: 500, sight: 10 } };

/** 0: every way; 1: all the same way (Vicsek 1995). */
function order(world: TestWorld): number {
  const headings = world.all(Heading);
  const x = headings.reduce((sum, heading) => sum + heading.x, 0);
  const y = headings.reduce((sum, heading) => sum + heading.y, 0);
  return Math.sqrt(x * x + y * y) / headings.length;
}

test('birds that fly every way come to fly one way', { timeout: 60_000 }, async () => {
  const world = await testWorld(simulation, torus);
  expect(order(world)).toBeLessThan(0.2);
  world.run(400);
  expect(order(world)).toBeGreaterThan(0.5);
  expect(world.count).toBe(500);
});

test('T1 a flock is the same in whatever order its cells are simulated', {
  timeout: 60_000,
}, async () => {
  const run = async (cellOrder: 'ascending' | 'descending' | number) =>
    (await testWorld(simulation, { ...torus, cellOrder })).run(40).hash();
  const hash = await run('ascending');
  expect(await run('descending')).toBe(hash);
  expect(await run(5)).toBe(hash);
});

test('a bird keeps its speed and a heading of length 1', async () => {
  const world = await testWorld(simulation, torus);
  const before = new Map(world.all(Position).map((place) => [place.id, place]));
  world.run(1);
  const { grid } = world.engine;
  for (const { id, x, y } of world.all(Position)) {
    const from = before.get(id);
    expect(grid.distance(from?.x ?? 0, from?.y ?? 0, x, y)).toBeCloseTo(1, 9);
  }
  for (const { x, y } of world.all(Heading)) expect(x * x + y * y).toBeCloseTo(1, 9);
});

test('a bird turns away from one that is too near, and towards one that is not', async () => {
  const turnOf = async (away: number) => {
    const at = (y: number) => [Position({ x: 50, y }), Heading({ x: 1, y: 0 })];
    const entities = [at(50), at(50 + away)];
    const world = await testWorld({ ...simulation, systems: [flock] }, { space, entities });
    return world.run(1).all(Heading)[0]?.y ?? 0;
  };
  expect(await turnOf(0.5)).toBeLessThan(0);
  expect(await turnOf(4.5)).toBeGreaterThan(0);
});

test('the model fits on a page', () => {
  const lines = readFileSync(new URL('world.ts', import.meta.url), 'utf8').split('\n');
  expect(lines.length).toBeLessThan(60);
});
