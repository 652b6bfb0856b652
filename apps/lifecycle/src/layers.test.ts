/** What of several layers makes one entity, and what of a request spans them. No server is needed. */

import { componentsOf, ownSchema, Table } from '@leasehold/protocol';
import { component, event, f64, i32, simulation, system } from '@leasehold/sdk';
import { compile } from '@leasehold/sdk/engine';
import { Grid } from '@leasehold/spatial';
import { expect, test } from 'vitest';
import { isTold, mergedOf, ticksOf } from './entity-reading.ts';
import { matchOf, tagOf } from './entity-tag.ts';
import { checkMatch, checkValues, layersOf } from './values.ts';
import { predicateOf, termsOf } from './where.ts';
import type { OpenLayer } from './worlds.ts';

const Place = component('place', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Lamp = component('lamp', 1, { strikes: i32 });
const Strike = event('strike', 1, {});
const world = simulation({
  components: [Place, Lamp],
  systems: [
    system({
      name: 'strike',
      reads: { place: Place },
      writes: { lamp: Lamp },
      on: { struck: Strike },
      emits: [Strike],
      each() {},
    }),
  ],
});
const layers = { light: ['lamp'], ways: ['place'] };
const grid = new Grid({ kind: 'torus', width: 100, height: 100, cell: 25 });
const [ways, light] = ['ways', 'light'].map((layer) => {
  const { schema } = compile(world, { layer, layers, grid, seed: 1, tickHz: 20, params: {} });
  return { layer, schema, own: ownSchema(schema) } as OpenLayer;
}) as [OpenLayer, OpenLayer];
const open = {
  layers: [ways, light] as [OpenLayer, OpenLayer],
  components: [...ways.own.components, ...light.own.components],
};

/** A row that has all components of its layer, each with a value of its own in every field. */
function rowOf({ schema }: OpenLayer, value: number, tick: number) {
  const table = new Table(schema);
  table.append(7, 2 ** schema.components.length - 1);
  for (const [c, { fields }] of schema.components.entries()) {
    for (const [f, { kind }] of fields.entries()) {
      if (kind !== 'json') (table.columns[c]?.[f] as Float64Array)[0] = value;
    }
  }
  return { table, row: 0, tick };
}
const rows = new Map([
  [ways, rowOf(ways, 1, 12)],
  [light, rowOf(light, 2, 11)],
]);

test('an entity is what each layer says of its own components: no copies, nothing of the engine', () => {
  const named = light.schema.components.map(({ name }) => name);
  expect(named).toEqual(['_letters', 'lamp', 'place']);
  expect(componentsOf(rowOf(light, 2, 11).table, 0)).toEqual({ lamp: { strikes: 2 } });
  expect(mergedOf(rows, undefined)).toEqual({ place: { x: 1, y: 1 }, lamp: { strikes: 2 } });
  expect(mergedOf(rows, new Set(['lamp']))).toEqual({ lamp: { strikes: 2 } });
  expect(isTold(light, new Set(['place']))).toBe(false);
  expect(isTold(ways, new Set(['place']))).toBe(true);
  expect(ticksOf(open, rows)).toEqual({ ticks: { ways: 12, light: 11 } });
  expect(ticksOf({ layers: [ways] }, rows)).toEqual({});
});

test('an entity tag is the same whatever layer was read first', () => {
  const [a, b] = [...rows];
  const turned = new Map([b, a].flatMap((each) => (each === undefined ? [] : [each])));
  expect(tagOf(mergedOf(turned, undefined))).toBe(tagOf(mergedOf(rows, undefined)));
});

test('a term is about the layer that has its component, and hidden ones are unknown', () => {
  const terms = termsOf(open.layers, ['lamp.strikes,eq,2', 'place.x,lt,2', 'place.y,lt,1']);
  expect([...terms.keys()].map(({ layer }) => layer).sort()).toEqual(['light', 'ways']);
  const holds = (layer: OpenLayer): boolean =>
    predicateOf(layer.schema, terms.get(layer) ?? [])(
      rowOf(layer, layer === ways ? 1 : 2, 0).table,
      0,
    );
  expect(holds(light)).toBe(true);
  expect(holds(ways)).toBe(false);
  const hidden = termsOf(open.layers, ['_letters.in,eq,1']);
  expect(() => predicateOf(ways.schema, hidden.get(ways) ?? [])).toThrow(
    expect.objectContaining({ code: 'REQUEST_INVALID' }),
  );
  expect(() => layersOf(open, ['_letters'])).toThrow('_letters');
  expect(() => checkValues(open.components, { _letters: {} }, 'set')).toThrow('_letters');
  checkValues(open.components, { lamp: { strikes: 1 }, place: { x: 2 } }, 'set');
});

test('what was read is compared where it is changed: both are of one layer, or it is refused', () => {
  const tag = (...wanted: string[]) => matchOf(tagOf(mergedOf(rows, new Set(wanted))));
  checkMatch(open, tag('lamp'), ['lamp']);
  checkMatch(open, tag('place'), ['place']);
  checkMatch(open, undefined, ['place', 'lamp']);
  // Who ends an entity, or changes nothing of it, is the layer that says who lives.
  checkMatch(open, tag('place'), []);
  checkMatch({ ...open, layers: [light] }, tag('lamp', 'place'), ['lamp']);
  const refused = [
    [tag('lamp', 'place'), ['lamp']],
    [tag('lamp'), ['place']],
    [tag('lamp'), ['lamp', 'place']],
    [tag('lamp'), []],
  ] as const;
  for (const [match, changed] of refused) {
    expect(() => checkMatch(open, match, changed)).toThrow(
      expect.objectContaining({
        code: 'REQUEST_INVALID',
        detail: expect.objectContaining({ field: 'If-Match' }),
      }),
    );
  }
});
