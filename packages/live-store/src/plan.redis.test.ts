/** Plans on a real server: whole or absent, bounded, and read only when they changed. */
import type { Decision, Plan } from '@leasehold/protocol';
import { eventually, openProxy, useRedis } from '@leasehold/testkit';
import { describe, expect, test } from 'vitest';
import { type LivePlanStoreOptions, openLivePlanStore, type PlanStoreEvent } from './index.ts';
import { GRID, LONG_MS, useWorld } from './world-fixture.ts';

const at = useRedis();
const world = useWorld(at);

const planOf = (version: number, atMs = 1): Plan => ({ version, atMs, regions: [], asleep: [] });
const MOVE: Decision = {
  ...{ kind: 'move', cause: 'b is empty', regions: [1], cells: 32 },
  ...{ before: { a: 31.5 }, expected: { a: 16 } },
};

/** A `PlanStore` of the world under test, closed by the test. */
function openPlans(options: Partial<LivePlanStoreOptions> = {}) {
  const facts = { url: at.url, world: at.world, incarnation: 1, layer: 'main', grid: GRID };
  return openLivePlanStore({ ...facts, ...options });
}

async function dump(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const key of (await at.redis.keys(`{${at.world}.1}:*`)).sort()) {
    found.set(key, String((await at.redis.dumpBuffer(key))?.toString('hex')));
  }
  return found;
}

