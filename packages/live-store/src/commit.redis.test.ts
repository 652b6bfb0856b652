/** Commits on a real server: whole or absent, fenced, and the same however often they are sent. */
import {
  BYTES_PER_CELL_MAX,
  type Commit,
  type CommitReply,
  OUT_PER_COMMIT_MAX,
} from '@leasehold/protocol';
import { eventually, openProxy, startRedis, useRedis } from '@leasehold/testkit';
import { describe, expect, test } from 'vitest';
import { LIBRARY } from './library.ts';
import { bytes, hold, nonceOf, useWorld } from './world-fixture.ts';

const at = useRedis();
const world = useWorld(at);

/** Everything the store knows of a cell, as bytes. */
async function dump(cell: number): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const { meta } = world.keys.cell(cell);
  const prefix = meta.slice(0, meta.indexOf(':meta'));
  for (const key of (await at.redis.keys(`${prefix}:*`)).sort()) {
    found.set(key, String((await at.redis.dumpBuffer(key))?.toString('hex')));
  }
  return found;
}

/** A commit that uses every key of its cell. */
function fullCommit(next: (parts: Partial<Commit>) => Commit): Commit {
  return next({
    out: [{ seq: 1, to: 6, body: bytes('leaves') }],
    inbox: { from: 0, to: 1 },
    checkpoint: bytes('state'),
    cursors: [{ cell: 6, from: 0, to: 3 }],
    geo: { put: [{ id: 2 ** 52 + 1, longitude: 0.5, latitude: 0.5 }], drop: [7] },
    outTrimTo: 1,
  });
}

