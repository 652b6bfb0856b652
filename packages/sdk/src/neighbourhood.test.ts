/**
 * Goal: who is near whom depends on positions at the end of the previous tick alone; cells,
 * borders, crossings, births and seams cannot be told from it. They may be told when radius and way
 * of a tick together exceed `radiusMax`; here they do not.
 * Method: entities write down whom they see while they move, and every answer is compared with a
 * search through all pairs.
 */
import { createRandom } from '@leasehold/kernel';
import { Grid, type SpaceSpec } from '@leasehold/spatial';
import { describe, expect, test } from 'vitest';
import {
  component,
  f64,
  json,
  simulation,
  system,
  type TestWorld,
  testWorld,
  u32,
} from './index.ts';

const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Motion = component('motion', 1, { x: f64, y: f64 });
type Seen = readonly (readonly [id: number, distance: number, x: number])[];
const Sight = component('sight', 1, { count: u32, seen: json<Seen>([]) });
const Hidden = component('hidden', 1, {});

const look = (radius: number, before: string[] = ['move']) =>
  system({
    name: 'look',
    before,
    writes: { sight: Sight },
    without: [Hidden],
    neighbours: { radius, reads: { at: Position, sight: Sight } },
    each({ sight }, { neighbours }) {
      sight.seen = Array.from(neighbours, ({ id, distance, at }) => [id, distance, at.x] as const);
      sight.count = neighbours.count;
    },
  });

const move = system({
  name: 'move',
  writes: { position: Position, motion: Motion },
  each({ position, motion }, { dtS, random, spawn, despawn }) {
    if (random.chance(0.03)) {
      spawn(Position({ x: position.x, y: position.y }), Motion({ x: motion.y }), Sight());
    }
    position.x += motion.x * dtS;
    position.y += motion.y * dtS;
    if (random.chance(0.03)) despawn();
  },
});

const spaces: Record<string, { space: SpaceSpec; radius: number; speed: number }> = {
  'a plane': { space: { kind: 'plane', width: 60, height: 40, cell: 10 }, radius: 5.5, speed: 40 },
  'a torus': { space: { kind: 'torus', width: 50, height: 40, cell: 10 }, radius: 5.5, speed: 40 },
  'a torus of 3 × 3 cells': {
    space: { kind: 'torus', width: 30, height: 30, cell: 10 },
    radius: 5.5,
    speed: 40,
  },
  'the Earth': { space: { kind: 'wgs84', cell: 30 }, radius: 250_000, speed: 20 },
};

function expected(world: TestWorld, grid: Grid, radius: number): Map<number, Seen> {
  const all = world.all(Position);
  const seeing = new Set(world.all(Sight).map(({ id }) => id));
  const near = (a: (typeof all)[number]): Seen =>
    all.flatMap((b) => {
      const distance = grid.distance(a.x, a.y, b.x, b.y);
      return b.id !== a.id && distance <= radius && seeing.has(b.id) ? [[b.id, distance, b.x]] : [];
    });
  return new Map(all.filter(({ id }) => seeing.has(id)).map((a) => [a.id, near(a)]));
}

describe.each(Object.entries(spaces))('neighbours on %s', (_, { space, radius, speed }) => {
  test.each([1, 7])(
    'are all others in reach, ascending by id (seed %i)',
    { timeout: 60_000 },
    async (seed) => {
      const grid = new Grid(space);
      const random = createRandom(seed);
      const isEarth = space.kind === 'wgs84';
      const entities = Array.from({ length: 120 }, (_, i) => {
        const x = isEarth ? random.between(170, 190) : random.between(0, grid.width);
        const y = isEarth ? random.between(50, 84) : random.between(0, grid.height);
        const place = Position({ x: grid.wrapX(x), y });
        const motion = Motion({
          x: random.between(-speed, speed),
          y: random.between(-speed, speed),
        });
        // Some have no sight: they are no neighbours of anybody.
        return i % 10 === 0 ? [place, motion] : [place, motion, Sight()];
      });
      const declared = simulation({
        components: [Position, Motion, Sight, Hidden],
        systems: [look(radius), move],
      });
      const world = await testWorld(declared, { space, seed, entities, verify: true });
      let pairs = 0;
      for (let tick = 0; tick < 12; tick++) {
        const before = expected(world, grid, radius);
        world.run();
        for (const { id, seen, count } of world.all(Sight)) {
          const wanted = before.get(id);
          if (wanted === undefined) continue; // Born in this tick: has not looked yet.
          expect(seen, `seed ${seed} tick ${world.tick} entity ${id}`).toEqual(wanted);
          expect(count).toBe(wanted.length);
          pairs += count;
        }
      }
      expect(pairs).toBeGreaterThan(200);
      if (!isEarth) expect(world.crossings).toBeGreaterThan(100);
      expect(world.births).toBeGreaterThan(10);
      expect(world.deaths).toBeGreaterThan(10);
    },
  );
});

describe('a list of neighbours', () => {
  const at = (...xs: number[]) => xs.map((x) => [Position({ x, y: 5 }), Sight()]);
  const space: SpaceSpec = { kind: 'torus', width: 40, height: 40, cell: 10 };

  test('may be looped over within itself, and left early', async () => {
    const found: number[][] = [];
    const pairs = system({
      name: 'pairs',
      reads: { position: Position },
      neighbours: { radius: 5, reads: { at: Position } },
      each(_, { neighbours, id }) {
        for (const a of neighbours) {
          for (const b of neighbours) {
            if (b.id >= a.id) break;
            found.push([id, a.at.x, b.at.x]);
          }
        }
      },
    });
    const declared = simulation({ components: [Position, Sight], systems: [pairs] });
    const world = await testWorld(declared, { space, entities: at(1, 2, 3) });
    world.run();
    const [first, second, third] = world.ids();
    expect(found).toEqual([
      [first, 3, 2],
      [second, 3, 1],
      [third, 2, 1],
    ]);
  });

  test('tells the way across the seam', async () => {
    const found: number[][] = [];
    const way = system({
      name: 'way',
      reads: { position: Position },
      neighbours: { radius: 5, reads: {} },
      each({ position }, { neighbours }) {
        for (const { dx, dy, distance } of neighbours) found.push([position.x, dx, dy, distance]);
      },
    });
    const declared = simulation({ components: [Position, Sight], systems: [way] });
    (await testWorld(declared, { space, entities: at(1, 38) })).run();
    expect(found).toEqual([
      [1, -3, 0, 3],
      [38, 3, 0, 3],
    ]);
  });

  test('holds who stands exactly at the radius', async () => {
    const declared = simulation({ components: [Position, Sight, Hidden], systems: [look(3, [])] });
    const world = await testWorld(declared, { space, entities: at(8, 11, 14.000001) });
    expect(
      world
        .run()
        .all(Sight)
        .map(({ count }) => count),
    ).toEqual([1, 1, 0]);
  });

  test('holds hundreds, each once and in order', async () => {
    const declared = simulation({ components: [Position, Sight, Hidden], systems: [look(3, [])] });
    const xs = Array.from({ length: 300 }, (_, i) => 10 + ((i * 7.13) % 5.9));
    const world = await testWorld(declared, { space, entities: at(...xs) });
    for (const { seen, count } of world.run().all(Sight)) {
      const ids = seen.map(([id]) => id as number);
      expect(new Set(ids).size).toBe(count);
      expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    }
    const near = xs.map((x) => xs.filter((other) => Math.abs(other - x) <= 3).length - 1);
    expect(world.all(Sight).map(({ count }) => count)).toEqual(near);
  });
});
