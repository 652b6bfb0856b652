import { useRedis } from '@leasehold/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AppliedLayer, type AppliedWorld, type Control, openControl } from './index.ts';

const at = useRedis();
let control: Control;

beforeEach(async () => {
  control = await openControl(at.url);
});
afterEach(() => control.close());

const record = (): AppliedWorld => ({
  world: at.world,
  incarnation: 3,
  manifest: { world: at.world, tickHz: 20, layers: { main: ['position'], rare: ['mood'] } },
  manifestHash: '0011223344556677',
  folder: '/worlds/one',
  moduleVersion: '8899aabbccddeeff',
  moduleCommit: '',
  appliedAt: '2026-01-01T00:00:00.000Z',
});

const layer = (name: string, ...components: string[]): AppliedLayer => ({
  world: at.world,
  layer: name,
  components,
  schemaHash: 'aa',
  schema: '{"layer":1}',
});

test('a record comes back as it was written, and what was never written is not there', async () => {
  expect(await control.world(at.world)).toBeUndefined();
  expect(await control.layer(at.world, 'main')).toBeUndefined();
  expect(await control.prefabs(at.world)).toBeUndefined();
  await control.putWorld(record(), [layer('main', 'position', 'speed'), layer('rare', 'mood')]);
  expect(await control.world(at.world)).toEqual(record());
  expect(await control.layer(at.world, 'main')).toEqual(layer('main', 'position', 'speed'));
});

test('a record is replaced whole: layers that are gone from the world are forgotten', async () => {
  await control.putWorld(record(), [layer('main', 'position'), layer('rare', 'mood')]);
  const smaller = { ...record(), manifest: { layers: { main: ['position'] } } };
  await control.putWorld(smaller, [layer('main', 'position')]);
  expect(await control.world(at.world)).toEqual(smaller);
  expect(await control.layer(at.world, 'rare')).toBeUndefined();
});

test('which version of its prefabs a world has is kept with all versions before it', async () => {
  const version = (commit: string) => ({
    commit,
    names: ['wolf'],
    appliedAt: '2026-01-01T00:00:00.000Z',
  });
  const index = {
    ...{ world: at.world, repository: '/r', folder: 'prefabs', ref: 'main' },
    versions: [version('a'), version('b')],
  };
  await control.putPrefabs(index);
  expect(await control.prefabs(at.world)).toEqual(index);
});

test('a world that is forgotten leaves no key', async () => {
  await control.putWorld(record(), [layer('main', 'position'), layer('rare', 'mood')]);
  await control.forget(at.world);
  expect(await control.world(at.world)).toBeUndefined();
  expect(await at.redis.keys(`leasehold:*${at.world}*`)).toEqual([]);
});

test('a damaged record is told with the way out', async () => {
  await control.putWorld(record(), [layer('main', 'position')]);
  await at.redis.hset(`leasehold:world:${at.world}`, 'manifest', '{');
  await expect(control.world(at.world)).rejects.toMatchObject({ code: 'BODY_MALFORMED' });
});

test('a Redis that is not there is told as such', async () => {
  await expect(openControl('redis://127.0.0.1:1')).rejects.toMatchObject({
    code: 'REDIS_UNREACHABLE',
    detail: { field: 'REDIS_URL', value: '127.0.0.1:1' },
  });
});
