/**
 * Goal: a cell in which somebody stands still sleeps where its world says so; whatever comes to it
 * finds everybody there. Method: statues in one cell on the twin store, which move when they are told.
 */
import { entityId } from '@leasehold/kernel';
import { statues } from '@leasehold/pod/pods-fixture';
import { encodeRequest, type Head } from '@leasehold/protocol';
import { component, event, f64, simulation, system, u32 } from '@leasehold/sdk';
import { expect, test } from 'vitest';
import { closed, openAuthority, settled, type World } from './authority-fixture.ts';

/** Where all of them are. */
const CORNER = 0;
const SETTLED_MS = 6_000;
const IDLE_MS = 1_000;
const STARTED_MS = 3_000;
const TICK_HZ = 20;
/** Half a tick. */
const STEP_MS = 25;
const TICKS_AROUND = 8;

async function stillWorld(sleepsStill: boolean, settledMs = SETTLED_MS, simulated = statues()) {
  const world = await settled(['pod-a', 'pod-b'], simulated, sleepsStill ? IDLE_MS : undefined);
  const { authority, store } = openAuthority(world, 'one', { idleMs: IDLE_MS, sleepsStill });
  const isAsleep = async (cell: number): Promise<boolean> => {
    const { asleep = [] } = (await store.plan()) ?? {};
    const [head] = await world.watcher.heads([cell]);
    const isHeld = head !== undefined && !('tag' in head) && head.nonce !== '';
    return !isHeld && asleep.some(([first, count]) => cell >= first && cell < first + count);
  };
  await world.clock.advance(settledMs);
  return { world, authority, isAsleep };
}

/** What is posted to a cell that sleeps, and what came of it. */
async function asked({ watcher, clock }: World, id: string, body: Uint8Array) {
  await watcher.post([{ cell: CORNER, id, body }]);
  await clock.advance(1_000);
  const [answer] = await watcher.answers([id]);
  return answer;
}

async function whoIsThere({ engine, watcher }: World) {
  const [image] = await watcher.load([{ cell: CORNER }]);
  const state = engine.createCell(CORNER);
  if (image !== undefined) state.restore(image);
  const { table } = state;
  return { ids: [...table.ids.subarray(0, table.count)], tick: state.tick };
}

test('they sleep where the world says so, and nobody is lost', async () => {
  const { world, authority, isAsleep } = await stillWorld(true);
  const { entities } = await world.census();
  const sleeps = await isAsleep(CORNER);
  const [head] = await world.watcher.heads([CORNER]);
  const { ids, tick } = await whoIsThere(world);
  await world.clock.advance(10_000);
  const later = await whoIsThere(world);
  await closed(world, [authority]);
  expect(sleeps).toBe(true);
  expect(head).toMatchObject({ checkpoints: [{ seq: (head as Head).seq }] });
  expect(entities).toBe(120);
  expect(later).toEqual({ ids, tick });
});

test('they are awake where it does not', async () => {
  const { world, authority, isAsleep } = await stillWorld(false);
  const sleeps = await isAsleep(CORNER);
  await closed(world, [authority]);
  expect(sleeps).toBe(false);
});

test('who is set in motion there moves at once, owes nothing for the time, and keeps it awake', async () => {
  const { world, authority, isAsleep } = await stillWorld(true);
  await world.clock.advance(60_000);
  const { id: since } = await world.watcher.readFeed('0');
  const [id = -1] = (await whoIsThere(world)).ids;
  const body = encodeRequest({
    kind: 'patch',
    id,
    set: { velocity: { x: 0.05, y: 0 } },
    remove: [],
  });
  const answer = await asked(world, 'go', body);
  const wasAsleep = await isAsleep(CORNER);
  await world.clock.advance(10_000);
  const sleeps = await isAsleep(CORNER);
  const { entities, twice } = await world.census();
  const { entries } = await world.watcher.readFeed(since);
  await closed(world, [authority]);
  expect(answer).toMatchObject({ tag: 'APPLIED', cell: CORNER });
  expect({ wasAsleep, sleeps }).toEqual({ wasAsleep: false, sleeps: false });
  expect(entries.filter(({ kind }) => kind === 'jump')).toEqual([]);
  const gaps = entries.map(({ facts }) => Number(facts['gapTicks'] ?? 0));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(1);
  expect({ entities, twice }).toEqual({ entities: 120, twice: [] });
});

