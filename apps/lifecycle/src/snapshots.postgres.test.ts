/** Snapshots through the API, on a real Redis and a real PostGIS that goes away now and then. */
import { fileRegistry } from '@leasehold/live-store';
import { openSnapshotStore, type SnapshotStore } from '@leasehold/snapshot-store';
import { openProxy, type TcpProxy, usePostgres, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LifecycleWorld, type Service } from './lifecycle-fixture.ts';
import { filledPath, operationsOf } from './openapi-fixture.ts';
import { carryOut, type RestoreWish, takeBack, type WorkParts } from './snapshot-work.ts';

const LAMPS = 20;
/** Of a snapshot that is to be caught while it is taken. */
const SLOW = { bytesPerSecond: 20 };
const SOON = { timeout: 40_000, interval: 50 };

const at = useRedis();
const postgres = usePostgres();
let proxy: TcpProxy;
let world: LifecycleWorld;
let service: Service;
let start: () => Promise<Service>;
let snapshots: SnapshotStore;

beforeAll(async () => {
  const url = new URL(postgres.databaseUrl);
  proxy = await openProxy({ target: Number(url.port) });
  url.port = String(proxy.port);
  world = await LifecycleWorld.seed(at.url);
  const env = { SNAPSHOTS_URL: url.href, JOBS_LOCK_MS: '3000', LOG_LEVEL: 'warn' };
  start = () => world.startService(env);
  service = await start();
  snapshots = await openSnapshotStore({ url: postgres.databaseUrl });
});
afterAll(async () => {
  await snapshots?.close();
  await world?.close();
  await proxy?.close();
});

const jobOf = async (job: string) => (await service.send(`/v1/snapshot-jobs/${job}`)).body;
const idsOf = async (): Promise<string[]> =>
  (await service.ask('/snapshots')).body.snapshots.map(({ id }: { id: string }) => id);
const idle = () =>
  expect
    .poll(async () => {
      const { body } = await service.send('/v1/snapshot-jobs');
      return body.jobs.filter(({ state }: { state: string }) =>
        /active|waiting|delayed/.test(state),
      );
    }, SOON)
    .toEqual([]);
const ended = (job: string) =>
  expect.poll(async () => {
    const told = await jobOf(job);
    if (told.state === 'failed') throw new Error(`job ${job} failed: ${told.message}`);
    return told;
  }, SOON);

test('a snapshot is taken as a job, once for a key, and not twice under one id', async () => {
  const key = { 'idempotency-key': 'first' };
  const asked = await service.post('/snapshots', { id: 'first' }, key);
  expect(asked).toMatchObject({ status: 202, body: { kind: 'take', snapshot: 'first' } });
  const { job } = asked.body;
  await ended(job).toMatchObject({ state: 'completed', progress: 1, done: { entities: LAMPS } });
  const { cells, cellsTotal } = await jobOf(job);
  expect(cells).toBe(cellsTotal);
  expect(cells).toBeGreaterThan(0);
  const again = await service.post('/snapshots', { id: 'first' }, key);
  expect([again.status, again.body.job]).toEqual([202, job]);
  const twice = await service.post('/snapshots', { id: 'first' });
  expect(twice).toMatchObject({ status: 409, body: { code: 'SNAPSHOT_EXISTS' } });
  expect(await idsOf()).toEqual(['first']);
  const one = await service.send('/v1/snapshots/first');
  expect(one.body).toMatchObject({ world: world.name, totals: { entities: LAMPS } });
  const unknown = await service.send('/v1/snapshots/nope');
  expect(unknown).toMatchObject({ status: 404, body: { code: 'SNAPSHOT_UNKNOWN' } });
});