describe('a commit is whole or absent', () => {
  const wrong = ['log', 'out', 'inbox', 'ckpt0', 'ckpt1', 'geo'] as const;
  test.each(wrong)('L3 a commit whose %s key is of another type changes nothing', async (name) => {
    const holder = await hold(await world.open(), 5);
    await holder.store.post([{ cell: 5, id: 'x', body: bytes('x') }]);
    const key = world.keys.cell(5)[name];
    await at.redis.del(key);
    await at.redis.set(key, 'of another type');
    const before = await dump(5);
    const reply = await holder.send(fullCommit((parts) => holder.next(parts)));
    expect(reply).toMatchObject({ tag: 'REFUSED', message: expect.stringContaining('WRONGTYPE') });
    expect(await dump(5)).toEqual(before);
    await at.redis.del(key);
    if (name !== 'inbox') expect(await holder.send(holder.next())).toMatchObject({ tag: 'OK' });
  });

  test('L3 a channel that is ahead of its cell refuses the commit whole', async () => {
    const holder = await hold(await world.open(), 5);
    await at.redis.xadd(world.keys.cell(5).out, '4-0', 'd', '6', 't', '1', 'b', 'x');
    const before = await dump(5);
    const reply = await holder.send(holder.next({ out: [{ seq: 1, to: 6, body: bytes('y') }] }));
    expect(reply).toMatchObject({ tag: 'BADCURSOR' });
    expect(await dump(5)).toEqual(before);
  });

  test('L3 a commit with everything in it writes all of it', async () => {
    const holder = await hold(await world.open(), 5);
    await holder.store.post([{ cell: 5, id: 'x', body: bytes('x') }]);
    expect(await holder.send(fullCommit((parts) => holder.next(parts)))).toMatchObject({
      tag: 'OK',
      inboxLength: 0,
    });
    const [head] = await holder.store.heads([5]);
    expect(head).toMatchObject({ seq: 1, outSeq: 1, inboxCursor: 1, checkpoints: [{ slot: 0 }] });
    const { geo, inbox, out } = world.keys.cell(5);
    expect(await at.redis.zrange(geo, '0', '-1')).toEqual([String(2 ** 52 + 1)]);
    expect(await at.redis.xlen(inbox)).toBe(0);
    expect(await at.redis.xlen(out)).toBe(0);
  });

  test.each([
    ['geo', { geo: { put: [{ id: 1, longitude: 0, latitude: 86 }], drop: [] } }, 'BADARG'],
    ['geo', { geo: { put: [{ id: 1, longitude: Number.NaN, latitude: 0 }], drop: [] } }, 'BADARG'],
    ['geo', { geo: { put: [], drop: Array.from({ length: 257 }, (_, i) => i) } }, 'TOOBIG'],
    ['ttlMs', { ttlMs: 0 }, 'BADARG'],
    ['ttlMs', { ttlMs: 3_600_000 }, 'BADARG'],
    ['tick', { tick: 1.5 }, 'BADARG'],
    ['hash', { hash: '' }, 'BADARG'],
    ['heir', { ending: { heir: 'a b' } }, 'BADARG'],
    ['body', { body: new Uint8Array(BYTES_PER_CELL_MAX + 1) }, 'TOOBIG'],
    ['checkpoint', { checkpoint: new Uint8Array(BYTES_PER_CELL_MAX) }, 'TOOBIG'],
    [
      'out',
      {
        out: Array.from({ length: OUT_PER_COMMIT_MAX + 1 }, (_, i) => {
          return { seq: i + 1, to: 6, body: bytes('') };
        }),
      },
      'TOOBIG',
    ],
  ] as [string, Partial<Commit>, string][])(
    'L3 a commit with a %s out of range (%o) changes nothing',
    async (_, parts, tag) => {
      const holder = await hold(await world.open(), 5);
      const before = await dump(5);
      expect(await holder.send(holder.next(parts))).toMatchObject({ tag });
      expect(await dump(5)).toEqual(before);
    },
  );

  test('a cell is refused on its own: its neighbours in the call are committed', async () => {
    const store = await world.open();
    const cells = Array.from({ length: 40 }, (_, cell) => cell);
    const holders = await Promise.all(cells.map((cell) => hold(store, cell)));
    const roundTrips = store.traffic().roundTrips;
    const commits = holders.map((holder, i) =>
      holder.next(i % 5 === 3 ? { prevHash: 'ffffffffffffffff' } : {}),
    );
    const replies = await store.commit(commits);
    expect(store.traffic().roundTrips).toBe(roundTrips + 1);
    expect(replies.map(({ tag }) => tag)).toEqual(
      cells.map((cell) => (cell % 5 === 3 ? 'HEAD' : 'OK')),
    );
  });

  test('bodies of half a megabyte each are split over calls, and one may be a megabyte', async () => {
    const store = await world.open();
    const holders = await Promise.all([1, 2, 3].map((cell) => hold(store, cell)));
    const body = (size: number): Partial<Commit> => ({ body: new Uint8Array(size) });
    const sizes = [400_000, BYTES_PER_CELL_MAX, 400_000];
    const replies = await store.commit(
      holders.map((holder, i) => holder.next(body(sizes[i] as number))),
    );
    expect(replies.map(({ tag }) => tag)).toEqual(['OK', 'OK', 'OK']);
  });

  test('a cell that is not of the grid is refused', async () => {
    const store = await world.open();
    const reply = await store.acquire([{ cell: 64, nonce: nonceOf('a'), ttlMs: 100 }]);
    expect(reply).toMatchObject([{ tag: 'BADARG' }]);
    expect(await store.heads([0.5, 3, -1])).toMatchObject([
      { tag: 'BADARG' },
      { cell: 3 },
      { tag: 'BADARG' },
    ]);
  });
});

describe('the limits of a call hold in the script itself', () => {
  test('more than 16 cells, or cells that cannot be told apart, are no call', async () => {
    const { block, meta } = world.keys.cell(5);
    const items = (count: number): string[] =>
      Array.from({ length: count }, () => ['3', '0', 'cold:main', '0']).flat();
    const call = (cells: number, args: string[]): Promise<unknown> => {
      const keys = Array.from({ length: cells }, () => [block, meta]).flat();
      const name = `${LIBRARY}_cell_heads`;
      const count = keys.length.toString();
      return at.redis.call('FCALL', name, count, ...keys, ...args) as Promise<unknown>;
    };
    expect(await call(16, ['1', '16', ...items(16)])).toHaveLength(16);
    await expect(call(17, ['1', '17', ...items(17)])).rejects.toThrow('BADCALL');
    await expect(call(1, ['1', '1', '9', '0'])).rejects.toThrow('BADCALL');
    await expect(call(1, ['x', '1', '1', '0'])).rejects.toThrow('BADCALL');
    expect(await call(1, ['1', '2', ...items(2)])).toEqual([
      expect.arrayContaining(['HEAD']),
      ['BADARG', 'a key is missing'],
    ]);
  });
});

