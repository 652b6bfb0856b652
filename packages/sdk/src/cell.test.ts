import { bearerOf, counterOf, LeaseholdError } from '@leasehold/kernel';
import { decodeCommit, type LogEntry, StateHash } from '@leasehold/protocol';
import { Grid, type SpaceSpec } from '@leasehold/spatial';
import { describe, expect, test } from 'vitest';
import { type CellState, compile, type StepInput } from './engine.ts';
import { type AnyComponent, component, f32, f64, i32, simulation, string, system } from './index.ts';
import { type System, testWorld, u8 } from './index.ts';

const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Velocity = component('velocity', 1, { x: f64, y: f64 });
const Mark = component('mark', 1, { n: i32, text: string });
const Tag = component('tag', 1, {});
const components = [Position, Velocity, Mark, Tag];
const torus: SpaceSpec = { kind: 'torus', width: 40, height: 40, cell: 10 };

const drift = system({
  name: 'drift',
  reads: { velocity: Velocity },
  writes: { position: Position },
  each({ velocity, position }, { dtS }) {
    position.x += velocity.x * dtS;
    position.y += velocity.y * dtS;
  },
});

/** One cell without a world around it. */
function soloCell(systems: System[], used: AnyComponent[] = components): CellState {
  const grid = new Grid(torus);
  const declared = simulation({ components: used, systems });
  return compile(declared, { layer: 'main', grid, seed: 1, tickHz: 10, params: {} }).createCell(0);
}
const quiet = (tick: number): StepInput => ({
  ...{ tick, outSeq: 0, arrivals: [] },
  view: () => undefined,
});
const world = (systems: System[], entities: Parameters<typeof testWorld>[1]['entities'] = []) =>
  testWorld(simulation({ components, systems }), { space: torus, entities, verify: true });
async function failureOf(act: () => unknown): Promise<LeaseholdError> {
  try {
    await act();
  } catch (error) {
    if (error instanceof LeaseholdError) return error;
    throw error;
  }
  throw new Error('nothing failed');
}

describe('a step', () => {
  test('lets a system change what it writes, and tells who changed', async () => {
    const one = [Position({ x: 1, y: 2 }), Velocity({ x: 10 })];
    const here = await world([drift], [one, [Position({ x: 3, y: 3 })]]);
    expect(here.run(2).all(Position)).toMatchObject([
      { x: 3, y: 2 },
      { x: 3, y: 3 },
    ]);
  });

  test('of which nothing came is not changed, yet has a body that can be applied', () => {
    const cell = soloCell([drift]);
    const { changed, body } = cell.step(quiet(1));
    expect(changed).toBe(false);
    expect(decodeCommit(body, cell.table.schema).tick).toBe(1);
  });

  test('marks no field that was written with the value it had', async () => {
    const same = system({
      name: 'same',
      writes: { mark: Mark },
      each({ mark }, { tick }) {
        mark.n = 7;
        mark.text = tick < 2 ? 'a' : 'b';
      },
    });
    const cell = soloCell([same]);
    cell.restore({ cell: 0, entries: await seededEntries([[Mark({ n: 7, text: 'a' })]]) });
    expect(cell.step(quiet(1)).changed).toBe(false);
    const { changed, body } = cell.step(quiet(2));
    expect(changed).toBe(true);
    expect(decodeCommit(body, cell.table.schema).changes).toMatchObject([{ values: ['b'] }]);
  });

  test('refuses a tick that is past', () => {
    const cell = soloCell([drift]);
    cell.step(quiet(5));
    expect(() => cell.step(quiet(5))).toThrow(/past/);
  });

  test('runs every entity of ascending id once, also those that crossed a border', async () => {
    const runs: number[] = [];
    const count = system({
      name: 'count',
      writes: { mark: Mark },
      each({ mark }, { id }) {
        mark.n += 1;
        runs.push(id);
      },
    });
    const fast = [Position({ x: 5, y: 5 }), Velocity({ x: 99, y: 60 }), Mark()];
    const here = await world([drift, count], [fast]);
    here.run(20);
    expect(here.crossings).toBeGreaterThan(10);
    expect(here.all(Mark)).toMatchObject([{ n: 20 }]);
    expect(runs).toHaveLength(20);
  });

  test('takes an entity that is far from home one cell nearer each tick', async () => {
    const jump = system({
      name: 'jump',
      writes: { position: Position },
      each: ({ position }, { tick }) => void (tick === 1 && (position.x = 25)),
    });
    const here = await world([jump], [[Position({ x: 5, y: 5 })]]);
    here.run(1);
    expect(here.crossings).toBe(1);
    here.run(5);
    expect(here.crossings).toBe(2);
    expect(here.all(Position)).toMatchObject([{ x: 25, y: 5 }]);
  });

  test('wraps positions of 64 and of 32 bits into the space', async () => {
    const At = component('at', 1, { x: f32, y: f32 }, { spatial: ['x', 'y'] });
    const back = system({
      name: 'back',
      writes: { at: At },
      each({ at }) {
        at.x -= 1e-9;
        at.y += 41;
      },
    });
    const declared = simulation({ components: [At], systems: [back] });
    const here = await testWorld(declared, { space: torus, entities: [[At()]], verify: true });
    expect(here.run(1).all(At)).toMatchObject([{ x: 0, y: 1 }]);
  });

  test('leaves positions beyond the edge of a plane as they are', async () => {
    const out = [Position({ x: 39, y: 39 }), Velocity({ x: 100, y: 100 })];
    const plane: SpaceSpec = { ...torus, kind: 'plane' };
    const declared = simulation({ components, systems: [drift] });
    const here = await testWorld(declared, { space: plane, entities: [out], verify: true });
    expect(here.run(3).all(Position)).toMatchObject([{ x: 69, y: 69 }]);
  });
});