test('of one world one is taken at a time, and what is cancelled is taken back', async () => {
  const { body } = await service.post('/snapshots', { id: 'slow', ...SLOW });
  await expect.poll(async () => (await jobOf(body.job)).cells, SOON).toBeGreaterThan(0);
  expect(await idsOf()).toEqual(['slow', 'first']);
  const other = await service.post('/snapshots', { id: 'other' });
  expect(other).toMatchObject({ status: 409, body: { code: 'SNAPSHOT_BUSY' } });
  const same = await service.post('/snapshots', { id: 'slow' });
  expect([same.status, same.body.job]).toEqual([202, body.job]);
  const used = await service.send('/v1/snapshots/slow', { method: 'DELETE' });
  expect(used).toMatchObject({ status: 409, body: { code: 'SNAPSHOT_BUSY' } });
  const cancelled = await service.send(`/v1/snapshot-jobs/${body.job}`, { method: 'DELETE' });
  expect(cancelled).toMatchObject({ status: 200, body: { state: 'cancelled' } });
  await expect.poll(idsOf, SOON).toEqual(['first']);
  expect(await jobOf(body.job)).toMatchObject({ state: 'cancelled' });
});

test('S1 a snapshot whose worker is killed is taken by another, and is whole', async () => {
  const wish = { id: 'killed', bytesPerSecond: 4_000 };
  let body: { job: string } = { job: '' };
  // The one that was cancelled keeps the world busy until its worker has cleared up.
  const asked = async () => {
    const answer = await service.post('/snapshots', wish);
    body = answer.body;
    return answer.status;
  };
  await expect.poll(asked, SOON).toBe(202);
  // Where it is written, as a service that is slow to answer may have ended by the time that it does.
  const state = () => snapshots.get('killed').then(({ state }) => state, String);
  await expect.poll(state, { ...SOON, interval: 20 }).toBe('taking');
  service.process.kill('SIGKILL');
  await service.process.exited;
  expect((await snapshots.get('killed')).state).toBe('taking');
  service = await start();
  await ended(body.job).toMatchObject({ state: 'completed', done: { entities: LAMPS } });
  expect(await idsOf()).toEqual(['killed', 'first']);
  expect(await snapshots.verify('killed')).toMatchObject({ entities: LAMPS });
});

test('while PostgreSQL is away a job waits and says so, and the world is served', async () => {
  proxy.refuse();
  proxy.cut();
  const asked = await service.post('/snapshots', { id: 'later' });
  expect(asked.status).toBe(202);
  const { job } = asked.body;
  await expect.poll(async () => (await jobOf(job)).message, SOON).toContain('DATABASE_UNREACHABLE');
  await expect.poll(async () => (await jobOf(job)).state, SOON).toBe('delayed');
  const list = await service.ask('/snapshots');
  expect(list).toMatchObject({ status: 503, body: { code: 'DATABASE_UNREACHABLE' } });
  expect((await service.ask('/entities?world')).body.entities).toHaveLength(LAMPS);
  proxy.heal();
  await ended(job).toMatchObject({ state: 'completed', done: { entities: LAMPS } });
  expect((await jobOf(job)).message).toBeUndefined();
});

