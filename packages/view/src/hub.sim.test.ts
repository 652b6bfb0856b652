/** What one client does to itself, and that it does nothing to the others. On the twin store. */
import { type Area, PART } from '@leasehold/protocol/view';
import { openTwinPlanStore } from '@leasehold/twin-store';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { TestClient } from './client-fixture.ts';
import { openHub, openView } from './hub-fixture.ts';

const everything: Area = { kind: 'world' };
const around = (entity = 0): Area => ({ kind: 'around', entity, radius: 9 });
const box = (minX: number): Area => ({ kind: 'box', minX, minY: 0, maxX: minX + 10, maxY: 30 });

type View = Awaited<ReturnType<typeof openView>>;
let view: View;
afterEach(() => view.close());

const fail = (): never => {
  throw new Error('it is not there');
};
const last = ({ answers }: TestClient) => answers.at(-1);

/** Whether a client is still told of what moves. */
async function isFed(client: TestClient): Promise<boolean> {
  const before = client.frames;
  await view.advance(500);
  return client.frames > before && client.closed === undefined;
}

describe('a client that says what it must not', () => {
  test.each([
    ['garbage', 'garbage', 4000, 'VIEW_MESSAGE_INVALID'],
    ['a subscription before hello', '{"type":"unsubscribe","id":1}', 4000, 'VIEW_MESSAGE_INVALID'],
    ['another version', '{"type":"hello","protocol":2,"world":""}', 4001, 'VIEW_VERSION'],
    ['another world', '{"type":"hello","protocol":1,"world":"mars"}', 4002, 'WORLD_UNKNOWN'],
  ])('%s closes its connection by name; others go on', async (_, text, code, reason) => {
    view = await openView();
    const other = view.join().hello().subscribe(1, everything);
    const client = view.join();
    client.viewer.hear(text);
    expect(client.closed).toEqual({ code, reason });
    expect(view.hub.drops.get(reason)).toBe(1);
    expect(await isFed(other)).toBe(true);
    expect(view.hub.viewers.size).toBe(1);
  });

  test('more messages a second than allowed are a flood, and close it', async () => {
    view = await openView({ messagesPerS: 50 });
    const client = view.join().hello();
    for (let i = 0; i < 60; i++) client.say({ type: 'ping', at: i });
    expect(client.closed).toEqual({ code: 4003, reason: 'RATE_EXCEEDED' });
  });

  test.each([
    [
      'an unknown component',
      { type: 'subscribe', id: 2, area: everything, components: ['ghost'] },
      { to: 'subscribe', id: 2, code: 'COMPONENT_UNKNOWN', value: 'ghost' },
    ],
    [
      'an unknown component to have',
      { type: 'subscribe', id: 2, area: everything, with: ['ghost'] },
      { to: 'subscribe', id: 2, code: 'COMPONENT_UNKNOWN', field: 'with' },
    ],
    [
      'an area of NaN',
      { type: 'area', id: 1, area: { kind: 'circle', x: null, y: 1, radius: 1 } },
      { to: 'area', id: 1, code: 'AREA_INVALID', field: 'area.x' },
    ],
    [
      'an area of nothing',
      { type: 'area', id: 1, area: { kind: 'circle', x: 1, y: 1, radius: 0 } },
      { to: 'area', id: 1, code: 'AREA_INVALID', field: 'area.radius' },
    ],
    [
      'a subscription it does not have',
      { type: 'area', id: 9, area: everything },
      { to: 'area', id: 9, code: 'SUBSCRIPTION_UNKNOWN', value: '9' },
    ],
    [
      'a number that is taken',
      { type: 'subscribe', id: 1, area: everything },
      { to: 'subscribe', id: 1, code: 'SUBSCRIPTION_UNKNOWN' },
    ],
    [
      'an area beyond the limit',
      { type: 'subscribe', id: 2, area: { kind: 'box', minX: 0, minY: 0, maxX: 79, maxY: 79 } },
      { to: 'subscribe', id: 2, code: 'LIMIT_EXCEEDED', field: 'areaCellsMax' },
    ],
  ])('%s is answered by name, and the connection goes on', async (_, message, answer) => {
    view = await openView({ areaCellsMax: 30 });
    const client = view.join().hello().subscribe(1, box(0));
    await view.advance(300);
    client.viewer.hear(JSON.stringify(message));
    await view.advance(100);
    expect(last(client)).toMatchObject({ ok: false, ...answer });
    expect(last(client)?.['remedy']).toEqual(expect.stringMatching(/./));
    expect(await isFed(client)).toBe(true);
  });

  test('of a thousand subscriptions only the allowed are kept; the rest is told so', async () => {
    view = await openView({ messagesPerS: 2_000 });
    const client = view.join().hello();
    for (let id = 1; id <= 1_000; id++) {
      client.say({ type: 'subscribe', id, area: box(0) });
      if (id % 100 === 0) await view.advance(1);
    }
    await view.advance(100);
    const refused = client.answers.filter(({ code }) => code === 'LIMIT_EXCEEDED');
    expect(client.viewer.subscriptions.size).toBe(view.hub.limits.subscriptionsMax);
    expect(refused).toHaveLength(1_000 - view.hub.limits.subscriptionsMax);
  });

  test('of a storm of areas the newest counts, when its time has come', async () => {
    view = await openView();
    const client = view.join().hello().subscribe(1, box(0));
    await view.advance(500);
    for (let x = 1; x <= 40; x++) client.say({ type: 'area', id: 1, area: box(x) });
    await view.advance(50);
    expect(client.answers.filter(({ code }) => code === 'RATE_EXCEEDED')).toHaveLength(1);
    await view.advance(500);
    const fresh = view.join().hello().subscribe(1, box(40));
    await view.advance(500);
    expect(client.ids()).toEqual(fresh.ids());
    expect([...(client.views.get(1)?.cells.keys() ?? [])].sort()).toEqual(
      [...(fresh.views.get(1)?.cells.keys() ?? [])].sort(),
    );
  });
});

