/**
 * The values of one field, for some rows or all: a raw little-endian slab for numbers, text with
 * lengths for the rest. What cannot be read back as it is written is refused at both ends.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { canonicalJson, type Json, parseCanonicalJson } from './json.ts';
import {
  type Column,
  type ComponentSchema,
  emptyColumn,
  type FieldKind,
  type FieldSchema,
  KINDS,
  type Slab,
} from './schema.ts';

/**
 * Some rows of a column: `rows` lists the first `count` row numbers; absent, rows 0 … count − 1.
 */
export type Choice = {
  readonly count: number;
  readonly rows?: Uint32Array | undefined;
  /** Ids of the table's rows, for errors. */
  readonly ids: Float64Array;
};

const F64_NAN_HIGH = 0x7ff8_0000;
const F32_NAN = 0x7fc0_0000;

/** Aligned room in which chosen rows are gathered before they are copied as bytes. */
let scratch = new ArrayBuffer(64 * 1024);

/** What of a component and a field decides how values are written. */
export type ValueOwner = Pick<ComponentSchema, 'name' | 'spatial'>;
export type ValueField = Pick<FieldSchema, 'name' | 'kind'>;

export const isSpatial = (component: ValueOwner, field: ValueField): boolean =>
  component.spatial?.includes(field.name) ?? false;

/** Least bytes a value takes: its slab width, or one for the length of a text. */
export const bytesMin = (field: ValueField): number => Math.max(1, KINDS[field.kind].bytes);

/**
 * Writes the chosen values. Throws `SPATIAL_NOT_FINITE` for NaN or infinity in a spatial field and
 * `FIELD_KIND_MISMATCH` for what the kind cannot hold, naming component, field and entity.
 */
export function writeValues(
  writer: ByteWriter,
  component: ValueOwner,
  field: ValueField,
  column: Column,
  choice: Choice,
): void {
  if (Array.isArray(column)) {
    writeTexts(writer, component, field, column, choice);
    return;
  }
  // PERF: all rows of a float column cost one scan and one memory copy; nothing is made per row.
  const slab =
    choice.rows === undefined ? column.subarray(0, choice.count) : gathered(column, choice);
  const fault = faultyValue(component, field, slab);
  if (fault >= 0) throw refusal(component, field, slab[fault], idAt(choice, fault));
  const bytes = new Uint8Array(slab.buffer, slab.byteOffset, slab.byteLength);
  writer.raw(hasNaN(slab) ? withOneNaN(slab) : bytes);
}

const idAt = ({ rows, ids }: Choice, i: number): number => ids[rows?.[i] ?? i] as number;

function gathered(column: Slab, { count, rows }: Choice): Slab {
  const bytes = count * column.BYTES_PER_ELEMENT;
  if (bytes > scratch.byteLength) scratch = new ArrayBuffer(bytes * 2);
  // PERF: one loop for all kinds would be megamorphic; the two common kinds have their own.
  if (column instanceof Float64Array) return gatherF64(column, rows as Uint32Array, count);
  if (column instanceof Float32Array) return gatherF32(column, rows as Uint32Array, count);
  const Kind = column.constructor as new (buffer: ArrayBuffer, at: number, n: number) => Slab;
  const into = new Kind(scratch, 0, count);
  for (let i = 0; i < count; i++) into[i] = column[(rows as Uint32Array)[i] as number] as number;
  return into;
}

function gatherF64(column: Float64Array, rows: Uint32Array, count: number): Float64Array {
  const into = new Float64Array(scratch, 0, count);
  for (let i = 0; i < count; i++) into[i] = column[rows[i] as number] as number;
  return into;
}

function gatherF32(column: Float32Array, rows: Uint32Array, count: number): Float32Array {
  const into = new Float32Array(scratch, 0, count);
  for (let i = 0; i < count; i++) into[i] = column[rows[i] as number] as number;
  return into;
}

/** Whether all are finite: 0 × x is 0 for those alone, and NaN stays NaN in a sum. */
function areFinite(slab: Slab): boolean {
  if (slab instanceof Float64Array) return areFiniteF64(slab);
  return slab instanceof Float32Array ? areFiniteF32(slab) : true;
}

function areFiniteF64(slab: Float64Array): boolean {
  let sum = 0;
  for (let i = 0; i < slab.length; i++) sum += (slab[i] as number) * 0;
  return sum === 0;
}

