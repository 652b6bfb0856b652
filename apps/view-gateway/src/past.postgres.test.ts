/** The past over HTTP and in views: a gateway process on a real Redis, snapshots in a real PostGIS. */
import { connect, type Subscription, type View } from '@leasehold/client';
import { decodeCheckpoint, encodeCheckpoint, encodeRows, parseSchema } from '@leasehold/protocol';
import { systemClock } from '@leasehold/service';
import {
  type CapturedCell,
  openSnapshotStore,
  type SnapshotFacts,
  type SnapshotStore,
} from '@leasehold/snapshot-store';
import { takeSnapshot } from '@leasehold/snapshots';
import { eventually, usePostgres, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Gateway, GatewayWorld } from './gateway-fixture.ts';

const redis = useRedis();
const postgres = usePostgres();
const BIRDS = 200;
let world: GatewayWorld;
let store: SnapshotStore;
let gateway: Gateway;
/** Without a database, and with one that does not answer. */
let plain: Gateway;
let away: Gateway;
/** Of all birds when nobody had moved one yet. */
let atFirst: Answer;

type Answer = {
  readonly status: number;
  readonly code?: string;
  readonly field?: string;
  readonly tick: number;
  readonly truncated: boolean;
  readonly entities: readonly {
    readonly id: number;
    readonly cell: number;
    readonly components: Readonly<Record<string, Readonly<Record<string, number>>>>;
  }[];
  readonly snapshots: readonly { readonly id: string }[];
};

async function ask(path: string, at: Gateway = gateway): Promise<Answer> {
  const reply = await fetch(`${at.url}${path}`, { headers: { connection: 'close' } });
  return { status: reply.status, ...((await reply.json()) as Omit<Answer, 'status'>) };
}

beforeAll(async () => {
  world = await GatewayWorld.seed(redis.url, BIRDS);
  store = await openSnapshotStore({ url: postgres.databaseUrl });
  const taking = { redisUrl: redis.url, record: world.record, snapshots: store };
  const more = { SNAPSHOTS_URL: postgres.databaseUrl, QUERIES_PER_S: '1000' };
  [gateway, plain, away] = await Promise.all([
    world.startGateway(more),
    world.startGateway(),
    world.startGateway({ SNAPSHOTS_URL: 'postgres://127.0.0.1:9/none' }),
    world.startPod(),
  ]);
  await takeSnapshot({ ...taking, clock: systemClock, id: 'first' });
  atFirst = await ask('/query?world&asOf=first');
  await putFlight();
  await putOfAnotherWorld();
}, 60_000);

afterAll(async () => {
  await world?.close();
  await store?.close();
});

/** The first snapshot once more, but for one bird that is on its way to the next cell. */
let flown: { readonly id: number; readonly cell: number };

async function putFlight(): Promise<void> {
  const facts = await store.facts('first');
  const cells = await all(store.cells('first'));
  const at = cells.findIndex(({ count }) => count > 1);
  const from = cells[at] as CapturedCell;
  const older = schemasOf(facts);
  const { table } = decodeCheckpoint(from.rows, older);
  const rows = Array.from({ length: table.count }, (_, row) => row);
  flown = { id: table.ids[0] as number, cell: from.cell };
  const left = encodeRows(table.pick([0]), facts.tick);
  const rest = encodeCheckpoint(table.pick(rows.slice(1)), { tick: 0, idCounter: 0 });
  cells[at] = { ...from, outSeq: from.outSeq + 1, rows: rest, count: from.count - 1 };
  const entry = { seq: from.outSeq + 1, from: from.cell, to: from.cell ^ 1, tick: facts.tick };
  const writer = await store.begin({ ...facts, id: 'flight' });
  await writer.put(cells);
  const { layer, cell } = from;
  const flights = await all(store.flights('first'));
  const { channel = [], posts = [] } = flights.find((each) => each.cell === cell) ?? {};
  const more = { layer, cell, channel: [...channel, { ...entry, body: left }], posts };
  await writer.putFlights([...flights.filter((each) => each.cell !== cell), more]);
  await writer.finish();
}

const schemasOf =
  ({ schemas }: SnapshotFacts) =>
  (hash: string) => {
    const json = schemas[hash];
    return json === undefined ? undefined : parseSchema(json);
  };

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of source) found.push(each);
  return found;
}

