/** A store that is away is a problem that passes, and never a defect. */
import { openProxy, type TcpProxy, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LifecycleWorld, type Service } from './lifecycle-fixture.ts';

const at = useRedis();
let proxy: TcpProxy;
let world: LifecycleWorld;
let service: Service;

beforeAll(async () => {
  proxy = await openProxy({ target: Number(new URL(at.url).port) });
  world = await LifecycleWorld.seed(at.url);
  service = await world.startService({ REDIS_URL: proxy.url });
});
afterAll(async () => {
  await world?.close();
  await proxy?.close();
});

test('while Redis is away every answer is 503, and afterwards it is as before', async () => {
  const birth = { components: { place: { x: 5, y: 5 } } };
  expect((await service.post('/entities', birth)).status).toBe(202);
  proxy.refuse();
  proxy.cut();
  await expect
    .poll(async () => (await service.ask('/entities?world')).status, { timeout: 10_000 })
    .toBe(503);
  const asked = [
    service.ask(''),
    service.ask('/entities/1'),
    service.ask('/entities?world'),
    service.post('/entities', birth, { 'idempotency-key': 'away' }),
    service.post('/jobs', { count: 1, components: {} }),
    service.ask('/jobs'),
    service.ask('/dead-letters'),
  ];
  for (const { status, body } of await Promise.all(asked)) {
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'REDIS_UNREACHABLE' });
  }
  expect((await service.send('/ready')).status).toBe(503);
  expect((await service.send('/health')).status).toBe(200);
  proxy.heal();
  await expect
    .poll(async () => (await service.post('/entities', birth)).status, { timeout: 15_000 })
    .toBe(202);
  await expect
    .poll(async () => (await service.send('/ready')).status, { timeout: 15_000 })
    .toBe(200);
});
