/** Goal: what each class of durability tells, when, and what a successor has of it. */
import { counterOf, createRandom } from '@leasehold/kernel';
import {
  type CellImage,
  decodeCommit,
  decodeRows,
  encodeMail,
  encodeRequest,
  type LogEntry,
  type Post,
} from '@leasehold/protocol';
import { Grid } from '@leasehold/spatial';
import { describe, expect, test } from 'vitest';
import { quiet, torus } from './cell-test-bench.ts';
import { type CellState, compile, type StepInput, type StepResult } from './engine.ts';
import {
  type AnyComponent,
  type ComponentValue,
  component,
  event,
  f64,
  json,
  type System,
  simulation,
  string,
  system,
  u32,
} from './index.ts';

const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
/** As every tick, as each fourth, as never stored. */
const Sure = component('sure', 1, { n: u32 });
const Fuel = component('fuel', 1, { n: u32, text: string }, { durability: { every: 4 } });
const Aim = component('aim', 1, { n: u32, at: f64(0.5) }, { durability: 'ephemeral' });
const Heat = component('heat', 1, { n: u32, what: json({}) }, { durability: { every: 3 } });

/** Burns fuel and nothing else. */
const burn = system({
  name: 'burn',
  writes: { fuel: Fuel },
  each({ fuel }, { tick }) {
    fuel.n = tick;
  },
});
const aim = system({
  name: 'aim',
  writes: { aim: Aim },
  each({ aim: at }, { tick }) {
    if (tick === 2) at.n = 7;
  },
});

/** Brings everybody elsewhere at a tick. */
const moving = (x: number, at = 1): System =>
  system({
    name: 'move',
    writes: { position: Position },
    each({ position }, { tick }) {
      if (tick === at) position.x = x;
    },
  });

const movingFirst = system({
  name: 'move',
  writes: { position: Position },
  each({ position }, { id }) {
    if (counterOf(id) === 1) position.x = 15;
  },
});

/** A holder of one cell, its log, and one who follows it from the beginning. */
class Rig {
  readonly log: LogEntry[] = [];
  readonly follower: CellState;
  holder: CellState;
  checkpoint: CellImage['checkpoint'];
  tick = 0;
  readonly #create: () => CellState;

  constructor(create: () => CellState) {
    this.#create = create;
    this.holder = create();
    this.follower = create();
  }

  static async of(
    entities: readonly (readonly ComponentValue[])[],
    systems: System[],
    cell = 0,
  ): Promise<Rig> {
    const used: AnyComponent[] = [Position, Sure, Fuel, Aim, Heat];
    const grid = new Grid(torus);
    const corner = { x: grid.minX(cell), y: grid.minY(cell) };
    const declared = simulation({
      components: used,
      systems,
      seed({ spawn }) {
        for (const values of entities) spawn(Position(corner), ...values);
      },
    });
    const options = { layer: 'main', grid, seed: 1, tickHz: 10, params: {} };
    const engine = compile(declared, options);
    const rig = new Rig(() => engine.createCell(cell));
    const body = (await engine.seed()).get(cell)?.body ?? new Uint8Array(0);
    rig.log.push({ ...ENTRY, seq: 1, tick: 0, body });
    if (body.length === 0) rig.log.length = 0;
    rig.holder.restore({ cell, entries: rig.log });
    rig.follower.restore({ cell, entries: rig.log });
    rig.holder.takeOver();
    return rig;
  }

  /** Runs a tick, and commits it if it must be. */
  step(input: Partial<StepInput> = {}): StepResult {
    const result = this.holder.step({ ...quiet(++this.tick), ...input });
    if (!result.changed) return result;
    const entry = { ...ENTRY, seq: this.log.length + 1, tick: this.tick, body: result.body };
    this.log.push(entry);
    this.follower.apply(entry);
    if (input.isCheckpointDue === true && result.isWhole) {
      const { seq, hash, tick } = entry;
      this.checkpoint = { seq, hash, tick, body: this.holder.checkpoint() };
    }
    return result;
  }