async function putOfAnotherWorld(): Promise<void> {
  const facts = await store.facts('first');
  const another = await store.begin({ ...facts, id: 'theirs', world: 'theirs' });
  await another.put(await all(store.cells('first')));
  await another.finish();
  const space = { ...facts.space, width: 400 };
  const wide = await store.begin({ ...facts, id: 'wide', space });
  await wide.put(await all(store.cells('first')));
  await wide.finish();
}

describe('/snapshots', () => {
  test('lists those of this world, newest first, and the client reads the list', async () => {
    const { status, snapshots } = await ask('/snapshots');
    expect([status, snapshots.map(({ id }) => id)]).toEqual([200, ['wide', 'flight', 'first']]);
    const { tick } = await store.get('first');
    const listed = { id: 'first', tick, takenAtMs: expect.any(Number), entities: BIRDS };
    expect(snapshots[2]).toEqual(listed);
    expect(await opened().snapshots()).toEqual(snapshots);
  });

  test('SNAPSHOTS_OFF: without a database there are none, and now is served all the same', async () => {
    expect(await ask('/snapshots', plain)).toMatchObject({ status: 503, code: 'SNAPSHOTS_OFF' });
    const past = await ask('/query?world&asOf=first', plain);
    expect(past).toMatchObject({ status: 503, code: 'SNAPSHOTS_OFF', field: 'SNAPSHOTS_URL' });
    expect((await ask('/query?world', plain)).entities).toHaveLength(BIRDS);
    const view = opened(plain);
    await expect(view.snapshots()).rejects.toMatchObject({ code: 'SNAPSHOTS_OFF' });
    expect(await refusalOf(view, 'first')).toBe('SNAPSHOTS_OFF');
  });

  test('DATABASE_UNREACHABLE: one that does not answer is said, and now is served', async () => {
    const answer = await ask('/snapshots', away);
    expect(answer).toMatchObject({ status: 503, code: 'DATABASE_UNREACHABLE' });
    expect((await ask('/query?world', away)).status).toBe(200);
  });
});

describe('/query?asOf', () => {
  test('answers with what was, while the world goes on', async () => {
    expect(atFirst.entities).toHaveLength(BIRDS);
    await eventually(async () => (await ask('/query?world')).tick > atFirst.tick + 5);
    const again = await ask('/query?world&asOf=first');
    expect(again).toEqual(atFirst);
    const now = await ask('/query?world');
    const idsOf = ({ entities }: Answer) => entities.map(({ id }) => id);
    expect(idsOf(now)).toEqual(idsOf(again));
    expect(Object.keys(now)).toEqual(Object.keys(again));
    expect(now.entities).not.toEqual(again.entities);
    const stored = await store.entities('first', { limit: BIRDS });
    const told = again.entities.map(({ id, components }) => [id, components['position']?.['x']]);
    expect(told).toEqual(stored.map(({ id, x }) => [id, x]));
  });

  test('takes areas, one entity and the nearest, as now', async () => {
    const one = atFirst.entities[0] as Answer['entities'][number];
    const { x, y } = one.components['position'] as { x: number; y: number };
    const boxed = await ask('/query?box=0,0,60,60&components=heading&asOf=first');
    const inside = atFirst.entities.filter(({ components: { position } }) => {
      return Number(position?.['x']) <= 60 && Number(position?.['y']) <= 60;
    });
    expect(boxed.entities.map(({ id }) => id)).toEqual(inside.map(({ id }) => id));
    expect(Object.keys(boxed.entities[0]?.components ?? {})).toEqual(['heading']);
    expect((await ask(`/query?id=${one.id}&asOf=first`)).entities).toEqual([one]);
    const around = await ask(`/query?around=${one.id},5&asOf=first`);
    expect(around.entities).toContainEqual(one);
    const near = await ask(`/nearest?x=${x}&y=${y}&count=1&asOf=first`);
    expect(near.entities).toMatchObject([{ id: one.id, distance: 0 }]);
    const few = await ask('/query?world&limit=5&asOf=first');
    expect([few.entities.length, few.truncated]).toEqual([5, true]);
  });

  test('E1 who was on the way is told once, in the cell that was left', async () => {
    const { entities } = await ask('/query?world&asOf=flight');
    expect(entities).toEqual(atFirst.entities);
    const one = await ask(`/query?id=${flown.id}&asOf=flight`);
    expect(one.entities).toMatchObject([flown]);
  });

  test.each([
    ['nothing', 404, 'SNAPSHOT_UNKNOWN'],
    ['theirs', 404, 'SNAPSHOT_UNKNOWN'],
    ['', 404, 'SNAPSHOT_UNKNOWN'],
    ['wide', 409, 'WORLD_MISMATCH'],
  ])('refuses %s', async (id, status, code) => {
    expect(await ask(`/query?world&asOf=${id}`)).toMatchObject({ status, code });
    expect(await refusalOf(opened(), id)).toBe(code);
  });
});