describe('a plan and its journal', () => {
  test.each(['plan', 'journal', 'leader'] as const)(
    'P3 a plan whose %s key is of another type changes nothing',
    async (name) => {
      const plans = await openPlans();
      await plans.lead('a', LONG_MS);
      await plans.writePlan('a', planOf(1), [MOVE]);
      const key = world.keys[name];
      await at.redis.del(key);
      await at.redis.set(key, 'of another type');
      const before = await dump();
      const writing = plans.writePlan('a', planOf(2), [MOVE]);
      await expect(writing).rejects.toMatchObject({
        code: 'REDIS_REFUSED',
        message: expect.stringContaining('WRONGTYPE'),
      });
      expect(await dump()).toEqual(before);
      await plans.close();
    },
  );

  test('P3 the journal is bounded', async () => {
    const plans = await openPlans();
    await plans.lead('a', LONG_MS);
    const decisions = Array.from({ length: 1_000 }, () => MOVE);
    for (let version = 1; version <= 12; version++) {
      await plans.writePlan('a', planOf(version), decisions);
    }
    const kept = await plans.journal('', 100_000);
    expect(kept.length).toBeGreaterThanOrEqual(10_000);
    expect(kept.length).toBeLessThan(10_500);
    expect(kept.at(-1)).toMatchObject({ ...MOVE, version: 12 });
    await plans.close();
  });

  test('a stored plan that cannot be read is PLAN_INVALID, and the next one follows it', async () => {
    const [plans, pod] = [await openPlans(), await world.open()];
    await plans.lead('a', LONG_MS);
    await plans.writePlan('a', planOf(1), []);
    for (const body of ['{', '{"version":1,"atMs":1,"regions":7,"asleep":[]}']) {
      await at.redis.hset(world.keys.plan, 'version', 5, 'mark', body, 'body', body);
      await expect(plans.plan()).rejects.toMatchObject({ code: 'PLAN_INVALID' });
      await expect(pod.plan()).rejects.toMatchObject({ code: 'PLAN_INVALID' });
      await expect(pod.plan()).rejects.toMatchObject({ code: 'PLAN_INVALID' });
    }
    const behind = { tag: 'BEHIND', version: 5 };
    expect(await plans.writePlan('a', planOf(1), [])).toEqual(behind);
    expect(await plans.writePlan('a', planOf(6), [])).toEqual({ tag: 'OK' });
    expect(await pod.plan()).toEqual(planOf(6));
    await plans.close();
  });

  test('an entry that cannot be read is passed over and told', async () => {
    const events: PlanStoreEvent[] = [];
    const plans = await openPlans({ onEvent: (event) => events.push(event) });
    await plans.lead('a', LONG_MS);
    for (const d of ['{', '7', '{"kind":"move"}', 'null']) {
      await at.redis.xadd(world.keys.journal, '*', 'v', '1', 't', '1', 'd', d);
    }
    await at.redis.xadd(world.keys.journal, '*', 'x', '1');
    await plans.writePlan('a', planOf(1), [MOVE]);
    expect(await plans.journal('', 10)).toMatchObject([MOVE]);
    expect(events.filter(({ kind }) => kind === 'unreadable')).toHaveLength(5);
    await plans.close();
  });

  test('P2 after a failover that lost plans, their writer writes again and readers notice', async () => {
    const [plans, pod] = [await openPlans(), await world.open()];
    await plans.lead('a', LONG_MS);
    await plans.writePlan('a', planOf(1), []);
    const kept = await at.redis.dumpBuffer(world.keys.plan);
    await plans.writePlan('a', planOf(2), []);
    expect(await pod.plan()).toEqual(planOf(2));
    await at.redis.restore(world.keys.plan, 0, kept as Buffer, 'REPLACE');
    expect(await pod.plan()).toEqual(planOf(1));
    expect(await plans.writePlan('a', planOf(3), [])).toEqual({ tag: 'BEHIND', version: 1 });
    expect(await plans.writePlan('a', planOf(2, 77), [])).toEqual({ tag: 'OK' });
    expect(await pod.plan()).toEqual(planOf(2, 77));
    // The same version with another content between two looks.
    await at.redis.restore(world.keys.plan, 0, kept as Buffer, 'REPLACE');
    await plans.writePlan('a', planOf(2, 78), []);
    expect(await pod.plan()).toEqual(planOf(2, 78));
    await at.redis.flushall();
    expect(await pod.plan()).toBeUndefined();
    await plans.close();
  });

  test('P1 a leader whose lead was lost in a failover is DEPOSED by another of the same term', async () => {
    const [a, b] = [await openPlans(), await openPlans()];
    await a.lead('a', LONG_MS);
    await at.redis.del(world.keys.leader);
    expect(await b.lead('b', LONG_MS)).toMatchObject({ tag: 'LEADING', term: 1 });
    expect(await a.writePlan('a', planOf(1), [])).toEqual({ tag: 'DEPOSED', leader: 'b' });
    expect(await b.writePlan('b', planOf(1), [])).toEqual({ tag: 'OK' });
    await Promise.all([a.close(), b.close()]);
  });

  test('asking for a plan that is the same costs a few bytes', async () => {
    const [plans, pod] = [await openPlans(), await world.open()];
    await plans.lead('a', LONG_MS);
    const rect = { column: 0, row: 0, columns: 1, rows: 1 };
    const regions = Array.from({ length: 1_000 }, (_, id) => {
      return { id, rect, pod: 'a', standby: 'b', edges: [] };
    });
    await plans.writePlan('a', { ...planOf(1), regions }, []);
    await pod.plan();
    const before = pod.traffic();
    for (let i = 0; i < 100; i++) await pod.plan();
    const { bytes, commands } = pod.traffic();
    expect(commands - before.commands).toBe(100);
    expect((bytes - before.bytes) / 100).toBeLessThan(120);
    await plans.close();
  });

  test('pods of another layer hear nothing, and have a plan of their own', async () => {
    const [plans, pod] = [await openPlans({ layer: 'other' }), await world.open()];
    const own = await world.open({ layer: 'other' });
    const heard: string[] = [];
    await pod.announce('a', 1, (message) => heard.push(`a ${message}`));
    await own.announce('b', 2, (message) => heard.push(`b ${message}`));
    await plans.lead('x', LONG_MS);
    await plans.writePlan('x', planOf(1), []);
    await eventually(() => heard.length > 0, 1_000);
    expect(await pod.plan()).toBeUndefined();
    expect(await own.plan()).toEqual(planOf(1));
    expect(heard).toEqual(['b {"plan":1}']);
    await plans.close();
  });
});

