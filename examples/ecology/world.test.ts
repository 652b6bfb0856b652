/**
 * Goal: meals, births and deaths happen once, over borders too, and ledgers say so. Method: worlds by
 * hand, here in one layer; `packages/proof` has the same on pods for each of three.
 */
import { type ComponentValue, type TestWorld, testWorld } from '@leasehold/sdk';
import { expect, test } from 'vitest';
import simulation, {
  animal,
  Energy,
  Grass,
  Ledger,
  Position,
  Sheep,
  Sward,
  Wolf,
} from './world.ts';

const space = { kind: 'torus', width: 60, height: 60, cell: 15 } as const;
/** Nobody moves, is hungry or multiplies: what is left is who eats whom. */
const still = {
  ...{ sheepSpeed: 0, wolfSpeed: 0, sheepHungerPerS: 0, wolfHungerPerS: 0 },
  ...{ sheepBirthsPerS: 0, wolfBirthsPerS: 0 },
};

const at = (species: typeof Wolf, x: number, n: number) =>
  animal(species, { x, y: 5 }, { n, angle: 1, tick: 0 });
const sheepAt = (x: number, n = 500) => at(Sheep, x, n);
const wolfAt = (x: number, n = 50) => at(Wolf, x, n);
const tuftAt = (x: number) => [Position({ x, y: 5 }), Grass(), Sward(), Ledger()];
const placed = (entities: (readonly ComponentValue[])[], params: object = {}) =>
  testWorld(simulation, { space, entities, params: { ...still, ...params }, verify: true });

function energies(world: TestWorld, species: typeof Wolf): number[] {
  const ids = new Set(world.all(species).map(({ id }) => id));
  return world.all(Energy).flatMap(({ id, n }) => (ids.has(id) ? [n] : []));
}

function sums(world: TestWorld) {
  const sum = { asked: 0, fed: 0, missed: 0, back: 0, given: 0, births: 0, deaths: 0 };
  for (const ledger of world.all(Ledger)) {
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += ledger[name];
  }
  return sum;
}

test('M1 a sheep between two wolves feeds one, and leaves its ledger with a tuft', async () => {
  const world = await placed([tuftAt(6), sheepAt(5), wolfAt(4.4), wolfAt(5.6)]);
  world.run(30);
  expect(world.all(Sheep)).toEqual([]);
  expect(energies(world, Wolf).sort((a, b) => a - b)).toEqual([50, 130]);
  expect(sums(world)).toMatchObject({ fed: 1, given: 1, deaths: 1, births: 0 });
  expect(world.all(Grass)).toHaveLength(1);
});

test('M1 a sheep is eaten over the border of a cell, and of the torus', async () => {
  for (const [sheep, wolf] of [
    [14.9, 15.1],
    [0.2, 59.8],
  ] as const) {
    const world = await placed([tuftAt(sheep), sheepAt(sheep), wolfAt(wolf)]);
    world.run(30);
    expect(world.all(Sheep)).toEqual([]);
    expect(energies(world, Wolf)).toEqual([130]);
    expect(sums(world)).toMatchObject({ asked: 1, fed: 1, given: 1, deaths: 1 });
  }
});

test('M1 a tuft feeds one sheep, and again when it is grown again', async () => {
  const world = await placed([tuftAt(5), sheepAt(5.5, 50), sheepAt(4.8, 50)], { regrowthS: 3 });
  world.run(20);
  expect(energies(world, Sheep).sort((a, b) => a - b)).toEqual([50, 110]);
  world.run(30);
  expect(sums(world)).toMatchObject({ fed: 2, given: 2, deaths: 0 });
});

test('who starves is gone, and what it did is not', async () => {
  const world = await placed([tuftAt(5), sheepAt(5, 70)], {
    sheepHungerPerS: 10,
    regrowthS: 1_000,
  });
  world.run(200);
  expect(world.all(Sheep)).toEqual([]);
  expect(sums(world)).toMatchObject({ asked: 1, fed: 1, given: 1, deaths: 1 });
});

test('E2 a child has what its mother paid', async () => {
  const world = await placed([sheepAt(5, 100)], { sheepBirthsPerS: 10, sheepFull: 0 });
  world.run(50);
  expect(energies(world, Sheep)).toEqual([55, 45]);
  expect(sums(world)).toMatchObject({ births: 1, deaths: 0 });
});

const herds = { tufts: 20, sheep: 120, wolves: 40 };
const wide = { kind: 'torus', width: 80, height: 80, cell: 16 } as const;

test('E2 M1 ledgers balance when a world comes to rest', async () => {
  const fast = { regrowthS: 4, sheepHungerPerS: 12, wolfHungerPerS: 24, untilTick: 150 };
  const params = { ...herds, ...fast, sheepBirthsPerS: 0.6, wolfBirthsPerS: 0.6 };
  const world = await testWorld(simulation, { space: wide, params, verify: true });
  world.run(180);
  const { asked, fed, missed, back, given, births, deaths } = sums(world);
  expect({ births, deaths }).toEqual({ births: world.births, deaths: world.deaths });
  expect(given).toBe(fed);
  expect(fed + missed + back).toBe(asked);
  expect(Math.min(births, deaths)).toBeGreaterThan(50);
  expect(world.crossings).toBeGreaterThan(100);
});

test('T1 herds are the same in whatever order their cells are simulated', async () => {
  const run = async (cellOrder: 'ascending' | 'descending' | number) =>
    (await testWorld(simulation, { space: wide, params: herds, cellOrder })).run(60).hash();
  const hash = await run('ascending');
  expect(await run('descending')).toBe(hash);
  expect(await run(5)).toBe(hash);
});
