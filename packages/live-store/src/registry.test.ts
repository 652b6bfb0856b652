import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileRegistry } from './registry-file.ts';

const facts = { schemaHash: 's', manifestHash: 'm' };
let home = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'leasehold-registry-'));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

test('a world goes from unknown over seeding to ready, and stays', async () => {
  const registry = fileRegistry(home);
  expect(await registry.read('w')).toBeUndefined();
  const record = await registry.seed('w', facts, async (incarnation) => {
    expect(await registry.read('w')).toMatchObject({ state: 'seeding', incarnation });
    return { redisRunId: 'run' };
  });
  const expected = { world: 'w', incarnation: 1, state: 'ready', redisRunId: 'run', ...facts };
  expect(record).toMatchObject(expected);
  expect(await fileRegistry(home).read('w')).toEqual(record);
  const again = await registry.seed('w', { ...facts, schemaHash: 'other' }, async () => {
    throw new Error('there is nothing to do');
  });
  expect(again).toEqual(record);
});

test('work that throws leaves a seeding to be resumed, and what was ready stays ready', async () => {
  const registry = fileRegistry(home);
  const failing = () => Promise.reject(new Error('no'));
  await expect(registry.seed('w', facts, failing)).rejects.toThrow('no');
  expect(await registry.read('w')).toMatchObject({ state: 'seeding', incarnation: 1 });
  const ready = await registry.seed('w', facts, async () => ({}));
  expect(ready.incarnation).toBe(1);
  await expect(registry.seed('w', facts, failing, { replaces: 1 })).rejects.toThrow('no');
  expect(await registry.read('w')).toEqual(ready);
  const next = await registry.seed('w', facts, async () => ({}), { replaces: 1 });
  expect(next.incarnation).toBe(2);
  expect(await registry.leftovers('w')).toEqual([1]);
});

test('a seeding of other facts is given up, not mixed', async () => {
  const registry = fileRegistry(home);
  await expect(registry.seed('w', facts, () => Promise.reject(new Error('no')))).rejects.toThrow();
  const other = { ...facts, schemaHash: 'other' };
  expect(await registry.seed('w', other, async () => ({}))).toMatchObject({ incarnation: 2 });
  expect(await registry.leftovers('w')).toEqual([1]);
  await registry.forgotten('w', 1);
  expect(await registry.leftovers('w')).toEqual([]);
});

test('a seeding that would write anything else is given up, not mixed', async () => {
  const registry = fileRegistry(home);
  const failing = () => Promise.reject(new Error('no'));
  const with_ = (fingerprint: string) => ({ fingerprint: async () => fingerprint });
  await expect(registry.seed('w', facts, failing, with_('a'))).rejects.toThrow();
  await expect(registry.seed('w', facts, failing, with_('a'))).rejects.toThrow();
  expect(await registry.read('w')).toMatchObject({ incarnation: 1 });
  await expect(registry.seed('w', facts, failing, with_('b'))).rejects.toThrow();
  expect(await registry.read('w')).toMatchObject({ incarnation: 2 });
  const replacing = { ...with_('b'), replaces: 2 };
  expect(await registry.seed('w', facts, async () => ({}), replacing)).toMatchObject({
    incarnation: 3,
  });
  expect(await registry.leftovers('w')).toEqual([1, 2]);
  const broken = { fingerprint: failing, replaces: 3 };
  await expect(registry.seed('w', facts, async () => ({}), broken)).rejects.toThrow('no');
  expect(await registry.read('w')).toMatchObject({ state: 'ready', incarnation: 3 });
});

test('L2 an incarnation is used once, also after the world was forgotten', async () => {
  const registry = fileRegistry(home);
  await registry.seed('w', facts, async () => ({}));
  await registry.forget('w');
  await registry.forget('nobody');
  expect(await registry.read('w')).toBeUndefined();
  expect(await registry.leftovers('w')).toEqual([1]);
  const stored = () => Promise.reject(new Error('this registry knows the world'));
  const next = await registry.seed('w', facts, async () => ({}), { stored });
  expect(next.incarnation).toBe(2);
});

test('a world that the store has and the registry has not goes above what the store has', async () => {
  const registry = fileRegistry(home);
  const options = { stored: async () => 7 };
  expect(await registry.seed('w', facts, async () => ({}), options)).toMatchObject({
    incarnation: 8,
  });
});

test('a migrated schema is noted for its incarnation only', async () => {
  const registry = fileRegistry(home);
  await registry.seed('w', facts, async () => ({}));
  await registry.migrated('w', 9, { schemaHash: 'wrong' });
  expect(await registry.read('w')).toMatchObject({ schemaHash: 's' });
  await registry.migrated('w', 1, { schemaHash: 't' });
  expect(await registry.read('w')).toMatchObject({ schemaHash: 't', state: 'ready' });
});

test('a file that is no registry, a folder that cannot be, and a bad name are clear errors', async () => {
  mkdirSync(join(home, 'registry'));
  for (const text of ['', '{"version":99}', '{"version":1,"last":"x"}']) {
    writeFileSync(join(home, 'registry', 'w.json'), text);
    await expect(fileRegistry(home).read('w')).rejects.toMatchObject({
      code: 'INCARNATION_MISMATCH',
      detail: { value: join(home, 'registry', 'w.json') },
    });
  }
  writeFileSync(join(home, 'file'), '');
  const nowhere = fileRegistry(join(home, 'file'));
  await expect(nowhere.seed('w', facts, async () => ({}))).rejects.toMatchObject({
    code: 'SETTING_INVALID',
  });
  await expect(fileRegistry(home).read('a{b}')).rejects.toMatchObject({ code: 'NAME_INVALID' });
});

test('it lists the worlds that it knows, and none where nothing was seeded', async () => {
  const registry = fileRegistry(home);
  expect(await registry.worlds()).toEqual([]);
  for (const world of ['w2', 'w-1']) await registry.seed(world, facts, async () => ({}));
  await registry.leftovers('never-seeded');
  expect(await registry.worlds()).toEqual(['w-1', 'w2']);
});
