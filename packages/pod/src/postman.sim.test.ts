/**
 * Goal: a note of where somebody is that is wrong costs a letter half a second, not its patience. Method:
 * one pod on the twin store, people who stand still, and a directory that is told lies about one of them.
 */
import { entityId } from '@leasehold/kernel';
import { encodeRequest, type Store } from '@leasehold/protocol';
import { component, entity, event, f64, simulation, system, u32 } from '@leasehold/sdk';
import { expect, test } from 'vitest';
import { openPods } from './pods-fixture.ts';

const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Doorbell = component('doorbell', 1, { rings: u32 });
const Errand = component('errand', 1, { to: entity });
const Ring = event('ring', 1, {});

/** One stands in each cell, and rings where it is told to. */
const people = simulation({
  components: [Position, Doorbell, Errand],
  systems: [
    system({
      name: 'hear',
      writes: { doorbell: Doorbell },
      on: { rung: Ring },
      each({ doorbell }) {
        doorbell.rings++;
      },
    }),
    system({
      name: 'visit',
      writes: { errand: Errand },
      emits: [Ring],
      each({ errand }, { emit }) {
        if (errand.to !== 0) emit(errand.to, Ring());
        errand.to = 0;
      },
    }),
  ],
  seed({ spawn }) {
    for (let y = 5; y < 80; y += 10) {
      for (let x = 5; x < 80; x += 10) spawn(Position({ x, y }), Doorbell(), Errand());
    }
  },
});

type World = Awaited<ReturnType<typeof openPods>>;

/** Where the one is that is rung for, who rings, and where the directory has it: none are neighbours. */
const HOME = 0;
const RINGER = 36;
const WRONG = 20;
const CELLS = 64;

/** Id of the one that stands in the cell, and how often it was rung for. */
async function personIn(world: World, cell: number): Promise<{ id: number; rings: number }> {
  const [image] = await world.watcher.load([{ cell }]);
  if (image === undefined) throw new Error(`cell ${cell} is not there`);
  const state = world.engine.createCell(cell);
  state.restore(image);
  const { table } = state;
  const c = table.schema.components.findIndex(({ name }) => name === 'doorbell');
  return { id: table.ids[0] as number, rings: Number(table.columns[c]?.[0]?.[0]) };
}

/** `looks`: when the pod has asked the index. */
async function openPeople() {
  const looks: number[] = [];
  const wrap = (store: Store): Store =>
    new Proxy(store, {
      get(_, name: keyof Store) {
        if (name === 'locate') looks.push(store.nowMs());
        const of = store[name];
        return typeof of === 'function' ? of.bind(store) : of;
      },
    });
  const world = await openPods({ mode: 'realtime', simulation: people, wrap });
  await world.start('a');
  await world.clock.advance(3_000);
  const { id } = await personIn(world, HOME);
  const ask = (post: string, cell: number, request: Parameters<typeof encodeRequest>[0]) =>
    world.watcher.post([{ cell, id: post, body: encodeRequest(request) }]);
  // A cell is indexed with its commits, and one in which nothing has happened makes none.
  await ask('step', HOME, { kind: 'patch', id, set: { position: { x: 6 } }, remove: [] });
  await world.clock.advance(500);
  const lie = async (): Promise<void> => {
    const [head] = await world.watcher.heads([HOME]);
    const tick = head === undefined || 'tag' in head ? 0 : head.tick;
    await world.watcher.noteWhereabouts([{ id, cell: WRONG, tick: tick + 1 }]);
    expect(await world.watcher.whereabouts([id])).toEqual([WRONG]);
  };
  return { world, looks, id, lie, ask };
}

test('M1 whoever asks at the wrong cell is answered before its patience ends', async () => {
  const { world, id, lie, ask } = await openPeople();
  await lie();
  await ask('knock', WRONG, { kind: 'event', id, event: 'ring', payload: {} });
  // Half a second at a wrong cell, and some ticks on the way.
  await world.clock.advance(1_500);
  expect(await world.watcher.answers(['knock'])).toMatchObject([{ tag: 'APPLIED', cell: HOME }]);
  expect(await personIn(world, HOME)).toEqual({ id, rings: 1 });
  await world.close();
});

test('M1 a letter between two follows the index, once, when the note of one is wrong', async () => {
  const { world, id, lie, ask, looks } = await openPeople();
  await lie();
  const ringer = await personIn(world, RINGER);
  await ask('go', RINGER, {
    kind: 'patch',
    id: ringer.id,
    set: { errand: { to: id } },
    remove: [],
  });
  await world.clock.advance(1_500);
  expect(await world.watcher.answers(['go'])).toMatchObject([{ tag: 'APPLIED' }]);
  expect(await personIn(world, HOME)).toEqual({ id, rings: 1 });
  expect(looks).toHaveLength(1);
  await world.clock.advance(5_000);
  expect((await personIn(world, HOME)).rings).toBe(1);
  expect(await world.watcher.deadLetters(10)).toEqual([]);
  await world.close();
});

test('who is nowhere is looked for ever more rarely, and its letter is dead when patience ends', async () => {
  const { world, ask, looks } = await openPeople();
  const nobody = entityId(CELLS - 1, 9_999);
  const ringer = await personIn(world, RINGER);
  const errand = { to: nobody };
  await ask('go', RINGER, { kind: 'patch', id: ringer.id, set: { errand }, remove: [] });
  await world.clock.advance(40_000);
  expect(await world.watcher.deadLetters(10)).toMatchObject([{ to: nobody, reason: 'GONE' }]);
  const pauses = looks.slice(1).map((at, i) => at - (looks[i] as number));
  expect(pauses.length).toBeGreaterThan(2);
  for (const [i, pause] of pauses.slice(1).entries())
    expect(pause).toBeGreaterThan(pauses[i] as number);
  await world.close();
});