describe('births and deaths', () => {
  const bear = system({
    name: 'bear',
    reads: { position: Position, mark: Mark },
    each({ position, mark }, { spawn, tick }) {
      if (mark.n !== 0 || tick > 2) return;
      spawn(Position({ x: position.x, y: position.y }), Mark({ n: 1 }));
      spawn(Mark({ n: 2 }));
    },
  });
  const age = system({
    name: 'age',
    writes: { mark: Mark },
    each: ({ mark }, { tick }) => void (mark.text += tick),
  });

  test('take effect at the end of the tick: a newborn runs from the next one on', async () => {
    const here = await world([bear, age], [[Position({ x: 5, y: 5 }), Mark()]]);
    here.run(1);
    expect(here.all(Mark).map(({ text }) => text)).toEqual(['1', '', '']);
    here.run(2);
    expect(here.all(Mark).map(({ text }) => text)).toEqual(['123', '23', '23', '3', '3']);
  });

  test('give ids of the bearing cell in order, never twice', async () => {
    const here = await world([bear], [[Position({ x: 15, y: 5 }), Mark()]]);
    here.run(3);
    expect(here.ids().map(bearerOf)).toEqual([1, 1, 1, 1, 1]);
    expect(here.ids().map(counterOf)).toEqual([1, 2, 3, 4, 5]);
  });

  test('are told: a despawned entity runs to the end of its last tick', async () => {
    const end = system({
      name: 'end',
      reads: { position: Position },
      each: (_, { despawn, tick }) => void (tick === 2 && despawn()),
    });
    const here = await world([end, drift], [[Position({ x: 5, y: 5 }), Velocity()]]);
    expect(here.run(1).count).toBe(1);
    expect(here.run(1).count).toBe(0);
    expect(here.deaths).toBe(1);
  });

  test('of others are refused, but for a sequential system within the cell', async () => {
    const kill = (order: { order?: 'sequential' }) =>
      system({
        name: 'kill',
        ...order,
        reads: { position: Position },
        neighbours: { radius: 9, reads: {} },
        each(_, { neighbours, despawn }) {
          for (const { id } of neighbours) despawn(id);
        },
      });
    const two = [[Position({ x: 4, y: 4 })], [Position({ x: 5, y: 5 })]];
    const plain = await world([kill({})], two);
    expect((await failureOf(() => plain.run())).code).toBe('SYSTEM_FAILED');
    const sequential = await world([kill({ order: 'sequential' })], two);
    expect(sequential.run().count).toBe(0);
  });

  test('begin no later than the next tick for a newborn placed in another cell', async () => {
    const far = system({
      name: 'far',
      reads: { mark: Mark },
      each({ mark }, { spawn, tick }) {
        if (tick === 1 && mark.n === 0) spawn(Position({ x: 15, y: 5 }), Mark({ n: 1 }));
      },
    });
    const here = await world([far, age], [[Position({ x: 5, y: 5 }), Mark()]]);
    here.run(1);
    expect(here.crossings).toBe(0);
    here.run(1);
    expect(here.crossings).toBe(1);
    here.run(2);
    expect(here.all(Mark).map(({ text }) => text)).toEqual(['1234', '234']);
  });
});

