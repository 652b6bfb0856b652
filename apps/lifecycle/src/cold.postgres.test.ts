/** Requests for a cell that sleeps in a real PostgreSQL, which goes away and comes back. */
import { type LiveStore, openLiveStore } from '@leasehold/live-store';
import { encodeCheckpoint, entryHash, parseSchema, type RequestPost } from '@leasehold/protocol';
import { Grid } from '@leasehold/spatial';
import { openProxy, type TcpProxy, usePostgres, useRedis } from '@leasehold/testkit';
import { coldStoreOf } from '@leasehold/world';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BulkState, workOff } from './bulk-work.ts';
import { readCells } from './cell-states.ts';
import { LifecycleWorld, type Service } from './lifecycle-fixture.ts';
import { newRequestId, postRequest } from './request-desk.ts';
import type { OpenLayer } from './worlds.ts';

const SOON = { timeout: 20_000, interval: 100 };
/** Of the row in which the lamps stand, on 8 columns. */
const CELL = 24;

const at = useRedis();
const postgres = usePostgres();
let proxy: TcpProxy;
let away: string;
let world: LifecycleWorld;
let service: Service;
const stores: LiveStore[] = [];

beforeAll(async () => {
  const url = new URL(postgres.databaseUrl);
  proxy = await openProxy({ target: Number(url.port) });
  url.port = String(proxy.port);
  away = url.href;
  world = await LifecycleWorld.seed(at.url);
  service = await world.startService({ SNAPSHOTS_URL: away });
});
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await world?.close();
  await proxy?.close();
});

async function storeOf(url: string): Promise<LiveStore> {
  const grid = new Grid({ kind: 'torus', width: 200, height: 100, cell: 25 }, { blockCells: 2 });
  const place = { world: world.name, incarnation: 1, layer: 'main', layers: ['main'], grid };
  const store = await openLiveStore({ ...place, url: at.url, ...coldStoreOf({ ...place, url }) });
  stores.push(store);
  return store;
}

/** Whoever holds it writes all of it in one checkpoint, leaves, and it goes. */
async function sleep(store: LiveStore, cell: number): Promise<void> {
  const [json = ''] = (await store.schemas()).values();
  const layer = { store, schema: parseSchema(json), older: () => undefined };
  const [granted] = await store.acquire([{ cell, nonce: `a.${cell}`, ttlMs: 60_000 }]);
  if (granted?.tag !== 'GRANTED') throw new Error(`not granted: ${JSON.stringify(granted)}`);
  const { claim, head } = granted;
  const [seq, tick, body] = [head.seq + 1, head.tick + 1, new Uint8Array(1)];
  const position = { seq, tick, hash: entryHash(head.hash, seq, claim.epoch, tick, body) };
  let checkpoint = new Uint8Array();
  await readCells(layer as unknown as OpenLayer, [cell], ({ table }) => {
    checkpoint = Uint8Array.from(encodeCheckpoint(table, { tick, idCounter: head.idCounter }));
    return true;
  });
  const rest = { prevHash: head.hash, idCounter: head.idCounter, cursors: [], out: [], checkpoint };
  const whole = { claim, ...position, ...rest, body, ending: 'release', ttlMs: 60_000 } as const;
  expect(await store.commit([whole])).toMatchObject([{ tag: 'OK' }]);
  expect(await store.cool([cell])).toEqual([{ tag: 'COLD', hasLeft: true }]);
}

test('CELL_COLD: what is asked of a cell that sleeps is refused while PostgreSQL is away', async () => {
  const lamp = (await service.ask('/entities?world')).body.entities[0].id;
  const store = await storeOf(postgres.databaseUrl);
  await sleep(store, CELL);
  proxy.refuse();
  proxy.cut();
  const headers = { 'idempotency-key': 'born' };
  const birth = { components: { place: { x: 5, y: 95 } } };
  const patch = { set: { lamp: { isLit: true } } };
  const asked = () => [
    service.post('/entities', birth, headers),
    service.ask(`/entities/${lamp}`, { method: 'PATCH', body: patch }),
    service.ask(`/entities/${lamp}`, { method: 'DELETE' }),
    service.post('/events', { entity: lamp, event: 'strike', payload: { times: 1 } }),
  ];
  for (const { status, body } of await Promise.all(asked())) {
    expect({ status, ...body }).toMatchObject({
      ...{ status: 503, code: 'CELL_COLD' },
      remedy: expect.stringContaining('PostgreSQL'),
    });
  }
  proxy.heal();
  await expect
    .poll(async () => (await service.post('/entities', birth, headers)).status, SOON)
    .toBe(202);
});

