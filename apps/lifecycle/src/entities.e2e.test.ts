/** Entities over HTTP, with a real pod that applies what is asked. */
import { useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LifecycleWorld, type Service } from './lifecycle-fixture.ts';

const at = useRedis();
let world: LifecycleWorld;
let service: Service;

beforeAll(async () => {
  world = await LifecycleWorld.seed(at.url);
  [service] = await Promise.all([world.startService(), world.startPod()]);
});
afterAll(async () => {
  await world?.close();
});

const WAIT = '?wait=applied';
const lampAt = (x: number, y: number, name = 'new') => ({
  components: { place: { x, y }, lamp: { name } },
});

test('an entity is created, read, changed as it was read, and deleted', async () => {
  const made = await service.post(`/entities${WAIT}`, lampAt(12, 30));
  expect(made).toMatchObject({ status: 201, body: { state: 'applied' } });
  const [id] = made.body.entities;
  const first = await service.ask(`/entities/${id}`);
  expect(first).toMatchObject({ status: 200, body: { id, cell: 8 } });
  expect(first.body.components).toEqual({
    place: { x: 12, y: 30 },
    lamp: { isLit: false, name: 'new', strikes: 0, note: null },
  });
  const tag = first.headers.get('etag') ?? '';
  const known = await service.ask(`/entities/${id}`, { headers: { 'if-none-match': tag } });
  expect(known.status).toBe(304);

  const patch = (name: string) =>
    service.ask(`/entities/${id}${WAIT}`, {
      method: 'PATCH',
      body: { set: { lamp: { name }, drift: {} } },
      headers: { 'if-match': tag },
    });
  expect(await patch('other')).toMatchObject({ status: 200, body: { state: 'applied' } });
  const second = await service.ask(`/entities/${id}?components=lamp`);
  expect(second.body.components).toEqual({
    lamp: { isLit: false, name: 'other', strikes: 0, note: null },
  });
  expect(await patch('third')).toMatchObject({ status: 412, body: { code: 'MATCH_FAILED' } });

  const gone = await service.ask(`/entities/${id}${WAIT}`, { method: 'DELETE' });
  expect(gone.status).toBe(200);
  const after = await service.ask(`/entities/${id}`);
  expect(after).toMatchObject({ status: 404, body: { code: 'ENTITY_UNKNOWN', status: 404 } });
  expect(after.headers.get('content-type')).toContain('application/problem+json');
});

test('a request that nobody waits for is answered with its id, and can be asked for', async () => {
  const taken = await service.post('/entities', lampAt(60, 60));
  expect(taken).toMatchObject({ status: 202, body: { state: 'pending' } });
  const { request } = taken.body;
  await expect
    .poll(async () => (await service.ask(`/requests/${request}`)).body, { timeout: 5_000 })
    .toMatchObject({ request, state: 'applied', posts: 1, answered: 1 });
  const unknown = await service.ask('/requests/nobody');
  expect(unknown).toMatchObject({ status: 404, body: { code: 'REQUEST_UNKNOWN' } });
});

test('many entities in one request are born in the cells of their positions', async () => {
  const entities = Array.from({ length: 512 }, (_, i) => lampAt((i * 7) % 200, (i * 13) % 100));
  const made = await service.post(`/entities${WAIT}`, { entities });
  expect(made.status).toBe(201);
  expect(new Set(made.body.entities).size).toBe(512);
  const seen = new Set<number>();
  for (let cursor = ''; ; ) {
    const page = await service.ask(`/entities?world&where=lamp.name,eq,new&limit=200${cursor}`);
    expect(page.status).toBe(200);
    for (const { id } of page.body.entities) seen.add(id);
    if (page.body.next === undefined) break;
    cursor = `&cursor=${page.body.next}`;
  }
  for (const id of made.body.entities) expect(seen.has(id)).toBe(true);
});

test('M1 a request is done once, however often it comes with its key', async () => {
  const headers = { 'idempotency-key': 'once-1' };
  const entities = [lampAt(101, 51, 'key'), lampAt(151, 51, 'key')];
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => service.post(`/entities${WAIT}`, { entities }, headers)),
  );
  for (const { status, body } of answers) {
    expect(status).toBe(201);
    expect(body).toEqual(answers[0]?.body);
  }
  const found = await service.ask('/entities?world&where=lamp.name,eq,key');
  expect(found.body.entities).toHaveLength(2);
  const other = await service.post(`/entities${WAIT}`, lampAt(1, 1, 'key'), headers);
  expect(other).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_MISMATCH' } });
});

