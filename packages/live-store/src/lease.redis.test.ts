/** Leases against a clock that steps and a server that stalls. */
import { setTimeout as sleep } from 'node:timers/promises';
import { useRedis } from '@leasehold/testkit';
import { describe, expect, test } from 'vitest';
import { GRACE_MS, hold, LONG_MS, nonceOf, useWorld } from './world-fixture.ts';

const at = useRedis();
const world = useWorld(at);

async function ask(pod: string, ttlMs: number = LONG_MS) {
  const store = await world.open();
  const [reply] = await store.acquire([{ cell: 5, nonce: nonceOf(pod), ttlMs }]);
  return reply;
}
const meta = (): string => world.keys.cell(5).meta;

describe('a clock that steps', () => {
  test('L5 no deadline lies further ahead than its own term', async () => {
    const holder = await hold(await world.open(), 5, 'a', 200);
    // As a failover to a server whose clock is an hour behind leaves it.
    await at.redis.hset(meta(), 'deadline', Date.now() + 3_600_000);
    const reply = await ask('b');
    expect(reply).toMatchObject({ tag: 'HELD', nonce: holder.claim.nonce });
    if (reply?.tag === 'HELD') expect(reply.deadlineMs - reply.nowMs).toBeLessThanOrEqual(200);
    await sleep(250);
    expect(await ask('b')).toMatchObject({ tag: 'SUSPECT' });
  });

  test('L5 a mark from the future is made anew', async () => {
    await hold(await world.open(), 5, 'a', 1);
    await sleep(20);
    await at.redis.hset(meta(), 'suspect', Date.now() + 3_600_000);
    expect(await ask('b')).toMatchObject({ tag: 'SUSPECT', retryInMs: GRACE_MS });
    await sleep(GRACE_MS + 30);
    expect(await ask('b')).toMatchObject({ tag: 'GRANTED', cause: 'expired' });
  });

  test('L5 a reservation lasts no longer than a handover may take', async () => {
    const holder = await hold(await world.open(), 5);
    await holder.store.handover([holder.claim], 'b');
    await at.redis.hset(meta(), 'until', Date.now() + 3_600_000);
    const reply = await ask('c');
    expect(reply).toMatchObject({ tag: 'RESERVED', heir: 'b' });
    if (reply?.tag === 'RESERVED') expect(reply.retryInMs).toBeLessThanOrEqual(1_000);
  });

  test('L2 an epoch follows a stored one that is ahead of the clock, of any length', async () => {
    for (const [stored, next] of [
      ['9007199254740993', '9007199254740994'],
      ['99999999999999999', '100000000000000000'],
      ['1099999999999999999', '1100000000000000000'],
    ] as const) {
      const store = await world.open();
      await at.redis.hset(meta(), 'epoch', stored);
      const holder = await hold(store, 5);
      expect(holder.claim.epoch).toBe(next);
      await holder.commit();
      await store.release([holder.claim]);
    }
  });

  test('L2 an epoch is the time in microseconds when that is later', async () => {
    const holder = await hold(await world.open(), 5);
    const micros = Number(holder.claim.epoch);
    expect(Math.abs(micros / 1000 - Date.now())).toBeLessThan(60_000);
  });
});

describe('a server that stalls', () => {
  test('L5 a healthy holder keeps its cell, whoever is heard first', async (context) => {
    if (at.server === undefined) return context.skip('needs a server of its own');
    const [store, other] = [await world.open(), await world.open()];
    const holder = await hold(store, 5, 'a', 300);
    for (let round = 0; round < 3; round++) {
      await at.server.kill('SIGSTOP');
      const asked = other.acquire([{ cell: 5, nonce: nonceOf('b'), ttlMs: LONG_MS }]);
      await sleep(600);
      const committed = holder.send(holder.next({ ttlMs: 300 }));
      await at.server.kill('SIGCONT');
      expect((await asked)[0]?.tag).toMatch(/SUSPECT|HELD/);
      expect(await committed).toMatchObject({ tag: 'OK' });
    }
  });
});

describe('a nonce', () => {
  test('L2 that lost its lease is not granted again by a late duplicate of the call', async () => {
    const store = await world.open();
    const holder = await hold(store, 5);
    const { nonce } = holder.claim;
    await store.revoke([{ cell: 5, nonce }]);
    const again = await store.acquire([{ cell: 5, nonce, ttlMs: LONG_MS }]);
    expect(again).toMatchObject([{ tag: 'BADARG' }]);
  });

  test('is refused unless it names a pod', async () => {
    const store = await world.open();
    for (const nonce of ['', 'a', '{x}.1', 'a b.1', `${'a'.repeat(200)}.1`]) {
      const reply = await store.acquire([{ cell: 5, nonce, ttlMs: LONG_MS }]);
      expect(reply).toMatchObject([{ tag: 'BADARG' }]);
    }
  });
});

describe('a sealed world', () => {
  test('L1 refuses every call of whoever still holds it', async () => {
    const holder = await hold(await world.open(), 5);
    await holder.commit();
    await at.redis.hset(world.keys.cell(5).block, 'sealed', 1);
    const { store, claim } = holder;
    const sealed = [{ tag: 'SEALED' }];
    expect(await store.commit([holder.next()])).toEqual(sealed);
    expect(await store.renew([claim], 100)).toEqual(sealed);
    expect(await store.release([claim])).toEqual(sealed);
    expect(await store.handover([claim], 'b')).toEqual(sealed);
    expect(await store.revoke([claim])).toEqual(sealed);
    expect(await store.acquire([{ ...claim, ttlMs: 100 }])).toEqual(sealed);
    await expect(store.load([{ cell: 5 }])).rejects.toMatchObject({ code: 'WORLD_NOT_READY' });
  });

  test('L1 another incarnation is another world', async () => {
    await hold(await world.open(), 5);
    const other = await world.open({ incarnation: 2 });
    expect(await other.heads([5])).toEqual([{ tag: 'NOWORLD' }]);
  });
});
