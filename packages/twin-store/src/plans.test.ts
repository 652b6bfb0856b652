/** Plans under the faults that a twin's server can be told to have. */
import type { Plan } from '@leasehold/protocol';
import { expect, test } from 'vitest';
import { openTwinPlanStore, openTwinStore, twinServer } from './index.ts';

const grid = { cells: 16, blocks: 1, blockOf: () => 0 };
const at = { world: 'w', incarnation: 1, layer: 'main' };
const LONG_MS = 60_000;
const planOf = (version: number, atMs = 1): Plan => ({ version, atMs, regions: [], asleep: [] });

function open() {
  const server = twinServer({ grid });
  const plans = openTwinPlanStore(server, { ...at, name: 'authority' });
  return { server, plans, pod: openTwinStore(server, { ...at, pod: 'a' }) };
}

test('P2 after a failover that lost plans, their writer writes again and readers notice', async () => {
  const { server, plans, pod } = open();
  await plans.lead('a', LONG_MS);
  await plans.writePlan('a', planOf(1), []);
  const snapshot = server.snapshot();
  await plans.writePlan('a', planOf(2), []);
  expect(await pod.plan()).toEqual(planOf(2));
  server.rollback(snapshot);
  expect(await pod.plan()).toEqual(planOf(1));
  expect(await plans.writePlan('a', planOf(3), [])).toEqual({ tag: 'BEHIND', version: 1 });
  expect(await plans.writePlan('a', planOf(2, 77), [])).toEqual({ tag: 'OK' });
  expect(await pod.plan()).toEqual(planOf(2, 77));
  server.lose();
  expect(await pod.plan()).toBeUndefined();
  expect(await plans.writePlan('a', planOf(3), [])).toEqual({ tag: 'DEPOSED', leader: '' });
});

test('L4 a plan whose reply was lost is written again without harm', async () => {
  const { server, plans } = open();
  const decision = {
    ...{ kind: 'move' as const, cause: 'x', regions: [], cells: 1 },
    ...{ before: {}, expected: {} },
  };
  await plans.lead('a', LONG_MS);
  for (const lose of [
    () => server.dropReplies(1, 'writePlan'),
    () => server.dropRequests(1, 'writePlan'),
  ]) {
    const version = ((await plans.plan())?.version ?? 0) + 1;
    lose();
    const writing = plans.writePlan('a', planOf(version), [decision]);
    await expect(writing).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
    expect(await plans.writePlan('a', planOf(version), [decision])).toEqual({ tag: 'OK' });
    expect(await plans.journal('', 10)).toHaveLength(version);
  }
});

test('a server that refuses writes leaves everything as it is', async () => {
  const { server, plans } = open();
  await plans.lead('a', LONG_MS);
  server.refuseWrites('OOM');
  const refused = { code: 'REDIS_REFUSED' };
  await expect(plans.lead('a', LONG_MS)).rejects.toMatchObject(refused);
  await expect(plans.writePlan('a', planOf(1), [])).rejects.toMatchObject(refused);
  server.refuseWrites();
  expect(await plans.plan()).toBeUndefined();
  expect(await plans.writePlan('a', planOf(1), [])).toEqual({ tag: 'OK' });
});

test('an authority that is cut off reaches nobody, and its lead ends', async () => {
  const { server, plans } = open();
  const other = openTwinPlanStore(server, { ...at, name: 'other' });
  await plans.lead('a', 2_000);
  server.disconnect('authority');
  await expect(plans.lead('a', 2_000)).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
  expect(await other.lead('b', 2_000)).toMatchObject({ tag: 'FOLLOWING', retryInMs: 2_000 });
  await server.advance(2_000);
  expect(await other.lead('b', 2_000)).toMatchObject({ tag: 'LEADING', term: 2 });
  server.reconnect('authority');
  expect(await plans.writePlan('a', planOf(1), [])).toEqual({ tag: 'DEPOSED', leader: 'b' });
});

test('an order that a pod could not hear is heard with its next report', async () => {
  const { server, plans, pod } = open();
  const heard: string[] = [];
  await pod.announce('a', 1, (message) => heard.push(message));
  server.disconnect('a');
  await plans.order('a', 'drain');
  expect(heard).toEqual([]);
  server.reconnect('a');
  for (let i = 0; i < 2; i++) await pod.report('ready', {});
  expect(heard).toEqual(['{"order":"drain"}']);
});

test('P3 samples are kept for an hour, and no more than so many', async () => {
  const { server, plans } = open();
  await plans.lead('a', LONG_MS);
  await plans.recordLoads('a', { atMs: 1, pods: [] });
  await server.advance(3_600_001);
  await plans.lead('a', LONG_MS);
  await plans.recordLoads('a', { atMs: 2, pods: [] });
  expect(await plans.recordedLoads(0)).toEqual([{ atMs: 2, pods: [] }]);
  for (let atMs = 3; atMs < 800; atMs++) await plans.recordLoads('a', { atMs, pods: [] });
  const kept = await plans.recordedLoads(0);
  expect(kept).toHaveLength(720);
  expect(kept.at(-1)?.atMs).toBe(799);
});
