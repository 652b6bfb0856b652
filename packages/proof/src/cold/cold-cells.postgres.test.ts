/** Cells that leave a real Redis for a real PostgreSQL, and what stands in the way. */
import { type LiveStore, openLiveStore, openWorldAdmin } from '@leasehold/live-store';
import { Keys } from '@leasehold/live-store/keys';
import { type CellImage, COOL_LEAVING_MAX, type Head } from '@leasehold/protocol';
import { ColdCells } from '@leasehold/snapshot-store';
import { Grid } from '@leasehold/spatial';
import { eventually, openProxy, type TcpProxy, usePostgres, useRedis } from '@leasehold/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Holder } from './holder-fixture.ts';

const grid = new Grid({ kind: 'plane', width: 1_600, height: 1_600, cell: 100 });
const LAYER = 'main';
const CELL = 37;
const SOON_MS = 10_000;

const bytes = (text: string): Uint8Array => Buffer.from(text);

const at = useRedis();
const postgres = usePostgres();
let proxy: TcpProxy;
let keys: Keys;
let stores: LiveStore[] = [];
let store: LiveStore;

beforeEach(async () => {
  const admin = await openWorldAdmin({ ...placeOf(), url: at.url });
  await admin.createBlocks();
  await admin.close();
  keys = new Keys(at.world, 1, LAYER, grid);
  const url = new URL(postgres.databaseUrl);
  proxy = await openProxy({ target: Number(url.port) });
  url.port = String(proxy.port);
  store = await open(url.href);
});
afterEach(async () => {
  await Promise.all(stores.map((each) => each.close()));
  stores = [];
  await proxy.close();
});

const placeOf = () => ({ world: at.world, incarnation: 1, layer: LAYER, layers: [LAYER], grid });

async function open(coldUrl: string): Promise<LiveStore> {
  const cold = coldUrl === '' ? {} : { cold: new ColdCells({ ...placeOf(), url: coldUrl }) };
  const opened = await openLiveStore({ ...placeOf(), url: at.url, ...cold });
  stores.push(opened);
  return opened;
}

/** Of a cell, by the names of what they are. */
async function keysOf(cell: number): Promise<string[]> {
  const { cell: _cell, cold: _cold, place: _place, block: _block, ...own } = keys.cell(cell);
  const found = await Promise.all(
    Object.entries(own).map(async ([what, key]) => ((await at.redis.exists(key)) ? what : '')),
  );
  return found.filter((what) => what !== '').sort();
}

async function asleep(cell = CELL, state = 'state'): Promise<void> {
  await (await Holder.of(store, cell)).leave(state);
  expect(await store.cool([cell])).toEqual([{ tag: 'COLD', hasLeft: true }]);
  expect(await keysOf(cell)).toEqual([]);
}

const headOf = async (cell = CELL, from = store): Promise<Head> =>
  (await from.heads([cell]))[0] as Head;

function textOf(image: CellImage | undefined): string {
  return Buffer.from(image?.checkpoint?.body ?? []).toString();
}

