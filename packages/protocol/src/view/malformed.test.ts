/** Bodies that no encoder writes, one fault each. */
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../bytes.ts';
import { type ComponentSchema, layerSchema } from '../schema.ts';
import { CellRows, viewShape } from './index.ts';

const components: readonly ComponentSchema[] = [
  {
    name: 'a',
    version: 1,
    fields: [
      { name: 'x', kind: 'f64', initial: 0, step: 1 },
      { name: 'is', kind: 'bool', initial: false },
      { name: 'who', kind: 'entity', initial: 0 },
      { name: 'say', kind: 'string', initial: '' },
      { name: 'any', kind: 'json', initial: null },
    ],
  },
  { name: 'b', version: 1, fields: [{ name: 'n', kind: 'u8', initial: 0 }] },
];
const shape = viewShape(layerSchema('main', components).components);

type Write = (writer: ByteWriter) => unknown;
const f64s = (writer: ByteWriter, ...values: number[]): ByteWriter =>
  values.reduce((to, value) => to.f64(value), writer);
/** The blocks of component a for two rows; any of them can be replaced. */
const BLOCKS: readonly Write[] = [
  (writer) => writer.u8(4).f64(5).f64(Number.NaN),
  (writer) => writer.u8(0).u8(1).u8(0),
  (writer) => f64s(writer.u8(0), 7, 0),
  (writer) => writer.u8(0).text('').text('hé'),
  (writer) => writer.u8(0).text('null').text('[1]'),
];

/** A state of rows 1, 2 and 3, the first two of which have a. */
function state(replaced: Readonly<Record<number, Write>> = {}, presence = 3): ByteReader {
  const writer = new ByteWriter().varint(4).varint(1).varint(10).u32(9).ids([1, 2, 3]);
  writer.u8(2).u8(presence);
  BLOCKS.forEach((write, i) => {
    (replaced[i] ?? write)(writer);
  });
  writer.u8(1).u8(0).u8(1).u8(2).u8(3);
  return new ByteReader(writer.finish(), 'frame');
}

function delta(write: Write, flags = 4, base = { seq: 10, hash: 9 }): ByteReader {
  const writer = new ByteWriter().varint(4).varint(2).varint(12).u32(8);
  writer
    .varint(12 - base.seq)
    .u32(base.hash)
    .u8(flags);
  write(writer);
  return new ByteReader(writer.finish(), 'frame');
}

function copy(): CellRows {
  const rows = new CellRows(shape, 4, 0, 0);
  rows.applyState(state());
  return rows;
}

const malformed = expect.objectContaining({ code: 'BODY_MALFORMED' });
/** A bitmap of rows, a block, of one change. */
const change = (
  component: number,
  field: number,
  rows: number,
  block: readonly number[],
): Write => {
  return (writer) =>
    writer.varint(1).u8(component).u8(field).u8(2).u8(rows).raw(Uint8Array.from(block));
};

test('what is written by hand here is read, but for its fault', () => {
  const rows = copy();
  expect(rows.columns.flat().map((column) => Array.from(column.slice(0, 3)))).toEqual([
    [5, Number.NaN, 0],
    [1, 0, 0],
    [7, 0, 0],
    ['', 'hé', ''],
    [null, [1], null],
    [1, 2, 3],
  ]);
  expect(rows.applyDelta(delta(change(0, 0, 1, [1, 255])))?.changed).toEqual([
    { component: 0, field: 0 },
  ]);
  expect(rows.columns[0]![0]![0]).toBe(4);
});

describe('a state is malformed', () => {
  test.each<[string, number, Write]>([
    ['whose bool is 2', 1, (writer) => writer.u8(0).u8(1).u8(2)],
    ['whose entity is a fraction', 2, (writer) => f64s(writer.u8(0), 1, 1.5)],
    ['whose entity is below 0', 2, (writer) => f64s(writer.u8(0), 1, -1)],
    ['whose entity is beyond 2^53', 2, (writer) => f64s(writer.u8(0), 1, 2 ** 53)],
    ['whose text is no UTF-8', 3, (writer) => writer.u8(0).u8(1).u8(255).u8(0)],
    ['whose JSON is none', 4, (writer) => writer.u8(0).text('[').text('null')],
    ['with differences', 0, (writer) => writer.u8(1).u8(1).u8(2)],
    ['with a step where every bit is to be sent', 1, (writer) => writer.u8(2).u8(1).u8(0)],
    ['with every bit where there is a step', 0, (writer) => f64s(writer.u8(0), 1, 2)],
    ['with an encoding that nobody knows', 0, (writer) => f64s(writer.u8(5), 1, 2)],
    [
      'with the number that stands for none',
      0,
      (writer) =>
        writer
          .u8(3)
          .u32(2 ** 31)
          .u32(1),
    ],
    ['with a byte after it', 4, (writer) => writer.u8(0).text('1').text('1').u8(1)],
  ])('%s', (_, block, write) => {
    const rows = copy();
    expect(() => rows.applyState(state({ [block]: write }))).toThrow(malformed);
    expect([rows.seq, rows.count]).toEqual([-1, 0]);
  });

  test('with a byte at its end', () => {
    const body = state();
    const longer = new ByteWriter().raw(body.raw(body.remaining)).u8(0).finish();
    expect(() => copy().applyState(new ByteReader(longer, 'frame'))).toThrow(malformed);
  });

  test.each([0, 7, 9, 11])('whose bitmap of three rows is %i', (presence) => {
    expect(() => copy().applyState(state({}, presence))).toThrow(malformed);
  });
});

describe('a delta is malformed', () => {
  test.each<[string, ByteReader]>([
    ['with a difference to what has no number', delta(change(0, 0, 2, [1, 1]))],
    ['that changes what a row does not have', delta(change(0, 1, 5, [0, 1, 1]))],
    ['that changes a component that is not sent', delta(change(2, 0, 1, [0, 1]))],
    ['that changes a field that is not there', delta(change(1, 1, 1, [0, 1]))],
    ['that changes a row that is not there', delta(change(1, 0, 9, [0, 1, 1]))],
    ['without the changes that it announces', delta((writer) => writer.varint(0))],
    ['with flags that nobody knows', delta((writer) => writer, 8)],
    ['with a byte after it', delta(change(1, 0, 1, [0, 1, 1]))],
    ['that is based on less than nothing', delta((writer) => writer, 0, { seq: -1, hash: 9 })],
  ])('%s', (_, body) => {
    expect(() => copy().applyDelta(body)).toThrow(malformed);
  });

  test('or follows something else, by number as by hash', () => {
    const none: Write = () => undefined;
    expect(copy().applyDelta(delta(none, 0))?.left).toEqual([]);
    expect(copy().applyDelta(delta(none, 0, { seq: 9, hash: 9 }))).toBeUndefined();
    expect(copy().applyDelta(delta(none, 0, { seq: 10, hash: 8 }))).toBeUndefined();
  });
});

test('texts of rows that left are not kept', () => {
  const rows = copy();
  rows.applyDelta(delta((writer) => writer.ids([2, 3]), 1));
  expect([rows.count, rows.columns[0]![3]![1], rows.columns[0]![4]![0]]).toEqual([1, '', null]);
  expect(JSON.stringify(rows.columns)).not.toContain('hé');
});