  /** What whoever reads the store gets. */
  loaded(): CellState {
    const state = this.#create();
    const { cell } = this.holder;
    const from = this.checkpoint?.seq ?? 0;
    const entries = this.log.filter(({ seq }) => seq > from);
    state.restore({ cell, entries, ...(this.checkpoint && { checkpoint: this.checkpoint }) });
    return state;
  }

  /** The holder dies, and another reads its cell. */
  fail(): void {
    this.holder = this.loaded();
    this.holder.takeOver();
  }
}

const ENTRY = { version: 1, epoch: '1', prevHash: '', hash: '' };

/** Values of a field in all rows. */
function values({ table }: CellState, of: AnyComponent, field: string): unknown[] {
  const c = table.schema.components.findIndex(({ name }) => name === of.schema.name);
  const f = of.schema.fields.findIndex(({ name }) => name === field);
  return Array.from(table.columns[c]?.[f] ?? []).slice(0, table.count);
}

const changed = (rig: Rig): boolean[] =>
  Array.from({ length: 8 }, () => rig.step()).map((result) => result.changed);

describe('a component of each n-th tick', () => {
  test('is told in ticks where tick and cell give a multiple of n, and is quiet in between', async () => {
    const rig = await Rig.of([[Fuel()]], [burn]);
    expect(changed(rig)).toEqual([false, false, false, true, false, false, false, true]);
    expect(values(rig.follower, Fuel, 'n')).toEqual([8]);
    const next = await Rig.of([[Fuel()]], [burn], 1);
    expect(changed(next)).toEqual([false, false, true, false, false, false, true, false]);
  });

  test('is not told with other changes, and costs a crash what was not told', async () => {
    const count = system({
      name: 'count',
      writes: { sure: Sure },
      each({ sure }, { tick }) {
        sure.n = tick;
      },
    });
    const rig = await Rig.of([[Fuel(), Sure()]], [burn, count]);
    for (let i = 0; i < 7; i++) rig.step();
    expect(values(rig.holder, Fuel, 'n')).toEqual([7]);
    expect(values(rig.follower, Fuel, 'n')).toEqual([4]);
    expect(values(rig.follower, Sure, 'n')).toEqual([7]);
    rig.fail();
    expect(values(rig.holder, Fuel, 'n')).toEqual([4]);
    expect(values(rig.holder, Sure, 'n')).toEqual([7]);
  });

  test('is told later if its tick was left out', async () => {
    const rig = await Rig.of([[Fuel()]], [burn]);
    rig.tick = 2;
    expect(rig.step().changed).toBe(false);
    rig.tick = 5;
    expect(rig.step().changed).toBe(true);
    expect(values(rig.follower, Fuel, 'n')).toEqual([6]);
  });

  test('is told of the last tick for long, and nothing is owed then', async () => {
    const rig = await Rig.of([[Fuel()]], [burn]);
    rig.step();
    expect(rig.holder.isAhead).toBe(true);
    expect(rig.step({ isLast: true }).changed).toBe(true);
    expect(rig.holder.isAhead).toBe(false);
    expect(values(rig.follower, Fuel, 'n')).toEqual([2]);
  });

  test('is told whole of who gains it, and of whoever is born, at once', async () => {
    const give = system({
      name: 'give',
      writes: { sure: Sure },
      each(_, ctx) {
        if (ctx.tick !== 1) return;
        ctx.add(Fuel({ n: 5, text: 'full' }));
        ctx.spawn(Position(), Fuel({ n: 6 }));
      },
    });
    const rig = await Rig.of([[Sure()]], [give]);
    rig.step();
    expect(values(rig.follower, Fuel, 'n')).toEqual([5, 6]);
    expect(values(rig.follower, Fuel, 'text')).toEqual(['full', '']);
  });

  test('V1 is told of who leaves, whom others show here until it has arrived', async () => {
    const rig = await Rig.of([[Fuel()], [Fuel()]], [burn, movingFirst]);
    const { body } = rig.step();
    const { changes } = decodeCommit(body, rig.holder.table.schema);
    const fuel = rig.holder.table.schema.components.findIndex(({ name }) => name === 'fuel');
    const told = changes.filter(({ component }) => component === fuel);
    expect(told.map((change) => [change.field, ...change.values])).toEqual([[0, 1]]);
    expect(values(rig.follower, Fuel, 'n')).toEqual([0]);
  });

  test('takes all it has along to another cell', async () => {
    const rig = await Rig.of([[Fuel()]], [burn, moving(15, 2)]);
    rig.step();
    const { out } = rig.step();
    const next = await Rig.of([], [], 1);
    const arrivals = out.map((entry) => ({ ...entry, from: 0, tick: 2 }));
    next.step({ arrivals });
    expect(values(next.follower, Fuel, 'n')).toEqual([2]);
    expect(rig.follower.table.count).toBe(0);
  });

  test('owes nothing of who has lost it', async () => {
    const take = system({
      name: 'take',
      writes: { sure: Sure },
      each: (_, ctx) => (ctx.tick === 2 ? ctx.remove(Fuel) : undefined),
    });
    const rig = await Rig.of([[Fuel(), Sure()]], [burn, take]);
    rig.step();
    rig.step();
    expect(rig.holder.isAhead).toBe(false);
    expect([rig.step(), rig.step()].map((result) => result.changed)).toEqual([false, false]);
  });

  test('is owed by the same entities when others come between them', async () => {
    const first = system({
      name: 'first',
      writes: { fuel: Fuel },
      each({ fuel }, { tick }) {
        if (tick === 1) fuel.n = 1;
      },
    });
    const from = await Rig.of([[Fuel()]], [first, moving(15)]);
    const [sent] = from.step().out;
    const rig = await Rig.of([[Fuel()]], [first], 1);
    rig.step();
    const before = decodeRows(sent?.body ?? new Uint8Array(0), rig.holder.table.schema).rows;
    expect(before.ids[0]).toBeLessThan(rig.holder.table.ids[0] as number);
    const body = sent?.body as Uint8Array;
    rig.step({ arrivals: [{ seq: 1, from: 0, to: 1, tick: 1, body }] });
    rig.step();
    expect(values(rig.follower, Fuel, 'n')).toEqual([1, 1]);
  });

  test('when one is deleted, others are told of as before', async () => {
    const rig = await Rig.of([[Fuel()], [Fuel()], [Fuel()]], [burn]);
    rig.step();
    const middle = rig.holder.table.ids[1] as number;
    const request = { kind: 'delete', id: middle } as const;
    rig.step({ posts: [{ seq: 1, id: 'a', body: encodeRequest(request) }] });
    expect(values(rig.follower, Fuel, 'n')).toEqual([0, 0]);
    for (let i = 0; i < 2; i++) rig.step();
    expect(values(rig.follower, Fuel, 'n')).toEqual([4, 4]);
  });
});

