/** Part of the store suite: worlds that are there or not, pods, clock, feed, schemas. */
import { expect, test } from 'vitest';
import { entryHash } from './entry-hash.ts';
import {
  acquireOne,
  bytes,
  chainOf,
  headAt,
  hold,
  nonceOf,
  type SuiteWorld,
} from './store-suite-bench.ts';
import { type CellSeed, SEED_EPOCH } from './world-admin.ts';

export function creationTests(world: () => SuiteWorld): void {
  test('a world without blocks is NOWORLD to every call, never an empty one', async () => {
    const a = await world().openStore('a');
    const claim = { cell: 5, nonce: nonceOf('a'), epoch: '1' };
    expect(await acquireOne(a, 5, claim.nonce)).toEqual({ tag: 'NOWORLD' });
    expect(await a.renew([claim], 1_000)).toEqual([{ tag: 'NOWORLD' }]);
    expect(await a.release([claim])).toEqual([{ tag: 'NOWORLD' }]);
    expect(await a.revoke([claim])).toEqual([{ tag: 'NOWORLD' }]);
    expect(await a.heads([5])).toEqual([{ tag: 'NOWORLD' }]);
    expect(await a.post([{ cell: 5, id: 'x', body: bytes('x') }])).toEqual([{ tag: 'NOWORLD' }]);
    const { admin } = world();
    expect(await admin.createCells([seedOf(5)])).toEqual([{ tag: 'NOWORLD' }]);
    expect(await admin.blocks()).toEqual({ present: 0, sealed: 0 });
    expect(await admin.incarnations()).toEqual([]);
  });

  test('L4 creating blocks and cells again changes nothing', async () => {
    const { admin, cells } = world();
    const a = await world().openStore('a');
    const seeds = Array.from({ length: Math.min(cells, 40) }, (_, cell) => seedOf(cell));
    await admin.createBlocks();
    await admin.createBlocks();
    expect((await admin.blocks()).present).toBeGreaterThan(1);
    expect(await admin.incarnations()).toEqual([admin.incarnation]);
    for (const tag of ['OK', 'ALREADY', 'ALREADY']) {
      expect(await admin.createCells(seeds)).toEqual(seeds.map(() => ({ tag })));
    }
    const other = { ...seedOf(5), hash: '0123456789abcdef', body: bytes('other') };
    const head = { tag: 'HEAD', seq: 1, hash: seedOf(5).hash };
    expect(await admin.createCells([other])).toEqual([head]);
    const [entry] = await chainOf(a, 5);
    expect(entry).toMatchObject({ seq: 1, tick: 0, epoch: '0', prevHash: '' });
    expect(entry?.body).toEqual(seedOf(5).body);
    expect(await headAt(a, 5)).toMatchObject({ seq: 1, tick: 0, idCounter: 6, nonce: '' });
  });

  test('L3 the first holder of a seeded cell extends entry 1', async () => {
    const { admin } = world();
    const a = await world().openStore('a');
    await admin.createBlocks();
    await admin.createCells([seedOf(5)]);
    const held = await hold(a, 5, 'a');
    expect(held.granted.head).toMatchObject({ seq: 1, hash: seedOf(5).hash, idCounter: 6 });
    await held.commit({ idCounter: 9 });
    expect(await chainOf(a, 5)).toHaveLength(2);
    expect((await headAt(a, 5)).idCounter).toBe(9);
    expect(await admin.createCells([seedOf(5)])).toEqual([{ tag: 'ALREADY' }]);
    const other = { ...seedOf(5), hash: '0123456789abcdef' };
    expect(await admin.createCells([other])).toMatchObject([{ tag: 'HEAD', seq: 2 }]);
    expect(await chainOf(a, 5)).toHaveLength(2);
  });

  test('a forgotten world takes nothing more, and repeating it is harmless', async () => {
    const { admin } = world();
    const a = await world().openStore('a');
    await admin.createBlocks();
    await admin.createCells([seedOf(5), seedOf(6)]);
    const held = await hold(a, 5, 'a');
    await admin.forget();
    await admin.forget();
    const reply = await held.send(held.next());
    expect(['NOWORLD', 'SEALED']).toContain(reply.tag);
    const news = await a.poll([{ cell: 6, seq: 1, hash: seedOf(6).hash }], 0);
    expect(news).toMatchObject([{ cell: 6, resync: true }]);
    expect((await admin.blocks()).present).toBe(0);
    expect(await admin.incarnations()).toEqual([]);
    await expect(a.load([{ cell: 6 }])).rejects.toMatchObject({ code: 'WORLD_NOT_READY' });
  });
}

