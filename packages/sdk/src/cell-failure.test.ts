import { type LogEntry, StateHash } from '@leasehold/protocol';
import { describe, expect, test } from 'vitest';
import {
  drift,
  failureOf,
  Mark,
  Position,
  quiet,
  seededEntries,
  soloCell,
  torus,
  Velocity,
  world,
} from './cell-test-bench.ts';
import { component, f32, f64, i32, simulation, string, system, testWorld, u8 } from './index.ts';

describe('a failing system', () => {
  test('is named with entity, cell, tick and cause, and spoils only its cell', async () => {
    const cell = soloCell([
      system({
        name: 'broken',
        reads: { mark: Mark },
        each() {
          throw new RangeError('no such thing');
        },
      }),
    ]);
    const entries = await seededEntries([[Mark()]]);
    cell.restore({ cell: 0, entries });
    const error = await failureOf(() => cell.step(quiet(3)));
    expect(error.code).toBe('SYSTEM_FAILED');
    expect(error.message).toMatch(/broken.*entity 1 in cell 0 at tick 3.*no such thing/);
    expect(error.cause).toBeInstanceOf(RangeError);
    expect(() => cell.step(quiet(3))).toThrow(/restored/);
    expect(cell.restore({ cell: 0, entries })).toEqual([]);
    expect(cell.tick).toBe(0);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'that moves an entity to %f is named',
    async (bad) => {
      const lose = system({
        name: 'lose',
        writes: { position: Position },
        each: ({ position }, { tick }) => {
          if (tick === 2) position.y = bad;
        },
      });
      const here = await world([lose], [[Position({ x: 5, y: 5 })]]);
      const error = await failureOf(() => here.run(2));
      expect(error.code).toBe('SPATIAL_NOT_FINITE');
      expect(error.message).toMatch(/lose.*position\.y.*entity 1 in cell 0 at tick 2/);
    },
  );

  test('that bears an entity nowhere is named', async () => {
    const lose = system({
      name: 'lose',
      reads: { position: Position },
      each: (_, { spawn }) => void spawn(Position({ x: Number.NaN })),
    });
    const here = await world([lose], [[Position({ x: 5, y: 5 })]]);
    expect((await failureOf(() => here.run())).code).toBe('SPATIAL_NOT_FINITE');
  });

  test.each([
    [
      'writes what it only reads',
      ({ position }: never) => {
        (position as { x: number }).x = 1;
      },
    ],
    [
      'writes a fraction into an integer',
      ({ mark }: never) => {
        (mark as { n: number }).n = 0.5;
      },
    ],
  ])('that %s fails', async (_, each) => {
    const cheat = system({
      ...{ name: 'cheat', reads: { position: Position }, writes: { mark: Mark } },
      each: each as never,
    });
    const here = await world([cheat], [[Position({ x: 5, y: 5 }), Mark()]]);
    expect((await failureOf(() => here.run())).code).toBe('SYSTEM_FAILED');
  });
});

describe('a restored cell', () => {
  test('applies entries up to a tick and gives back the others', async () => {
    const entries = await seededEntries([[Position({ x: 5, y: 5 }), Velocity({ x: 10 })]]);
    const cell = soloCell([drift]);
    cell.restore({ cell: 0, entries });
    for (let tick = 1; tick <= 4; tick++) {
      const { body } = cell.step(quiet(tick));
      entries.push({ ...(entries[0] as LogEntry), seq: tick + 1, tick, body });
    }
    const other = soloCell([drift]);
    const left = other.restore({ cell: 0, entries }, 2);
    expect(left.map(({ tick }) => tick)).toEqual([3, 4]);
    expect(other.tick).toBe(2);
    for (const entry of left) other.apply(entry);
    const hashes = [cell, other].map((state) => {
      const hash = new StateHash();
      hash.add(state.table);
      return hash.hex(state.tick);
    });
    expect(hashes[0]).toBe(hashes[1]);
  });
});

describe('random draws', () => {
  test('depend on seed, entity, tick and system alone, and go on within one call', async () => {
    const drawn = new Map<string, number[]>();
    const draw = (name: string) =>
      system({
        name,
        reads: { mark: Mark },
        each(_, context) {
          const { random, id, tick } = context;
          drawn.set(`${name} ${id} ${tick}`, [random.next(), context.random.next()]);
        },
      });
    const here = await world([draw('one'), draw('two')], [[Mark()], [Mark()]]);
    here.run(2);
    const all = [...drawn.values()].flat();
    expect(new Set(all).size).toBe(16);
    const again = new Map(drawn);
    await world([draw('two'), draw('one')], [[Mark()], [Mark()]]).then((same) => same.run(2));
    expect(drawn).toEqual(again);
  });
});

test('fields of every kind go through systems and logs unchanged', async () => {
  const All = component('all', 1, { a: f32, b: u8, c: i32, d: string, e: f64 });
  const change = system({
    name: 'change',
    writes: { all: All },
    each({ all }, { tick }) {
      all.a = 0.1 * tick;
      all.b = tick;
      all.c = -tick;
      all.d = `tick ${tick}`;
      all.e = -0;
    },
  });
  const declared = simulation({ components: [All], systems: [change] });
  const here = await testWorld(declared, { space: torus, entities: [[All()]], verify: true });
  const [found] = here.run(3).all(All);
  expect(found).toMatchObject({ a: Math.fround(0.1 * 3), b: 3, c: -3, d: 'tick 3' });
  expect(Object.is(found?.e, -0)).toBe(true);
});