describe('M1 what somebody was told has happened', () => {
  const Refuel = event('refuel', 1, { n: u32 });
  const refuel = system({
    name: 'refuel',
    on: { given: Refuel },
    writes: { fuel: Fuel },
    each({ fuel, given }) {
      fuel.n += given.n;
    },
  });
  const post = (body: Uint8Array): Post[] => [{ seq: 1, id: 'a', body }];

  test('a request is in the commit that takes it, in whatever it changes', async () => {
    const rig = await Rig.of([[Fuel()], [Fuel()]], [refuel]);
    const id = rig.holder.table.ids[1] as number;
    const request = { kind: 'patch', id, set: { fuel: { text: 'x' } }, remove: [] } as const;
    rig.step({ posts: post(encodeRequest(request)) });
    expect(values(rig.follower, Fuel, 'text')).toEqual(['', 'x']);
  });

  test('an event is in the commit that takes it, with its effect', async () => {
    const rig = await Rig.of([[Fuel()], [Fuel()]], [refuel, burnOthers]);
    const to = rig.holder.table.ids[1] as number;
    const letter = { to, from: 0, tick: 0, n: 0, seq: 0, before: 0, post: '' };
    const mail = { ...letter, event: 'refuel', payload: { n: 9 } };
    const body = encodeMail(rig.holder.table.schema, [mail]);
    rig.step({ arrivals: [{ from: 1, to: 0, seq: 1, tick: 0, body }] });
    // Of the other row nothing is due yet.
    expect(values(rig.holder, Fuel, 'text')).toEqual(['1', '1']);
    expect(values(rig.follower, Fuel, 'n')).toEqual([0, 9]);
    expect(values(rig.follower, Fuel, 'text')).toEqual(['', '1']);
  });
  const burnOthers = system({
    name: 'note',
    after: ['refuel'],
    writes: { fuel: Fuel },
    each({ fuel }, { tick }) {
      fuel.text = String(tick);
    },
  });
});