describe('a commit that is sent again', () => {
  test('L4 after a lost reply it is ALREADY, and the log has it once', async () => {
    const proxy = await openProxy({ target: Number(new URL(at.url).port) });
    try {
      const holder = await hold(await world.open({ url: proxy.url }), 5);
      const commit = holder.next();
      proxy.loseReply();
      expect(await holder.store.commit([commit])).toMatchObject([{ tag: 'UNKNOWN' }]);
      expect(await at.redis.xlen(world.keys.cell(5).log)).toBe(1);
      const reply = await repeat(() => holder.store.commit([commit]));
      expect(reply).toEqual({ tag: 'ALREADY' });
      expect(await at.redis.xlen(world.keys.cell(5).log)).toBe(1);
      holder.stand(commit);
      await holder.commit();
      await holder.store.close();
    } finally {
      await proxy.close();
    }
  });

  test('L1 by a holder that lost its lease it is FENCED, not ALREADY', async () => {
    const store = await world.open();
    const holder = await hold(store, 5);
    const commit = await holder.commit();
    await store.revoke([{ cell: 5, nonce: holder.claim.nonce }]);
    expect(await store.commit([commit])).toMatchObject([{ tag: 'FENCED', nonce: '' }]);
    const heir = await hold(store, 5, 'b');
    expect(await store.commit([commit])).toMatchObject([
      { tag: 'FENCED', nonce: heir.claim.nonce },
    ]);
  });

  test('L1 a commit that ended its own lease is FENCED when it is repeated', async () => {
    const holder = await hold(await world.open(), 5);
    const commit = await holder.commit({ ending: 'release' });
    expect(await holder.store.commit([commit])).toMatchObject([{ tag: 'FENCED', nonce: '' }]);
  });
});

describe('what Redis says instead of an answer', () => {
  test('L3 out of memory and too few replicas are REFUSED, and nothing has happened', async () => {
    const holder = await hold(await world.open(), 5);
    await holder.commit();
    const before = await dump(5);
    for (const [setting, value, normal] of [
      ['maxmemory', '1', '0'],
      ['min-replicas-to-write', '1', '0'],
    ] as const) {
      await at.redis.config('SET', setting, value);
      expect(await holder.send(holder.next())).toMatchObject({ tag: 'REFUSED' });
      await at.redis.config('SET', setting, normal);
      expect(await dump(5)).toEqual(before);
    }
    await holder.commit();
  });

  test('a server that forgot the functions gets them again, and the call runs once', async () => {
    const holder = await hold(await world.open(), 5);
    await at.redis.call('FUNCTION', 'FLUSH');
    await holder.commit();
    expect(await at.redis.xlen(world.keys.cell(5).log)).toBe(1);
  });

  test('a silent server is UNKNOWN, and so is one that is gone', async () => {
    const server = await startRedis();
    const proxy = await openProxy({ target: server.port });
    try {
      const store = await world.open({ url: proxy.url, timeoutMs: 200 });
      proxy.blackhole();
      expect(await store.heads([5])).toMatchObject([{ tag: 'UNKNOWN' }]);
      proxy.heal();
      await server.kill();
      expect(await store.heads([5])).toMatchObject([{ tag: 'UNKNOWN' }]);
      expect(await store.heads([5])).toMatchObject([{ tag: 'UNKNOWN' }]);
      await eventually(() => !store.status().isConnected, 1_000);
      await store.close();
    } finally {
      await proxy.close();
      await server.stop();
    }
  });
});

/** Sends until there is an answer, as a pod does. */
async function repeat(send: () => Promise<CommitReply[]>): Promise<CommitReply | undefined> {
  for (let i = 0; i < 200; i++) {
    const [reply] = await send();
    if (reply?.tag !== 'UNKNOWN') return reply;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return undefined;
}