function seedOf(cell: number): CellSeed {
  const body = bytes(`seed of ${cell}`);
  return { cell, hash: entryHash('', 1, SEED_EPOCH, 0, body), body, idCounter: cell + 1 };
}

export function podTests(world: () => SuiteWorld): void {
  test('a pod is known and connected from its announcement until it closes', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    expect(await b.connected(['a', 'b', 'nobody'])).toEqual(new Set());
    await a.announce('a', 41, () => undefined);
    await b.announce('b', 42, () => undefined);
    expect(await b.connected(['a', 'b', 'nobody'])).toEqual(new Set(['a', 'b']));
    await a.report('draining', { ticks: 7 });
    const pods = await b.pods();
    expect(pods.map(({ pod }) => pod).sort()).toEqual(['a', 'b']);
    const record = pods.find(({ pod }) => pod === 'a');
    expect(record).toMatchObject({ pid: 41, state: 'draining', report: { ticks: 7 } });
    expect(record?.layer).toBe(a.layer);
    await a.close();
    await world().advance(20);
    expect(await b.connected(['a', 'b'])).toEqual(new Set(['b']));
    expect((await b.pods()).map(({ pod }) => pod)).toEqual(['b']);
  });

  test('a pod hears what is sent to it, in order, and not what is sent to others', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const heard: string[] = [];
    await a.announce('a', 41, (message) => heard.push(message));
    await b.announce('b', 42, () => undefined);
    for (const message of ['one', 'two']) await b.notify('a', message);
    await b.notify('b', 'mine');
    await b.notify('nobody', 'lost');
    for (let i = 0; i < 100 && heard.length < 2; i++) await world().advance(10);
    expect(heard).toEqual(['one', 'two']);
  });

  test('a store that is open says so, and its time does not go back', async () => {
    const a = await world().openStore('a');
    await a.heads([1]);
    expect(a.status()).toMatchObject({ isConnected: true });
    expect(a.status().runId).not.toBe('');
    let last = a.nowMs();
    for (let i = 0; i < 5; i++) {
      await world().advance(10);
      await a.heads([1]);
      expect(a.nowMs()).toBeGreaterThanOrEqual(last);
      last = a.nowMs();
    }
    expect(a.status().connectedForMs).toBeGreaterThan(0);
    await a.barrier();
    await a.close();
    expect(a.status().isConnected).toBe(false);
  });
}

export function sharedTests(world: () => SuiteWorld): void {
  test('the world clock is what was set last, based on the store’s time', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    expect(await a.clock()).toBeUndefined();
    const clock = {
      mode: 'realtime',
      rateHz: 20,
      baseTick: 100,
      isPaused: false,
      endTick: 0,
    } as const;
    const set = await a.setClock(clock);
    expect(set).toMatchObject(clock);
    expect(Math.abs(set.baseMs - a.nowMs())).toBeLessThan(5_000);
    expect(await b.clock()).toEqual(set);
    await b.setClock({ ...clock, isPaused: true, mode: 'lockstep', endTick: 400 });
    expect(await a.clock()).toMatchObject({ isPaused: true, mode: 'lockstep', endTick: 400 });
  });

  test('the feed is read in order from where one stopped', async () => {
    const a = await world().openStore('a');
    const start = await a.readFeed('');
    expect(start.entries).toEqual([]);
    await a.feed({ kind: 'takeover', pod: 'a', facts: { cells: 4, from: 'b' } });
    await a.feed({ kind: 'jump', pod: 'a', facts: { ticks: 21 } });
    const first = await a.readFeed(start.id);
    expect(first.entries.map(({ atMs: _, ...rest }) => rest)).toEqual([
      { kind: 'takeover', pod: 'a', facts: { cells: 4, from: 'b' } },
      { kind: 'jump', pod: 'a', facts: { ticks: 21 } },
    ]);
    expect((await a.readFeed(first.id)).entries).toEqual([]);
    await a.feed({ kind: 'heal', pod: 'a', facts: {} });
    const second = await a.readFeed(first.id);
    expect(second.entries.map(({ kind }) => kind)).toEqual(['heal']);
  });

  test('a schema is kept by its hash', async () => {
    const a = await world().openStore('a');
    expect(await a.getSchema('0123456789abcdef')).toBeUndefined();
    await a.putSchema('0123456789abcdef', '{"layer":"main"}');
    await a.putSchema('0123456789abcdef', '{"layer":"main"}');
    expect(await a.getSchema('0123456789abcdef')).toBe('{"layer":"main"}');
    expect(await world().admin.getSchema('0123456789abcdef')).toBe('{"layer":"main"}');
  });
}
