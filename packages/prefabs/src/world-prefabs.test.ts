import type { PrefabIndex } from '@leasehold/control';
import { LeaseholdError } from '@leasehold/kernel';
import { Grid } from '@leasehold/spatial';
import { beforeEach, expect, test } from 'vitest';
import { COMPONENTS } from './components-fixture.ts';
import { type Descendant, descentsOf, type PrefabRepository, WorldPrefabs } from './index.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const GONE = 'f'.repeat(40);
const texts: Readonly<Record<string, string>> = {
  [A]: '{"components": {"energy": {"value": 20}}}',
  [B]: '{"components": {"energy": {"value": 30}}}',
};
const source = { repository: '/r', folder: 'prefabs', ref: 'main' };
const repository: PrefabRepository = {
  source,
  refresh: async () => undefined,
  commit: async (ref = A) => {
    if (ref in texts) return ref;
    const detail = { field: 'prefabs.repository', value: ref, remedy: 'Name another.' };
    throw new LeaseholdError('REPOSITORY_UNREADABLE', 'gone', detail);
  },
  files: async (commit) => [{ path: 'prefabs/wolf.json', text: texts[commit] ?? '' }],
};

let kept: PrefabIndex | undefined;
let hour = 0;
let prefabs: WorldPrefabs;
beforeEach(() => {
  kept = undefined;
  const control = {
    prefabs: async () => kept,
    putPrefabs: async (index: PrefabIndex) => {
      kept = index;
    },
  };
  const now = (): string => `hour ${++hour}`;
  prefabs = new WorldPrefabs({ world: 'w', control, repository, components: COMPONENTS, now });
});

const wolf = (id: number, version: string, value: number): Descendant => ({
  ...{ id, cell: id % 4, prefab: 'wolf', version },
  components: { energy: { value, most: 0 }, prefab: { name: 'wolf', version } },
});

const apply = async (commit: string) => prefabs.apply(await prefabs.at(commit));

test('a world has none until one is applied; applied again it is the same', async () => {
  expect(await prefabs.current()).toMatchObject({ commit: '' });
  await expect(prefabs.previous()).rejects.toMatchObject({ code: 'PREFAB_UNKNOWN' });
  await apply(A);
  const before = kept;
  await apply(A);
  expect(kept).toEqual(before);
  expect(await prefabs.plan(await prefabs.at(B))).toMatchObject({
    ...{ world: 'w', from: A, to: B },
    differences: [{ name: 'wolf', fields: [{ field: 'energy.value', was: 20, is: 30 }] }],
  });
});

test('of the living, only who is still as its own version was changes; the rest is counted', async () => {
  await apply(A);
  await apply(B);
  const living = [
    wolf(1, A, 20),
    wolf(2, '', 20),
    wolf(3, A, 19),
    wolf(4, B, 30),
    wolf(5, GONE, 20),
  ];
  const { posts, ...counts } = await prefabs.livePatches(living, await prefabs.at(B));
  expect(posts.map(({ cell }) => cell)).toEqual([1, 2]);
  expect(counts).toEqual({ kept: 1, unknown: 1 });
});

test('M1 a version that is gone back from and applied again asks the living again', async () => {
  const idsOf = async (commit: string, version: string, value: number): Promise<string[]> => {
    const next = await prefabs.at(commit);
    const { posts } = await prefabs.livePatches([wolf(1, version, value)], next);
    return posts.map(({ id }) => id);
  };
  await apply(A);
  const ids: string[] = [];
  for (let round = 0; round < 2; round++) {
    await apply(B);
    const asked = await idsOf(B, A, 20);
    expect(await idsOf(B, A, 20)).toEqual(asked);
    ids.push(...asked);
    expect(await prefabs.rollback()).toMatchObject({ commit: A });
    ids.push(...(await idsOf(A, B, 30)));
  }
  expect(new Set(ids).size).toBe(4);
  expect(kept?.versions.map(({ commit }) => commit)).toEqual([A]);
});

test('who descends from a prefab is counted by cell, most first', () => {
  const grid = new Grid({ kind: 'plane', width: 40, height: 10, cell: 10 });
  const found = [wolf(1, A, 1), wolf(2, A, 1), wolf(5, A, 1)];
  expect(descentsOf(found, grid)).toEqual([
    {
      prefab: 'wolf',
      count: 3,
      ids: [1, 2, 5],
      areas: [
        { cell: 1, count: 2, size: 10, minX: 10, minY: 0 },
        { cell: 2, count: 1, size: 10, minX: 20, minY: 0 },
      ],
    },
  ]);
});
