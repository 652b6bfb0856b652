import { decodeRequest } from '@leasehold/protocol';
import { describe, expect, test } from 'vitest';
import { COMPONENTS } from './components-fixture.ts';
import { type Descendant, type Prefab, patchOf, patchPost, postAll } from './index.ts';
import { parsePrefabs } from './parse.ts';
import { prefabDifferences } from './versions.ts';

const wolf = (components: object): Prefab => {
  const file = { path: 'wolf.json', text: JSON.stringify({ components }) };
  return parsePrefabs([file], COMPONENTS, 'test').get('wolf') as Prefab;
};
const setOf = (commit: string, ...prefabs: readonly Prefab[]) => ({
  commit,
  prefabs: new Map(prefabs.map((prefab) => [prefab.name, prefab])),
});

const WAS = wolf({ energy: { value: 20, most: 50 }, mood: { word: 'calm', past: [1] } });
const IS = wolf({ energy: { value: 30, most: 50 }, position: { facing: 3 } });
const TO = 'b'.repeat(40);

const entity = (components: Descendant['components']): Descendant => ({
  ...{ id: 7, cell: 3, prefab: 'wolf', version: 'a'.repeat(40) },
  components: { prefab: { name: 'wolf', version: 'a'.repeat(40) }, ...components },
});

describe('between two versions', () => {
  test('what came, went and changed is told by field; what is the same is left out', () => {
    const fox = { ...WAS, name: 'fox' };
    const owl = { ...WAS, name: 'owl' };
    const cat = { ...WAS, name: 'cat' };
    expect(prefabDifferences(setOf('a', WAS, fox, owl), setOf('b', IS, owl, cat))).toEqual([
      { name: 'cat', kind: 'added', fields: [] },
      { name: 'fox', kind: 'removed', fields: [] },
      {
        name: 'wolf',
        kind: 'changed',
        fields: [
          { field: 'energy.value', was: 20, is: 30 },
          { field: 'mood', was: { word: 'calm', past: [1] }, is: undefined },
          { field: 'position', was: undefined, is: { facing: 3 } },
        ],
      },
    ]);
  });
});

describe('a living descendant', () => {
  const untouched = {
    position: { x: 1, y: 2, facing: 0 },
    energy: { value: 20, most: 50 },
    mood: { word: 'calm', past: [1] },
  };

  test('gets what has changed, loses what is gone, and keeps where it is', () => {
    expect(patchOf(entity(untouched), WAS, IS, TO)).toEqual({
      id: 7,
      cell: 3,
      set: { energy: { value: 30 }, prefab: { version: TO } },
      remove: ['mood'],
    });
  });

  test('keeps every field that is no more as its version gave it', () => {
    const own = { ...untouched, energy: { value: 19, most: 50 }, mood: { word: 'calm', past: [] } };
    expect(patchOf(entity(own), WAS, IS, TO)).toBeUndefined();
  });

  test('gets a component that it lacks, but not one that was taken from it', () => {
    const { position: _, energy: __, ...own } = untouched;
    expect(patchOf(entity(own), WAS, IS, TO)).toMatchObject({
      set: { position: { facing: 3 }, prefab: { version: TO } },
    });
    expect(patchOf(entity(own), WAS, IS, TO)?.set).not.toHaveProperty('energy');
  });
});

describe('posts', () => {
  const patch = { id: 7, cell: 3, set: { energy: { value: 30 } }, remove: [] };

  test('M1 the same patch has the same id, so that a repetition changes nothing', () => {
    const post = patchPost(patch, 'second');
    expect(post).toMatchObject({ cell: 3, id: 'prefab-second-7' });
    expect(decodeRequest(post.body)).toEqual({ kind: 'patch', id: 7, set: patch.set, remove: [] });
  });

  test('those that find an inbox full are posted again, and in the end counted as left out', async () => {
    const posts = Array.from({ length: 40 }, (_, id) =>
      patchPost({ ...patch, id: id + 1 }, 'second'),
    );
    const taken = new Map<string, number>();
    const store = {
      post: async (some: readonly { readonly id: string }[]) =>
        some.map(({ id }) => {
          taken.set(id, (taken.get(id) ?? 0) + 1);
          const isFull = id.endsWith('-40') || (id.endsWith('-39') && taken.get(id) === 1);
          return isFull ? ({ tag: 'FULL' } as const) : ({ tag: 'OK', seq: 1 } as const);
        }),
    };
    expect(await postAll(posts, { store, sleep: async () => undefined })).toBe(39);
    expect(taken.get('prefab-second-1')).toBe(1);
    expect(taken.get('prefab-second-39')).toBe(2);
  });
});
