/** Bulk jobs with real workers: worked off, gone on with after a death, cancelled. */
import { useRedis } from '@leasehold/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Env, LifecycleWorld, type Service } from './lifecycle-fixture.ts';

const at = useRedis();
let world: LifecycleWorld;
let service: Service;

beforeEach(async () => {
  world = await LifecycleWorld.seed(at.url);
  service = await world.startService();
});
afterEach(async () => {
  await world?.close();
});

const template = (count: number, name: string) => ({
  count,
  components: { lamp: { name } },
  area: { box: '20,20,120,80' },
  seed: 5,
});

/** Ids and places of the lamps of a name. */
async function lampsOf(of: Service, name: string): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (let cursor = ''; ; ) {
    const page = await of.ask(`/entities?world&where=lamp.name,eq,${name}&limit=1000${cursor}`);
    for (const { id, x, y } of page.body.entities) found.set(id, `${x} ${y}`);
    if (page.body.next === undefined) return found;
    cursor = `&cursor=${page.body.next}`;
  }
}

const jobOf = async (of: Service, job: string) => (await of.ask(`/jobs/${job}`)).body;

test('a job creates what it was told, where it was told', async () => {
  await world.startPod();
  const asked = await service.post('/jobs', template(6_000, 'bulk'));
  expect(asked).toMatchObject({ status: 202, body: { count: 6_000, state: 'waiting' } });
  const { job } = asked.body;
  await expect
    .poll(() => jobOf(service, job), { timeout: 60_000, interval: 100 })
    .toMatchObject({ state: 'completed', created: 6_000, refused: 0, progress: 1 });
  const lamps = await lampsOf(service, 'bulk');
  expect(lamps.size).toBe(6_000);
  expect(new Set(lamps.values()).size).toBe(6_000);
  for (const place of lamps.values()) {
    const [x = 0, y = 0] = place.split(' ').map(Number);
    expect(x >= 20 && x <= 120 && y >= 20 && y <= 80).toBe(true);
  }
  const { body } = await service.ask('/jobs');
  expect(body.jobs.map((each: { job: string }) => each.job)).toEqual([job]);
  const small = { ...template(10, 'x'), area: { circle: '10,10,0.0001' } };
  expect((await service.post('/jobs', small)).status).toBe(400);
  const unknown = await service.ask('/jobs/00000000-0000-4000-8000-000000000000');
  expect(unknown).toMatchObject({ status: 404, body: { code: 'JOB_UNKNOWN' } });
});

test('M1 a job whose worker dies goes on elsewhere, and creates each entity once', async () => {
  await world.startPod();
  const asked = await service.post('/jobs', template(16_000, 'twice'));
  const { job } = asked.body;
  await expect
    .poll(async () => (await jobOf(service, job)).posted, { timeout: 60_000, interval: 20 })
    .toBeGreaterThan(0);
  service.process.kill('SIGKILL');
  await service.process.exited;
  const other = await world.startService();
  await expect
    .poll(() => jobOf(other, job), { timeout: 90_000, interval: 250 })
    .toMatchObject({ state: 'completed', created: 16_000, refused: 0 });
  const lamps = await lampsOf(other, 'twice');
  expect(lamps.size).toBe(16_000);
  expect(new Set(lamps.values()).size).toBe(16_000);
});

test('a job that is cancelled ends, also where no pod applies what it asks', async () => {
  const asked = await service.post('/jobs', template(20_000, 'never'));
  const { job } = asked.body;
  await expect
    .poll(async () => (await jobOf(service, job)).state, { timeout: 10_000 })
    .toBe('active');
  const cancelled = await service.ask(`/jobs/${job}`, { method: 'DELETE' });
  expect(cancelled).toMatchObject({ status: 200, body: { state: 'cancelled' } });
  await expect
    .poll(async () => (await at.redis.llen(`${world.jobsPrefix}:lifecycle:active`)) as number, {
      timeout: 10_000,
    })
    .toBe(0);
});

test('jobs that nobody works for say so, and let others have their turn', async () => {
  const jobs: string[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    jobs.push((await service.post('/jobs', template(10, name))).body.job);
  }
  const [first = '', last = ''] = [jobs[0], jobs.at(-1)];
  expect((await jobOf(service, last)).state).toBe('waiting');
  const SOON = { timeout: 30_000, interval: 50 };
  await expect.poll(() => jobOf(service, last), SOON).toMatchObject({ state: 'active' });
  await expect
    .poll(() => jobOf(service, first), SOON)
    .toMatchObject({ created: 0, waitsFor: expect.stringMatching(/^no pod of the world/) });
  await world.startPod();
  for (const [i, job] of jobs.entries()) {
    const done = { state: 'completed', created: 10, refused: 0 };
    await expect.poll(() => jobOf(service, job), SOON).toMatchObject(done);
    expect(await jobOf(service, job)).not.toHaveProperty('waitsFor');
    expect((await lampsOf(service, 'abcde'.charAt(i))).size).toBe(10);
  }
});

