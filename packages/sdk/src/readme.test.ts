import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import foxes, { Fox, Position as FoxPosition, Hare } from '../examples/bite.ts';
import simulation, { Position, Velocity } from '../examples/drift.ts';
import { testWorld } from './index.ts';

const file = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

test('the example of the README is the one that is run here', () => {
  expect(file('../README.md')).toContain(file('../examples/drift.ts'));
});

test('the sequential system of the README is the one that is run in tests', () => {
  const source = file('../examples/hunt.ts');
  const hunt = source.slice(source.indexOf('/** One after'), source.indexOf('\nexport default'));
  expect(hunt).toContain('isOwn');
  expect(file('../README.md')).toContain(hunt);
});

test('the events of the README are those that are run here, and they bite', async () => {
  const source = file('../examples/bite.ts');
  const systems = source.slice(
    source.indexOf('export const Bite'),
    source.indexOf('\nexport default'),
  );
  expect(systems).toContain('emits');
  expect(file('../README.md')).toContain(systems);
  const world = await testWorld(foxes, {
    space: { kind: 'torus', width: 100, height: 100, cell: 10 },
    entities: [
      [FoxPosition({ x: 9.5, y: 5 }), Fox()],
      [FoxPosition({ x: 10.5, y: 5 }), Hare()],
    ],
  });
  // Bitten in the first tick, hurt with the second.
  expect(world.run(1).all(Hare)).toMatchObject([{ energy: 10 }]);
  expect(world.run(1).all(Hare)).toMatchObject([{ energy: 6 }]);
});

test('the example of the README does what it says', async () => {
  const space = { kind: 'torus', width: 100, height: 100, cell: 10 } as const;
  const entities = [[Position({ xM: 1 }), Velocity({ xMps: 2 })]];
  const world = await testWorld(simulation, { space, entities, tickHz: 10 });
  const [found] = world.run(10).all(Position);
  expect(found?.xM).toBeCloseTo(3, 9);
  expect((await testWorld(simulation, { space })).run(3).count).toBe(1000);
});
