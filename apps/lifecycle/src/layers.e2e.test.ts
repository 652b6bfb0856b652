/**
 * Goal: what is asked of entities of a world of several layers is done in all of them.
 * Method: three layers with a pod each and the service as processes; one pod is killed in between.
 */
import { eventually, type Spawned, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, type Env, LifecycleWorld, type Service } from './lifecycle-fixture.ts';

type Told = {
  readonly id: number;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

const LAYERS = ['ways', 'light', 'fuel'];
const at = useRedis();
const pods = new Map<string, Spawned>();
let world: LifecycleWorld;
let service: Service;

beforeAll(async () => {
  world = await LifecycleWorld.seed(at.url, {
    module: './layered-world-fixture.ts',
    layers: 'layers: { light: [lamp], ways: [place, drift], fuel: [oil] }',
  });
  [service] = await Promise.all([world.startService(), ...LAYERS.map(startPod)]);
});
afterAll(async () => {
  await world?.close();
});

async function startPod(layer: string): Promise<void> {
  pods.set(layer, await world.startPod({ LAYER: layer }));
}

const WAIT = '?wait=applied';
/** More than any of it takes. */
const WAIT_MS = 15_000;
const PLACE = { x: 12, y: 30 };
const lampOf = (name: string, vx = 0) => ({
  components: { place: PLACE, drift: { vx }, lamp: { name }, oil: { drops: 9 } },
});
const patch = (id: number, body: object, headers: Env = {}): Promise<Answer> =>
  service.ask(`/entities/${id}${WAIT}`, { method: 'PATCH', body, headers });
const valuesOf = async (id: number) => (await service.ask(`/entities/${id}`)).body.components;

async function made(name: string): Promise<number> {
  const { status, body } = await service.post(`/entities${WAIT}`, lampOf(name));
  expect(status).toBe(201);
  return body.entities[0];
}

test('an entity is made, read, changed and ended in all layers', async () => {
  const id = await made('new');
  const first = await service.ask(`/entities/${id}`);
  expect(first.body).toMatchObject({ id, cell: 8, tick: expect.any(Number) });
  expect(Object.keys(first.body.ticks).sort()).toEqual([...LAYERS].sort());
  expect(first.body.components).toEqual({
    ...{ place: PLACE, drift: { vx: 0 } },
    ...{ lamp: { name: 'new', strikes: 0 }, oil: { drops: 9 } },
  });
  const tag = first.headers.get('etag') ?? '';
  const known = await service.ask(`/entities/${id}`, { headers: { 'if-none-match': tag } });
  expect(known.status).toBe(304);

  expect((await patch(id, { set: { place: { y: 31 } } })).status).toBe(200);
  expect((await patch(id, { set: { oil: { drops: 7 } } })).status).toBe(200);
  const both = { set: { place: { x: 13 }, lamp: { name: 'both' }, oil: { drops: 6 } } };
  expect((await patch(id, both)).status).toBe(200);
  expect(await valuesOf(id)).toEqual({
    ...{ place: { x: 13, y: 31 }, drift: { vx: 0 } },
    ...{ lamp: { name: 'both', strikes: 0 }, oil: { drops: 6 } },
  });
  const one = await service.ask(`/entities/${id}?components=oil`);
  expect(one.body.components).toEqual({ oil: { drops: 6 } });
  expect((await patch(id, { set: {}, remove: ['oil'] })).status).toBe(200);
  expect(await valuesOf(id)).not.toHaveProperty('oil');

  const gone = await service.ask(`/entities/${id}${WAIT}`, { method: 'DELETE' });
  expect(gone.status).toBe(200);
  expect((await service.ask(`/entities/${id}`)).status).toBe(404);
});

test('an entity tag is compared by the layer that changes what was read, and none spans layers', async () => {
  const id = await made('tagged');
  const tagOf = async (query: string): Promise<string> =>
    (await service.ask(`/entities/${id}${query}`)).headers.get('etag') ?? '';
  const [all, lamp, place] = await Promise.all(
    ['', '?components=lamp', '?components=place'].map(tagOf),
  );
  const rename = (name: string, tag = ''): Promise<Answer> =>
    patch(id, { set: { lamp: { name } } }, { 'if-match': tag });
  for (const tag of [all, place]) {
    const spans = await rename('no', tag);
    expect(spans).toMatchObject({ status: 400, body: { field: 'If-Match' } });
    expect(spans.body.remedy).toContain('light');
  }
  const two = { set: { lamp: { name: 'no' }, oil: { drops: 1 } } };
  expect((await patch(id, two, { 'if-match': lamp ?? '' })).status).toBe(400);
  expect((await rename('renamed', lamp)).status).toBe(200);
  expect(await rename('no', lamp)).toMatchObject({ status: 412, body: { code: 'MATCH_FAILED' } });
  expect((await valuesOf(id)).lamp.name).toBe('renamed');

  const end = (tag = ''): Promise<Answer> =>
    service.ask(`/entities/${id}${WAIT}`, { method: 'DELETE', headers: { 'if-match': tag } });
  expect((await end(await tagOf('?components=lamp'))).status).toBe(400);
  expect((await patch(id, { set: { place: { x: 14 } } }, { 'if-match': place ?? '' })).status).toBe(
    200,
  );
  expect((await end(place)).status).toBe(412);
  expect((await end(await tagOf('?components=place'))).status).toBe(200);
});

test('an event is handled in the layer that takes it, and what it emits in another', async () => {
  const id = await made('struck');
  const strike = { entity: id, event: 'strike', payload: { times: 2 } };
  expect((await service.post(`/events${WAIT}`, strike)).status).toBe(200);
  await expect
    .poll(() => valuesOf(id), { timeout: 5_000 })
    .toMatchObject({ lamp: { strikes: 2 }, oil: { drops: 7 } });
  const nothing = await service.post(`/events${WAIT}`, { ...strike, event: 'nothing' });
  expect(nothing).toMatchObject({ status: 400, body: { code: 'VALUE_INVALID' } });
  const wrong = await service.post(`/events${WAIT}`, { ...strike, payload: { times: 'x' } });
  expect(wrong).toMatchObject({ status: 400, body: { code: 'VALUE_INVALID' } });
  expect((await service.ask('/dead-letters')).body.letters).toEqual([]);
});

test('areas, predicates and the nearest ask components of any layer', async () => {
  const where = 'where=lamp.name,eq,lamp%207&where=oil.drops,ge,7&with=place';
  const found = await service.ask(`/entities?world&${where}`);
  expect(found.body.entities).toHaveLength(1);
  expect(found.body.entities[0]).toMatchObject({ x: 75, components: { oil: { drops: 7 } } });
  const none = await service.ask(
    '/entities?world&where=lamp.name,eq,lamp%207&where=oil.drops,lt,7',
  );
  expect(none.body.entities).toEqual([]);
  const near = await service.ask(
    '/entities?near=15,95&limit=1&where=oil.drops,eq,3&components=oil',
  );
  expect(near.body.entities).toHaveLength(1);
  expect(near.body.entities[0]).toMatchObject({ x: 35, distance: 20, components: { oil: {} } });
  const page = await service.ask('/entities?world&limit=1000&components=lamp,drift');
  for (const { components } of page.body.entities) {
    expect(Object.keys(components)).toEqual(['drift', 'lamp']);
  }
  for (const hidden of ['with=_letters', 'components=_letters', 'where=_letters.in,eq,1']) {
    expect((await service.ask(`/entities?world&${hidden}`)).status, hidden).toBe(400);
  }
  const { body } = await service.ask('');
  expect(body).toMatchObject({ pods: 3 });
  const names = body.layers.map((each: { layer: string; components: { name: string }[] }) => [
    each.layer,
    each.components.map(({ name }) => name),
  ]);
  expect(names).toEqual([
    ['ways', ['drift', 'place']],
    ['light', ['lamp']],
    ['fuel', ['oil']],
  ]);
});

test('a job creates entities in all layers', async () => {
  const components = { lamp: { name: 'of a job' }, oil: { drops: 2 } };
  const job = { count: 40, components, area: { box: '20,20,90,70' }, seed: 3 };
  const { status, body } = await service.post('/jobs', job);
  expect(status).toBe(202);
  const created = async () => (await service.ask(`/jobs/${body.job}`)).body.created;
  await expect.poll(created, { timeout: WAIT_MS }).toBe(40);
  const where = 'where=lamp.name,eq,of%20a%20job&where=oil.drops,eq,2&components=oil';
  const found = async () => (await service.ask(`/entities?world&${where}`)).body.entities.length;
  await expect.poll(found, { timeout: WAIT_MS }).toBe(40);
});

test('E1 E2 M1 with a pod killed in between everything is done, and all layers agree', async () => {
  const entities = Array.from({ length: 32 }, (_, i) => lampOf(`many ${i}`, (i % 3) * 20));
  const first = await service.post('/entities', { entities });
  const ids: number[] = first.body.entities;
  const set = { drift: { vx: 30 }, oil: { drops: 100 }, lamp: { name: 'changed' } };
  const isEnded = (i: number): boolean => i % 4 === 0;
  const change = (id: number, i: number): Promise<Answer> =>
    service.ask(
      `/entities/${id}`,
      isEnded(i) ? { method: 'DELETE' } : { method: 'PATCH', body: { set } },
    );
  const strike = (id: number): Promise<Answer> =>
    service.post('/events', { entity: id, event: 'strike', payload: { times: 1 } });
  const applied = async ({ status, body: { request } }: Answer): Promise<void> => {
    expect(status).toBe(202);
    const { body } = await service.ask(`/requests/${request}`);
    if (body.state === 'applied') return;
    await eventually(async () => {
      return (await service.ask(`/requests/${request}`)).body.state === 'applied';
    }, WAIT_MS);
  };
  await applied(first);
  const changes = ids.map(change);
  pods.get('light')?.kill();
  const [asked] = await Promise.all([Promise.all(changes), startPod('light')]);
  await Promise.all(asked.map(applied));
  const struck = await Promise.all(ids.filter((_, i) => !isEnded(i)).map(strike));
  await Promise.all(struck.map(applied));

  const { body: page } = await service.ask(
    '/entities?world&limit=1000&components=drift&with=drift',
  );
  const still = page.entities.map(({ id }: { id: number }) => patch(id, { remove: ['drift'] }));
  for (const { status } of (await Promise.all(still)) as Answer[]) expect(status).toBe(200);
  await eventually(async () => {
    const [home = [], ...others] = (await world.census()).values();
    return home.length >= 44 && others.every((each) => String(each) === String(home));
  }, WAIT_MS);
  const living = ids.filter((_, i) => !isEnded(i)).sort((a, b) => a - b);
  await expect
    .poll(
      async () => {
        const { body } = await service.ask('/entities?world&where=lamp.name,eq,changed');
        return body.entities.map(({ id, components: { lamp, oil } }: Told) => [
          ...[id, lamp?.['strikes'], oil?.['drops']],
        ]);
      },
      { timeout: WAIT_MS },
    )
    .toEqual(living.map((id) => [id, 1, 99]));
  expect((await service.ask('/dead-letters')).body.letters).toEqual([]);
  const paused = await service.post('/pause', undefined);
  expect(paused.body).toMatchObject({ isPaused: true });
});
