import { LeaseholdError } from '@leasehold/kernel';
import { describe, expect, test } from 'vitest';
import { COMPONENTS } from './components-fixture.ts';
import { checkedComponents, type PrefabSet } from './index.ts';
import { olderPrefabs, parsePrefabs } from './parse.ts';

const parse = (text: string, path = 'prefabs/wolf.yaml'): PrefabSet['prefabs'] =>
  parsePrefabs([{ path, text }], COMPONENTS, 'prefabs at abc');

function refusal(text: string, path?: string): LeaseholdError {
  try {
    parse(text, path);
  } catch (error) {
    expect(error).toBeInstanceOf(LeaseholdError);
    expect(error).toMatchObject({ code: 'PREFAB_INVALID' });
    return error as LeaseholdError;
  }
  throw new Error('it was taken');
}

describe('a good file', () => {
  test('is a prefab by its name, with every field that it leaves out at its initial value', () => {
    const text =
      'description: Hunts.\ncomponents:\n  energy: {value: 20.1}\n  mood:\n  position: {}\n';
    expect([...parse(text).values()]).toEqual([
      {
        name: 'wolf',
        file: 'prefabs/wolf.yaml',
        description: 'Hunts.',
        components: {
          energy: { value: Math.fround(20.1), most: 0 },
          mood: { word: '', past: null },
          position: { facing: 0 },
        },
      },
    ]);
  });

  test('may be JSON, and lie in a folder of its own', () => {
    const prefabs = parse(
      '{"components": {"mood": {"past": [1, {"a": null}]}}}',
      'p/wild/fox.json',
    );
    expect(prefabs.get('fox')?.components).toEqual({ mood: { word: '', past: [1, { a: null }] } });
  });
});

describe('a fault', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      'components:\n  energy: {value: much}\n',
      'components.energy.value',
      /line 2: .*"much" is no f32\. Give/,
    ],
    [
      'components:\n  energy:\n    valeu: 2\n',
      'components.energy.valeu',
      /line 3.*Known here: value, most/,
    ],
    [
      'components:\n  wings: {}\n',
      'components.wings',
      /line 2.*no component.*Known here: position, energy, mood/,
    ],
    ['components:\n  position: {x: 1}\n', 'components.position.x', /given when it is spawned/],
    ['components:\n  prefab: {name: a}\n', 'components.prefab', /by itself\. Leave it out/],
    ['components:\n  energy: 3\n', 'components.energy', /no map of fields/],
    ['components: {}\n', 'components', /names no component/],
    ['parts: {}\ncomponents: {mood: }\n', 'parts', /line 1.*Known here: description, components/],
    ['components:\n  mood: {past: [.nan]}\n', 'components.mood.past', /line 2.*is no json/],
    ['- a\n', 'prefab', /is no map/],
    ['components: {mood: }\ndescription: [1]\n', 'description', /line 2.*no text/],
    ['components: {mood: }\ndescription: *gone\n', 'prefab', /gone/],
    ['components:\n  energy: {value: 1\n', 'prefab', /Mend the YAML/],
  ];
  test.each(cases)('in %j is told by field %s, with file and line', (text, field, says) => {
    const { message, detail } = refusal(text);
    expect(detail.field).toBe(field);
    expect(message).toMatch(says);
    expect(message).toMatch(/^prefabs at abc: prefabs\/wolf\.yaml/);
  });

  test('of several, all are told at once', () => {
    const text = 'components:\n  energy: {value: a, most: b}\n  wings: {}\n';
    expect(refusal(text).message).toMatch(/has 3 faults:\n.*value.*\n.*most.*\n.*wings/);
  });

  test('a name that no prefab can have, or that two files have', () => {
    expect(refusal('components: {mood: }', 'p/a b.yaml').message).toMatch(/"a b" is not a name/);
    const files = ['p/wolf.json', 'p/wolf.yaml'].map((path) => ({
      path,
      text: '{"components": {"mood": {}}}',
    }));
    expect(() => parsePrefabs(files, COMPONENTS, 'p')).toThrow(/p\/wolf\.json has the same name/);
  });

  test('of an older version is passed over: what is left of it counts', () => {
    const text = 'components:\n  energy: {value: 2, gone: 1, most: much}\n  wings: {}\n';
    const older = olderPrefabs([{ path: 'wolf.yaml', text }], COMPONENTS);
    expect(older.get('wolf')?.components).toEqual({ energy: { value: 2 } });
  });
});

test('a world whose entities cannot remember their prefab is told what to add', () => {
  const without = [...COMPONENTS.values()].filter(({ name }) => name !== 'prefab');
  expect(() => checkedComponents(without)).toThrow(/has no component prefab/);
  const other = {
    name: 'prefab',
    version: 1,
    fields: [{ name: 'of', kind: 'u8', initial: 0 }],
  } as const;
  expect(() => checkedComponents([...without, other])).toThrow(/has another component prefab/);
});