describe('components of an entity', () => {
  test('can be added and removed, at the end of the tick', async () => {
    const change = system({
      name: 'change',
      reads: { position: Position },
      optional: { mark: Mark },
      each({ mark }, { add, remove, tick }) {
        if (tick === 1) add(Mark({ n: 5, text: 'new' }));
        if (tick === 3) expect(mark).toMatchObject({ n: 5, text: 'new' });
        if (tick === 3) remove(Mark);
        if (tick < 2 || tick > 3) expect(mark).toBeUndefined();
      },
    });
    const here = await world([change], [[Position({ x: 5, y: 5 })]]);
    expect(here.run(1).all(Mark)).toMatchObject([{ n: 5, text: 'new' }]);
    expect(here.run(2).all(Mark)).toEqual([]);
    here.run(2);
  });

  test('choose the systems: all of reads, writes and with, none of without', async () => {
    const seen: string[] = [];
    const see = (name: string, filter: object) =>
      system({
        name,
        reads: { mark: Mark },
        ...filter,
        each: ({ mark }) => void seen.push(`${name} ${mark.text}`),
      });
    const here = await world(
      [see('all', {}), see('with', { with: [Tag] }), see('without', { without: [Tag] })],
      [[Mark({ text: 'plain' })], [Mark({ text: 'tagged' }), Tag()], [Tag()]],
    );
    here.run();
    expect(seen).toEqual(['all plain', 'all tagged', 'with tagged', 'without plain']);
  });

  test('choose by change in the previous tick; newborns, arrivals and gains count', async () => {
    const seen: string[] = [];
    const see = system({
      name: 'see',
      reads: { position: Position },
      changed: [Mark],
      each: ({ position }, { tick }) => void seen.push(`${tick}:${position.y}`),
    });
    const count = system({
      name: 'count',
      writes: { mark: Mark },
      each: ({ mark }, { tick }) => void (tick % 3 === 0 && (mark.n += 1)),
    });
    const here = await world(
      [see, count, drift],
      [[Position({ x: 5, y: 1 }), Mark()], [Position({ x: 5, y: 2 }), Velocity({ x: 30 }), Mark()]],
    );
    here.run(7);
    // Tick 1: both new. 3 ticks of 3 reach past x = 10.2 in tick 2; 20.2 in tick 6.
    expect(seen).toEqual(['1:1', '1:2', '3:2', '4:1', '4:2', '7:1', '7:2']);
  });
});

describe('what a system sees', () => {
  const copy = (options: object) =>
    system({
      name: 'copy',
      writes: { mark: Mark },
      with: [Position],
      neighbours: { radius: 9, reads: { mark: Mark } },
      ...options,
      each({ mark }, { neighbours }) {
        for (const other of neighbours) mark.n = Math.max(mark.n, other.mark.n + 1);
      },
    });
  const at = (x: number, n: number) => [Position({ x, y: 5 }), Mark({ n })];

  test('of others is as of the end of the previous tick, own and ghosts alike', async () => {
    const here = await world([copy({})], [at(2, 0), at(8, 10), at(14, 0), at(20, 0)]);
    expect(here.run(1).all(Mark).map(({ n }) => n)).toEqual([11, 10, 11, 1]);
    expect(here.run(1).all(Mark).map(({ n }) => n)).toEqual([11, 12, 11, 12]);
  });

  test('of others is there once, though two views hold it, as a lagging halo may', async () => {
    const entries = await seededEntries([at(2, 0), at(8, 10)]);
    const count = system({
      name: 'count',
      writes: { mark: Mark },
      with: [Position],
      neighbours: { radius: 9, reads: { mark: Mark } },
      each: ({ mark }, { neighbours }) => void (mark.n = neighbours.count),
    });
    const [here, ghost] = [soloCell([count]), soloCell([count])];
    for (const cell of [here, ghost]) cell.restore({ cell: 0, entries });
    here.step({ ...quiet(1), view: () => ghost.latestView() });
    expect(here.table.columns.flat().map((column) => [...column.slice(0, 2)])).toContainEqual([1, 1]);
  });

  test('in sequential order is as of now in its cell, whatever the order of cells', async () => {
    const entities = Array.from({ length: 60 }, (_, i) => at((i * 7.3) % 40, i % 5));
    const declared = simulation({ components, systems: [copy({ order: 'sequential' })] });
    const run = async (cellOrder: 'ascending' | 'descending' | number, seed = 1) => {
      const here = await testWorld(declared, { space: torus, entities, cellOrder, seed, verify: true });
      return here.run(5);
    };
    const first = await run('ascending');
    expect((await run('descending')).hash()).toBe(first.hash());
    expect((await run(3)).hash()).toBe(first.hash());
    expect((await run('ascending', 2)).hash()).not.toBe(first.hash());
    const simultaneous = await testWorld(simulation({ components, systems: [copy({})] }), {
      ...{ space: torus, entities },
    });
    expect(simultaneous.run(5).hash()).not.toBe(first.hash());
  });

  test('in sequential order includes what another of its cell did before it', async () => {
    const chain = [at(1, 0), at(2, 0), at(3, 0)];
    const here = await world([copy({ order: 'sequential' })], chain);
    const values = here.run(1).all(Mark).map(({ n }) => n);
    expect([...values].sort()).toEqual([1, 2, 3]);
  });
});

