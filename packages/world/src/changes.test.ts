import { type ComponentSchema, type FieldKind, layerSchema } from '@leasehold/protocol';
import { describe, expect, test } from 'vitest';
import { type Effect, manifestChanges, schemaChanges } from './index.ts';
import { complete, type GivenManifest } from './manifest.ts';

const given: GivenManifest = {
  world: 'w',
  module: 'world.ts',
  space: { kind: 'torus', width: 40, height: 40, cell: 10 },
  params: { birds: 20, near: { radius: 2, of: ['a'] } },
};
const manifestOf = (more: GivenManifest = {}) =>
  complete({ ...given, ...more }, { main: ['position'] });
const WAS = manifestOf();

const component = (
  name: string,
  version: number,
  fields: Readonly<Record<string, FieldKind>>,
): ComponentSchema => ({
  name,
  version,
  fields: Object.entries(fields).map(([field, kind]) => ({ name: field, kind, initial: 0 })),
});

describe('settings', () => {
  test('a manifest differs in nothing from itself', () => {
    expect(manifestChanges(WAS, manifestOf())).toEqual([]);
  });

  const cases: readonly (readonly [string, GivenManifest, Effect])[] = [
    ['space.width', { space: { kind: 'torus', width: 80, height: 40, cell: 10 } }, 'refused'],
    ['blockCells', { blockCells: 2 }, 'refused'],
    ['seed', { seed: 7 }, 'refused'],
    ['mode', { mode: 'lockstep' }, 'refused'],
    ['margin', { margin: 0.1 }, 'rest'],
    ['tickHz', { tickHz: 5 }, 'now'],
    ['module', { module: 'other.ts' }, 'start'],
    ['lease.ttlMs', { lease: { ttlMs: 900 } }, 'start'],
    ['index.resolution', { index: { resolution: 1 } }, 'start'],
    ['sleep.idleMs', { sleep: { idleMs: 0 } }, 'start'],
  ];
  test.each(cases)('%s alone differs, and what becomes of it is told', (field, more, effect) => {
    const changes = manifestChanges(WAS, manifestOf(more));
    expect(changes).toMatchObject([{ field, effect }]);
    expect(changes[0]?.was).not.toBe(changes[0]?.is);
    expect(changes[0]?.reason).not.toBe('');
  });

  test('layers neither come nor go nor change places', () => {
    const of = (layers: Record<string, string[]>) => complete(given, layers);
    const was = of({ a: ['x'], b: ['y'] });
    expect(manifestChanges(was, of({ a: ['x', 'z'], b: ['y'] }))).toEqual([]);
    for (const names of [['b', 'a'], ['a', 'b', 'c'], ['a']]) {
      const is = of(Object.fromEntries(names.map((name) => [name, []])));
      const told = { field: 'layers', was: 'a, b', is: names.join(', '), effect: 'refused' };
      expect(manifestChanges(was, is)).toMatchObject([told]);
    }
  });

  test('parameters are told one by one, with what came and what went', () => {
    const params = { birds: 21, near: { of: ['a', 'b'] }, wind: 1 };
    expect(manifestChanges(WAS, manifestOf({ params }))).toMatchObject([
      { field: 'params.birds', was: '20', is: '21', effect: 'start' },
      { field: 'params.near.of', was: '["a"]', is: '["a","b"]' },
      { field: 'params.near.radius', was: '2', is: 'nothing' },
      { field: 'params.wind', was: 'nothing', is: '1' },
    ]);
  });
});

describe('components', () => {
  const main = layerSchema('main', [
    component('mood', 1, { joy: 'u8' }),
    component('speed', 2, { v: 'f32', old: 'u8' }),
  ]);

  test('the same components differ in nothing, whatever their order', () => {
    const same = layerSchema('main', [...main.components].reverse());
    expect(schemaChanges([main], [same])).toEqual([]);
  });

  test('another class of durability is a change that needs no new version', () => {
    const mood = component('mood', 1, { joy: 'u8' });
    const classes: (readonly [ComponentSchema['durability'], string])[] = [
      ['ephemeral', 'version 1 {joy: u8}, ephemeral'],
      [{ every: 20 }, 'version 1 {joy: u8}, every 20 ticks'],
    ];
    for (const [durability, is] of classes) {
      const classed = layerSchema('main', [{ ...mood, ...(durability && { durability }) }]);
      const plain = layerSchema('main', [mood]);
      const was = 'version 1 {joy: u8}';
      const change = { field: 'mood', effect: 'start' };
      expect(schemaChanges([plain], [classed])).toMatchObject([{ ...change, was, is }]);
      expect(schemaChanges([classed], [plain])).toMatchObject([{ ...change, was: is, is: was }]);
    }
  });

  test('a newer version that state can become is a change, told with its fields', () => {
    const next = layerSchema('main', [
      component('mood', 1, { joy: 'u8' }),
      component('speed', 3, { v: 'f64', new: 'u8' }),
      component('wings', 1, { span: 'f32' }),
    ]);
    expect(schemaChanges([main], [next])).toMatchObject([
      {
        field: 'speed',
        was: 'version 2 {v: f32, old: u8}',
        is: 'version 3 {v: f64, new: u8}',
        effect: 'start',
      },
      { field: 'wings', was: 'nothing', is: 'version 1 in layer main', effect: 'start' },
    ]);
  });

  test('each component that state cannot become is refused by name, and the field with it', () => {
    const next = layerSchema('main', [component('speed', 3, { v: 'u8' })]);
    const changes = schemaChanges([main], [next]);
    expect(changes).toMatchObject([
      { field: 'mood', is: 'nothing', effect: 'refused' },
      { field: 'speed.v', effect: 'refused' },
    ]);
    expect(changes[0]?.reason).toMatch(/no longer declared.*may have no fields/);
    expect(changes[1]?.reason).toMatch(/stored as f32, declared as u8/);
  });

  test('fields that change without a new version are refused', () => {
    const next = layerSchema('main', [
      main.components[0] as ComponentSchema,
      component('speed', 2, { v: 'f64' }),
    ]);
    expect(schemaChanges([main], [next])).toMatchObject([{ field: 'speed', effect: 'refused' }]);
  });

  test('a component that moves to another layer is refused with both', () => {
    const [mood, speed] = main.components as [ComponentSchema, ComponentSchema];
    const next = [layerSchema('main', [mood]), layerSchema('fast', [speed])];
    expect(schemaChanges([main], next)).toMatchObject([
      { field: 'layers.speed', was: 'layer main', is: 'layer fast', effect: 'refused' },
    ]);
  });
});
