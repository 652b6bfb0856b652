/**
 * Goal: in sequential order, rows of a cell act one by one and feel at once what was done to them;
 * rows of other cells stay as of the previous tick. Method: small cases by hand.
 */
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
import {
  type AnyComponent,
  component,
  f32,
  type Neighbours,
  simulation,
  system,
  testWorld,
} from './index.ts';

const at = (x: number, n = 0, text = '') => [Position({ x, y: 5 }), Mark({ n, text })];
const neighbours = { radius: 9, writes: { mark: Mark } } as const;
type Marked = Neighbours<Record<never, never>, { mark: typeof Mark }>;
/** The entity whose text is `a` acts; the others are there to be acted upon. */
const byA = (act: (neighbours: Marked, despawn: (id?: number) => void) => void) =>
  system({
    name: 'act',
    order: 'sequential',
    reads: { mark: Mark },
    neighbours,
    each({ mark }, context) {
      if (mark.text === 'a') act(context.neighbours, context.despawn);
    },
  });

describe('a sequential system', () => {
  test('may change the neighbours of its cell: every later row and system sees it', async () => {
    const seen: number[] = [];
    const order: number[] = [];
    const add = system({
      ...{ name: 'add', order: 'sequential', writes: { mark: Mark }, neighbours },
      each({ mark }, context) {
        order.push(mark.n);
        for (const other of context.neighbours) if (other.isOwn) other.mark.n += 1;
      },
    });
    const look = system({
      name: 'look',
      reads: { mark: Mark },
      each: ({ mark }) => void seen.push(mark.n),
    });
    const here = await world([look, add], [at(1), at(2), at(3)]);
    here.run();
    // Who acts as the n-th was touched n times before; at last everybody was, by the two others.
    expect(order).toEqual([0, 1, 2]);
    expect(seen).toEqual([2, 2, 2]);
    expect(here.all(Mark)).toMatchObject([{ n: 2 }, { n: 2 }, { n: 2 }]);
  });

  test('is told by isOwn whom it may change: those of its cell, no ghosts', async () => {
    const own = new Map<number, boolean>();
    const look = byA((others) => {
      for (const { id, isOwn } of others) own.set(id, isOwn);
    });
    const here = await world([look], [at(8, 0, 'a'), at(5), at(12)]);
    here.run();
    const [, near, ghost] = here.ids();
    expect([...own]).toEqual([
      [near, true],
      [ghost, false],
    ]);
  });

  test('that changes a neighbour of another cell fails, and is told what to do', async () => {
    const reach = byA((others) => {
      for (const other of others) (other.mark as { n: number }).n = 7;
    });
    const here = await world([reach], [at(8, 0, 'a'), at(12)]);
    const error = await failureOf(() => here.run());
    expect(error.code).toBe('SYSTEM_FAILED');
    expect(error.message).toMatch(/act.*tick 1.*mark\.n of entity \d+ is readonly.*another cell/);
    expect(error.detail.remedy).toContain('isOwn');
  });

  test('cannot change a neighbour whose turn is over', async () => {
    let kept: { mark: { n: number } } | undefined;
    const keep = byA((others) => {
      for (const other of others) kept = other as typeof kept;
      if (kept !== undefined) kept.mark.n = 1;
    });
    const here = await world([keep], [at(1, 0, 'a'), at(2)]);
    expect((await failureOf(() => here.run())).message).toMatch(/after its turn/);
    const leave = byA((others) => {
      for (const other of others) {
        kept = other as typeof kept;
        break;
      }
    });
    (await world([leave], [at(1, 0, 'a'), at(2)])).run();
    expect(() => {
      if (kept !== undefined) kept.mark.n = 1;
    }).toThrow(/after its turn/);
  });

  test('changes the neighbour it left the loop with', async () => {
    const first = byA((others) => {
      let found: { mark: { n: number } } | undefined;
      for (const other of others) {
        found = other as typeof found;
        break;
      }
      if (found !== undefined) found.mark.n = 7;
    });
    const here = await world([first], [at(1, 0, 'a'), at(2), at(3)]);
    expect(here.run().all(Mark)).toMatchObject([{ n: 0 }, { n: 7 }, { n: 0 }]);
  });

  test('refuses values of the wrong kind for a neighbour too, and places that are none', async () => {
    const half = byA((others) => {
      for (const other of others) if (other.isOwn) other.mark.n = 0.5;
    });
    const one = await world([half], [at(1, 0, 'a'), at(2)]);
    expect((await failureOf(() => one.run())).code).toBe('SYSTEM_FAILED');
    const lose = system({
      ...{ name: 'lose', order: 'sequential', reads: { mark: Mark } },
      neighbours: { radius: 9, writes: { place: Position } },
      each(_, context) {
        for (const other of context.neighbours) if (other.isOwn) other.place.y = Number.NaN;
      },
    });
    const two = await world([lose], [at(1), at(2)]);
    expect((await failureOf(() => two.run())).code).toBe('SPATIAL_NOT_FINITE');
  });

  test('that writes what a neighbour has already changes nothing', async () => {
    const same = byA((others) => {
      for (const other of others) if (other.isOwn) other.mark.n = 3;
    });
    const changed: number[] = [];
    const look = system({
      ...{ name: 'look', reads: { mark: Mark }, changed: [Mark] },
      each: (_, { tick, id }) => void (tick > 1 && changed.push(tick, id)),
    });
    const here = await world([same, look], [at(1, 0, 'a'), at(2, 3), at(3, 4)]);
    here.run(3);
    expect(changed).toEqual([2, here.ids()[2]]);
  });

  test('finds a neighbour where it was moved to, and moves it home over a border', async () => {
    const seen: number[][] = [];
    const throwIt = system({
      ...{ name: 'throw', order: 'sequential', reads: { mark: Mark } },
      neighbours: { radius: 3, writes: { place: Position } },
      each({ mark }, context) {
        if (mark.n === 0) return;
        const found = [...context.neighbours].length;
        seen.push([mark.n, found]);
        for (const other of context.neighbours) {
          if (other.isOwn && mark.n === 1) other.place.x = 11.5;
        }
      },
    });
    // 1 throws the first from x = 2 to 11.5: 2, at 9, then has it in reach, and before it had not.
    const here = await world([throwIt], [at(2), at(1, 1), at(9, 2)]);
    here.run();
    const [first, second] = seen as [number[], number[]];
    expect(first[0] === 1 ? second : first).toEqual([2, first[0] === 1 ? 1 : 0]);
    expect(here.all(Position)[0]).toMatchObject({ x: 11.5, y: 5 });
    expect(here.crossings).toBe(1);
  });

  test('sees all ghosts around the place that a row was moved to', async () => {
    const order: number[] = [];
    const carry = system({
      name: 'carry',
      order: 'sequential',
      writes: { mark: Mark },
      neighbours: { radius: 3, writes: { place: Position } },
      each({ mark }, context) {
        order.push(mark.n);
        for (const other of context.neighbours) {
          if (mark.n === 1 && other.isOwn) other.place.x += 5;
          if (mark.n === 2) mark.text += `${other.place.x} `;
        }
      },
    });
    // Where the second is carried to, a ghost stands that nobody had in reach before.
    const entities = [at(2, 1), at(4, 2), at(11, 3)];
    const declared = simulation({ components: [Position, Mark], systems: [carry] });
    const runs: string[] = [];
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      order.length = 0;
      const here = (await testWorld(declared, { space: torus, entities, seed })).run();
      const wasCarried = order.indexOf(1) < order.indexOf(2);
      runs.push(`${wasCarried ? 'carried' : 'not yet'}: ${here.all(Mark)[1]?.text}`);
    }
    expect(new Set(runs)).toEqual(new Set(['carried: 11 ', 'not yet: 2 ']));
  });
});