const NDJSON = { 'content-type': 'application/x-ndjson' };
const lineOf = (i: number, name: string): string =>
  JSON.stringify({ components: { place: { x: i % 200, y: 50 }, lamp: { name, strikes: i } } });
const linesOf = (count: number, name: string): string =>
  Array.from({ length: count }, (_, i) => `${lineOf(i, name)}\n`).join('');
const send = (body: string, headers: Env = {}) =>
  service.post('/jobs', body, { ...NDJSON, ...headers });
const kept = async (): Promise<number> =>
  (await at.redis.keys(`*${world.name}*`)).filter((key) => key.includes(':lines:')).length;

test('a job creates an entity for each line, once for a key, and its progress is told', async () => {
  await world.startPod();
  const body = linesOf(12_000, 'line');
  const key = { 'idempotency-key': 'lines-1' };
  const asked = await send(body, key);
  expect(asked).toMatchObject({ status: 202, body: { count: 12_000, state: 'waiting' } });
  const { job } = asked.body;
  const accept = { accept: 'application/x-ndjson' };
  const told = await service.ask(`/jobs/${job}`, { headers: accept });
  expect(told.headers.get('content-type')).toBe('application/x-ndjson');
  const lines = String(told.body)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.at(-1)).toMatchObject({ job, state: 'completed', created: 12_000, refused: 0 });
  const posted = lines.map((line) => line.posted);
  expect(posted).toEqual([...posted].sort((a, b) => a - b));

  const again = await send(body, key);
  expect([again.status, again.body.job]).toEqual([202, job]);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  const other = await send(linesOf(3, 'other'), key);
  expect([other.status, other.body.code]).toEqual([422, 'IDEMPOTENCY_MISMATCH']);
  const lamps = await lampsOf(service, 'line');
  expect([...lamps.values()].sort()).toEqual(
    Array.from({ length: 12_000 }, (_, i) => `${i % 200} 50`).sort(),
  );
  expect(await lampsOf(service, 'other')).toEqual(new Map());
  expect(await kept()).toBe(0);
  const over = await service.ask(`/jobs/${job}`, { headers: accept });
  expect(JSON.parse(String(over.body))).toEqual(lines.at(-1));
});

test('of lines that are wrong none is taken, and the first that is wrong is named', async () => {
  const line = lineOf(1, 'x');
  const wrong: readonly (readonly [string, number, string])[] = [
    ['', 400, 'body'],
    ['\n\n', 400, 'body'],
    [`${line}\n{"a":`, 400, 'line 2'],
    [`${line}\n\n[]`, 400, 'line 3'],
    [`${line}\n{"components":{"lamp":{"strikes":"x"}}}`, 400, 'line 2.lamp.strikes'],
    [`${linesOf(6_000, 'x')}{"components":{"lamp":{}}}`, 400, 'line 6001.place'],
    [`${line}\n${' '.repeat(60 * 1024 + 1)}`, 413, 'body'],
    [linesOf(100_001, 'x'), 413, 'body'],
  ];
  for (const [body, status, field] of wrong) {
    const refused = await send(body);
    expect([refused.status, refused.body.field]).toEqual([status, field]);
  }
  const text = await service.post('/jobs', line, { 'content-type': 'text/plain' });
  expect(text.status).toBe(415);
  const nothing = await service.ask('/jobs', { method: 'POST' });
  expect([nothing.status, nothing.body.field]).toEqual([400, 'body']);
  expect((await service.ask('/jobs')).body.jobs).toEqual([]);
  expect(await kept()).toBe(0);
});

test('an inbox that is full says so, and when to come again', async () => {
  const name = 'x'.repeat(50_000);
  const body = { components: { place: { x: 1, y: 1 }, lamp: { name } } };
  let last = await service.post('/entities', body);
  for (let i = 0; i < 60 && last.status === 202; i++) last = await service.post('/entities', body);
  expect(last).toMatchObject({ status: 429, body: { code: 'INBOX_FULL' } });
  expect(last.headers.get('retry-after')).toBe('1');
});

test('what is asked where no pod is, is taken, and not applied in time', async () => {
  const waiting = await service.post('/entities', {
    components: { place: { x: 1, y: 1 } },
  });
  expect(waiting.status).toBe(202);
  const late = await service.post('/entities?wait=applied', {
    components: { place: { x: 1, y: 1 } },
  });
  expect(late).toMatchObject({ status: 504, body: { code: 'WAIT_EXPIRED' } });
});