describe('an ephemeral component', () => {
  test('is told as it changes, and its values are in no checkpoint', async () => {
    const rig = await Rig.of([[Aim()]], [aim]);
    rig.step();
    rig.step({ isCheckpointDue: true });
    expect(rig.checkpoint).toBeDefined();
    expect(values(rig.follower, Aim, 'n')).toEqual([7]);
    expect(values(rig.loaded(), Aim, 'n')).toEqual([0]);
    expect(values(rig.loaded(), Aim, 'at')).toEqual([0.5]);
  });

  test('V1 behind a checkpoint it is told again, so that who has just come sees it too', async () => {
    const rig = await Rig.of([[Aim()], [Aim()]], [aim]);
    rig.step();
    rig.step({ isCheckpointDue: true });
    expect(rig.step().changed).toBe(true);
    expect(values(rig.loaded(), Aim, 'n')).toEqual([7, 7]);
    expect(rig.step().changed).toBe(false);
  });

  test('a checkpoint with nothing of it but initial values leaves the next tick quiet', async () => {
    const rig = await Rig.of([[Aim(), Fuel()]], [burn]);
    for (let i = 0; i < 4; i++) rig.step({ isCheckpointDue: true });
    expect(rig.checkpoint).toBeDefined();
    expect(rig.step().changed).toBe(false);
  });

  test('starts from its initial values in a new holder, who says so in its first tick', async () => {
    const rig = await Rig.of([[Aim()], [Fuel()]], [aim]);
    for (let i = 0; i < 3; i++) rig.step();
    rig.fail();
    expect(values(rig.holder, Aim, 'n')).toEqual([0, 0]);
    expect(values(rig.follower, Aim, 'n')).toEqual([7, 0]);
    const { body } = rig.step();
    expect(values(rig.follower, Aim, 'n')).toEqual([0, 0]);
    // Who has it not is not told of.
    const { changes } = decodeCommit(body, rig.holder.table.schema);
    expect(changes.map(({ set }) => set.count)).toEqual([1, 1]);
    expect(rig.step().changed).toBe(false);
  });

  test('no checkpoint comes with the last tick for long, since nothing would tell it again', async () => {
    const rig = await Rig.of([[Aim()]], [aim]);
    rig.step();
    rig.step({ isCheckpointDue: true, isLast: true });
    expect(rig.checkpoint).toBeUndefined();
    expect(values(rig.loaded(), Aim, 'n')).toEqual([7]);
  });
});

