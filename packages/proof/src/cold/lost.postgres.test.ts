/** A cell that PostgreSQL has lost: it alone is refused, whatever is asked for in the same call. */
import { type LiveStore, openLiveStore, openWorldAdmin } from '@leasehold/live-store';
import { ColdCells } from '@leasehold/snapshot-store';
import { Grid } from '@leasehold/spatial';
import { eventually, usePostgres, useRedis } from '@leasehold/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Holder } from './holder-fixture.ts';

const grid = new Grid({ kind: 'plane', width: 1_600, height: 1_600, cell: 100 });
const LOST = 37;
/** One before it and one behind it in each call. */
const CELLS = [36, LOST, 38];
const SOON_MS = 10_000;
const LONG_MS = 60_000;
const REFUSED = {
  tag: 'UNKNOWN',
  code: 'CELL_LOST',
  message: `cell ${LOST} slept, and PostgreSQL does not have it`,
};

const at = useRedis();
const postgres = usePostgres();
let stores: LiveStore[] = [];
/** Has never seen a cell that sleeps. */
let fresh: LiveStore;

const placeOf = () => ({ world: at.world, incarnation: 1, layer: 'main', layers: ['main'], grid });

async function open(url = postgres.databaseUrl): Promise<LiveStore> {
  const cold = url === '' ? {} : { cold: new ColdCells({ ...placeOf(), url }) };
  const store = await openLiveStore({ ...placeOf(), url: at.url, ...cold });
  stores.push(store);
  return store;
}

beforeEach(async () => {
  const admin = await openWorldAdmin({ ...placeOf(), url: at.url });
  await admin.createBlocks();
  await admin.close();
  const store = await open();
  for (const cell of CELLS) await (await Holder.of(store, cell)).leave(`state ${cell}`);
  const gone = { tag: 'COLD', hasLeft: true };
  expect(await store.cool(CELLS)).toEqual([gone, gone, gone]);
  await postgres.pool.query('delete from leasehold.cold_cell where world = $1 and cell = $2', [
    at.world,
    LOST,
  ]);
  fresh = await open();
});
afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
  stores = [];
});

test('CELL_LOST: those that are acquired with it are granted', async () => {
  const asked = CELLS.map((cell) => ({ cell, nonce: `a.lost${cell}`, ttlMs: LONG_MS }));
  const granted = { tag: 'GRANTED', head: { seq: 1 } };
  expect(await fresh.acquire(asked)).toMatchObject([granted, REFUSED, granted]);
});

test('CELL_LOST: what is posted to others with it is taken, and ids are drawn from them', async () => {
  const posts = CELLS.map((cell) => ({ cell, id: `p${cell}`, body: new Uint8Array(1) }));
  const taken = { tag: 'OK', seq: 1 };
  expect(await fresh.post(posts)).toMatchObject([taken, REFUSED, taken]);
  const other = await open();
  const drawn = await Promise.allSettled(CELLS.map((cell) => other.reserveIds(cell, 2)));
  const lost = { code: 'CELL_LOST', detail: { field: 'cell', value: String(LOST) } };
  const first = { status: 'fulfilled', value: 1 };
  expect(drawn).toMatchObject([first, { status: 'rejected', reason: lost }, first]);
});

test('CELL_LOST: heads of others are told with it, and a reading of all names it', async () => {
  const told = { seq: 1, coldMark: expect.any(Number) };
  expect(await fresh.heads(CELLS)).toMatchObject([told, REFUSED, told]);
  const requests = CELLS.map((cell) => ({ cell }));
  const named = { code: 'CELL_LOST', detail: { field: 'cell', value: String(LOST) } };
  await expect((await open()).load(requests)).rejects.toMatchObject(named);
  const sound = requests.filter(({ cell }) => cell !== LOST);
  const images = await fresh.load(sound);
  const texts = images.map(({ checkpoint }) => Buffer.from(checkpoint?.body ?? []).toString());
  expect(texts).toEqual(['state 36', 'state 38']);
});

test('V1 whoever follows others with it is told that they are elsewhere', async () => {
  const cursors = CELLS.map((cell) => ({ cell, seq: 0, hash: '' }));
  const told = new Set<number>();
  await eventually(async () => {
    for (const { cell, resync } of await fresh.poll(cursors, 0)) if (resync) told.add(cell);
    return told.size === 2 ? told : undefined;
  }, SOON_MS);
  expect([...told].sort()).toEqual([36, 38]);
});

test('E1 what was sent to it stays, and cells that leave in the same call leave', async () => {
  const out = [{ seq: 1, to: LOST, body: new Uint8Array(1) }];
  await (await Holder.of(fresh, 5)).leave('five', { out });
  await (await Holder.of(fresh, 6)).leave('six');
  expect(await (await open()).cool([5, 6])).toMatchObject([
    { tag: 'BUSY', why: expect.stringContaining('channel') },
    { tag: 'COLD', hasLeft: true },
  ]);
});

test('CELL_COLD: what a process remembers of cells it need not ask for', async () => {
  await fresh.heads([36]);
  const told = { seq: 1, coldMark: expect.any(Number) };
  const away = { tag: 'UNKNOWN', code: 'CELL_COLD' };
  expect(await (await open('')).heads([36, 38])).toMatchObject([away, away]);
  await postgres.pool.query('alter table leasehold.cold_cell rename to cold_cell_away');
  expect(await fresh.heads([36, 38])).toMatchObject([told, away]);
  await postgres.pool.query('alter table leasehold.cold_cell_away rename to cold_cell');
});