test('a round of more than one frame says so in all but the last', async () => {
  view = await openView({ frameBytes: 300 });
  const client = view.join().hello().subscribe(1, everything);
  await view.advance(500);
  const { frames } = client;
  const more = client.kinds.get(13) ?? 0;
  await view.advance(500);
  expect(client.kinds.get(13) ?? 0).toBeGreaterThan(more);
  expect((client.kinds.get(13) ?? 0) - more).toBeLessThan(client.frames - frames);
});

test('what one client says makes nobody else be looked at', async () => {
  view = await openView();
  const other = view.join().hello().subscribe(1, everything);
  const client = view.join().hello();
  await view.advance(500);
  const time = await view.world.watcher.clock();
  if (time === undefined) fail();
  else await view.world.watcher.setClock({ ...time, isPaused: true });
  await view.advance(1_000);
  const flushed = vi.spyOn(other.viewer, 'flush');
  for (let at = 1; at <= 50; at++) {
    client.say({ type: 'ping', at });
    await view.advance(1);
  }
  expect(client.answers.at(-1)).toEqual({ to: 'ping', ok: true, at: 50 });
  // What is due by time is looked for ten times a second.
  expect(flushed.mock.calls.length).toBeLessThanOrEqual(2);
});

describe('a client that does not read', () => {
  test('is kept within its bytes, and has the latest state once it reads again', async () => {
    view = await openView({ queueBytesMax: 4_096, frameBytes: 2_048 });
    const good = view.join().hello().subscribe(1, everything);
    const slow = view.join().hello().subscribe(1, everything);
    // Of what is told again and again the newest is enough for it.
    slow.say({ type: 'status', on: true });
    await view.advance(500);
    slow.isReading = false;
    let most = 0;
    for (let i = 0; i < 18; i++) {
      await view.advance(500);
      most = Math.max(most, slow.queuedBytes);
    }
    expect(view.hub.counts.coalesced).toBeGreaterThan(0);
    // One frame more than the queue may hold, and never two.
    expect(most).toBeLessThan(4_096 + 2 * 2_048);
    expect(slow.closed).toBeUndefined();
    slow.isReading = true;
    slow.read();
    await view.advance(200);
    expect(slow.ids()).toEqual(good.ids());
    expect(slow.values('position', 'x')).toEqual(good.values('position', 'x'));
    expect(slow.breaks).toBe(0);
    // Nine seconds are more than a cell remembers: it was told states, and that they are.
    expect(view.hub.counts.resyncs).toBeGreaterThan(0);
  });

  test('is dropped by name after its time; others are not touched', async () => {
    view = await openView({ slowMs: 3_000 });
    const good = view.join().hello().subscribe(1, everything);
    const stuck = view.join().hello().subscribe(1, everything);
    await view.advance(300);
    stuck.isReading = false;
    await view.advance(4_000);
    expect(stuck.closed).toEqual({ code: 4004, reason: 'READER_SLOW' });
    expect(await isFed(good)).toBe(true);
  });
});