test('CELL_COLD, CELL_LOST: a post says why a cell does not come back, and Redis is not blamed', async () => {
  const store = await storeOf(postgres.databaseUrl);
  const posts: RequestPost[] = [{ cell: CELL + 1, body: new Uint8Array() }];
  const post = async (url: string) =>
    postRequest({ store: await storeOf(url) } as unknown as OpenLayer, newRequestId(1), posts);
  await sleep(store, CELL + 1);
  await expect(post('')).rejects.toMatchObject({ code: 'CELL_COLD', detail: { field: 'cell' } });
  await postgres.pool.query('delete from leasehold.cold_cell where cell = $1', [CELL + 1]);
  await expect(post(postgres.databaseUrl)).rejects.toMatchObject({ code: 'CELL_LOST' });
});

const lose = (cell: number): Promise<unknown> =>
  postgres.pool.query('delete from leasehold.cold_cell where cell = $1', [cell]);
const cut = (): void => {
  proxy.refuse();
  proxy.cut();
};

/** Of the row above the lamps, on 8 columns of 25. */
const jobFor = (cell: number) => {
  const x = (cell % 8) * 25;
  const area = { box: `${x + 1},76,${x + 24},99` };
  return { count: 20, components: { lamp: { name: 'cold' } }, area, seed: 5 };
};

test('CELL_COLD: a job waits for PostgreSQL, says so, and goes on when it is back', async () => {
  await sleep(await storeOf(postgres.databaseUrl), CELL + 2);
  cut();
  const { job } = (await service.post('/jobs', jobFor(CELL + 2))).body;
  const looked = async () => (await service.ask(`/jobs/${job}`)).body;
  const waitsFor = expect.stringMatching(/^CELL_COLD: cell 26 sleeps: /);
  await expect.poll(looked, SOON).toMatchObject({ state: 'active', posted: 0, waitsFor });
  proxy.heal();
  // No pod is here to answer what it posts.
  await expect.poll(async () => 'waitsFor' in (await looked()), SOON).toBe(false);
  expect(await looked()).toMatchObject({ state: 'active', refused: 0 });
  await expect
    .poll(async () => {
      const store = await storeOf(postgres.databaseUrl);
      return (await store.inboxes([{ cell: CELL + 2, after: 0 }]))[0]?.length;
    }, SOON)
    .toBe(1);
  await service.ask(`/jobs/${job}`, { method: 'DELETE' });
});

test('CELL_LOST: a job ends, and what was to be born in the cell is refused', async () => {
  await sleep(await storeOf(postgres.databaseUrl), CELL + 3);
  await lose(CELL + 3);
  const { job } = (await service.post('/jobs', jobFor(CELL + 3))).body;
  await expect
    .poll(async () => (await service.ask(`/jobs/${job}`)).body, SOON)
    .toMatchObject({
      ...{ state: 'completed', posted: 20, created: 0, refused: 20, progress: 1 },
      message: expect.stringMatching(/^CELL_LOST: cell 27 /),
    });
});

test('CELL_COLD, CELL_LOST: so it is with cells that fell asleep since ids were drawn', async () => {
  const [lost, here] = [CELL + 4, 0];
  await sleep(await storeOf(postgres.databaseUrl), lost);
  const store = await storeOf(away);
  let state: BulkState = { step: 0, ids: [1, 2, 3], posted: 0, created: 0, refused: 0 };
  const told: (string | undefined)[] = [];
  const records = {
    read: async () => JSON.stringify(state),
    write: async (_kind: string, _id: string, text: string) => {
      state = JSON.parse(text);
      told.push(state.waitsFor?.slice(0, 18));
    },
  };
  const births = [here, lost, lost].map((cell) => ({ cell, components: {} }));
  cut();
  const working = workOff({
    ...{ job: 'late', plan: { steps: 1, births: () => births } },
    layer: { store } as unknown as OpenLayer,
    records: records as never,
    isCancelled: async () => false,
    isNextWaiting: async () => false,
    onStep: async () => undefined,
  });
  await expect.poll(() => state.waitsFor, SOON).toMatch(/^CELL_COLD: cell 28 sleeps/);
  await lose(lost);
  proxy.heal();
  const answer = { tag: 'APPLIED', cell: here, tick: 1 } as const;
  await store.putAnswers([{ id: 'late.0.0', answer }]);
  expect(await working).toMatchObject({ step: 1, posted: 3, created: 1, refused: 2 });
  expect(state.message).toMatch(/^CELL_LOST: cell 28 sleeps/);
  // As long as it waits it may say so in other words.
  expect([...new Set(told)]).toEqual(['CELL_COLD: cell 28', undefined]);
});
