/**
 * Goal: who stands in which square is what a look at everybody says, wherever borders of cells run,
 * and while agents move and end each other one by one. Method: entities write down whom they see,
 * and every answer is compared with a search through all.
 */
import { createRandom } from '@leasehold/kernel';
import type { SpaceSpec } from '@leasehold/spatial';
import { describe, expect, test } from 'vitest';
import {
  component,
  f64,
  json,
  type Simulation,
  simulation,
  system,
  testWorld,
  u8,
} from './index.ts';

const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Tag = component('tag', 1, { n: u8 });
const Sight = component('sight', 1, { seen: json<readonly number[]>([]) });

type Spot = { id: number; x: number; y: number };

/** Ids in the squares around, square by square and then by id: by looking at everybody. */
function around(all: readonly Spot[], self: Spot, reach: number, space: SpaceSpec): number[] {
  const extent = space.kind === 'torus' ? [space.width, space.height] : [0, 0];
  const from = (first: number, at: number, size = 0) =>
    size === 0 ? at - first : (((at - first) % size) + size) % size;
  return all
    .filter(({ id }) => id !== self.id)
    .map(({ id, x, y }) => ({
      id,
      column: from(Math.floor(self.x) - reach, Math.floor(x), extent[0]),
      row: from(Math.floor(self.y) - reach, Math.floor(y), extent[1]),
    }))
    .filter(({ column, row }) => Math.min(column, row) >= 0 && Math.max(column, row) <= 2 * reach)
    .sort((a, b) => a.row - b.row || a.column - b.column || a.id - b.id)
    .map(({ id }) => id);
}

const spaces: [string, SpaceSpec][] = [
  ['a plane', { kind: 'plane', width: 30, height: 24, cell: 6 }],
  ['a plane whose cells cut squares', { kind: 'plane', width: 30, height: 24, cell: 5.3 }],
  ['a torus', { kind: 'torus', width: 30, height: 24, cell: 6 }],
  ['a torus of 3 × 3 cells', { kind: 'torus', width: 18, height: 18, cell: 6 }],
  ['a torus of one cell', { kind: 'torus', width: 12, height: 12, cell: 12 }],
];

const scattered = (count: number, space: SpaceSpec, seed: number) => {
  const random = createRandom(seed);
  const { width, height } = space as { width: number; height: number };
  return Array.from({ length: count }, () => {
    const x = random.between(0, width);
    const y = random.between(0, height);
    // Some stand on the very edge of a square.
    return random.chance(0.3) ? { x: Math.floor(x), y: Math.floor(y) } : { x, y };
  });
};

describe.each(spaces)('squares on %s', (_, space) => {
  test.each([0, 1, 3])(
    'hold whoever stood there, whatever its cell (reach %i)',
    {
      timeout: 60_000,
    },
    async (reach) => {
      const look = system({
        name: 'look',
        before: ['move'],
        writes: { sight: Sight },
        reads: { position: Position },
        neighbours: { squares: reach, reads: { tag: Tag } },
        each({ sight, position: { x, y } }, { neighbours }) {
          sight.seen = Array.from(neighbours, ({ id, tag }) => (tag.n === 7 ? id : Number.NaN));
          expect(neighbours.count).toBe(sight.seen.length);
          const there = Array.from(neighbours.at(x, y), ({ id }) => id);
          expect(there.every((id) => sight.seen.includes(id))).toBe(true);
        },
      });
      const move = system({
        name: 'move',
        writes: { position: Position },
        each({ position }, { random }) {
          position.x += random.between(-2, 2);
          position.y += random.between(-2, 2);
        },
      });
      const declared = simulation({ components: [Position, Tag, Sight], systems: [look, move] });
      const entities = scattered(150, space, 3 + reach).map((at, i) =>
        i % 5 === 0 ? [Position(at), Sight()] : [Position(at), Tag({ n: 7 }), Sight()],
      );
      const world = await testWorld(declared, { space, entities, verify: true });
      for (let tick = 0; tick < 4; tick++) {
        const all = world.all(Position);
        const tagged = new Set(world.all(Tag).map(({ id }) => id));
        const expected = new Map(
          all.map((self) => [
            self.id,
            around(
              all.filter(({ id }) => tagged.has(id)),
              self,
              reach,
              space,
            ),
          ]),
        );
        world.run();
        for (const { id, seen } of world.all(Sight)) expect(seen).toEqual(expected.get(id));
      }
    },
  );
});

