import { describe, expect, test } from 'vitest';
import {
  applyCommit,
  type ComponentSchema,
  decodeCheckpoint,
  decodeCommit,
  decodeRows,
  encodeCheckpoint,
  encodeCommit,
  encodeRows,
  type FieldKind,
  type FieldValue,
  type LayerSchema,
  layerSchema,
  migrate,
  planMigration,
  settle,
  Table,
} from './index.ts';
import { contents, position } from './testing.ts';

type Fields = readonly (readonly [name: string, kind: FieldKind, initial: FieldValue])[];
const component = (name: string, version: number, fields: Fields): ComponentSchema => {
  return {
    name,
    version,
    fields: fields.map(([n, kind, initial]) => ({ name: n, kind, initial })),
  };
};
const schemaOf = (...components: ComponentSchema[]): LayerSchema => layerSchema('main', components);

const older = schemaOf(
  component('life', 1, [
    ['age', 'u8', 1],
    ['mood', 'string', 'calm'],
    ['dropped', 'f64', 0],
  ]),
  component('zeal', 1, [['level', 'f32', 0.5]]),
);
const newer = schemaOf(
  component('aura', 1, [['colour', 'u32', 9]]),
  component('life', 2, [
    ['mood', 'json', null],
    ['age', 'u16', 2],
    ['fresh', 'i8', -3],
  ]),
  component('zeal', 1, [['level', 'f32', 0.25]]),
);

function population(schema: LayerSchema): Table {
  const table = new Table(schema);
  for (const [id, mask] of [
    [1, 3],
    [2, 1],
    [3, 2],
    [4, 0],
  ] as const)
    table.append(id, mask);
  for (const [row, age] of [200, 100].entries()) (table.columns[0]?.[0] as unknown[])[row] = age;
  return table;
}

describe('state of an older version', () => {
  test('is read by field names, with initial values for what is new', () => {
    const bytes = encodeCheckpoint(population(older), { tick: 5, idCounter: 4 });
    const { table } = decodeCheckpoint(bytes, newer, () => older);
    expect(table.schema).toBe(newer);
    const [aura, life, zeal] = table.columns.map((columns) =>
      columns.map((column) => Array.from(column.slice(0, 4))),
    );
    expect(Array.from(table.masks.subarray(0, 4))).toEqual([6, 2, 4, 0]);
    expect(aura).toEqual([[9, 9, 9, 9]]);
    // Rows without the component hold the initial values of the newer version.
    expect(life).toEqual([
      ['calm', 'calm', null, null],
      [200, 100, 2, 2],
      [-3, -3, -3, -3],
    ]);
    expect(zeal).toEqual([[0.5, 0.25, 0.5, 0.25]]);
    const rows = encodeRows(population(older), 5);
    expect(contents(decodeRows(rows, newer, () => older).rows)).toEqual(contents(table));
  });

  test('is followed commit by commit to the same state as migrating at the end', () => {
    const writer = population(older);
    const follower = migrate(writer.pick([0, 1, 2, 3]), newer);
    (writer.columns[0]?.[0] as Uint8Array)[0] = 250;
    (writer.columns[0]?.[2] as Float64Array)[1] = 7;
    (writer.dirty[0] as Uint32Array).set([1, 4]);
    writer.setMask(2, 3);
    writer.setMask(1, 2);
    const births = new Table(older);
    births.append(9, 1);
    const guest = new Table(older);
    guest.append(8, 3);
    const entry = { from: 1, to: 2, seq: 1, tick: 4, body: encodeRows(guest, 4) };
    writer.merge(guest);
    const departures = [{ to: 3, seq: 1, ids: [4] }];
    const parts = { tick: 5, idCounter: 9, arrivals: [entry], births, deaths: [3], departures };
    const body = encodeCommit(writer, parts);
    settle(writer, parts);
    applyCommit(
      follower,
      decodeCommit(body, newer, (hash) => (hash === older.hash ? older : undefined)),
    );
    expect(contents(follower)).toEqual(contents(migrate(writer, newer)));
    expect(decodeCommit(body, () => older).schema).toBe(older);
  });

  test('that nobody knows any more is refused by its hash', () => {
    const bytes = encodeRows(population(older), 5);
    const fault = { code: 'SCHEMA_INCOMPATIBLE', message: expect.stringContaining(older.hash) };
    expect(() => decodeRows(bytes, newer)).toThrow(expect.objectContaining(fault));
    expect(() => decodeRows(bytes, () => undefined)).toThrow(expect.objectContaining(fault));
  });
});