test('a client that asks and never reads the answers is dropped before they fill the memory', async () => {
  view = await openView({ messagesPerS: 100_000, queueBytesMax: 4_096 });
  const client = view.join().hello();
  client.isReading = false;
  for (let at = 0; at < 1_000; at++) client.say({ type: 'ping', at });
  expect(client.closed).toEqual({ code: 4004, reason: 'READER_SLOW' });
});

describe('a client that comes back', () => {
  test('to another gateway is told nothing of cells that it still holds', async () => {
    view = await openView();
    const first = view.join().hello().subscribe(1, everything);
    await view.advance(1_000);
    const time = await view.world.watcher.clock();
    await view.world.watcher.setClock({ ...(time ?? fail()), isPaused: true });
    await view.advance(1_500);
    const cells = [...(first.views.get(1)?.cells.values() ?? [])];
    const have = cells.map(({ cell, seq, hash, count }) => [cell, seq, hash, count] as const);
    const other = openHub(view.world, {}, 'other');
    const back = view.join(other).hello();
    back.views.set(1, first.views.get(1) ?? fail());
    const states = () => back.kinds.get(8) ?? 0;
    // One that fits nothing is told anew.
    const wrong = have.map(([cell, seq, hash, rows], i) =>
      i === 0 ? ([cell, seq, (hash ^ 1) >>> 0, rows] as const) : ([cell, seq, hash, rows] as const),
    );
    back.say({ type: 'subscribe', id: 1, area: everything, have: wrong });
    await view.advance(1_000);
    // In flight rows make a cell differ from what its position says.
    expect(states()).toBeGreaterThan(0);
    expect(states()).toBeLessThan(cells.length / 2);
    expect(back.ids()).toEqual(first.ids());
    const stop = other.stop();
    await view.advance(2_000);
    await stop;
  });

  test('is told anew of a cell whose chain broke, when it asks', async () => {
    view = await openView();
    const client = view.join().hello().subscribe(1, everything);
    await view.advance(500);
    const states = client.kinds.get(8) ?? 0;
    client.say({ type: 'resync', id: 1, cells: [0, 1] });
    await view.advance(200);
    expect((client.kinds.get(8) ?? 0) - states).toBe(2);
  });
});

describe('an area that comes and goes faster than its client is told', () => {
  test('leaves no cell behind at the client', async () => {
    view = await openView({ areaChangesPerS: 1_000 });
    const client = view.join().hello().subscribe(1, box(0), { rateHz: 1 });
    await view.advance(2_500);
    for (const minX of [40, 0, 40]) {
      client.say({ type: 'area', id: 1, area: box(minX) });
      await view.advance(20);
    }
    await view.advance(2_500);
    const fresh = view.join().hello().subscribe(1, box(40));
    await view.advance(1_000);
    expect([...(client.views.get(1)?.cells.keys() ?? [])].sort()).toEqual(
      [...(fresh.views.get(1)?.cells.keys() ?? [])].sort(),
    );
  });
});

