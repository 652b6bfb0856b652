import { describe, expect, test } from 'vitest';
import { component } from './component.ts';
import { event, Undelivered } from './event.ts';
import { bool, entity, f64, json, string, u32 } from './kinds.ts';
import { simulation } from './simulation.ts';
import { system } from './system.ts';
import { testWorld } from './testing.ts';

const Place = component('place', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Drift = component('drift', 1, { vx: f64 });
const Purse = component('purse', 1, { coins: u32, last: u32, gifts: json<number[]>([]) });
const Friend = component('friend', 1, { of: entity, lost: u32 });
const Gift = event('gift', 1, { coins: u32, note: string });

const move = system({
  name: 'move',
  reads: { drift: Drift },
  writes: { place: Place },
  each({ drift, place }) {
    place.x += drift.vx;
  },
});

/** Gives its friend as many coins as the tick has, in every tick, twice. */
const give = system({
  name: 'give',
  reads: { friend: Friend },
  emits: [Gift],
  each({ friend }, { emit, tick }) {
    emit(friend.of, Gift({ coins: tick * 2 }));
    emit(friend.of, Gift({ coins: tick * 2 + 1 }));
  },
});

const take = system({
  name: 'take',
  on: { gift: Gift },
  writes: { purse: Purse },
  each({ gift, purse }, { from }) {
    purse.coins += 1;
    purse.gifts = [...purse.gifts, gift.coins];
    purse.last = from % 2 ** 32;
  },
});

const mourn = system({
  name: 'mourn',
  on: { answer: Undelivered },
  writes: { friend: Friend },
  each({ friend }) {
    friend.lost += 1;
  },
});

const space = { kind: 'torus', width: 80, height: 40, cell: 10 } as const;
const model = simulation({
  components: [Place, Drift, Purse, Friend],
  systems: [move, give, take, mourn],
});

/** A giver and a taker, who may walk. */
async function world(giver: { x: number; vx: number }, taker: { x: number; vx: number }) {
  const first = await testWorld(model, { space, entities: [] });
  const id = (x: number, counter: number): number => {
    const cell = first.engine.grid.cellAt(x, 5);
    return cell * 2 ** 32 + counter;
  };
  const same = first.engine.grid.cellAt(giver.x, 5) === first.engine.grid.cellAt(taker.x, 5);
  const to = id(taker.x, 1);
  const made = await testWorld(model, {
    space,
    verify: true,
    entities: [
      [Place({ x: taker.x, y: 5 }), Drift({ vx: taker.vx }), Purse()],
      [Place({ x: giver.x, y: 5 }), Drift({ vx: giver.vx }), Friend({ of: to })],
    ],
  });
  return { made, to, from: id(giver.x, same ? 2 : 1) };
}

/** What arrives within so many ticks, given two a tick from tick 1 on. */
const given = (ticks: number): number[] => Array.from({ length: (ticks - 1) * 2 }, (_, i) => i + 2);

describe('an event', () => {
  test.each([
    ['in the same cell', 5, 6],
    ['in the next cell', 9, 11],
  ])('to an entity %s takes effect with the next tick, in order', async (_, a, b) => {
    const { made, to, from } = await world({ x: a, vx: 0 }, { x: b, vx: 0 });
    made.run(5);
    const purse = made.read(to, Purse);
    expect(purse?.gifts).toEqual(given(5));
    expect(purse?.last).toBe(from % 2 ** 32);
  });

  test.each([
    ['who is given to walks', 0, 1.7],
    ['who gives walks', -2.3, 0],
    ['both walk, together', 4, 4],
    ['both walk towards each other', 1.1, -1.3],
  ])('is applied once and in order across borders: %s', async (_, vx, wx) => {
    const { made, to } = await world({ x: 8, vx }, { x: 9, vx: wx });
    made.run(60);
    const gifts = made.read(to, Purse)?.gifts ?? [];
    const lost = made.undelivered.map(({ letter }) => letter.payload['coins'] as number);
    // Who is too far away for lockstep gets none, and that is told.
    const told = [...gifts, ...lost].sort((a, b) => a - b);
    expect(told).toEqual(told.map((_, i) => i + 2));
    // Up to two ticks' worth are still under way.
    expect(told.length).toBeGreaterThanOrEqual(given(60).length - 4);
    expect(gifts).toEqual([...gifts].sort((a, b) => a - b));
  });

  test('to nobody is told, and not lost in silence', async () => {
    const made = await testWorld(model, {
      space,
      entities: [[Place({ x: 5, y: 5 }), Friend({ of: 77 })]],
    });
    made.run(3);
    expect(made.undelivered.map(({ reason }) => reason)).toEqual(Array(6).fill('FAR'));
    // T1: of the last two it hears with the next tick, and in none but that.
    expect(made.all(Friend).reduce((sum, { lost }) => sum + lost, 0)).toBe(4);
  });

  test('from outside reaches the entity, and is answered', async () => {
    const { made, to } = await world({ x: 25, vx: 0 }, { x: 5, vx: 3 });
    const ids = [1, 2, 3].map((coins) => made.send(to, Gift({ coins })));
    made.run(2);
    expect(made.read(to, Purse)?.gifts).toEqual([1, 2, 3]);
    for (const id of ids) expect(made.answers.get(id)).toMatchObject({ tag: 'APPLIED', tick: 1 });
  });

  test('with a field that it does not have is refused', () => {
    expect(() => Gift({ gold: 1 } as never)).toThrow(/gift has no field gold/);
    expect(() => Gift({ coins: Number.NaN })).toThrow(/NaN is no u32/);
    expect(() => event('x', 1, { a: f64 })({ a: Number.POSITIVE_INFINITY })).toThrow(/Infinity/);
  });
});

describe('a system', () => {
  const each = (): void => undefined;
  test.each([
    ['no event', { on: {} }],
    ['several events', { on: { a: Gift, b: Undelivered } }],
    ['what is no event', { on: { a: Place } }],
    ['an event in sequential order', { on: { a: Gift }, order: 'sequential' }],
    ['an event of what changed', { on: { a: Gift }, changed: [Place] }],
    ['an event under a name that is taken', { on: { a: Gift }, reads: { a: Place } }],
    ['what it emits that is no event', { emits: [Place] }],
  ])('is refused that takes %s', (_, options) => {
    expect(() => system({ name: 'x', each, ...options } as never)).toThrow(
      expect.objectContaining({ code: 'SYSTEM_INVALID' }),
    );
  });

  test('that sends what it does not declare fails', async () => {
    const rogue = system({
      name: 'rogue',
      reads: { place: Place },
      each: (_, { emit, id }) => void emit(id, Gift()),
    });
    const made = await testWorld(simulation({ components: [Place], systems: [rogue] }), {
      space,
      entities: [[Place()]],
    });
    expect(() => made.run()).toThrow(/rogue/);
  });
});

describe('a request', () => {
  const Lamp = component('lamp', 1, { isLit: bool, name: string });
  const lamps = simulation({ components: [Place, Lamp], systems: [] });
  const open = () =>
    testWorld(lamps, { space, verify: true, entities: [[Place({ x: 1, y: 1 }), Lamp()]] });
  const ID = 1;

  test('creates entities, once each', async () => {
    const made = await open();
    const components = { place: { x: 3, y: 4 }, lamp: { isLit: true } };
    const request = { kind: 'create', entities: [{ id: 2 ** 52 + 1, components }] } as const;
    const first = made.ask(request);
    made.run();
    const again = made.ask(request);
    made.run();
    expect(made.count).toBe(2);
    expect(made.read(2 ** 52 + 1, Lamp)).toMatchObject({ isLit: true, name: '' });
    for (const id of [first, again]) expect(made.answers.get(id)?.tag).toBe('APPLIED');
  });

  test('E2 creates in any order of ids, and beside what systems bear in that tick', async () => {
    const grow = system({
      name: 'grow',
      reads: { place: Place },
      each: (_, { spawn, tick }) => void (tick === 1 && spawn(Place())),
    });
    const growing = simulation({ components: [Place, Lamp], systems: [grow] });
    const made = await testWorld(growing, { space, verify: true, entities: [[Place()]] });
    const create = (id: number) =>
      made.ask({ kind: 'create', entities: [{ id, components: { place: { x: 3, y: 4 } } }] });
    const asked = [3, 1, 2].map((n) => create(2 ** 52 + n));
    made.run();
    expect(made.count).toBe(5);
    for (const id of asked) expect(made.answers.get(id)?.tag).toBe('APPLIED');
  });

  test('changes fields, gives components and takes them', async () => {
    const made = await open();
    made.ask({ kind: 'patch', id: ID, set: { lamp: { name: 'hall' } }, remove: [] });
    made.run();
    expect(made.read(ID, Lamp)).toEqual({ id: ID, isLit: false, name: 'hall' });
    made.ask({ kind: 'patch', id: ID, set: {}, remove: ['lamp'] });
    made.run();
    expect(made.read(ID, Lamp)).toBeUndefined();
    made.ask({ kind: 'patch', id: ID, set: { lamp: { isLit: true } }, remove: [] });
    made.run();
    expect(made.read(ID, Lamp)).toEqual({ id: ID, isLit: true, name: '' });
  });

  test.each([
    ['an unknown component', { nope: {} }, /nope/],
    ['an unknown field', { lamp: { colour: 1 } }, /colour/],
    ['a value of another kind', { lamp: { isLit: 'yes' } }, /isLit/],
  ])('with %s changes nothing and says so', async (_, set, message) => {
    const made = await open();
    const hash = made.hash();
    const id = made.ask({
      kind: 'patch',
      id: ID,
      set: { place: { x: 9 }, ...set },
      remove: [],
    } as never);
    made.run();
    expect(made.answers.get(id)).toMatchObject({ tag: 'REFUSED', code: 'VALUE_INVALID' });
    expect(
      (made.answers.get(id) as { readonly message: string } | undefined)?.message ?? '',
    ).toMatch(message);
    expect(made.read(ID, Place)?.x).toBe(1);
    expect(hash).not.toBe('');
  });

  test('deletes, and what is deleted takes no more', async () => {
    const made = await open();
    const gone = made.ask({ kind: 'delete', id: ID });
    const late = made.ask({ kind: 'patch', id: ID, set: { lamp: { isLit: true } }, remove: [] });
    made.run();
    expect(made.count).toBe(0);
    expect(made.answers.get(gone)?.tag).toBe('APPLIED');
    expect(made.answers.get(late)).toMatchObject({ tag: 'REFUSED', code: 'ENTITY_GONE' });
  });
});
