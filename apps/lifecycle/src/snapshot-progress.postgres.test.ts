/** How far a job of snapshots has come, line by line, from a service on a real Redis and a real PostGIS. */
import { usePostgres, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, LifecycleWorld, type Service } from './lifecycle-fixture.ts';

const LINES = { headers: { accept: 'application/x-ndjson' } };
/** Of a snapshot that is to be caught while it is taken. */
const SLOW = { bytesPerSecond: 20 };
/** As many as one replica tells. */
const FOLLOWED_MAX = 128;

const at = useRedis();
const postgres = usePostgres();
let world: LifecycleWorld;
let service: Service;

beforeAll(async () => {
  world = await LifecycleWorld.seed(at.url);
  service = await world.startService({ SNAPSHOTS_URL: postgres.databaseUrl, LOG_LEVEL: 'warn' });
});
afterAll(() => world?.close());

const take = async (body: object): Promise<string> => {
  const asked = await service.post('/snapshots', body);
  expect(asked.status).toBe(202);
  return asked.body.job;
};
const linesOf = ({ body }: Answer) =>
  String(body)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('a job is told line by line until it has ended, and then in one line', async () => {
  const job = await take({ id: 'told', bytesPerSecond: 600 });
  const told = await service.send(`/v1/snapshot-jobs/${job}`, LINES);
  expect(told.headers.get('content-type')).toBe('application/x-ndjson');
  const lines = linesOf(told);
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines) expect(line).toMatchObject({ job, kind: 'take', snapshot: 'told' });
  const shares = lines.map(({ progress }) => progress);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  const underway = lines.filter(({ state }) => state === 'active');
  expect(underway[0]).toMatchObject({ phase: 'waiting', cells: 0 });
  expect(underway.at(-1)).toMatchObject({ phase: 'reading', cells: 8, cellsTotal: 8 });
  const last = lines.at(-1);
  expect(last).toMatchObject({ state: 'completed', progress: 1, done: { entities: 20 } });
  const over = await service.send(`/v1/snapshot-jobs/${job}`, LINES);
  expect(linesOf(over)).toEqual([last]);
  // Who takes anything gets one answer.
  for (const accept of ['*/*', 'application/json', 'text/html']) {
    const once = await service.send(`/v1/snapshot-jobs/${job}`, { headers: { accept } });
    expect(once.headers.get('content-type')).toMatch(/^application\/json/);
    expect(once.body).toEqual(last);
  }
});

test('of one that is cancelled the last line says so; one that nobody knows is a problem', async () => {
  const job = await take({ id: 'cancelled', ...SLOW });
  const told = service.send(`/v1/snapshot-jobs/${job}`, LINES);
  const reading = async () => (await service.send(`/v1/snapshot-jobs/${job}`)).body.cells;
  await expect.poll(reading, { timeout: 40_000 }).toBeGreaterThan(0);
  await service.send(`/v1/snapshot-jobs/${job}`, { method: 'DELETE' });
  expect(linesOf(await told).at(-1)).toMatchObject({ job, state: 'cancelled' });
  const unknown = await service.send('/v1/snapshot-jobs/nobody', LINES);
  expect(unknown).toMatchObject({ status: 404, body: { code: 'JOB_UNKNOWN', value: 'nobody' } });
  expect(unknown.headers.get('content-type')).toMatch(/^application\/problem\+json/);
});

test('so many are told at once, and who leaves makes room', async () => {
  let job = '';
  // The one that was cancelled keeps the world busy until its worker has cleared up.
  const asked = async () => {
    const answer = await service.post('/snapshots', { id: 'followed', ...SLOW });
    job = answer.body.job;
    return answer.status;
  };
  await expect.poll(asked, { timeout: 40_000 }).toBe(202);
  const path = `/v1/snapshot-jobs/${job}`;
  const leaving = new AbortController();
  const { signal } = leaving;
  const all = Array.from({ length: FOLLOWED_MAX }, () =>
    fetch(`${service.url}${path}`, { ...LINES, signal }),
  );
  for (const { status } of await Promise.all(all)) expect(status).toBe(200);
  const more = await service.send(path, LINES);
  expect(more).toMatchObject({ status: 429, body: { code: 'RATE_EXCEEDED', field: 'accept' } });
  expect((await service.send(path)).status).toBe(200);
  leaving.abort();
  const told = async () => {
    const left = new AbortController();
    const reply = await fetch(`${service.url}${path}`, { ...LINES, signal: left.signal });
    left.abort();
    return reply.status;
  };
  await expect.poll(told, { timeout: 40_000 }).toBe(200);
  await service.send(path, { method: 'DELETE' });
});

test('its description has both types, each with an example', async () => {
  const { body } = await service.send('/openapi.json');
  const { content } = body.paths['/v1/snapshot-jobs/{job}'].get.responses[200];
  expect(Object.keys(content)).toEqual(['application/json', 'application/x-ndjson']);
  const [one] = content['application/json'].schema.examples;
  expect(one).toMatchObject({ state: 'completed', progress: 1 });
  const [lines] = content['application/x-ndjson'].schema.examples;
  const told = linesOf({ body: lines } as Answer);
  expect(told.at(-1)).toEqual(one);
  // What it shows is what is answered.
  const { jobs } = (await service.send('/v1/snapshot-jobs')).body;
  const done = jobs.find(({ state }: { state: string }) => state === 'completed');
  expect(Object.keys(one)).toEqual(Object.keys(done));
});