test('areas, predicates and the nearest are answered from state', async () => {
  const box = await service.ask('/entities?box=0,90,60,100&with=lamp&components=place');
  const xs = box.body.entities.map(({ x }: { x: number }) => x);
  for (const x of [5, 15, 25, 35, 45, 55]) expect(xs).toContain(x);
  const struck = await service.ask(
    '/entities?world&where=lamp.strikes,ge,18&where=lamp.strikes,lt,20',
  );
  expect(struck.body.entities).toHaveLength(2);
  const near = await service.ask('/entities?near=5,95&limit=1&with=lamp&where=lamp.strikes,eq,0');
  expect(near.body.entities[0]).toMatchObject({ x: 5, y: 95, distance: 0 });
  const around = await service.ask(`/entities?around=${near.body.entities[0].id},1`);
  expect(around.body.entities[0].id).toBe(near.body.entities[0].id);
  for (const wrong of [
    '',
    '?box=1,2',
    '?world&where=lamp.note,eq,1',
    '?world&limit=5000',
    '?x=1',
  ]) {
    expect((await service.ask(`/entities${wrong}`)).status).toBe(400);
  }
});

test('an entity that crosses borders is found wherever it is', async () => {
  const components = { place: { x: 24, y: 12 }, drift: { vx: 40 } };
  const made = await service.post(`/entities${WAIT}`, { components });
  const [id] = made.body.entities;
  const cells = new Set<number>();
  const endMs = Date.now() + 3_000;
  while (Date.now() < endMs) {
    const found = await service.ask(`/entities/${id}`);
    expect(found.status).toBe(200);
    cells.add(found.body.cell);
  }
  expect(cells.size).toBeGreaterThan(2);
  const patch = { set: { drift: { vx: 0 } } };
  const still = await service.ask(`/entities/${id}${WAIT}`, { method: 'PATCH', body: patch });
  expect(still.status).toBe(200);
});

test('events have effect once; those to nobody, and values of a wrong kind, are refused', async () => {
  const [lamp] = (await service.ask('/entities?world&where=lamp.strikes,eq,7')).body.entities;
  const headers = { 'idempotency-key': 'strike-1' };
  const event = { entity: lamp.id, event: 'strike', payload: { times: 100 } };
  for (let i = 0; i < 3; i++) {
    expect((await service.post(`/events${WAIT}`, event, headers)).status).toBe(200);
  }
  await expect
    .poll(async () => (await service.ask(`/entities/${lamp.id}`)).body.components.lamp.strikes, {
      timeout: 5_000,
    })
    .toBe(107);
  const poison = await service.post(`/events${WAIT}`, { ...event, payload: { times: -1 } });
  expect(poison).toMatchObject({ status: 409, body: { code: 'EVENT_POISON' } });
  const wrong = await service.post(`/events${WAIT}`, { ...event, event: 'nothing' });
  expect(wrong).toMatchObject({ status: 400, body: { code: 'VALUE_INVALID' } });
  const nobody = await service.post(`/events${WAIT}`, { ...event, entity: 12_345 });
  expect(nobody).toMatchObject({ status: 404, body: { code: 'ENTITY_UNKNOWN' } });
  const birth = { components: { place: { x: 1, y: 1 }, lamp: { strikes: 1.5 } } };
  const invalid = await service.post('/entities', birth);
  expect(invalid).toMatchObject({ status: 400, body: { code: 'VALUE_INVALID' } });
  expect(invalid.body.field).toBe('components.lamp.strikes');
});

test('the time of a world is stopped, advanced and let go on', async () => {
  const paused = await service.post('/pause', undefined);
  expect(paused).toMatchObject({ status: 200, body: { isPaused: true, isSteady: true } });
  const stepped = await service.post('/step', { ticks: 3 });
  expect(stepped.body).toMatchObject({ isPaused: true, tick: paused.body.tick + 3 });
  const facts = await service.ask('');
  expect(facts.body).toMatchObject({ isPaused: true, pods: 1, cells: 32, incarnation: 1 });
  expect((await service.post('/resume', undefined)).body.isPaused).toBe(false);
  const all = await service.send('/v1/worlds');
  expect(all.body.worlds).toEqual([{ world: world.name, incarnation: 1, cells: 32 }]);
  const unknown = await service.send('/v1/worlds/nowhere');
  expect(unknown).toMatchObject({ status: 404, body: { code: 'WORLD_UNKNOWN' } });
});