describe('a checkpoint', () => {
  test('L3 comes with a commit that tells all that is owed, and only then', async () => {
    const count = system({
      name: 'count',
      writes: { sure: Sure },
      each({ sure }, { tick }) {
        if (tick === 2) sure.n = tick;
      },
    });
    const rig = await Rig.of([[Fuel(), Sure()]], [burn, count]);
    expect(rig.step({ isCheckpointDue: true })).toMatchObject({ changed: false });
    expect(rig.step({ isCheckpointDue: true })).toMatchObject({ changed: true, isWhole: true });
    expect(values(rig.loaded(), Fuel, 'n')).toEqual([2]);
    expect(values(rig.follower, Fuel, 'n')).toEqual([2]);
    expect(rig.step()).toMatchObject({ changed: false, isWhole: false });
  });
});

test('T1 in lockstep every component is told in its tick and is in checkpoints', async () => {
  const rig = await Rig.of([[Aim(), Fuel()]], [burn, aim]);
  for (let i = 0; i < 3; i++) rig.step({ isExact: true, isCheckpointDue: true });
  expect(values(rig.follower, Fuel, 'n')).toEqual([3]);
  expect(values(rig.loaded(), Fuel, 'n')).toEqual([3]);
  expect(values(rig.loaded(), Aim, 'n')).toEqual([7]);
});

test('a filter on changes sees those of the tick before, told or not', async () => {
  const seen: number[] = [];
  const once = system({
    name: 'once',
    writes: { fuel: Fuel },
    each({ fuel }, { tick }) {
      if (tick === 1) fuel.n = 1;
    },
  });
  const watch = system({
    name: 'watch',
    reads: { fuel: Fuel },
    changed: [Fuel],
    each: (_, { tick }) => void seen.push(tick),
  });
  const rig = await Rig.of([[Fuel()]], [once, watch]);
  for (let i = 0; i < 6; i++) rig.step();
  // Whom nobody has seen before counts as changed.
  expect(seen).toEqual([1, 2]);
});

/** Everything at once: births, deaths, exchanges, values of three classes, and crashes. */
const churn = system({
  name: 'churn',
  writes: { position: Position },
  each(_, ctx) {
    const dice = ctx.random.below(24);
    if (dice === 0) ctx.despawn();
    if (dice === 1) ctx.spawn(Position(), Fuel({ n: ctx.tick }), Aim({ n: 3 }));
    if (dice === 3) ctx.add(Heat({ n: ctx.tick, what: { tick: ctx.tick } }));
    if (dice === 4) ctx.remove(Heat);
    if (dice === 5) ctx.add(Aim({ at: ctx.tick }));
    if (dice === 6) ctx.remove(Fuel);
    if (dice === 7) ctx.add(Sure({ n: ctx.tick }));
  },
});
const wear = [Sure, Fuel, Aim, Heat].map((of) =>
  system({
    name: `wear-${of.schema.name}`,
    writes: { of },
    each(row, ctx) {
      if (ctx.random.chance(0.3)) (row.of as { n: number }).n = ctx.tick;
    },
  }),
);

test.each([1, 2, 3, 4, 5, 6])(
  'V1 L3 at rest holder, follower and who has just come are equal, whatever died (seed %i)',
  async (seed) => {
    const random = createRandom(seed);
    const herd = Array.from({ length: 12 }, () => [Sure(), Fuel(), Aim(), Heat()]);
    const rig = await Rig.of(herd, [churn, ...wear]);
    rig.tick = seed * 100;
    for (let i = 0; i < 120; i++) {
      if (random.chance(0.05)) rig.fail();
      rig.step({ isCheckpointDue: random.chance(0.1) });
      if (rig.holder.table.count === 0) break;
      if (i % 20 !== 19) continue;
      rig.step({ isLast: true });
      for (const other of [rig.follower, rig.loaded()]) {
        for (const [of, field] of FIELDS) {
          expect(values(other, of, field), `seed ${seed}`).toEqual(values(rig.holder, of, field));
        }
      }
    }
  },
);

const FIELDS: readonly (readonly [AnyComponent, string])[] = [Sure, Fuel, Aim, Heat].flatMap((of) =>
  of.schema.fields.map(({ name }) => [of, name] as const),
);