describe('what pods say, and what is said to them', () => {
  test('loads that cannot be read are an empty list, and told', async () => {
    const events: PlanStoreEvent[] = [];
    const plans = await openPlans({ onEvent: (event) => events.push(event) });
    const [a, b] = [await world.open(), await world.open()];
    await a.announce('a', 1, () => undefined);
    await b.announce('b', 2, () => undefined);
    const load = { cell: 1, tickMs: 1, entities: 1 };
    await b.reportLoad([load]);
    for (const lie of ['', 'NaN', '\u0001\u0003\u0000', '\u0009', 'x'.repeat(5_000)]) {
      await at.redis.hset(world.keys.loads, 'a', lie);
      events.length = 0;
      expect(await plans.loads()).toEqual(new Map(Object.entries({ a: [], b: [load] })));
      expect(events).toMatchObject([{ kind: 'unreadable', what: 'loads of a' }]);
    }
    await plans.close();
  });

  test('loads and orders of pods without a record are not told, and cleaned up', async () => {
    const plans = await openPlans();
    await at.redis.hset(world.keys.loads, 'gone', 'x');
    await at.redis.hset(world.keys.orders, 'gone', 'drain');
    expect((await plans.loads()).size).toBe(0);
    expect((await plans.orders()).size).toBe(0);
    expect(await at.redis.exists(world.keys.loads, world.keys.orders)).toBe(0);
    await plans.close();
  });

  test('an order whose publication was lost is heard with the next report', async () => {
    const pod = await world.open();
    const heard: string[] = [];
    await pod.announce('a', 1, (message) => heard.push(message));
    await at.redis.hset(world.keys.orders, 'a', 'drain');
    await pod.report('ready', {});
    await pod.report('ready', {});
    expect(heard).toEqual(['{"order":"drain"}']);
    await at.redis.del(world.keys.orders);
    await pod.report('draining', {});
    expect(heard).toEqual(['{"order":"drain"}', '{"order":""}']);
  });

  test('P3 samples are kept for an hour, and no more than so many', async () => {
    const plans = await openPlans();
    await plans.lead('a', LONG_MS);
    const hourAgo = Math.floor(plans.nowMs()) - 3_600_000;
    const { samples } = world.keys;
    await at.redis.xadd(samples, `${hourAgo - 60_000}-0`, 'b', 'too old');
    await at.redis.xadd(samples, `${hourAgo + 60_000}-0`, 'b', 'cannot be read');
    for (let atMs = 1; atMs <= 40; atMs++) await plans.recordLoads('a', { atMs, pods: [] });
    expect(await at.redis.xlen(samples)).toBe(41);
    expect((await plans.recordedLoads(0)).map(({ atMs }) => atMs)).toEqual(
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    await Promise.all(
      Array.from({ length: 720 }, (_, atMs) => plans.recordLoads('a', { atMs, pods: [] })),
    );
    expect(await at.redis.xlen(samples)).toBe(720);
    await plans.close();
  });
});

test('a connection that breaks rejects, and the same call is made again', async () => {
  const proxy = await openProxy({ target: Number(new URL(at.url).port) });
  const kinds: string[] = [];
  const plans = await openPlans({ url: proxy.url, onEvent: ({ kind }) => kinds.push(kind) });
  await plans.lead('a', LONG_MS);
  proxy.cut();
  await expect(plans.lead('a', LONG_MS)).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
  await eventually(() => kinds.includes('disconnected') && kinds.at(-1) === 'connected', 3_000);
  expect(await plans.lead('a', LONG_MS)).toMatchObject({ tag: 'LEADING', term: 1 });
  expect(await plans.writePlan('a', planOf(1), [])).toEqual({ tag: 'OK' });
  await plans.close();
  await proxy.close();
});
