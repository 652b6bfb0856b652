import { describe, expect, test } from 'vitest';
import { canonicalJson, parseCanonicalJson } from './json.ts';
import {
  type ComponentSchema,
  type FieldKind,
  type FieldSchema,
  isOfKind,
  layerSchema,
  parseSchema,
  schemaJson,
} from './schema.ts';
import { kitchenSink, position } from './testing.ts';

const component = (name: string, ...fields: FieldSchema[]): ComponentSchema => {
  return { name, version: 1, fields };
};
const field = (kind: string, initial: unknown, name = 'a'): FieldSchema =>
  ({ name, kind, initial }) as FieldSchema;
const refused = (
  components: readonly ComponentSchema[],
  code: string,
  ...parts: string[]
): void => {
  try {
    layerSchema('main', components);
  } catch (error) {
    expect(error).toMatchObject({ code });
    const { message, detail } = error as { message: string; detail: { remedy: string } };
    for (const part of parts) expect(message).toContain(part);
    expect(detail.remedy).not.toBe('');
    return;
  }
  expect.unreachable(`${code} expected`);
};

describe('a schema', () => {
  test('is the same whatever the order in which components are declared', () => {
    const [a, b] = [component('a', field('u8', 1)), component('b')];
    const schema = layerSchema('main', [b, a]);
    expect(schema).toEqual(layerSchema('main', [a, b]));
    expect(schema.components.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(schema.hash).toMatch(/^[0-9a-f]{16}$/);
  });

  test('has another hash when anything about it differs', () => {
    const hash = (layer: string, ...components: ComponentSchema[]): string =>
      layerSchema(layer, components).hash;
    const hashes = [
      hash('main'),
      hash('other'),
      hash('main', component('a')),
      hash('main', { ...component('a'), version: 2 }),
      hash('main', component('a', field('u8', 0))),
      hash('main', component('a', field('u16', 0))),
      hash('main', component('a', field('u8', 1))),
      hash('main', component('a', field('f64', 0))),
      hash('main', component('a', field('f64', -0))),
      hash('main', position),
      hash('main', { ...position, spatial: ['y', 'x'] }),
      hash('main', { ...component('a'), durability: 'ephemeral' }),
      hash('main', { ...component('a'), durability: { every: 2 } }),
      hash('main', { ...component('a'), durability: { every: 3 } }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test('is read from its text as it was, and from no other text', () => {
    const text = schemaJson(kitchenSink);
    expect(parseSchema(text)).toEqual(kitchenSink);
    for (const bad of ['', '{}', 'null', ` ${text}`, text.replace('"f32"', '"f33"')]) {
      expect(() => parseSchema(bad)).toThrow(expect.objectContaining({ code: 'BODY_MALFORMED' }));
    }
  });

  test('that cannot be stored is refused, naming component and field', () => {
    refused([component('a'), component('a')], 'COMPONENT_INVALID', 'a');
    refused([component('a{}')], 'NAME_INVALID', 'a{}');
    refused([component('a', field('u8', 0, 'b c'))], 'NAME_INVALID', 'a', 'b c');
    refused([component('a', field('u8', 0), field('u8', 0))], 'COMPONENT_INVALID', 'a.a');
    refused([component('a', field('u8', 0, '__proto__'))], 'COMPONENT_INVALID', '__proto__');
    refused([component('a', field('u64', 0))], 'COMPONENT_INVALID', 'a.a', 'u64');
    refused([{ ...component('a'), version: 0 }], 'COMPONENT_INVALID', 'a.version');
    refused([{ ...position, spatial: ['x', 'x'] }], 'COMPONENT_INVALID', 'position.spatial');
    refused([{ ...position, spatial: ['x', 'z'] }], 'COMPONENT_INVALID', 'position.spatial');
    for (const durability of ['ephemeral', { every: 2 }] as const) {
      refused([{ ...position, durability }], 'COMPONENT_INVALID', 'position: durability');
    }
    refused([{ ...component('a'), durability: { every: 0 } }], 'COMPONENT_INVALID', 'every');
    const many = Array.from({ length: 33 }, (_, i) => field('u8', 0, `f${i}`));
    refused([component('a', ...many)], 'COMPONENT_INVALID', '33 fields');
    const crowd = Array.from({ length: 33 }, (_, i) => component(`c${i}`));
    refused(crowd, 'COMPONENT_INVALID', '33 components');
    layerSchema('main', [component('a', ...many.slice(1)), ...crowd.slice(2)]);
  });

  test('takes no initial value that its field cannot hold', () => {
    const bad: [FieldKind, unknown][] = [
      ['u8', 256],
      ['u8', -1],
      ['i8', 128],
      ['u16', 0.5],
      ['i32', 2 ** 31],
      ['u32', '1'],
      ['f64', Number.NaN],
      ['f32', 1e300],
      ['bool', 1],
      ['entity', 2 ** 53],
      ['string', '\ud800'],
      ['json', undefined],
      ['json', { a: Number.NaN }],
    ];
    for (const [kind, initial] of bad) {
      refused([component('a', field(kind, initial))], 'FIELD_KIND_MISMATCH', 'a.a');
    }
  });

  test('rounds and freezes initial values, so that all rows share what no row can change', () => {
    const { components } = layerSchema('main', [
      component('a', field('f32', 0.1, 'f'), field('json', [[1]], 'j')),
    ]);
    const [f, j] = components[0]?.fields ?? [];
    expect(f?.initial).toBe(Math.fround(0.1));
    const list = j?.initial as number[][] | undefined;
    expect(() => list?.[0]?.push(2)).toThrow(TypeError);
  });
});

describe('the durability of a component', () => {
  test('is kept with what is stored, and is not there in schemas that have none', () => {
    for (const durability of ['ephemeral', { every: 20 }] as const) {
      const schema = layerSchema('main', [{ ...component('a'), durability }]);
      expect(schema.components[0]).toMatchObject({ durability });
      expect(parseSchema(schemaJson(schema))).toEqual(schema);
    }
    expect(schemaJson(kitchenSink)).not.toContain('durability');
  });

  test('that says nothing else than each tick is the same schema', () => {
    const [plain, each] = [component('a'), { ...component('a'), durability: { every: 1 } }];
    expect(layerSchema('main', [each])).toEqual(layerSchema('main', [plain]));
  });
});

describe('the step of a field', () => {
  const stepped = (kind: FieldKind, step: number): ComponentSchema =>
    component('a', { ...field(kind, 0), step } as FieldSchema);

  test('is kept, but is no part of what is stored', () => {
    const schema = layerSchema('main', [stepped('f32', 0.25)]);
    const plain = layerSchema('main', [component('a', field('f32', 0))]);
    expect(schema.components[0]?.fields[0]?.step).toBe(0.25);
    expect(schema.hash).toBe(plain.hash);
    expect(schemaJson(schema)).toBe(schemaJson(plain));
    expect(parseSchema(schemaJson(schema))).toEqual(plain);
  });

  test('is a finite number above 0 of a float', () => {
    for (const step of [0, -1, Number.NaN, Infinity, '1' as never, null as never]) {
      refused([stepped('f64', step)], 'COMPONENT_INVALID', 'a.a.step');
    }
    for (const kind of ['u8', 'i32', 'entity'] as const) {
      refused([stepped(kind, 1)], 'COMPONENT_INVALID', 'a.a.step');
    }
  });
});

test('a value is of a kind if the kind gives it back as it was', () => {
  expect(isOfKind('bool', true) && isOfKind('i8', -128) && isOfKind('f32', 0.1)).toBe(true);
  expect(isOfKind('f64', Number.POSITIVE_INFINITY) || isOfKind('u8', true)).toBe(false);
});

describe('canonical JSON', () => {
  test('has one text per value, and −0 is not 0', () => {
    const text = '{"a":[-0,1.5e+21,"é\\ud800"],"b":{"":null}}';
    const value = { b: { '': null }, a: [-0, 1.5e21, 'é\ud800'], c: undefined };
    expect(canonicalJson(value, 'a.b')).toBe(text);
    expect(canonicalJson(parseCanonicalJson(text), 'a.b')).toBe(text);
  });

  test('refuses what JSON cannot hold, naming the field', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    const bad = [Number.NaN, [undefined], new Map(), new Date(0), () => 1, 1n, cycle, undefined];
    for (const value of bad) {
      const fault = {
        code: 'FIELD_KIND_MISMATCH',
        detail: expect.objectContaining({ field: 'a.b' }),
      };
      expect(() => canonicalJson(value, 'a.b')).toThrow(expect.objectContaining(fault));
    }
  });

  test('is the only JSON that is read', () => {
    const bad = [' 1', '1.0', '{"b":1,"a":1}', '{"a":1,"a":1}', '[', '1e400', '"\\u0041"'];
    for (const text of bad) expect(parseCanonicalJson(text)).toBeUndefined();
    const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(parseCanonicalJson(deep(64))).toBeDefined();
    expect(parseCanonicalJson(deep(65))).toBeUndefined();
    expect(parseCanonicalJson(deep(500_000))).toBeUndefined();
  });
});