describe('T1 a state', () => {
  const crowd = system({
    name: 'crowd',
    writes: { velocity: Velocity },
    with: [Position],
    neighbours: { radius: 9, reads: { velocity: Velocity } },
    each({ velocity }, { neighbours, random, spawn, despawn }) {
      for (const { dx, dy, distance, velocity: theirs } of neighbours) {
        velocity.x += (theirs.x - velocity.x) * 0.01 - (dx / (distance + 1)) * 0.1;
        velocity.y += (theirs.y - velocity.y) * 0.01 - (dy / (distance + 1)) * 0.1;
      }
      velocity.x += random.normal();
      if (random.chance(0.01)) spawn(Position({ x: random.between(0, 40), y: 7 }), Velocity({ y: 9 }));
      if (random.chance(0.01)) despawn();
    },
  });
  const declared = simulation({
    components,
    systems: [drift, crowd],
    seed({ random, spawn }) {
      for (let i = 0; i < 200; i++) {
        const place = Position({ x: random.between(0, 40), y: random.between(0, 40) });
        spawn(place, Velocity({ x: random.between(-30, 30), y: random.between(-30, 30) }));
      }
    },
  });

  test('is the same whatever the order of cells, and another for another seed', { timeout: 60_000 }, async () => {
    const run = async (cellOrder: 'ascending' | 'descending' | number, seed = 3) =>
      (await testWorld(declared, { space: torus, cellOrder, seed })).run(25).hash();
    const hash = await run('ascending');
    expect(await run('descending')).toBe(hash);
    expect(await run(11)).toBe(hash);
    expect(await run('ascending', 4)).not.toBe(hash);
  });

  test('is the same for who follows the log, and who loads a checkpoint', { timeout: 60_000 }, async () => {
    const here = await testWorld(declared, { space: torus, verify: true });
    expect(here.run(25).crossings).toBeGreaterThan(300);
    expect(here.births - here.deaths).toBe(here.count - 200);
  });

  test('E1 has every entity exactly once', async () => {
    const here = await testWorld(declared, { space: torus });
    for (let i = 0; i < 25; i++) {
      const ids = here.run(1).ids();
      expect(new Set(ids).size).toBe(ids.length);
    }
  });
});

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

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('that moves an entity to %f is named', async (bad) => {
    const lose = system({
      name: 'lose',
      writes: { position: Position },
      each: ({ position }, { tick }) => void (tick === 2 && (position.y = bad)),
    });
    const here = await world([lose], [[Position({ x: 5, y: 5 })]]);
    const error = await failureOf(() => here.run(2));
    expect(error.code).toBe('SPATIAL_NOT_FINITE');
    expect(error.message).toMatch(/lose.*position\.y.*entity 1 in cell 0 at tick 2/);
  });

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
    ['writes what it only reads', ({ position }: never) => void ((position as { x: number }).x = 1)],
    ['writes a fraction into an integer', ({ mark }: never) => void ((mark as { n: number }).n = 0.5)],
  ])('that %s fails', async (_, each) => {
    const cheat = system({
      ...{ name: 'cheat', reads: { position: Position }, writes: { mark: Mark } },
      each: each as never,
    });
    const here = await world([cheat], [[Position({ x: 5, y: 5 }), Mark()]]);
    expect((await failureOf(() => here.run())).code).toBe('SYSTEM_FAILED');
  });
});

async function seededEntries(entities: Parameters<typeof testWorld>[1]['entities']): Promise<LogEntry[]> {
  const seed = ({ spawn }: { spawn: (...values: never) => number }) =>
    entities?.forEach((values) => spawn(...(values as never)));
  const declared = simulation({ components, systems: [], seed });
  const options = { layer: 'main', grid: new Grid(torus), seed: 1, tickHz: 10, params: {} };
  const commits = await compile(declared, options).seed();
  const body = commits.get(0)?.body ?? new Uint8Array(0);
  return [{ seq: 1, version: 1, epoch: '1', prevHash: '', hash: '', tick: 0, body }];
}

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