/** Everybody looks, changes and ends others, and moves; a shadow of the world says what it meets. */
function crowd(space: SpaceSpec, shadow: Map<number, Spot>, looks: { count: number }): Simulation {
  const act = system({
    name: 'act',
    order: 'sequential',
    writes: { position: Position },
    neighbours: { squares: 2, writes: { at: Position, tag: Tag } },
    each({ position }, { id, neighbours, random, despawn, space: grid }) {
      const self = shadow.get(id) as Spot;
      expect({ x: position.x, y: position.y }).toEqual({ x: self.x, y: self.y });
      const expected = around([...shadow.values()], self, 2, space);
      expect(Array.from(neighbours, (other) => other.id)).toEqual(expected);
      looks.count += expected.length;
      for (const other of neighbours) {
        expect(other.isOwn).toBe(true);
        const { x, y } = shadow.get(other.id) as Spot;
        expect([other.at.x, other.at.y]).toEqual([x, y]);
        expect(other.dx).toBeCloseTo(grid.deltaX(self.x, x), 12);
        expect(other.distance).toBeCloseTo(grid.distance(self.x, self.y, x, y), 12);
        if (!other.isOwn) continue;
        if (random.chance(0.02)) {
          despawn(other.id);
          shadow.delete(other.id);
        } else if (random.chance(0.1)) {
          other.at.x += 1.5;
          other.tag.n += 1;
          (shadow.get(other.id) as Spot).x += 1.5;
        }
      }
      const there = { id, x: self.x + random.below(5) - 2, y: self.y + random.below(5) - 2 };
      const met = around([...shadow.values()], there, 0, space);
      expect(Array.from(neighbours.at(there.x, there.y), (other) => other.id)).toEqual(met);
      const anywhere = { id: 0, x: random.below(12), y: random.below(12) };
      for (const reach of [0, 1]) {
        const count = around([...shadow.values()], anywhere, reach, space).length;
        expect(neighbours.countAt(anywhere.x, anywhere.y, reach)).toBe(count);
      }
      Object.assign(position, { x: there.x, y: there.y });
      Object.assign(self, { x: there.x, y: there.y });
    },
  });
  return simulation({ components: [Position, Tag], systems: [act] });
}

describe('squares of a sequential system', () => {
  test.each<[string, SpaceSpec]>([
    ['a torus', { kind: 'torus', width: 12, height: 12, cell: 12 }],
    ['a plane', { kind: 'plane', width: 12, height: 12, cell: 12 }],
  ])(
    'are as of now, whoever was moved or ended before, on %s',
    {
      timeout: 60_000,
    },
    async (_, space) => {
      const shadow = new Map<number, Spot>();
      const looks = { count: 0 };
      const declared = crowd(space, shadow, looks);
      const entities = scattered(80, space, 5).map((at) => [Position(at), Tag()]);
      const world = await testWorld(declared, { space, entities, verify: true });
      for (let tick = 0; tick < 8; tick++) {
        shadow.clear();
        for (const { id, x, y } of world.all(Position)) shadow.set(id, { id, x, y });
        world.run();
        expect(world.count).toBe(shadow.size);
      }
      expect(looks.count).toBeGreaterThan(500);
      expect(world.deaths).toBeGreaterThan(10);
    },
  );

  const far: SpaceSpec = { kind: 'torus', width: 24, height: 24, cell: 6 };
  const shove = system({
    name: 'shove',
    order: 'sequential',
    writes: { position: Position, tag: Tag },
    neighbours: { squares: 2, writes: { at: Position, other: Tag } },
    each({ position, tag }, { id, neighbours, random, despawn }) {
      // Who has just come is in the table, and still in what the cell it left was seen to hold.
      const ids = [id, ...Array.from(neighbours, (one) => one.id)];
      if (new Set(ids).size < ids.length) throw new Error(`${id} sees somebody twice`);
      for (const one of neighbours) {
        tag.n = (tag.n + one.other.n + Math.floor(one.at.x)) % 200;
        if (!one.isOwn || one.distance > 1.5) continue;
        one.at.x += one.dx * 0.5;
        one.other.n = (one.other.n + 1) % 200;
        if (tag.n === 13) despawn(one.id);
      }
      position.y += random.between(-1, 1);
    },
  });

  test('T1 give one hash whatever the order of cells', { timeout: 60_000 }, async () => {
    const declared = simulation({ components: [Position, Tag], systems: [shove] });
    const entities = scattered(200, far, 8).map((at, i) => [Position(at), Tag({ n: i })]);
    const run = async (cellOrder: 'ascending' | 'descending' | number) => {
      const world = await testWorld(declared, { space: far, entities, cellOrder, verify: true });
      world.run(12);
      expect(Math.min(world.crossings, world.deaths)).toBeGreaterThan(5);
      return world.hash();
    };
    const hash = await run('ascending');
    expect(await run('descending')).toBe(hash);
    expect(await run(4)).toBe(hash);
  });
});

