import { bearerOf, counterOf } from '@leasehold/kernel';
import { decodeCommit } from '@leasehold/protocol';
import type { SpaceSpec } from '@leasehold/spatial';
import { describe, expect, test } from 'vitest';
import {
  components,
  drift,
  failureOf,
  Mark,
  Position,
  quiet,
  seededEntries,
  soloCell,
  Tag,
  torus,
  Velocity,
  world,
} from './cell-test-bench.ts';
import { component, f32, simulation, system, testWorld } from './index.ts';

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

  test('of a cell in which nobody ever was needs no room for rows', () => {
    const [cell, other] = [soloCell([drift]), soloCell([drift])];
    for (const tick of [1, 2, 3, 4]) cell.step(quiet(tick));
    expect(cell.table.capacity).toBe(0);
    expect(cell.requests.births.capacity).toBe(0);
    expect(cell.requests.gone).toBe(other.requests.gone);
    expect(cell.latestView()?.ids).toBe(other.latestView()?.ids);
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
      each: ({ position }, { tick }) => {
        if (tick === 1) position.x = 25;
      },
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
    const plane: SpaceSpec = { kind: 'plane', width: 40, height: 40, cell: 10 };
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
    each: ({ mark }, { tick }) => {
      mark.text += tick;
    },
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

  test('are told: who ends itself runs to the end of its last tick', async () => {
    const ticks: number[] = [];
    const end = system({
      name: 'end',
      reads: { position: Position },
      each: (_, { despawn, tick }) => void (tick === 2 && despawn()),
    });
    const later = system({
      name: 'later',
      reads: { position: Position },
      after: ['end'],
      each: (_, { tick }) => void ticks.push(tick),
    });
    const here = await world([end, later], [[Position({ x: 5, y: 5 }), Velocity()]]);
    expect(here.run(1).count).toBe(1);
    expect(here.run(2).count).toBe(0);
    expect(here.deaths).toBe(1);
    expect(ticks).toEqual([1, 2]);
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
    expect(sequential.run().count).toBe(1);
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
      each: ({ mark }, { tick }) => {
        if (tick % 3 === 0) mark.n += 1;
      },
    });
    const here = await world(
      [see, count, drift],
      [
        [Position({ x: 5, y: 1 }), Mark()],
        [Position({ x: 5, y: 2 }), Velocity({ x: 30 }), Mark()],
      ],
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
    expect(
      here
        .run(1)
        .all(Mark)
        .map(({ n }) => n),
    ).toEqual([11, 10, 11, 1]);
    expect(
      here
        .run(1)
        .all(Mark)
        .map(({ n }) => n),
    ).toEqual([11, 12, 11, 12]);
  });

  test('of others is there once, though two views hold it, as a lagging halo may', async () => {
    const entries = await seededEntries([at(2, 0), at(8, 10)]);
    const count = system({
      name: 'count',
      writes: { mark: Mark },
      with: [Position],
      neighbours: { radius: 9, reads: { mark: Mark } },
      each: ({ mark }, { neighbours }) => {
        mark.n = neighbours.count;
      },
    });
    const [here, ghost] = [soloCell([count]), soloCell([count])];
    for (const cell of [here, ghost]) cell.restore({ cell: 0, entries });
    here.step({ ...quiet(1), view: () => ghost.latestView() });
    expect(here.table.columns.flat().map((column) => [...column.slice(0, 2)])).toContainEqual([
      1, 1,
    ]);
  });

  test('in sequential order is as of now in its cell, whatever the order of cells', async () => {
    const entities = Array.from({ length: 60 }, (_, i) => at((i * 7.3) % 40, i % 5));
    const declared = simulation({ components, systems: [copy({ order: 'sequential' })] });
    const run = async (cellOrder: 'ascending' | 'descending' | number, seed = 1) => {
      const here = await testWorld(declared, {
        space: torus,
        entities,
        cellOrder,
        seed,
        verify: true,
      });
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
    const values = here
      .run(1)
      .all(Mark)
      .map(({ n }) => n);
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
      if (random.chance(0.01))
        spawn(Position({ x: random.between(0, 40), y: 7 }), Velocity({ y: 9 }));
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

  test('is the same whatever the order of cells, and another for another seed', {
    timeout: 60_000,
  }, async () => {
    const run = async (cellOrder: 'ascending' | 'descending' | number, seed = 3) =>
      (await testWorld(declared, { space: torus, cellOrder, seed })).run(25).hash();
    const hash = await run('ascending');
    expect(await run('descending')).toBe(hash);
    expect(await run(11)).toBe(hash);
    expect(await run('ascending', 4)).not.toBe(hash);
  });

  test('is the same for who follows the log, and who loads a checkpoint', {
    timeout: 60_000,
  }, async () => {
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