describe('an area around an entity', () => {
  test('that grows beyond the limit is told so, once, and disturbs nobody', async () => {
    view = await openView({ areaCellsMax: 2 });
    const all = openHub(view.world, {}, 'all');
    const everybody = view.join(all).hello().subscribe(1, everything);
    const small: Area = { kind: 'box', minX: 2, minY: 2, maxX: 8, maxY: 8 };
    const other = view.join().hello().subscribe(1, small);
    await view.advance(500);
    const clients = everybody.ids().map((entity) => {
      return view.join().hello().subscribe(1, { kind: 'around', entity, radius: 4 });
    });
    await view.advance(3_000);
    expect(view.hub.isReady).toBe(true);
    expect(other.closed).toBeUndefined();
    for (const { answers } of clients) {
      expect(answers.filter(({ code }) => code === 'LIMIT_EXCEEDED').length).toBeLessThan(2);
    }
    const refused = clients.filter(({ answers }) => answers.some(({ ok }) => ok === false));
    expect(refused.length).toBeGreaterThan(0);
    const stop = all.stop();
    await view.advance(2_000);
    await stop;
  });

  test('goes where the entity goes', async () => {
    view = await openView();
    const all = view.join().hello().subscribe(1, everything);
    await view.advance(500);
    const entity = all.ids()[0] as number;
    const client = view.join().hello();
    client.subscribe(1, { kind: 'around', entity, radius: 9 });
    for (let i = 0; i < 20 && all.ids().includes(entity); i++) {
      await view.advance(500);
      if (!all.ids().includes(entity)) break;
      expect(client.ids()).toContain(entity);
    }
    const wrong = view.join().hello().subscribe(1, { kind: 'around', entity: 12_345, radius: 9 });
    await view.advance(1_000);
    expect(last(wrong)).toMatchObject({ ok: false, code: 'ENTITY_UNKNOWN', value: '12345' });
    expect(wrong.views.get(1)?.live).toBe(0);
  });

  test('is looked for until the store can be asked, and what a client holds of it is kept', async () => {
    view = await openView();
    const { watcher, server } = view.world;
    const all = view.join().hello().subscribe(1, everything);
    await view.advance(500);
    const time = await watcher.clock();
    if (time === undefined) throw new Error('the world has no clock');
    await watcher.setClock({ ...time, isPaused: true });
    await view.advance(500);
    const area = { kind: 'around', entity: all.ids()[0] as number, radius: 9 } as const;
    const before = view.join().hello().subscribe(1, area);
    await view.advance(500);
    const held = [...(before.views.get(1)?.cells.values() ?? [])];
    expect(held.length).toBeGreaterThan(0);
    const other = openHub(view.world, {}, 'other');
    const client = view.join(other).hello();
    const have = held.map(({ cell, seq, hash, count }) => [cell, seq, hash, count] as const);
    server.dropRequests(2, 'locate');
    client.say({ type: 'subscribe', id: 1, area, have });
    await view.advance(6_000);
    expect(client.answers).toEqual([{ to: 'subscribe', id: 1, ok: true }]);
    expect(client.kinds.get(PART.live)).toBe(1);
    expect(client.kinds.get(PART.gone)).toBeUndefined();
    const stop = other.stop();
    await view.advance(2_000);
    await stop;
  });

  test('of nobody does not have the world searched for each who asks', async () => {
    view = await openView();
    await view.advance(7_000);
    const wanted = vi.spyOn(view.hub.following, 'want');
    const clients = Array.from({ length: 8 }, () => view.join().hello());
    for (let round = 0; round < 6; round++) {
      for (const [i, client] of clients.entries()) {
        client.say({ type: 'subscribe', id: 1, area: around(900_000 + round * 10 + i) });
        await view.advance(10);
        client.say({ type: 'unsubscribe', id: 1 });
      }
    }
    await view.advance(6_000);
    // The first search, and at most one more for all who asked meanwhile.
    expect(wanted.mock.calls.length).toBeLessThanOrEqual(2 * view.world.grid.cells);
    const asked = view.join().hello();
    asked.say({ type: 'subscribe', id: 1, area: around(900_000) });
    await view.advance(6_000);
    expect(last(asked)).toMatchObject({ ok: false, code: 'ENTITY_UNKNOWN' });
  });

  test('that nobody looks at any more is looked for no longer', async () => {
    view = await openView();
    const all = view.join().hello().subscribe(1, everything);
    await view.advance(500);
    const other = openHub(view.world, {}, 'other');
    const client = view.join(other).hello();
    client.say({ type: 'subscribe', id: 1, area: around(all.ids()[0]) });
    client.say({ type: 'unsubscribe', id: 1 });
    await view.advance(9_000);
    expect(other.following.cells.size).toBe(0);
    const stop = other.stop();
    await view.advance(2_000);
    await stop;
  });
});