test('an agent learns whether another place of its cell is free as it acts, not as it was', async () => {
  const seat = system({
    ...{ name: 'seat', order: 'sequential', writes: { position: Position } },
    neighbours: { radius: 1, reads: { mark: Mark } },
    each({ position }, { neighbours: others }) {
      if (position.x > 10) return;
      position.x = [1, 3, 5].find((x) => others.countAt(x, 5, 0.5) === 0) ?? position.x;
    },
  });
  const here = await world([seat], [at(6), at(7), at(8), at(9), at(11)]);
  const seats = here.run().all(Position);
  const places = seats.map(({ x }) => x).sort((a, b) => a - b);
  expect(places.slice(0, 3)).toEqual([1, 3, 5]);
  expect(places[3]).toBeGreaterThan(5);
});

test('a simultaneous system that asks whether a place is free is told what to declare', async () => {
  const ask = system({
    ...{ name: 'ask', reads: { mark: Mark }, neighbours: { radius: 1, reads: {} } },
    each: (_, context) => void context.neighbours.countAt(1, 1, 0.5),
  });
  const here = await world([ask], [at(1)]);
  const error = await failureOf(() => here.run());
  expect(error.code).toBe('SYSTEM_FAILED');
  expect(error.detail.remedy).toContain("order: 'sequential'");
});