describe('a schema cannot follow another', () => {
  const life = (version: number, kind: FieldKind, initial: FieldValue): LayerSchema =>
    schemaOf(component('life', version, [['age', kind, initial]]));
  const refused = (from: LayerSchema, to: LayerSchema, ...parts: string[]): void => {
    const fault = { code: 'SCHEMA_INCOMPATIBLE' };
    const act = (): unknown => planMigration(from, to);
    expect(act).toThrow(expect.objectContaining(fault));
    for (const part of parts) expect(act).toThrow(part);
  };

  test('if a kind would lose values, naming component, field and both kinds', () => {
    refused(life(1, 'u16', 0), life(2, 'u8', 0), 'life.age', 'u16', 'u8');
    refused(life(1, 'i32', 0), life(2, 'f32', 0), 'life.age', 'i32', 'f32');
    refused(life(1, 'f64', 0), life(2, 'entity', 0), 'life.age', 'f64', 'entity');
  });

  test('if a component is of an older version than stored', () => {
    refused(life(2, 'u8', 0), life(1, 'u8', 0), 'life', 'version 2', 'version 1');
  });

  test('if fields changed but not the version', () => {
    refused(life(1, 'u8', 0), life(1, 'u16', 0), 'life', 'version 1', 'age: u8', 'age: u16');
    planMigration(life(1, 'u8', 0), life(1, 'u8', 5));
  });

  test('if a component is gone; a new version without fields is the way to drop it', () => {
    refused(life(1, 'u8', 0), schemaOf(), 'life', 'no longer declared');
    planMigration(life(1, 'u8', 0), schemaOf(component('life', 2, [])));
  });

  test('if a field becomes a position and holds no finite number', () => {
    const before = schemaOf({ ...position, spatial: undefined } as never);
    const table = new Table(before);
    table.append(1, 1);
    const after = schemaOf(position);
    expect(migrate(table, after).schema).toBe(after);
    (table.columns[0]?.[0] as Float64Array)[0] = Number.NaN;
    const fault = expect.objectContaining({ code: 'SPATIAL_NOT_FINITE' });
    expect(() => migrate(table, after)).toThrow(fault);
    (table.dirty[0] as Uint32Array)[0] = 1;
    const births = new Table(before);
    const parts = { tick: 1, idCounter: 1, arrivals: [], births, deaths: [], departures: [] };
    const body = encodeCommit(table, parts);
    expect(() => decodeCommit(body, after, () => before)).toThrow(fault);
  });
});

test('every value survives every widening', () => {
  const range: Partial<Record<FieldKind, readonly number[]>> = {
    bool: [0, 1],
    u8: [0, 255],
    u16: [0, 65_535],
    u32: [0, 2 ** 32 - 1],
    i8: [-128, 127],
    i16: [-32_768, 32_767],
    i32: [-(2 ** 31), 2 ** 31 - 1],
    f32: [-0, Math.fround(0.1), Number.NEGATIVE_INFINITY, Number.NaN],
  };
  const kinds: FieldKind[] = ['u8', 'u16', 'u32', 'i8', 'i16', 'i32', 'f32', 'f64'];
  let widenings = 0;
  for (const [from, values] of Object.entries(range) as [FieldKind, number[]][]) {
    for (const to of kinds) {
      const initial = from === 'bool' ? false : 0;
      const before = schemaOf(component('a', 1, [['b', from, initial]]));
      const after = schemaOf(component('a', 2, [['b', to, 0]]));
      const table = new Table(before);
      values.forEach((value, i) => {
        (table.columns[0]?.[0] as unknown[])[table.append(i, 1)] = value;
      });
      try {
        const column = migrate(table, after).columns[0]?.[0] as Float64Array;
        expect(Array.from(column.slice(0, values.length)), `${from} ${to}`).toEqual(values);
        widenings++;
      } catch (error) {
        expect(error).toMatchObject({ code: 'SCHEMA_INCOMPATIBLE' });
      }
    }
  }
  expect(widenings).toBe(8 + 7 + 5 + 2 + 5 + 4 + 2 + 2);
});
