/** Following on real servers: history that went back, channels longer than a read, barriers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FollowCursor, FollowNews } from '@leasehold/protocol';
import { canStartRedis, eventually, openProxy, startRedis, useRedis } from '@leasehold/testkit';
import { describe, expect, test } from 'vitest';
import { type LiveStore, openLiveStore, openWorldAdmin } from './index.ts';
import { Link } from './link.ts';
import { Loader } from './loader.ts';
import { bytes, GRID, type Holder, hold, useWorld } from './world-fixture.ts';

const at = useRedis();
const world = useWorld(at);

/** What the store keeps of a cell, to bring back later: as a failover that lost the tail does. */
async function snapshot(cell: number): Promise<() => Promise<void>> {
  const { meta, log, out } = world.keys.cell(cell);
  const kept = await Promise.all(
    [meta, log, out].map(async (key) => [key, await at.redis.dumpBuffer(key)] as const),
  );
  return async () => {
    for (const [key, value] of kept) {
      await at.redis.del(key);
      if (value !== null) await at.redis.restore(key, 0, value);
    }
  };
}

const cursorOf = ({ seq, hash, outSeq }: Holder): FollowCursor => ({ cell: 5, seq, hash, outSeq });

async function newsOf(store: LiveStore, cursor: FollowCursor): Promise<FollowNews | undefined> {
  return (await store.poll([cursor], 0)).find(({ cell }) => cell === cursor.cell);
}

describe('a log that went back in time', () => {
  test('L3 is told to a reader that is ahead of it, within about a second', async () => {
    const [store, reader] = [await world.open(), await world.open()];
    const holder = await hold(store, 5);
    await holder.commit();
    const restore = await snapshot(5);
    await holder.commit();
    expect((await newsOf(reader, { cell: 5, seq: 0, hash: '' }))?.entries).toHaveLength(2);
    await restore();
    const news = await eventually(() => newsOf(reader, cursorOf(holder)), 2_000);
    expect(news).toMatchObject({ resync: true, entries: [] });
  });

  test('L3 is told when another history has grown past the reader', async () => {
    const [store, reader] = [await world.open(), await world.open()];
    const holder = await hold(store, 5);
    await holder.commit();
    const restore = await snapshot(5);
    await holder.commit();
    const cursor = cursorOf(holder);
    expect((await newsOf(reader, { cell: 5, seq: 0, hash: '' }))?.entries).toHaveLength(2);
    await restore();
    const [head] = await store.heads([5]);
    if (head === undefined || 'tag' in head) throw new Error('no head');
    holder.seq = head.seq;
    holder.hash = head.hash;
    for (let i = 0; i < 3; i++) await holder.commit({ body: bytes('otherwise') });
    expect(await newsOf(reader, cursor)).toMatchObject({ resync: true, entries: [] });
  });

  test('E1 is told when only its channel went back', async () => {
    const [store, reader] = [await world.open(), await world.open()];
    const holder = await hold(store, 5);
    await holder.commit();
    await at.redis.hset(world.keys.cell(5).meta, 'out', 0);
    const { seq, hash } = holder;
    expect(await newsOf(reader, { cell: 5, seq, hash, outSeq: 2 })).toMatchObject({ resync: true });
  });

  test('L3 an entry whose content does not give its hash is not believed', async () => {
    const [store, reader] = [await world.open(), await world.open()];
    const holder = await hold(store, 5);
    const { log } = world.keys.cell(5);
    const { hash, prevHash, claim } = holder.next();
    const header = `1 ${claim.epoch} ${prevHash} ${hash} 1`;
    await at.redis.xadd(log, '1-0', 'h', header, 'b', 'forged');
    expect(await newsOf(reader, { cell: 5, seq: 0, hash: '' })).toMatchObject({ resync: true });
  });
});

