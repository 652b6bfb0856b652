import { hasCode, LeaseholdError } from '@leasehold/kernel';
import { describe, expect, test } from 'vitest';
import { bool, component, entity, f32, f64, json, string, u8 } from './index.ts';

const Thing = component('thing', 1, {
  weight: f64(5),
  size: f32,
  lives: u8,
  isOn: bool,
  owner: entity,
  label: string('none'),
  tags: json<string[]>([]),
});

const failureOf = (act: () => unknown): LeaseholdError => {
  try {
    act();
  } catch (error) {
    if (error instanceof LeaseholdError) return error;
    throw error;
  }
  throw new Error('nothing failed');
};

describe('a component', () => {
  test('makes values whose missing fields are initial', () => {
    expect(Thing({ lives: 9 }).values).toEqual([5, 0, 9, false, 0, 'none', []]);
  });

  test('is known by its name', () => {
    expect(Thing.name).toBe('thing');
    expect(Thing.schema).toMatchObject({ name: 'thing', version: 1 });
  });

  test('rounds 32-bit floats when a value is made, as the disk will', () => {
    expect(Thing({ size: 0.1 }).values[1]).toBe(Math.fround(0.1));
  });

  test('copies JSON, so that a later change of the original changes nothing', () => {
    const tags = ['a'];
    const value = Thing({ tags });
    tags.push('b');
    expect(value.values[6]).toEqual(['a']);
  });

  test.each([
    ['a text for a number', { weight: 'heavy' }],
    ['a fraction for an integer', { lives: 1.5 }],
    ['an integer out of range', { lives: 256 }],
    ['a number for a boolean', { isOn: 1 }],
    ['a negative entity', { owner: -1 }],
    ['a lone surrogate', { label: '\ud800' }],
    ['a function in JSON', { tags: [() => 1] }],
    ['a NaN in JSON', { tags: [Number.NaN] }],
    ['a field that it does not have', { wieght: 1 }],
  ])('refuses %s, naming the field', (_, values) => {
    const error = failureOf(() => Thing(values as never));
    expect(error.code).toBe('FIELD_KIND_MISMATCH');
    expect(error.detail.field).toBe(
      `thing.${Object.keys(values)[0]}`.slice(0, error.detail.field.length),
    );
    expect(error.detail.field).toMatch(/^thing/);
    expect(error.detail.remedy).not.toBe('');
  });

  test.each(['has space', 'has{brace}', '', 'x'.repeat(65)])('refuses the name %j', (name) => {
    expect(
      hasCode(
        failureOf(() => component(name, 1, {})),
        'NAME_INVALID',
      ),
    ).toBe(true);
  });

  test('refuses a field whose name has braces', () => {
    const make = () => component('c', 1, { 'a{b}': f64 });
    expect(failureOf(make).code).toBe('NAME_INVALID');
  });

  test('refuses spatial fields that are missing, equal, no floats or not finite', () => {
    const fields = { x: f64, y: f64, n: u8, nan: f64(Number.NaN) };
    for (const spatial of [
      ['x', 'z'],
      ['x', 'x'],
      ['x', 'n'],
      ['x', 'nan'],
    ]) {
      const make = () => component('c', 1, fields, { spatial: spatial as never });
      expect(failureOf(make).code).toBe('COMPONENT_INVALID');
    }
  });

  test('says in which steps viewers see a field', () => {
    const seen = component('c', 1, { x: f64, n: u8, y: f32 }, { steps: { y: 0.5 } });
    expect(seen.schema.fields.map(({ step }) => step)).toEqual([undefined, undefined, 0.5]);
  });

  test.each([
    ['that is not there', { z: 1 }],
    ['that is inherited', { toString: 1 }],
    ['that is no float', { n: 1 }],
    ['by 0', { x: 0 }],
    ['backwards', { x: -0.1 }],
    ['by NaN', { x: Number.NaN }],
    ['by infinity', { x: Infinity }],
    ['by a text', { x: '1' }],
  ])('refuses a step of a field %s', (_, steps) => {
    const make = () => component('c', 1, { x: f64, n: u8 }, { steps: steps as never });
    expect(failureOf(make)).toMatchObject({ code: 'COMPONENT_INVALID' });
    expect(failureOf(make).detail.field).toMatch(/^c\.steps/);
  });

  test.each([
    ['tick', undefined],
    [{ every: 1 }, undefined],
    [{ every: 20 }, { every: 20 }],
    ['ephemeral', 'ephemeral'],
    [undefined, undefined],
  ] as const)('keeps the durability %j in its schema as %j', (durability, kept) => {
    const { schema } = component('c', 1, { n: u8 }, durability && { durability });
    expect(schema.durability).toEqual(kept);
    expect(Object.hasOwn(schema, 'durability')).toBe(kept !== undefined);
  });

  test.each(['never', '', 0, null, {}, { every: 0 }, { every: 1.5 }, { every: 36_001 }, ['tick']])(
    'refuses the durability %j',
    (durability) => {
      const make = () => component('c', 1, { n: u8 }, { durability: durability as never });
      const { code, detail } = failureOf(make);
      expect(code).toBe('COMPONENT_INVALID');
      expect(detail).toMatchObject({ field: 'c.durability' });
      expect(detail.remedy).toContain('every: n');
    },
  );

  test.each(['ephemeral', { every: 2 }] as const)(
    'E1 refuses the durability %j where entities are, and names what to do instead',
    (durability) => {
      const fields = { x: f64, y: f64 };
      const make = () => component('c', 1, fields, { spatial: ['x', 'y'], durability });
      const { code, detail } = failureOf(make);
      expect(code).toBe('COMPONENT_INVALID');
      expect(detail.field).toBe('c.durability');
      expect(detail.remedy).toContain('component of its own');
      expect(failureOf(() => component('_c', 1, { n: u8 }, { durability })).code).toBe(code);
    },
  );

  test('refuses a version below 1', () => {
    expect(failureOf(() => component('c', 0, {})).code).toBe('COMPONENT_INVALID');
  });
});