describe('a gateway', () => {
  test('that is kept warm has every cell before anybody asks, and keeps them', async () => {
    view = await openView();
    const warm = openHub(view.world, {}, 'warm', { isWarm: true });
    await view.advance(8_000);
    expect(warm.following.loads).toBe(view.world.grid.cells);
    const client = view.join(warm).hello().subscribe(1, everything);
    await view.advance(50);
    expect(client.views.get(1)?.live).toBe(1);
    expect(warm.following.loads).toBe(view.world.grid.cells);
    const stop = warm.stop();
    await view.advance(2_000);
    await stop;
  });

  test('that ends tells its clients, and lets go of everything', async () => {
    view = await openView();
    const client = view.join().hello().subscribe(1, everything);
    await view.advance(300);
    const stop = view.hub.stop();
    await view.advance(2_000);
    await stop;
    expect(client.closed).toEqual({ code: 1001, reason: 'GATEWAY_CLOSING' });
    expect(view.hub.viewers.size).toBe(0);
  });

  test('follows each cell once, and lets go of it some time after the last client', async () => {
    view = await openView();
    const clients = [1, 2, 3].map(() => view.join().hello().subscribe(1, everything));
    await view.advance(500);
    expect(view.hub.following.cells.size).toBe(view.world.grid.cells);
    expect(view.hub.following.loads).toBe(view.world.grid.cells);
    for (const { viewer } of clients) viewer.gone();
    await view.advance(1_000);
    expect(view.hub.following.cells.size).toBe(view.world.grid.cells);
    await view.advance(6_000);
    expect(view.hub.following.cells.size).toBe(0);
  });

  test('hands all clients of a selection the very same bytes of a cell', async () => {
    view = await openView();
    const clients = [1, 2].map(() => view.join().hello().subscribe(1, everything));
    await view.advance(500);
    const [one, two] = clients.map(({ viewer }) => [...viewer.subscriptions.values()][0]);
    for (const [cell, seat] of one?.seats ?? []) {
      expect(two?.seats.get(cell)?.face).toBe(seat.face);
    }
  });

  test('tells of pods, holders, time and what happened to whoever wants it', async () => {
    view = await openView();
    const client = view.join().hello();
    client.say({ type: 'status', on: true });
    await view.advance(1_500);
    for (const kind of [1, 3, 4, 5]) expect(client.kinds.get(kind), `part ${kind}`).toBeTruthy();
    // That there is no plan is told too. It costs nothing more until somebody makes one.
    expect([client.kinds.get(PART.plan), client.kinds.get(PART.journal)]).toEqual([1, undefined]);

    const plans = openTwinPlanStore(view.world.server, {
      world: 'w',
      incarnation: 1,
      layer: 'main',
    });
    await plans.lead('authority', 60_000);
    const why = { regions: [1], cells: 1, before: {}, expected: {} };
    const decided = { kind: 'split', cause: 'there is somebody', ...why } as const;
    await plans.writePlan('authority', { version: 1, atMs: 1, regions: [], asleep: [] }, [decided]);
    const indifferent = view.join().hello();
    await view.advance(1_500);
    const late = view.join().hello();
    late.say({ type: 'status', on: true });
    await view.advance(100);
    for (const told of [client, late]) {
      expect([told.kinds.get(PART.plan), told.kinds.get(PART.journal)]).not.toContain(undefined);
    }
    expect(indifferent.kinds.has(PART.plan)).toBe(false);
  });

  test('counts who lives and not who is reported: the death of a pod takes nobody from the total', async () => {
    view = await openView();
    const client = view.join().hello().subscribe(1, everything);
    client.say({ type: 'status', on: true });
    await view.advance(2_000);
    const { entities } = await view.world.census();
    view.world.kill('pod-0');
    const before = client.totals.length;
    await view.advance(2_000);
    const during = client.totals.slice(before);
    expect(during.length).toBeGreaterThan(2);
    expect(new Set(during)).toEqual(new Set([entities]));
  });

  test('answers what is in an area, one entity, and who is nearest', async () => {
    view = await openView();
    const all = view.join().hello().subscribe(1, everything);
    await view.advance(500);
    const asked = Promise.all([
      view.hub.query({ kind: 'world' }, {}, 10_000),
      view.hub.query({ kind: 'circle', x: 40, y: 40, radius: 20 }, { components: ['position'] }, 3),
      view.hub.nearest({ x: 10, y: 10, count: 5 }, {}),
      view.hub.entity(all.ids()[0] as number, {}),
    ]);
    await view.advance(1_000);
    const [whole, some, near, one] = await asked;
    expect(whole.entities.length).toBeGreaterThan(50);
    expect(whole.isTruncated).toBe(false);
    expect(some).toMatchObject({ isTruncated: true });
    expect(some.entities).toHaveLength(3);
    expect(Object.keys(some.entities[0]?.components ?? {})).toEqual(['position']);
    const { grid } = view.world;
    const distances = near.entities.map(({ distance }) => distance ?? Number.NaN);
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
    const nearest = whole.entities
      .map(({ x, y }) => grid.distance(10, 10, x ?? 0, y ?? 0))
      .sort((a, b) => a - b);
    // Asked in the same moment, but answered some ticks apart.
    expect(distances[4]).toBeLessThan((nearest[4] as number) + 10);
    expect(one.entities[0]?.components).toHaveProperty('velocity');
    await expect(view.hub.query({ kind: 'circle', x: 0, y: 0, radius: -1 }, {}, 1)).rejects.toThrow(
      /radius/,
    );
  });
});
