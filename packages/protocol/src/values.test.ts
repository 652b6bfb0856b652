import { describe, expect, test } from 'vitest';
import {
  type ComponentSchema,
  decodeCheckpoint,
  decodeCommit,
  decodeRows,
  encodeCheckpoint,
  encodeCommit,
  encodeRows,
  type FieldValue,
  layerSchema,
  Table,
} from './index.ts';
import { contents, kitchenSink, position } from './testing.ts';

const nothing = { arrivals: [], deaths: [], departures: [] };

/** A table whose second row holds the value, marked as changed. */
function holding(component: ComponentSchema, f: number, value: FieldValue): Table {
  const table = new Table(layerSchema('main', [component]));
  for (const id of [4, 8, 15]) table.append(id, 1);
  (table.columns[0]?.[f] as unknown[])[1] = value;
  (table.dirty[0] as Uint32Array)[1] = 1 << f;
  return table;
}

/** Every way in which a value gets into bytes. */
const encoders: Record<string, (table: Table) => Uint8Array> = {
  'a change': (table) => {
    const births = new Table(table.schema, 1);
    return encodeCommit(table, { ...nothing, tick: 1, idCounter: 0, births });
  },
  'a birth': (births) => {
    const table = new Table(births.schema, 1);
    return encodeCommit(table, { ...nothing, tick: 1, idCounter: 0, births });
  },
  'a channel entry': (table) => encodeRows(table, 1),
  'a checkpoint': (table) => encodeCheckpoint(table, { tick: 1, idCounter: 0 }),
};

const decode = (bytes: Uint8Array, { schema }: Table): unknown => {
  const kind = bytes[9];
  if (kind === 1) return decodeCommit(bytes, schema);
  return kind === 2 ? decodeCheckpoint(bytes, schema) : decodeRows(bytes, schema);
};

describe.each(Object.entries(encoders))('%s', (_, encode) => {
  test('never carries NaN or infinity in a position, and says whose it was', () => {
    const narrow: ComponentSchema = {
      ...position,
      fields: position.fields.map((field) => ({ ...field, kind: 'f32' })),
    };
    for (const component of [position, narrow]) {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const fault = { code: 'SPATIAL_NOT_FINITE', message: expect.stringContaining('entity 8') };
        const table = holding(component, 1, value);
        expect(() => encode(table)).toThrow(expect.objectContaining(fault));
        expect(() => encode(table)).toThrow('position.y');
        // The same bytes from a builder that does not check are refused on reading.
        const unaware = holding({ ...component, spatial: undefined } as never, 1, value);
        const bytes = encode(unaware);
        for (let i = 0; i < 8; i++) {
          bytes[1 + i] = Number.parseInt(table.schema.hash.slice(2 * i, 2 * i + 2), 16);
        }
        const refusal = { code: 'BODY_MALFORMED', message: expect.stringContaining('position.y') };
        expect(() => decode(bytes, table)).toThrow(expect.objectContaining(refusal));
      }
    }
  });

  test('never carries what a kind cannot hold', () => {
    const fields = kitchenSink.components.flatMap((component) =>
      component.fields.map((field, f) => ({ component, field, f })),
    );
    const bad: [kind: string, value: FieldValue][] = [
      ['bool', 2],
      ['entity', -1],
      ['entity', 0.5],
      ['entity', 2 ** 53],
      ['entity', -0],
      ['string', '\udc00'],
      ['string', 3],
      ['json', { a: Number.NaN }],
    ];
    for (const [kind, value] of bad) {
      const place = fields.find(({ field }) => field.kind === kind);
      const { component, f } = place as (typeof fields)[number];
      const fault = { code: 'FIELD_KIND_MISMATCH' };
      const name = `${component.name}.${place?.field.name}`;
      const act = (): unknown => encode(holding(component, f, value));
      expect(act, `${kind} ${String(value)}`).toThrow(expect.objectContaining(fault));
      expect(act).toThrow(name);
    }
  });

  test('spells every NaN alike, whatever bits an engine left in it', () => {
    const body = kitchenSink.components.find(({ name }) => name === 'body') as ComponentSchema;
    const plain = holding(body, 1, Number.NaN);
    const other = holding(body, 1, Number.NaN);
    const column = other.columns[0]?.[1] as Float64Array;
    new Uint32Array(column.buffer).set([1, 0xfff8_0000], 2);
    expect(encode(other)).toEqual(encode(plain));
    const bytes = encode(plain);
    const at = bytes.findIndex((byte, i) => byte === 0xf8 && bytes[i + 1] === 0x7f);
    bytes[at - 1] = 1;
    expect(() => decode(bytes, plain)).toThrow('NaN of another form');
  });
});

test('a table with more rows than a reader accepts is not written', () => {
  const table = new Table(layerSchema('main', []), 131_073);
  for (let id = 0; id < 131_072; id++) table.append(id, 0);
  const bytes = encodeRows(table, 1);
  expect(contents(decodeRows(bytes, table.schema).rows)).toEqual(contents(table));
  table.append(131_072, 0);
  const fault = expect.objectContaining({ code: 'LIMIT_EXCEEDED' });
  expect(() => encodeRows(table, 1)).toThrow(fault);
  expect(() => encoders['a change']?.(table)).toThrow(fault);
});
