/** Goal: meals happen once and add up, over borders too; herds live on. Method: worlds by hand. */
import { type ComponentValue, type Found, type TestWorld, testWorld } from '@leasehold/sdk';
import { expect, test } from 'vitest';
import simulation, { Food, Grass, Heading, Position, Sheep, Wolf } from './world.ts';

const space = { kind: 'torus', width: 60, height: 60, cell: 15 } as const;
const herds = { tufts: 20, sheep: 100, wolves: 15 };
/** Nobody is hungry, moves or multiplies: what is left is who eats whom. */
const still = { hunger: 0, speed: 0, sheepBirths: 0, wolfBirths: 0 };

const sheepAt = (x: number) => [Position({ x, y: 5 }), Sheep({ energy: 1 }), Food(), Heading()];
const wolfAt = (x: number) => [Position({ x, y: 5 }), Wolf({ energy: 1 }), Heading()];
const tuftAt = (x: number) => [Position({ x, y: 5 }), Grass(), Food()];
const placed = (...entities: ComponentValue[][]) =>
  testWorld(simulation, { space, entities, params: still, verify: true });

const energies = (found: readonly Found<typeof Wolf>[]) => found.map(({ energy }) => energy);

/** Energy of all animals less what births, deaths and hunger explain is what they ate. */
function census(world: TestWorld) {
  const eaters = new Map<number, number>();
  for (const { eater } of world.all(Food)) {
    if (eater !== 0) eaters.set(eater, (eaters.get(eater) ?? 0) + 1);
  }
  return { sheep: world.all(Sheep), wolves: world.all(Wolf), eaters };
}

test('M1 a sheep between two wolves feeds one, and is gone', async () => {
  const world = await placed(sheepAt(5), wolfAt(4.2), wolfAt(5.5));
  world.run(4);
  expect(world.all(Sheep)).toEqual([]);
  expect(energies(world.all(Wolf))).toEqual([1, 10]);
});

test('M1 a sheep is eaten over the border of a cell, and of the torus', async () => {
  for (const [sheep, wolf] of [
    [14.9, 15.1],
    [0.2, 59.8],
  ] as const) {
    const world = await placed(sheepAt(sheep), wolfAt(wolf));
    expect(world.run(1).all(Food)).toMatchObject([{ eater: world.all(Wolf)[0]?.id }]);
    world.run(1);
    expect(world.all(Sheep)).toEqual([]);
    expect(energies(world.all(Wolf))).toEqual([10]);
    expect(energies(world.run(5).all(Wolf))).toEqual([10]);
  }
});

test('a tuft feeds the nearest sheep, once until it is grown again', async () => {
  const world = await placed(tuftAt(5), sheepAt(5.5), sheepAt(4.8));
  world.run(3);
  expect(energies(world.all(Sheep))).toEqual([1, 6]);
  // Given in tick 1, eaten in tick 2, grown again 100 ticks later, eaten one after that.
  expect(energies(world.run(99).all(Sheep))).toEqual([1, 6]);
  expect(energies(world.run(1).all(Sheep))).toEqual([1, 11]);
});

test('who has nothing to eat starves, and a herd without wolves outgrows its grass', async () => {
  const hungry = await testWorld(simulation, { space, entities: [sheepAt(5), wolfAt(40)] });
  expect(hungry.run(5).count).toBe(2);
  expect(hungry.run(5).count).toBe(0);
  const params = { ...herds, wolves: 0, sheep: 40 };
  const tame = await testWorld(simulation, { space, params });
  const grown = () => tame.all(Grass).filter(({ grownAt }) => grownAt <= tame.tick).length;
  const before = grown();
  expect(tame.run(300).all(Sheep).length).toBeGreaterThan(60);
  expect(grown()).toBeLessThan(before * 0.75);
});

test('M1 every sheep that names a wolf feeds it, in a world of many cells', async () => {
  // Wolves that turn so wildly walk away from what they caught, and must find it still.
  const params = { ...herds, ...still, speed: 0.5, grassEnergy: 0, turn: 9 };
  const world = await testWorld(simulation, { space, params, verify: true });
  let eaten = 0;
  for (let tick = 0; tick < 100; tick++) {
    const before = census(world);
    world.run();
    const after = census(world);
    for (const { id, energy } of after.wolves) {
      const was = before.wolves.find((wolf) => wolf.id === id)?.energy ?? 0;
      expect(energy - was).toBeCloseTo(9 * (before.eaters.get(id) ?? 0), 9);
    }
    const gone = before.sheep.length - after.sheep.length;
    const caught = before.wolves.reduce((sum, { id }) => sum + (before.eaters.get(id) ?? 0), 0);
    expect(gone).toBe(caught);
    eaten += gone;
  }
  expect(eaten).toBeGreaterThan(15);
  expect(world.crossings).toBeGreaterThan(50);
});

test('E2 born less dead are those alive, and both herds live on', { timeout: 60_000 }, async () => {
  const large = { kind: 'torus', width: 120, height: 120, cell: 15 } as const;
  const world = await testWorld(simulation, { space: large });
  const start = world.count;
  for (let round = 0; round < 10; round++) {
    world.run(60);
    expect(world.count).toBe(start + world.births - world.deaths);
    expect(world.all(Sheep).length).toBeGreaterThan(30);
    expect(world.all(Wolf).length).toBeGreaterThan(10);
  }
  expect(world.births).toBeGreaterThan(300);
});

test('T1 herds are the same in whatever order their cells are simulated', async () => {
  const run = async (cellOrder: 'ascending' | 'descending' | number) =>
    (await testWorld(simulation, { space, params: herds, cellOrder })).run(60).hash();
  const hash = await run('ascending');
  expect(await run('descending')).toBe(hash);
  expect(await run(5)).toBe(hash);
});