function areFiniteF32(slab: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < slab.length; i++) sum += (slab[i] as number) * 0;
  return sum === 0;
}

/** The first value that this field must not hold, or −1. */
function faultyValue(component: ValueOwner, field: ValueField, slab: Slab): number {
  if (field.kind === 'bool') return slab.findIndex((value) => value > 1);
  if (field.kind === 'entity') {
    return slab.findIndex((id) => !Number.isSafeInteger(id) || id < 0 || Object.is(id, -0));
  }
  if (!isSpatial(component, field) || areFinite(slab)) return -1;
  return slab.findIndex((value) => !Number.isFinite(value));
}

function refusal(
  component: ValueOwner,
  field: ValueField,
  value: unknown,
  id: number,
): LeaseholdError {
  const at = `${component.name}.${field.name}`;
  if (isSpatial(component, field)) {
    return new LeaseholdError('SPATIAL_NOT_FINITE', `${at} of entity ${id} became ${value}`, {
      field: at,
      value: `${value} (entity ${id})`,
      remedy: 'Find the system that computes it; a position must stay a finite number.',
    });
  }
  return new LeaseholdError('FIELD_KIND_MISMATCH', `${at} of entity ${id} is no ${field.kind}`, {
    field: at,
    value: `${String(value)} (entity ${id})`,
    remedy: `Give the field a value that the kind ${field.kind} can hold.`,
  });
}

const hasNaN = (slab: Slab): boolean =>
  !areFinite(slab) && slab.some((value) => Number.isNaN(value));

/** The bytes with every NaN in one spelling: engines differ in the bits they leave in one. */
function withOneNaN(slab: Slab): Uint8Array {
  const copy = slab.slice();
  const words = new Uint32Array(copy.buffer);
  const wide = copy.BYTES_PER_ELEMENT === 8;
  for (let i = 0; i < copy.length; i++) {
    if (!Number.isNaN(copy[i])) continue;
    if (wide) words[2 * i] = 0;
    words[wide ? 2 * i + 1 : i] = wide ? F64_NAN_HIGH : F32_NAN;
  }
  return new Uint8Array(copy.buffer);
}

function writeTexts(
  writer: ByteWriter,
  component: ValueOwner,
  field: ValueField,
  column: readonly Json[],
  choice: Choice,
): void {
  for (let i = 0; i < choice.count; i++) {
    const value = column[choice.rows?.[i] ?? i];
    if (field.kind === 'json') {
      writer.text(canonicalJson(value, `${component.name}.${field.name}`));
    } else if (typeof value === 'string' && value.isWellFormed()) {
      writer.text(value);
    } else {
      throw refusal(component, field, value, idAt(choice, i));
    }
  }
}

/** How the values of a column are kept: on their own, or beside others that are soon forgotten. */
export type NewColumn = (kind: FieldKind, count: number) => Column;

/** Reads `count` values into a column of exactly that length. Checks as strictly as the writer. */
export function readValues(
  reader: ByteReader,
  component: ValueOwner,
  field: ValueField,
  count: number,
  newColumn: NewColumn = emptyColumn,
): Column {
  const at = `${component.name}.${field.name}`;
  reader.fits(count, bytesMin(field), `values of ${at}`);
  const column = newColumn(field.kind, count);
  if (Array.isArray(column)) {
    readTexts(reader, field, at, column);
    return column;
  }
  const { buffer, byteOffset, byteLength } = column;
  new Uint8Array(buffer, byteOffset, byteLength).set(reader.raw(byteLength));
  if (faultyValue(component, field, column) >= 0) {
    throw reader.fault(
      `${at} holds what a${isSpatial(component, field) ? ' position' : ` ${field.kind}`} cannot`,
    );
  }
  if (hasNaN(column) && !hasOneNaN(column)) throw reader.fault(`${at} holds a NaN of another form`);
  return column;
}

function hasOneNaN(slab: Slab): boolean {
  const ours = withOneNaN(slab);
  const theirs = new Uint8Array(slab.buffer, slab.byteOffset, slab.byteLength);
  return ours.every((byte, i) => byte === theirs[i]);
}

function readTexts(reader: ByteReader, field: ValueField, at: string, column: Json[]): void {
  for (let i = 0; i < column.length; i++) {
    const text = reader.text();
    const value = field.kind === 'json' ? parseCanonicalJson(text) : text;
    if (value === undefined) throw reader.fault(`${at} holds no canonical JSON`);
    column[i] = value;
  }
}