test('a schedule takes snapshots, and lets go of those that it took', async () => {
  const before = await idsOf();
  const put = await service.ask('/snapshot-schedule', {
    method: 'PUT',
    body: { everyMs: 1_000, keep: 1 },
  });
  expect(put).toMatchObject({ status: 200, body: { everyMs: 1_000, keep: 1 } });
  const scheduled = async (): Promise<string[]> =>
    (await idsOf()).filter((id) => id.startsWith('auto-'));
  await expect.poll(scheduled, SOON).toHaveLength(1);
  const [first] = await scheduled();
  await expect
    .poll(async () => {
      const [id, ...more] = await scheduled();
      return id !== first && more.length === 0;
    }, SOON)
    .toBe(true);
  expect((await service.ask('/snapshot-schedule')).body.nextAt).toMatch(/^20\d\d-/);
  await service.ask('/snapshot-schedule', { method: 'DELETE' });
  const gone = await service.ask('/snapshot-schedule');
  expect(gone).toMatchObject({ status: 404, body: { code: 'SCHEDULE_UNKNOWN' } });
  await idle();
  expect((await idsOf()).filter((id) => !id.startsWith('auto-'))).toEqual(before);
  const wrong = (body: unknown) => service.ask('/snapshot-schedule', { method: 'PUT', body });
  for (const body of [{ pattern: 'now and then' }, { pattern: '0 0 31 2 *' }, { keep: 3 }]) {
    expect(await wrong(body)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
  }
});

test('S1 a restore that fails leaves nothing, and one that was done is not done twice', async () => {
  const registry = fileRegistry(world.home);
  const parts = (signal = new AbortController().signal): WorkParts => ({
    ...{ snapshots, registry, redisUrl: at.url, isAgain: true, signal, progress: () => {} },
  });
  const wish: RestoreWish = { kind: 'restore', id: 'first', world: world.name, replaces: 1 };
  const dying = {
    ...parts(),
    progress: () => {
      throw new Error('dead');
    },
  };
  await expect(carryOut(wish, dying)).rejects.toThrow('dead');
  expect(await registry.read(world.name)).toMatchObject({ incarnation: 1, state: 'ready' });
  const cancelling = new AbortController();
  const cut = { ...parts(cancelling.signal), progress: () => cancelling.abort() };
  await expect(carryOut(wish, cut)).rejects.toMatchObject({ name: 'AbortError' });
  const keys = await at.redis.keys(`{${world.name}.*`);
  expect(keys.filter((key) => !key.startsWith(`{${world.name}.1`))).toEqual([]);
  const restored = await carryOut(wish, parts());
  expect(restored).toMatchObject({ entities: LAMPS });
  expect(await carryOut(wish, parts())).toEqual(restored);
  expect((await registry.read(world.name))?.incarnation).toBe(restored.incarnation);
  const late = carryOut({ ...wish, id: 'killed' }, parts());
  await expect(late).rejects.toMatchObject({ code: 'WORLD_MISMATCH' });
  const branch: RestoreWish = { ...wish, world: `${world.name}-b`, replaces: 0 };
  await expect(carryOut(branch, dying)).rejects.toThrow('dead');
  expect(await registry.read(branch.world)).toBeUndefined();
  // As a worker leaves it that is killed.
  const facts = { schemaHash: 's', manifestHash: 'm' };
  const killed = registry.seed(branch.world, facts, () => Promise.reject(new Error('dead')));
  await expect(killed).rejects.toThrow('dead');
  await takeBack(branch, parts());
  expect(await registry.read(branch.world)).toBeUndefined();
  const made = await carryOut(branch, parts());
  expect(await carryOut(branch, parts())).toEqual(made);
});

test('every route about snapshots has examples, and answers them', async () => {
  const { body: document } = await service.send('/openapi.json');
  const schedule = ['putSnapshotSchedule', 'readSnapshotSchedule', 'removeSnapshotSchedule'];
  const order = [...schedule, 'take', 'list', 'read', 'restore', 'branch'];
  const rank = (operationId: string): number => {
    const found = order.findIndex((name) => operationId.startsWith(name));
    return found === -1 ? order.length : found;
  };
  const own = operationsOf(document)
    .filter(({ operationId }) => /Snapshot/.test(operationId))
    .sort((a, b) => rank(a.operationId) - rank(b.operationId));
  expect(own).toHaveLength(12);
  let job = '';
  const before = (await service.ask('')).body.incarnation;
  const known = (example: string): string =>
    example.replace('flocking', world.name).replace(/^4a6f.*/, job);
  for (const operation of own) {
    const { method, examples, statuses, operationId } = operation;
    for (const example of examples.length === 0 ? [undefined] : examples) {
      const path = filledPath(operation, known);
      const body = operationId === 'branchSnapshot' ? { as: `${world.name}-c` } : example;
      const answer = await service.send(path, { method, body });
      expect(statuses, operationId).toContain(String(answer.status));
      expect(answer.status, `${operationId} ${JSON.stringify(answer.body)}`).toBeLessThan(400);
      // What the schedule has begun keeps others from the world.
      if (operationId === 'removeSnapshotSchedule') await idle();
      if (answer.status !== 202) continue;
      job = answer.body.job;
      await ended(job).toMatchObject({ state: 'completed' });
    }
  }
  expect((await service.ask('')).body.incarnation).toBeGreaterThan(before);
});