describe('squares are refused', () => {
  const plane: SpaceSpec = { kind: 'plane', width: 20, height: 20, cell: 10 };
  const start = (
    squares: number,
    space: SpaceSpec = plane,
    act: (neighbours: { at(x: number, y: number): unknown }) => unknown = () => 0,
  ) => {
    const look = system({
      ...{ name: 'look', reads: { position: Position } },
      neighbours: { squares },
      each: (_, { neighbours }) => void act(neighbours),
    });
    const declared = simulation({ components: [Position], systems: [look] });
    return testWorld(declared, { space, entities: [[Position({ x: 5, y: 5 })]] });
  };

  test.each([-1, 0.5, Number.NaN])('if %d of them are no whole number', async (squares) => {
    await expect(start(squares)).rejects.toMatchObject({
      code: 'SYSTEM_INVALID',
      detail: { field: 'look.neighbours.squares' },
    });
  });

  test('where a space has none, or cells are too small or too large for them', async () => {
    const invalid = { code: 'SYSTEM_INVALID', detail: { field: 'look.neighbours.squares' } };
    await expect(start(1, { kind: 'wgs84', cell: 30 })).rejects.toMatchObject(invalid);
    const odd: SpaceSpec = { kind: 'torus', width: 10.5, height: 10, cell: 3.5 };
    await expect(start(1, { ...odd, height: 10.5 })).rejects.toMatchObject(invalid);
    const vast: SpaceSpec = { kind: 'plane', width: 5000, height: 5000, cell: 5000 };
    await expect(start(1, vast)).rejects.toMatchObject(invalid);
    await expect(start(9)).rejects.toMatchObject({
      code: 'RADIUS_TOO_LARGE',
      detail: { field: 'look.neighbours.squares' },
    });
  });

  test('beside a radius', () => {
    const both = { radius: 1, squares: 1 } as unknown as { squares: number };
    expect(() => system({ name: 'both', neighbours: both, each: () => undefined })).toThrow(
      expect.objectContaining({ code: 'SYSTEM_INVALID' }),
    );
  });

  test('beyond those declared, and where a radius is declared', async () => {
    const near = await start(1, plane, (neighbours) => neighbours.at(6.9, 4));
    expect(near.run(1).count).toBe(1);
    const beyond = await start(1, plane, (neighbours) => neighbours.at(7, 5));
    expect(() => beyond.run()).toThrow(expect.objectContaining({ code: 'SYSTEM_FAILED' }));
    const look = system({
      ...{ name: 'look', reads: { position: Position }, order: 'sequential' },
      neighbours: { radius: 1 },
      each: ({ position: { x, y } }, { neighbours }) => void neighbours.at(x, y),
    });
    const count = system({
      ...{ name: 'count', reads: { position: Position }, order: 'sequential' },
      neighbours: { radius: 1 },
      each: ({ position: { x, y } }, { neighbours }) => void neighbours.countAt(x, y),
    });
    for (const one of [look, count]) {
      const declared = simulation({ components: [Position], systems: [one] });
      const entities = [[Position({ x: 5, y: 5 })]];
      const world = await testWorld(declared, { space: plane, entities });
      expect(() => world.run()).toThrow(expect.objectContaining({ code: 'SYSTEM_FAILED' }));
    }
  });
});