describe('a cell that slept', () => {
  test('L3 E1 M1 comes back with all that it was: state, posts it knows, ids, index, cursors', async () => {
    await store.post([{ cell: CELL, id: 'first', body: bytes('x') }]);
    expect(await store.reserveIds(CELL, 3)).toBe(1);
    await (await Holder.of(store, 36)).commit({
      out: [{ seq: 1, to: CELL, body: bytes('y') }],
    });
    await (await Holder.of(store, CELL)).leave('state', {
      ...{ inbox: { from: 0, to: 1 }, cursors: [{ cell: 36, from: 0, to: 1 }] },
      geo: { put: [{ id: 9, longitude: 1, latitude: 2 }], drop: [] },
    });
    const before = await headOf();
    expect(await store.cool([CELL])).toEqual([{ tag: 'COLD', hasLeft: true }]);
    expect(await keysOf(CELL)).toEqual([]);
    const { coldMark, checkpoints: _, restoredSeq: _restored, ...head } = await headOf();
    expect(coldMark).toBeGreaterThan(0);
    expect(before).toMatchObject(head);
    expect(textOf((await store.load([{ cell: CELL }]))[0])).toBe('state');
    // Asking has woken nobody; a post does, and one that it had is known.
    expect(await keysOf(CELL)).toEqual([]);
    expect(await store.post([{ cell: CELL, id: 'first', body: bytes('x') }])).toEqual([
      { tag: 'OK', seq: 1 },
    ]);
    expect(await keysOf(CELL)).toEqual(['ckpt0', 'geo', 'meta', 'posted']);
    expect(await store.reserveIds(CELL, 1)).toBe(4);
    expect(await store.locate(9, [CELL])).toEqual([CELL]);
    const holder = await Holder.of(store, CELL);
    await holder.commit();
    expect([holder.seq, (await headOf()).cursors.get(36)]).toEqual([2, 1]);
    const [image] = await store.load([{ cell: CELL }]);
    expect([textOf(image), image?.entries.length]).toEqual(['state', 1]);
  });

  test('L2 is woken by whoever acquires it, ids or posts to it, once by many at a time', async () => {
    await asleep();
    const nonces = ['a.x', 'b.x', 'c.x', 'd.x'];
    const others = await Promise.all(nonces.map(() => open(postgres.databaseUrl)));
    const replies = await Promise.all(
      others.map((each, i) =>
        each.acquire([{ cell: CELL, nonce: nonces[i] as string, ttlMs: 5_000 }]),
      ),
    );
    const tags = replies.flat().map(({ tag }) => tag);
    expect(tags.sort()).toEqual(['GRANTED', 'HELD', 'HELD', 'HELD']);
  });

  test('is remembered in its last state, not in an earlier one', async () => {
    await asleep(CELL, 'one');
    await asleep(CELL, 'two');
    await asleep(CELL, 'three');
    expect(textOf((await store.load([{ cell: CELL }]))[0])).toBe('three');
    const rows = await postgres.pool.query(
      'select seq from leasehold.cold_cell where world = $1 order by seq',
      [at.world],
    );
    // Those before stay for an hour: Redis may come back from before it woke.
    expect(rows.rows.map(({ seq }) => Number(seq))).toEqual([1, 2, 3]);
    await postgres.pool.query(
      "update leasehold.cold_cell set slept_at = now() - interval '2 hours' where world = $1",
      [at.world],
    );
    await asleep(CELL, 'four');
    const left = await postgres.pool.query('select seq from leasehold.cold_cell where world = $1', [
      at.world,
    ]);
    expect(left.rows.map(({ seq }) => Number(seq))).toEqual([4]);
  });

  test('V1 is read anew by whoever followed it from before it was written', async () => {
    const cursor = { cell: CELL, seq: 0, hash: '' };
    expect(await store.poll([cursor], 0)).toEqual([]);
    await asleep();
    const news = await eventually(async () => {
      const found = await store.poll([cursor], 0);
      return found.length > 0 ? found : undefined;
    }, SOON_MS);
    expect(news).toMatchObject([{ cell: CELL, resync: true }]);
    const { seq, hash } = await headOf();
    // Who has it as it sleeps has nothing to read.
    expect(await store.poll([{ cell: CELL, seq, hash }], 0)).toEqual([]);
  });

  test('that was never written leaves nothing behind, there nor here', async () => {
    await store.release([(await Holder.of(store, CELL)).claim]);
    expect(await keysOf(CELL)).toEqual(['meta']);
    expect(await store.cool([CELL])).toEqual([{ tag: 'COLD', hasLeft: true }]);
    expect(await keysOf(CELL)).toEqual([]);
    expect(await headOf()).toMatchObject({ seq: 0, hash: '' });
    const { rows } = await postgres.pool.query('select from leasehold.cold_cell where world = $1', [
      at.world,
    ]);
    expect(rows).toEqual([]);
  });
});

describe('a cell stays', () => {
  test('L1 while somebody holds it, or it is kept for an heir', async () => {
    const holder = await Holder.of(store, CELL);
    await holder.commit({ checkpoint: bytes('state') });
    expect(await store.cool([CELL])).toMatchObject([{ tag: 'BUSY', why: 'held' }]);
    await store.handover([holder.claim], 'b');
    expect(await store.cool([CELL])).toMatchObject([{ tag: 'BUSY', why: 'held' }]);
  });

  test('M1 E1 while something waits in its inbox or in its channel', async () => {
    const out = [{ seq: 1, to: 36, body: bytes('y') }];
    await (await Holder.of(store, CELL)).leave('state', { out });
    expect(await store.cool([CELL])).toMatchObject([{ tag: 'BUSY', why: /channel/ }].map(like));
    await (await Holder.of(store, 36)).commit({ cursors: [{ cell: CELL, from: 0, to: 1 }] });
    await store.post([{ cell: CELL, id: 'a', body: bytes('x') }]);
    expect(await store.cool([CELL])).toMatchObject([{ tag: 'BUSY', why: /inbox/ }].map(like));
    await (await Holder.of(store, CELL)).leave('state', { inbox: { from: 0, to: 1 } });
    expect(await store.cool([CELL])).toEqual([{ tag: 'COLD', hasLeft: true }]);
  });

  test('L3 while its log goes on behind its last checkpoint', async () => {
    const holder = await Holder.of(store, CELL);
    await holder.commit({ checkpoint: bytes('state') });
    await holder.commit({ ending: 'release' });
    expect(await store.cool([CELL])).toEqual([{ tag: 'OPEN' }]);
  });

  test('when others are before it, until its turn comes', async () => {
    const cells = [...Array(COOL_LEAVING_MAX + 3).keys()];
    for (const cell of cells) await (await Holder.of(store, cell)).leave('state');
    const first = await store.cool(cells);
    expect(first.filter(({ tag }) => tag === 'COLD')).toHaveLength(COOL_LEAVING_MAX);
    expect(first.slice(COOL_LEAVING_MAX)).toMatchObject(
      Array(3).fill({ tag: 'BUSY', isLater: true }),
    );
    const second = await store.cool(cells);
    expect(second.every(({ tag }) => tag === 'COLD')).toBe(true);
  });
});