describe('a channel that is longer than a read', () => {
  test('E1 is told up to the last tick that the log has told', async () => {
    const [store, reader] = [await world.open(), await world.open()];
    const holder = await hold(store, 5);
    for (let tick = 1; tick <= 5; tick++) {
      const first = holder.outSeq + 1;
      await holder.commit({
        out: Array.from({ length: 40 }, (_, i) => ({ seq: first + i, to: 6, body: bytes('x') })),
      });
    }
    const news = await newsOf(reader, { cell: 5, seq: 0, hash: '', outSeq: 0 });
    expect(news?.entries).toHaveLength(5);
    expect(news?.out.map(({ seq }) => seq)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    expect(await reader.channel(5, 150)).toHaveLength(50);
    // A reader that has loaded the log, and not the channel, gets all of it too.
    const { seq, hash } = holder;
    const later = await newsOf(reader, { cell: 5, seq, hash, outSeq: 20 });
    expect(later?.out).toHaveLength(180);
  });
});

test.each([
  [0, [5, 6]],
  [3, [4, 5, 6]],
  [100, [1, 2, 3, 4, 5, 6]],
])('L3 of a log stays what loading needs, and %i entries at least', async (logEntriesMin, kept) => {
  const holder = await hold(await world.open({ logEntriesMin }), 5);
  // With checkpoints at 2, 4 and 6 the older of the two that are kept is at 4.
  for (let i = 1; i <= 6; i++) {
    await holder.commit(i % 2 === 0 ? { checkpoint: bytes(`state ${i}`) } : {});
  }
  const raw = await at.redis.xrange(world.keys.cell(5).log, '-', '+');
  expect(raw.map(([id]) => Number(id.split('-')[0]))).toEqual(kept);
});

describe('loading while the holder trims', () => {
  test('L3 begins again from the newer checkpoint', async () => {
    const store = await world.open();
    const holder = await hold(store, 5);
    const checkpoint = (): Promise<unknown> => holder.commit({ checkpoint: bytes('state') });
    for (let i = 0; i < 4; i++) await holder.commit();
    const link = new Link({
      url: at.url,
      timeoutMs: 2_000,
      localMs: () => performance.now(),
      onChange: () => undefined,
    });
    await link.open();
    let reads = 0;
    const headsOf = async (cells: readonly number[]) => {
      const heads = new Map(
        (await store.heads(cells)).map((head) => {
          if ('tag' in head) throw new Error(head.tag);
          return [head.cell, head] as const;
        }),
      );
      // Between the heads and the rest the holder goes on, and its log loses what was to be read.
      if (reads++ === 0) for (let i = 0; i < 3; i++) await checkpoint();
      return heads;
    };
    const nobody = (): never => {
      throw new Error('nobody sleeps here');
    };
    const cold = { read: nobody, imageOf: nobody };
    const loader = new Loader(link, world.keys, { heads: headsOf, cold });
    const [image] = await loader.load([{ cell: 5 }]);
    expect(reads).toBe(2);
    expect(image?.checkpoint?.seq).toBe(7);
    expect(image?.entries).toEqual([]);
    await link.close();
  });

  test('L3 a log of more than one read is loaded whole, however busy the holder', async () => {
    const store = await world.open();
    const holder = await hold(store, 5);
    for (let i = 0; i < 150; i++) await holder.commit();
    const [image] = await store.load([{ cell: 5 }]);
    expect(image?.entries.map(({ seq }) => seq).slice(0, 150)).toEqual(
      Array.from({ length: 150 }, (_, i) => i + 1),
    );
  });

  test('L3 a chain that is broken for good is an error that names the cell', async () => {
    const store = await world.open();
    const holder = await hold(store, 5);
    for (let i = 0; i < 3; i++) await holder.commit();
    await at.redis.xdel(world.keys.cell(5).log, '2-0');
    await expect(store.load([{ cell: 5 }])).rejects.toMatchObject({
      code: 'BODY_MALFORMED',
      message: expect.stringContaining('cell 5'),
    });
  });
});

describe.skipIf(!canStartRedis())('a barrier', () => {
  async function pair() {
    const primary = await startRedis();
    const replica = await startRedis({ replicaOf: primary.port });
    const proxy = await openProxy({ target: primary.port });
    const facts = { url: proxy.url, world: at.world, incarnation: 1, layer: 'main', grid: GRID };
    const admin = await openWorldAdmin(facts);
    await admin.createBlocks();
    await admin.close();
    const store = await openLiveStore(facts);
    await eventually(() => store.status().replicas === 1, 5_000);
    const close = async (): Promise<void> => {
      await store.close();
      await proxy.close();
      await replica.stop();
      await primary.stop();
    };
    return { primary, replica, proxy, facts, store, close };
  }

  test('L3 is passed when every replica has what was read, and a poll behind it', async () => {
    const { replica, store, close } = await pair();
    const holder = await hold(store, 5);
    await holder.commit();
    await store.barrier();
    expect(await newsOf(store, { cell: 5, seq: 0, hash: '' })).toMatchObject({ resync: false });
    await replica.kill('SIGSTOP');
    await holder.commit();
    // What a failover could still take away is not told to anyone.
    await expect(store.poll([{ cell: 5, seq: 0, hash: '' }], 0)).rejects.toThrow('barrier');
    await expect(store.barrier()).rejects.toThrow('0 of 1');
    await replica.kill('SIGCONT');
    await store.barrier();
    await close();
  });

  test('L3 a replica that is cut off is still waited for: it may be promoted', async () => {
    const { replica, store, close } = await pair();
    await replica.kill();
    await sleep(1_200);
    expect(store.status().replicas).toBe(1);
    await expect(store.barrier()).rejects.toThrow('0 of 1');
    await close();
  });

  test('L3 after a failover a reader that is ahead is told, and the holder heals', async () => {
    const { primary, replica, proxy, store, close } = await pair();
    const holder = await hold(store, 5);
    const first = await holder.commit();
    await store.barrier();
    const { runId } = store.status();
    // The replica reads nothing more: what is committed now exists on the primary alone.
    await replica.kill('SIGSTOP');
    const lost = await holder.commit();
    await primary.kill();
    await replica.kill('SIGCONT');
    const promoted = new Link({
      url: replica.url,
      timeoutMs: 2_000,
      localMs: () => performance.now(),
      onChange: () => undefined,
    });
    await promoted.redis.connect();
    await promoted.call(['REPLICAOF', 'NO', 'ONE']);
    await promoted.close();
    proxy.retarget(replica.port);
    proxy.cut();
    await eventually(() => store.status().isConnected && store.status().runId !== runId, 5_000);
    expect(store.status().connectedForMs).toBeLessThan(2_000);
    const [head] = await store.heads([5]);
    const isLost = head !== undefined && !('tag' in head) && head.seq === first.seq;
    if (isLost) {
      expect(await newsOf(store, cursorOf(holder))).toMatchObject({ resync: true });
      expect(await store.commit([lost])).toMatchObject([{ tag: 'OK' }]);
    }
    expect(await store.commit([lost])).toEqual([{ tag: 'ALREADY' }]);
    await close();
  });
});
