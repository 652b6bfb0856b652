/** Prefabs over HTTP: what is in force is told, and spawned in an area, once for each key. */
import { openControl } from '@leasehold/control';
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

const lantern = (strikes: number) => ({
  'prefabs/lantern.yaml': `description: Hangs.\ncomponents: {lamp: {name: l, strikes: ${strikes}}}`,
});
const area = { circle: '100,40,20' };
/** Those that were struck so often, and how far each is from the middle of the area. */
async function lanterns(strikes: number) {
  const query = `/entities?world&limit=1000&where=lamp.strikes,eq,${strikes}&with=prefab`;
  const { entities } = (await service.ask(query)).body;
  return entities.map((each: { x: number; y: number; id: number; components: object }) => ({
    ...each,
    away: Math.hypot(each.x - 100, each.y - 40),
  }));
}

test('a world without prefabs says so, whatever is asked of them', async () => {
  const answers = await Promise.all([
    service.ask('/prefabs'),
    service.ask('/prefabs/lantern'),
    service.post('/prefabs/lantern/spawn', { count: 1 }),
  ]);
  for (const { status, body } of answers) {
    expect([status, body.code]).toEqual([404, 'PREFAB_UNKNOWN']);
    expect(body.detail).toContain('has no prefabs');
    expect(body.remedy).toContain('leasehold prefabs apply');
  }
});

test('the version in force is told, and what a prefab of it gives', async () => {
  const version = await world.applyPrefabs(lantern(101));
  const { body } = await service.ask('/prefabs');
  expect(body).toMatchObject({ version, prefabs: [{ name: 'lantern', version }] });
  const found = await service.ask('/prefabs/lantern');
  expect(found.body).toMatchObject({ name: 'lantern', version, description: 'Hangs.' });
  expect(found.body.components.lamp).toEqual({ isLit: false, name: 'l', strikes: 101, note: null });
  const unknown = await service.ask('/prefabs/lanten');
  expect([unknown.status, unknown.body.remedy]).toEqual([404, 'It has lantern.']);
});

test('what is spawned is as its prefab says, in the area, and once for a key', async () => {
  const version = await world.applyPrefabs(lantern(102));
  const key = { 'idempotency-key': 'spawn-1' };
  const body = { count: 30, area };
  const first = await service.post('/prefabs/lantern/spawn?wait=applied', body, key);
  expect([first.status, first.body.state]).toEqual([201, 'applied']);
  // A repetition is that of the version that was in force.
  await world.applyPrefabs(lantern(103));
  const again = await service.post('/prefabs/lantern/spawn?wait=applied', body, key);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(again.body).toEqual(first.body);
  const made = await lanterns(102);
  expect(made.map(({ id }: { id: number }) => id).sort()).toEqual([...first.body.entities].sort());
  for (const { away, components } of made) {
    expect(away).toBeLessThanOrEqual(20);
    expect(components.prefab).toEqual({ name: 'lantern', version });
  }
  expect(await lanterns(103)).toEqual([]);
});

test('as many as a request does not take are a job, and one job for a key', async () => {
  await world.applyPrefabs(lantern(104));
  const key = { 'idempotency-key': 'spawn-2' };
  const ask = () => service.post('/prefabs/lantern/spawn', { count: 600, area, seed: 7 }, key);
  const { status, body } = await ask();
  expect([status, body.count]).toEqual([202, 600]);
  expect((await ask()).body.job).toBe(body.job);
  const job = async () => (await service.ask(`/jobs/${body.job}`)).body;
  await expect.poll(job, { timeout: 30_000 }).toMatchObject({ state: 'completed', created: 600 });
  const made = await lanterns(104);
  expect(made).toHaveLength(600);
  expect(made.every(({ away }: { away: number }) => away <= 20)).toBe(true);
});

test('prefabs that no longer can be read are a problem, and what is in force is told', async () => {
  const control = await openControl(at.url);
  const index = await control.prefabs(world.name);
  const versions = [{ commit: '0'.repeat(40), names: ['lantern'], appliedAt: '' }];
  if (index !== undefined) await control.putPrefabs({ ...index, versions });
  await control.close();
  const { status, body } = await service.post('/prefabs/lantern/spawn', { count: 1 });
  expect([status, body.code]).toEqual([503, 'REPOSITORY_UNREADABLE']);
  expect((await service.ask('/prefabs')).body.prefabs).toHaveLength(1);
});