test('it sleeps again when nothing moves any more', async () => {
  const { world, authority, isAsleep } = await stillWorld(true);
  const [id = -1] = (await whoIsThere(world)).ids;
  const pushed = (x: number) =>
    encodeRequest({ kind: 'patch', id, set: { velocity: { x, y: 0 } }, remove: [] });
  await asked(world, 'go', pushed(0.001));
  const goes = await isAsleep(CORNER);
  await asked(world, 'halt', pushed(0));
  await world.clock.advance(SETTLED_MS);
  const halted = await isAsleep(CORNER);
  await closed(world, [authority]);
  expect({ goes, halted }).toEqual({ goes: false, halted: true });
});

/** The tick of the world in which its corner falls asleep for the first time. */
async function tickOfSleep(): Promise<number> {
  const { world, authority, isAsleep } = await stillWorld(true, 0);
  let ms = STARTED_MS;
  for (; ms < SETTLED_MS && !(await isAsleep(CORNER)); ms += STEP_MS) {
    await world.clock.advance(STEP_MS);
  }
  await closed(world, [authority]);
  return Math.floor((ms * TICK_HZ) / 1_000);
}

test.each([1, 5])(
  'who begins to move, in each tick by %d, when the cell is about to sleep keeps it awake',
  async (every) => {
    const sleeps = await tickOfSleep();
    const ticks: number[] = [];
    for (let restless = sleeps - TICKS_AROUND; restless < sleeps + TICKS_AROUND; restless++) {
      const { world, authority } = await stillWorld(true, SETTLED_MS, statues(restless, every));
      const before = await whoIsThere(world);
      await world.clock.advance(1_000);
      const after = await whoIsThere(world);
      // Whoever has never begun sleeps.
      if (after.tick >= restless) ticks.push(after.tick - before.tick);
      await closed(world, [authority]);
    }
    expect(ticks.length).toBeGreaterThan(TICKS_AROUND / 2);
    expect(ticks.length).toBeLessThan(2 * TICKS_AROUND);
    expect(Math.min(...ticks)).toBeGreaterThanOrEqual(TICK_HZ - every);
  },
);

const WRITES_AT = 40;
/** Where the other is. */
const FAR = 36;
const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Letters = component('letters', 1, { read: u32 });
const Greeting = event('greeting', 1, {});

/** The first writes one letter to the second, who is far away. */
const penfriends = simulation({
  components: [Position, Letters],
  systems: [
    system({
      name: 'write',
      reads: { letters: Letters },
      emits: [Greeting],
      each(_, { id, tick, emit }) {
        if (id === 1 && tick === WRITES_AT) emit(entityId(FAR, 1), Greeting());
      },
    }),
    system({
      name: 'read',
      on: { greeting: Greeting },
      writes: { letters: Letters },
      each({ letters }) {
        letters.read += 1;
      },
    }),
  ],
  seed({ spawn }) {
    spawn(Position({ x: 5, y: 5 }), Letters());
    spawn(Position({ x: 45, y: 45 }), Letters());
  },
});

test('a cell that has sent a letter has nothing more of it when it sleeps', async () => {
  const { world, authority, isAsleep } = await stillWorld(true, 2 * SETTLED_MS, penfriends);
  const { watcher } = world;
  const friends = [CORNER, FAR];
  const asleep = await Promise.all(friends.map(isAsleep));
  const heads = (await watcher.heads(friends)) as Head[];
  const channel = await watcher.channel(CORNER, 0);
  await closed(world, [authority]);
  expect(asleep).toEqual([true, true]);
  expect(heads.map(({ outSeq, inboxCursor }) => [outSeq, inboxCursor])).toEqual([
    [1, 0],
    [0, 1],
  ]);
  expect(channel).toEqual([]);
});