describe('who is despawned by a sequential system', () => {
  const killAll = (more: (others: Marked) => void = () => undefined) =>
    byA((others, despawn) => {
      for (const { id, isOwn } of others) if (isOwn) despawn(id);
      more(others);
    });

  test('is found no more, in that turn or a later one', async () => {
    const counts: number[] = [];
    const kill = killAll((others) => {
      counts.push(others.count, [...others].length);
    });
    const look = system({
      ...{ name: 'look', order: 'sequential', reads: { mark: Mark }, neighbours },
      after: ['act'],
      each: ({ mark }, context) =>
        void (mark.text === 'a' && counts.push(context.neighbours.count)),
    });
    const here = await world([kill, look], [at(4, 0, 'a'), at(5), at(6), at(12)]);
    here.run();
    expect(counts).toEqual([1, 1, 1]);
    expect(here.count).toBe(2);
  });

  test('acts no more in that tick, neither in this system nor in a later one', async () => {
    const acted: string[] = [];
    const fight = system({
      ...{ name: 'fight', order: 'sequential', reads: { mark: Mark }, neighbours },
      each(_, context) {
        acted.push('fight');
        for (const { id, isOwn } of context.neighbours) if (isOwn) context.despawn(id);
      },
    });
    const later = system({
      ...{ name: 'later', reads: { mark: Mark }, after: ['fight'] },
      each: () => void acted.push('later'),
    });
    const here = await world([fight, later], [at(1), at(2), at(3)]);
    here.run();
    expect(acted).toEqual(['fight', 'later']);
    expect([here.count, here.deaths]).toEqual([1, 2]);
  });

  test('is seen by other cells for that tick, as everybody is', async () => {
    const counts: number[] = [];
    const kill = killAll();
    const ghost = system({
      ...{ name: 'ghost', reads: { mark: Mark }, neighbours: { radius: 9, reads: {} } },
      each({ mark }, context) {
        if (mark.text === 'b') counts.push(context.neighbours.count);
      },
    });
    const here = await world([kill, ghost], [at(7, 0, 'a'), at(8), at(12, 0, 'b')]);
    here.run(2);
    expect(counts).toEqual([2, 1]);
  });

  test('is found no more when it ended itself, was ended twice, or moved as it was ended', async () => {
    const found: number[] = [];
    const expected: number[] = [];
    let alive = 0;
    const end = system({
      name: 'end',
      order: 'sequential',
      reads: { mark: Mark },
      neighbours: { radius: 9, writes: { place: Position } },
      each({ mark }, { neighbours: others, despawn, tick }) {
        found.push(others.count);
        expected.push(alive - 1);
        if (mark.text === 'itself') {
          alive--;
          despawn();
        }
        if (mark.text !== 'a' || tick > 1) return;
        for (const other of others) {
          if (!other.isOwn || other.dx > 2) continue;
          alive--;
          despawn(other.id);
          despawn(other.id);
          other.place.x += 0.5;
        }
        found.push(others.count);
        expected.push(alive - 1);
      },
    });
    // Four in reach of each other: a ends one, one ends itself.
    const entities = [at(1, 0, 'a'), at(2), at(5, 0, 'itself'), at(6)];
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      alive = entities.length;
      const declared = simulation({ components: [Position, Mark], systems: [end] });
      const here = (await testWorld(declared, { space: torus, entities, seed })).run(2);
      expect(here.count).toBe(2);
      expect(found, `seed ${seed}`).toEqual(expected);
    }
  });

  test('lives on when that tick fails and another is run instead', async () => {
    const acted: string[] = [];
    const kill = system({
      name: 'kill',
      order: 'sequential',
      reads: { mark: Mark },
      neighbours,
      each({ mark }, { neighbours: others, despawn, tick }) {
        for (const { id } of others) if (mark.text === 'a' && tick === 1) despawn(id);
      },
    });
    const fail = system({
      name: 'fail',
      reads: { mark: Mark },
      after: ['kill'],
      each({ mark }, { tick }) {
        if (tick === 1) throw new Error('once');
        acted.push(mark.text);
      },
    });
    const cell = soloCell([kill, fail]);
    const entries = await seededEntries([at(1, 0, 'a'), at(2, 0, 'b')]);
    cell.restore({ cell: 0, entries });
    expect((await failureOf(() => cell.step(quiet(1)))).code).toBe('SYSTEM_FAILED');
    cell.restore({ cell: 0, entries });
    cell.step(quiet(2));
    expect(acted).toEqual(['a', 'b']);
  });

  test('may have ended itself before: others neither find it nor end it twice', async () => {
    const counts: number[] = [];
    const end = system({
      ...{ name: 'end', reads: { mark: Mark }, before: ['act'] },
      each: ({ mark }, { despawn }) => void (mark.n === 1 && despawn()),
    });
    const look = byA((others) => void counts.push(others.count));
    const here = await world([end, look], [at(1, 0, 'a'), at(2, 1), at(3)]);
    here.run();
    expect(counts).toEqual([1]);
    expect(here.deaths).toBe(1);
  });
});

