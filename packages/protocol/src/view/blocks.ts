/**
 * Value blocks: the values of one field for some rows, scattered into the columns of a cell.
 *
 * PERF: bytes are read through one aligned buffer that is kept; a block makes one view, a row
 * nothing.
 */
import type { ByteReader } from '../bytes.ts';
import type { Json } from '../json.ts';
import { type Column, KINDS, type Slab } from '../schema.ts';
import { ENCODING } from './encoding.ts';
import { Q_WIDE, quantise, type ViewField } from './shape.ts';

/** Row numbers, or `undefined` for the rows from 0 on. */
export type RowList = Uint32Array | undefined;

/** Where the values of a field go. */
export type FieldColumn = {
  readonly name: string;
  readonly field: ViewField;
  /** Of a field with a step: what q counts from. */
  readonly origin: number;
  /** Real values: a Float64Array for a field with a step. */
  column: Column;
  /** Of a field with a step: what differences are added to; `Q_WIDE` where there is nothing. */
  q: Int32Array;
};

let scratch = new ArrayBuffer(16 * 1024);

/** The next bytes, where they can be looked at as numbers. */
function aligned(body: ByteReader, bytes: number): ArrayBuffer {
  const source = body.raw(bytes);
  if (scratch.byteLength < bytes) scratch = new ArrayBuffer(bytes * 2);
  new Uint8Array(scratch, 0, bytes).set(source);
  return scratch;
}

/** Reads a block for the first `count` of `list`. Rows without a value take no difference. */
export function readBlock(body: ByteReader, into: FieldColumn, list: RowList, count: number): void {
  const encoding = body.u8();
  if (into.field.step === 0) {
    if (encoding !== ENCODING.raw) throw noEncoding(body, into, encoding);
    if (Array.isArray(into.column)) readTexts(body, into, list, count);
    else readNumbers(body, into, list, count);
  } else if (encoding === ENCODING.difference8) {
    readDifferences(body, into, list, body.raw(count));
  } else if (encoding === ENCODING.fixed16) {
    readFixed16(into, list, new Int16Array(aligned(body, count * 2), 0, count));
  } else if (encoding === ENCODING.fixed32) {
    readFixed32(body, into, list, new Int32Array(aligned(body, count * 4), 0, count));
  } else if (encoding === ENCODING.float) {
    readFloats(into, list, new Float64Array(aligned(body, count * 8), 0, count));
  } else {
    throw noEncoding(body, into, encoding);
  }
}

const rowAt = (list: RowList, i: number): number => (list === undefined ? i : (list[i] as number));

const noEncoding = (body: ByteReader, { name }: FieldColumn, encoding: number): Error =>
  body.fault(`${name} cannot be in encoding ${encoding} here`);

function readDifferences(
  body: ByteReader,
  into: FieldColumn,
  list: RowList,
  bytes: Uint8Array,
): void {
  const { q, origin, field } = into;
  const column = into.column as Float64Array;
  for (let i = 0; i < bytes.length; i++) {
    const row = rowAt(list, i);
    const base = q[row] as number;
    const value = base + (((bytes[i] as number) << 24) >> 24);
    if (base === Q_WIDE || value <= Q_WIDE || value >= -Q_WIDE) {
      throw body.fault(`${into.name} has a difference to what is not there`);
    }
    q[row] = value;
    column[row] = origin + value * field.step;
  }
}

function readFixed16(into: FieldColumn, list: RowList, values: Int16Array): void {
  const { q, origin, field } = into;
  const column = into.column as Float64Array;
  for (let i = 0; i < values.length; i++) {
    const row = rowAt(list, i);
    const value = values[i] as number;
    q[row] = value;
    column[row] = origin + value * field.step;
  }
}

function readFixed32(body: ByteReader, into: FieldColumn, list: RowList, values: Int32Array): void {
  const { q, origin, field } = into;
  const column = into.column as Float64Array;
  for (let i = 0; i < values.length; i++) {
    const row = rowAt(list, i);
    const value = values[i] as number;
    if (value === Q_WIDE) throw body.fault(`${into.name} is out of range`);
    q[row] = value;
    column[row] = origin + value * field.step;
  }
}

function readFloats(into: FieldColumn, list: RowList, values: Float64Array): void {
  const { q, origin, field } = into;
  const column = into.column as Float64Array;
  for (let i = 0; i < values.length; i++) {
    const row = rowAt(list, i);
    const value = values[i] as number;
    const fixed = quantise(value, origin, field.step);
    q[row] = Number.isNaN(fixed) ? Q_WIDE : fixed;
    column[row] = value;
  }
}

function readNumbers(body: ByteReader, into: FieldColumn, list: RowList, count: number): void {
  const column = into.column as Slab;
  const { kind } = into.field;
  const Kind = column.constructor as new (buffer: ArrayBuffer, at: number, n: number) => Slab;
  const values = new Kind(aligned(body, count * KINDS[kind].bytes), 0, count);
  if (kind === 'bool' || kind === 'entity') {
    const most = kind === 'bool' ? 1 : Number.MAX_SAFE_INTEGER;
    if (!values.every((value) => Number.isInteger(value) && value >= 0 && value <= most)) {
      throw body.fault(`${into.name} holds what a ${kind} cannot`);
    }
  }
  if (list === undefined) column.set(values);
  else for (let i = 0; i < count; i++) column[list[i] as number] = values[i] as number;
}

function readTexts(body: ByteReader, into: FieldColumn, list: RowList, count: number): void {
  body.fits(count, 1, `values of ${into.name}`);
  const column = into.column as Json[];
  const isJson = into.field.kind === 'json';
  for (let i = 0; i < count; i++) {
    const text = body.text();
    column[rowAt(list, i)] = isJson ? parsed(body, into.name, text) : text;
  }
}

function parsed(body: ByteReader, name: string, text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw body.fault(`${name} holds no JSON`, cause);
  }
}