describe('PostgreSQL', () => {
  test('L3 away: no cell leaves, none wakes, and all goes on when it is back', async () => {
    await asleep();
    const fresh = await open(`${postgres.databaseUrl.replace(/:\d+\//, `:${proxy.port}/`)}`);
    await (await Holder.of(store, 5)).leave('five');
    proxy.refuse();
    proxy.cut();
    expect(await store.cool([5])).toMatchObject([{ tag: 'OFF' }]);
    expect(await keysOf(5)).toContain('meta');
    const nonce = 'a.away';
    const ask = () => fresh.acquire([{ cell: CELL, nonce, ttlMs: 5_000 }]);
    expect(await ask()).toMatchObject([{ tag: 'UNKNOWN' }]);
    const cold = { tag: 'UNKNOWN', code: 'CELL_COLD' };
    const post = { cell: CELL, id: 'a', body: bytes('x') };
    expect(await fresh.post([post])).toMatchObject([cold]);
    expect(await fresh.heads([CELL])).toMatchObject([cold]);
    await expect(fresh.load([{ cell: CELL }])).rejects.toMatchObject({ code: 'CELL_COLD' });
    // Cells that are here are asked as ever.
    expect(await fresh.acquire([{ cell: 5, nonce: 'a.5', ttlMs: 5_000 }])).toMatchObject([
      { tag: 'GRANTED' },
    ]);
    proxy.heal();
    const granted = await eventually(async () => {
      const [reply] = await ask();
      return reply?.tag === 'GRANTED' ? reply : undefined;
    }, SOON_MS);
    expect(granted?.head.seq).toBe(1);
  });

  test('CELL_COLD: a process without it says what to set, and wakes nobody', async () => {
    await asleep();
    const blind = await open('');
    await expect(blind.reserveIds(CELL, 1)).rejects.toMatchObject({ code: 'CELL_COLD' });
    await expect(blind.load([{ cell: CELL }])).rejects.toThrow(/SNAPSHOTS_URL|not named here/);
    const [reply] = await blind.acquire([{ cell: CELL, nonce: 'a.blind', ttlMs: 5_000 }]);
    expect(reply).toMatchObject({ tag: 'UNKNOWN' });
    expect(await blind.cool([CELL])).toMatchObject([{ tag: 'OFF' }]);
    expect(await keysOf(CELL)).toEqual([]);
  });

  test('CELL_LOST: a row that is gone, or is of another state, is an error and no empty cell', async () => {
    await asleep();
    await postgres.pool.query('delete from leasehold.cold_cell where world = $1', [at.world]);
    const fresh = await open(postgres.databaseUrl);
    await expect(fresh.load([{ cell: CELL }])).rejects.toThrow('does not have it');
    await expect(fresh.reserveIds(CELL, 1)).rejects.toMatchObject({ code: 'CELL_LOST' });
    const post = (cell: number) => fresh.post([{ cell, id: 'a', body: bytes('x') }]);
    expect(await post(CELL)).toMatchObject([{ tag: 'UNKNOWN', code: 'CELL_LOST' }]);
    await asleep(6);
    await postgres.pool.query("update leasehold.cold_cell set hash = 'ff' where world = $1", [
      at.world,
    ]);
    await expect((await open(postgres.databaseUrl)).load([{ cell: 6 }])).rejects.toThrow(
      'does not have it',
    );
  });
});

/** A part of a sentence. */
const like = ({ tag, why }: { tag: string; why: RegExp }) => ({
  tag,
  why: expect.stringMatching(why),
});