test('births of a tick are seen by no row of that tick, also in sequential order', async () => {
  const counts: number[][] = [];
  const bear = system({
    ...{ name: 'bear', order: 'sequential', reads: { position: Position }, neighbours },
    each({ position }, { neighbours: others, spawn, tick }) {
      counts.push([tick, others.count]);
      if (tick === 1) spawn(Position({ x: position.x, y: 5 }), Mark());
    },
  });
  (await world([bear], [at(1), at(2)])).run(2);
  expect(counts).toEqual([
    [1, 1],
    [1, 1],
    [2, 3],
    [2, 3],
    [2, 3],
    [2, 3],
  ]);
});

test('a neighbour of 32 bits is moved to where its field says', async () => {
  const Spot = component('spot', 1, { x: f32, y: f32 }, { spatial: ['x', 'y'] });
  const far: number[] = [];
  const nudge = system({
    ...{ name: 'nudge', order: 'sequential', reads: { spot: Spot } },
    neighbours: { radius: 5, writes: { theirs: Spot } },
    each({ spot }, context) {
      for (const other of context.neighbours) {
        if (other.isOwn) other.theirs.x += 0.1;
        for (const { dx } of context.neighbours) far.push(spot.x + dx);
      }
    },
  });
  const declared = simulation({ components: [Spot], systems: [nudge] });
  const entities = [[Spot({ x: 1, y: 1 })], [Spot({ x: 2, y: 1 })]];
  const here = await testWorld(declared, { space: torus, entities, verify: true });
  const places = here.run().all(Spot);
  for (const { x } of places) expect(far).toContain(x);
});

test('a system after a sequential one sees drift of what it changed', async () => {
  const halt = system({
    ...{ name: 'halt', order: 'sequential', reads: { position: Position } },
    neighbours: { radius: 3, writes: { velocity: Velocity } },
    each(_, context) {
      for (const other of context.neighbours) if (other.isOwn) other.velocity.x = 0;
    },
  });
  const entities = [[Position({ x: 1, y: 1 })], [Position({ x: 2, y: 1 }), Velocity({ x: 9 })]];
  const components: AnyComponent[] = [Position, Velocity];
  const declared = simulation({ components, systems: [drift, { ...halt, before: ['drift'] }] });
  const here = await testWorld(declared, { space: torus, entities, verify: true });
  expect(here.run(2).all(Position)).toMatchObject([{ x: 1 }, { x: 2 }]);
});