function opened(at: Gateway = gateway): View {
  const view = connect({ url: at.viewUrl });
  onTestFinished(() => view.close());
  return view;
}

async function live(subscription: Subscription): Promise<Subscription> {
  await eventually(() => subscription.isLive);
  return subscription;
}

function refusalOf(view: View, asOf: string): Promise<string> {
  const subscription = view.subscribe({ area: { kind: 'world' }, asOf });
  return new Promise((resolve) => subscription.on('error', ({ code }) => resolve(code)));
}

describe('a view of a snapshot', () => {
  test('is told its state, which is that of the query, and nothing after it', async () => {
    const view = opened();
    const now = await live(view.subscribe({ area: { kind: 'world' } }));
    const past = view.subscribe({ area: { kind: 'world' }, asOf: 'first' });
    let updates = 0;
    past.on('update', () => {
      updates++;
    });
    await live(past);
    expect([past.size, past.tick]).toEqual([BIRDS, atFirst.tick]);
    for (const { id, cell, components } of atFirst.entities) {
      const told = past.get(id);
      expect([told?.cell, told?.tick]).toEqual([cell, atFirst.tick]);
      const { x, y } = components['position'] as { x: number; y: number };
      expect(told?.components['position']?.['x']).toBeCloseTo(x, 1);
      expect(told?.components['position']?.['y']).toBeCloseTo(y, 1);
    }
    const { tick } = now;
    await eventually(() => now.tick > tick + 10);
    expect(updates).toBe(0);
    const drawn = past.positions(performance.now());
    expect(drawn.ids.subarray(0, drawn.count).filter((id) => id > 0)).toHaveLength(BIRDS);
  });

  test('moves its area, stays around an entity, and is there beside another', async () => {
    const view = opened();
    const [one] = atFirst.entities;
    const box = { kind: 'box', minX: 0, minY: 0, maxX: 60, maxY: 60 } as const;
    const moving = view.subscribe({ area: box, asOf: 'first' });
    const { id = 0 } = one ?? {};
    const around = view.subscribe({
      area: { kind: 'around', entity: id, radius: 5 },
      asOf: 'first',
    });
    const other = view.subscribe({ area: { kind: 'world' }, asOf: 'flight' });
    await live(moving);
    expect(moving.size).toBeLessThan(BIRDS);
    moving.setArea({ kind: 'world' });
    await eventually(() => moving.size === BIRDS);
    expect((await live(around)).has(id)).toBe(true);
    expect((await live(other)).get(flown.id)).toMatchObject({ cell: flown.cell });
    expect(other.size).toBe(BIRDS);
    other.close();
    moving.close();
    expect((await ask('/query?world&limit=1&asOf=flight')).status).toBe(200);
  });
});

test('how many snapshots are open, and looked at, is told to Prometheus', async () => {
  const own = await world.startGateway({ SNAPSHOTS_URL: postgres.databaseUrl });
  const figures = async () => {
    const reply = await fetch(`${own.url}/metrics`, { headers: { connection: 'close' } });
    const lines = (await reply.text()).split('\n');
    return ['snapshots_open', 'snapshots_used', 'snapshot_bytes'].map((name) => {
      const line = lines.find((each) => each.startsWith(`leasehold_gateway_${name}{`));
      return Number(line?.split(' ').at(-1));
    });
  };
  expect(await figures()).toEqual([0, 0, 0]);
  const view = opened(own);
  const [first, again, other] = ['first', 'first', 'flight'].map((asOf) =>
    view.subscribe({ area: { kind: 'world' }, asOf }),
  ) as [Subscription, Subscription, Subscription];
  for (const each of [first, again, other]) await live(each);
  const [open, used, bytes] = await figures();
  expect([open, used]).toEqual([2, 2]);
  expect(bytes).toBeGreaterThan(BIRDS * 8);
  first.close();
  other.close();
  // Kept for whoever comes back to it.
  await eventually(async () => (await figures())[1] === 1);
  expect(await figures()).toEqual([2, 1, bytes]);
});
