/**
 * What every registry must do, as tests. The same on a file and on PostgreSQL.
 */
import { describe, expect, test } from 'vitest';
import type { Registry } from './registry.ts';

const facts = { schemaHash: 's', manifestHash: 'm' };
const failing = () => Promise.reject(new Error('no'));
const nothing = async () => ({});

/** Registers the suite. `open` gives the same registry each time, as another process would. */
export function describeRegistry(name: string, open: () => Registry, prefix: () => string): void {
  let worlds = 0;
  /** A world that no other test has. */
  const fresh = (): string => `${prefix()}-${++worlds}`;

  describe(`${name}: the rules of a registry`, () => {
    describe('a seeding', () => seedingTests(open, fresh));
    describe('one world after the other', () => historyTests(open, fresh));
  });
}

function seedingTests(open: () => Registry, fresh: () => string): void {
  test('a world goes from unknown over seeding to ready, and stays', async () => {
    const [registry, world] = [open(), fresh()];
    expect(await registry.read(world)).toBeUndefined();
    const wide = { ...facts, fixed: { 'space.width': 4 }, layer: 'main', others: { more: 'o' } };
    const record = await registry.seed(world, wide, async (incarnation) => {
      expect(await open().read(world)).toMatchObject({ state: 'seeding', incarnation });
      return { redisRunId: 'run' };
    });
    expect(record).toMatchObject({
      ...{ world, incarnation: 1, state: 'ready', redisRunId: 'run' },
      ...wide,
    });
    expect(await open().read(world)).toEqual(record);
    const again = await registry.seed(world, { ...facts, schemaHash: 'other' }, failing);
    expect(again).toEqual(record);
  });

  test('work that throws leaves a seeding to be resumed, and what was ready stays', async () => {
    const [registry, world] = [open(), fresh()];
    await expect(registry.seed(world, facts, failing)).rejects.toThrow('no');
    expect(await registry.read(world)).toMatchObject({ state: 'seeding', incarnation: 1 });
    const ready = await registry.seed(world, facts, nothing);
    expect(ready.incarnation).toBe(1);
    await expect(registry.seed(world, facts, failing, { replaces: 1 })).rejects.toThrow('no');
    expect(await registry.read(world)).toEqual(ready);
    const next = await registry.seed(world, facts, nothing, { replaces: 1 });
    expect(next.incarnation).toBe(2);
    expect(await registry.leftovers(world)).toEqual([1]);
  });

  test('a seeding of other facts is given up, not mixed', async () => {
    const [registry, world] = [open(), fresh()];
    await expect(registry.seed(world, facts, failing)).rejects.toThrow();
    const other = { ...facts, schemaHash: 'other' };
    expect(await registry.seed(world, other, nothing)).toMatchObject({ incarnation: 2 });
    expect(await registry.leftovers(world)).toEqual([1]);
    await registry.forgotten(world, 1);
    expect(await registry.leftovers(world)).toEqual([]);
  });

  test('a seeding that would write anything else is given up, not mixed', async () => {
    const [registry, world] = [open(), fresh()];
    const of = (fingerprint: string) => ({ fingerprint: async () => fingerprint });
    await expect(registry.seed(world, facts, failing, of('a'))).rejects.toThrow();
    await expect(registry.seed(world, facts, failing, of('a'))).rejects.toThrow();
    expect(await registry.read(world)).toMatchObject({ incarnation: 1 });
    await expect(registry.seed(world, facts, failing, of('b'))).rejects.toThrow();
    expect(await registry.read(world)).toMatchObject({ incarnation: 2 });
    const replacing = { ...of('b'), replaces: 2 };
    const third = await registry.seed(world, facts, nothing, replacing);
    expect(third).toMatchObject({ incarnation: 3 });
    expect(await registry.leftovers(world)).toEqual([1, 2]);
    const broken = { fingerprint: failing, replaces: 3 };
    await expect(registry.seed(world, facts, nothing, broken)).rejects.toThrow('no');
    expect(await registry.read(world)).toMatchObject({ state: 'ready', incarnation: 3 });
  });

  test('of seeders at once one works at a time, and all get its result', async () => {
    const world = fresh();
    let working = 0;
    let worked = 0;
    const work = async () => {
      working += 1;
      worked += 1;
      expect(working).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      working -= 1;
      return {};
    };
    const all = await Promise.all([1, 2, 3, 4].map(() => open().seed(world, facts, work)));
    expect(worked).toBe(1);
    expect(all.map(({ incarnation }) => incarnation)).toEqual([1, 1, 1, 1]);
  });
}

function historyTests(open: () => Registry, fresh: () => string): void {
  test('a seeding that is abandoned is a leftover, and one that is ready cannot be', async () => {
    const [registry, world] = [open(), fresh()];
    await expect(registry.seed(world, facts, failing)).rejects.toThrow();
    await registry.abandoned(world, 2);
    expect(await registry.read(world)).toMatchObject({ incarnation: 1, state: 'seeding' });
    await registry.abandoned(world, 1);
    expect(await registry.read(world)).toBeUndefined();
    expect(await registry.leftovers(world)).toEqual([1]);
    expect(await registry.seed(world, facts, nothing)).toMatchObject({ incarnation: 2 });
    await registry.abandoned(world, 2);
    expect(await registry.read(world)).toMatchObject({ incarnation: 2, state: 'ready' });
  });

  test('L2 an incarnation is used once, also after the world was forgotten', async () => {
    const [registry, world] = [open(), fresh()];
    await registry.seed(world, facts, nothing);
    await registry.forget(world);
    await registry.forget(fresh());
    expect(await registry.read(world)).toBeUndefined();
    expect(await registry.leftovers(world)).toEqual([1]);
    const stored = () => Promise.reject(new Error('this registry knows the world'));
    const next = await registry.seed(world, facts, nothing, { stored });
    expect(next.incarnation).toBe(2);
  });

  test('a world that the store has and the registry has not goes above that', async () => {
    const [registry, world] = [open(), fresh()];
    const options = { stored: async () => 7 };
    const record = await registry.seed(world, facts, nothing, options);
    expect(record).toMatchObject({ incarnation: 8 });
  });

  test('a migrated schema is noted for its incarnation only', async () => {
    const [registry, world] = [open(), fresh()];
    await registry.seed(world, facts, nothing);
    await registry.migrated(world, 9, { schemaHash: 'wrong' });
    expect(await registry.read(world)).toMatchObject({ schemaHash: 's' });
    await registry.migrated(world, 1, { schemaHash: 't', others: { more: 'u' } });
    expect(await registry.read(world)).toMatchObject({
      ...{ schemaHash: 't', others: { more: 'u' }, state: 'ready' },
    });
  });

  test('it lists the worlds that it knows, in order, and refuses names that are none', async () => {
    const [registry, world] = [open(), fresh()];
    for (const name of [`${world}a`, `${world}Z`]) await registry.seed(name, facts, nothing);
    await registry.leftovers(`${world}-never-seeded`);
    const found = (await registry.worlds()).filter((name) => name.startsWith(world));
    expect(found).toEqual([`${world}Z`, `${world}a`]);
    await expect(registry.read('a{b}')).rejects.toMatchObject({ code: 'NAME_INVALID' });
    await expect(registry.forget('a{b}')).rejects.toMatchObject({ code: 'NAME_INVALID' });
  });
}
