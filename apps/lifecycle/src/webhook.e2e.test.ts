/** Prefabs followed by the service: what a git host pushes is in force at once, or at the next look. */
import { createHmac } from 'node:crypto';
import { useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from './config.ts';
import { type Env, LifecycleWorld, type Service } from './lifecycle-fixture.ts';

const SECRET = 'a secret of some length';
/** Longer than any test: what comes in time comes by the webhook. */
const POLL_MS = '3600000';

const at = useRedis();
let pushed: LifecycleWorld;
let polled: LifecycleWorld;
let service: Service;
let polling: Service;

beforeAll(async () => {
  [pushed, polled] = await Promise.all([LifecycleWorld.seed(at.url), LifecycleWorld.seed(at.url)]);
  const env = { WEBHOOK_SECRET: SECRET, PREFABS_POLL_MS: POLL_MS, API_TOKEN: 'a-token' };
  [service, polling] = await Promise.all([
    pushed.startService(env),
    polled.startService({ PREFABS_POLL_MS: '50' }),
  ]);
});
afterAll(async () => {
  await Promise.all([pushed?.close(), polled?.close()]);
});

const lantern = (text: string) => ({ 'prefabs/lantern.yaml': `components: {lamp: {${text}}}` });
const BODY = JSON.stringify({ ref: 'refs/heads/main' });
const signed = (body: string, secret = SECRET): Env => ({
  'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
});
const push = (of: Service, headers: Env, body: string = BODY) =>
  of.ask('/prefabs/webhook', { method: 'POST', body, headers });
const KNOWN = { authorization: 'Bearer a-token' };
const inForce = async (of: Service) => (await of.ask('/prefabs', { headers: KNOWN })).body;

test('without a secret nobody may push, and where nothing is followed there is nothing to push', async () => {
  for (const secret of [SECRET, 'a secret of no service']) {
    const { status, body } = await push(polling, signed(BODY, secret));
    expect([status, body.code, body.field]).toEqual([401, 'TOKEN_REFUSED', 'WEBHOOK_SECRET']);
  }
  const none = await push(service, signed(BODY));
  expect([none.status, none.body.code]).toEqual([404, 'PREFAB_UNKNOWN']);
  const ask = { method: 'POST', body: BODY, headers: signed(BODY) };
  const nowhere = await service.send('/v1/worlds/nowhere/prefabs/webhook', ask);
  expect([nowhere.status, nowhere.body.code]).toEqual([404, 'WORLD_UNKNOWN']);
  const big = ' '.repeat(1024 * 1024 + 1);
  const refused = await push(service, signed(big), big);
  expect([refused.status, refused.body.code]).toEqual([413, 'LIMIT_EXCEEDED']);
});

test('a push that is signed is in force at once, and one that is not is refused', async () => {
  const first = await pushed.applyPrefabs(lantern('strikes: 1'));
  const second = await pushed.commitPrefabs(lantern('strikes: 2'));
  const wrong: readonly Env[] = [
    ...[{}, KNOWN, signed(BODY, 'another secret of length'), signed(`${BODY} `)],
    ...[{ 'x-gitlab-token': 'another secret of length' }, { 'x-hub-signature-256': 'sha256=' }],
  ];
  for (const headers of wrong) {
    const { status, body } = await push(service, headers);
    expect([status, body.code]).toEqual([401, 'TOKEN_REFUSED']);
  }
  expect((await inForce(service)).version).toBe(first);
  const { status, body } = await push(service, signed(BODY));
  expect([status, body]).toEqual([202, { world: pushed.name }]);
  const version = () => inForce(service);
  await expect.poll(version).toMatchObject({ version: second, followed: { version: second } });

  const third = await pushed.commitPrefabs(lantern('strikes: 3'));
  const form = { 'content-type': 'application/x-www-form-urlencoded', 'x-gitlab-token': SECRET };
  expect((await push(service, form, 'payload=%7B%7D')).status).toBe(202);
  await expect.poll(version).toMatchObject({ version: third });
});

test('a commit that is wrong is told and not in force; the next look finds the one after it', async () => {
  const first = await polled.applyPrefabs(lantern('strikes: 1'));
  const wrong = await polled.commitPrefabs(lantern('strikes: much'));
  const fault = expect.stringContaining('strikes');
  await expect
    .poll(() => inForce(polling))
    .toMatchObject({ version: first, followed: { version: wrong, fault } });
  const right = await polled.commitPrefabs(lantern('strikes: 2'));
  await expect.poll(() => inForce(polling)).toMatchObject({ version: right });
  await expect.poll(async () => (await inForce(polling)).followed).toEqual({ version: right });
});

test('what people go back to stays, at every replica, until there is another commit', async () => {
  const { version } = await inForce(polling);
  const next = await polled.commitPrefabs(lantern('strikes: 4'));
  await expect.poll(() => inForce(polling)).toMatchObject({ followed: { version: next } });
  await polled.rollbackPrefabs();
  const other = await polled.startService({ PREFABS_POLL_MS: '50' });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await inForce(other)).toMatchObject({ version, followed: { version: next } });
});

test('a secret that can be tried out is refused at the start, and not shown', () => {
  const env = { REDIS_URL: 'redis://127.0.0.1:1', WEBHOOK_SECRET: 'too short' };
  expect(() => loadConfig(env)).toThrow('at least 16 characters');
  expect(() => loadConfig(env)).not.toThrow('too short');
  expect(loadConfig({ ...env, WEBHOOK_SECRET: SECRET }).prefabsPollMs).toBe(60_000);
  expect(loadConfig({ ...env, WEBHOOK_SECRET: '' }).prefabsPollMs).toBe(0);
});
