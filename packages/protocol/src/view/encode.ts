/**
 * The state of a cell, or what changed in it, as a part. Works on the rows a gateway publishes:
 * columns of the whole layer, of which a shape and a choice of rows are sent.
 *
 * PERF: all buffers are kept. A part that one client alone gets is written into its frame and costs
 * nothing; one for many costs its exact bytes.
 */
import { ByteWriter } from '../bytes.ts';
import { RowSetWriter } from '../row-set.ts';
import type { Column } from '../schema.ts';
import { writeValues } from '../values.ts';
import { DELTA, ENCODING, PRESENCE } from './encoding.ts';
import { PART } from './parts.ts';
import { Q_WIDE, type ViewComponent, type ViewField, type ViewShape } from './shape.ts';

/** Published rows of one cell: all arrays aligned by row, with room for `count` rows or more. */
export type ViewRows = {
  readonly count: number;
  /** Ascending. */
  readonly ids: Float64Array;
  /** By components of the layer. */
  readonly masks: Uint32Array;
  /** The values themselves: [component of the layer][field][row]. */
  readonly columns: readonly (readonly Column[])[];
  /** Of fields with a step: `quantise`d, `Q_WIDE` where that is NaN. */
  readonly q: readonly (readonly (Int32Array | undefined)[])[];
  /** Of fields with a step: by how much `q` grew since it was last published; else `Q_WIDE`. */
  readonly dq: readonly (readonly (Int32Array | undefined)[])[];
};

/** Which state of a cell a part leads to. `hash`: the low 32 bits of the log's. */
export type CellPosition = {
  readonly cell: number;
  readonly tick: number;
  readonly seq: number;
  readonly hash: number;
};

/** A field that changed, and where. */
export type FieldRows = {
  /** Index in the shape. */
  readonly component: number;
  readonly field: number;
  /**
   * The first `count`, ascending: positions among the chosen rows, which have the component. Not
   * looked at when `count` says that it is all of them and none of them is an added one.
   */
  readonly rows: Uint32Array;
  readonly count: number;
  /** Whether the receiver holds the publication that `dq` is the difference to. */
  readonly differences: boolean;
};

export type CellChanges = {
  /** Ids, ascending. */
  readonly removed: readonly number[];
  /**
   * Positions among the chosen rows, ascending, of those that the receiver lacks or whose
   * components changed. They are sent whole, so what `changes` says of them is left out.
   */
  readonly added: Uint32Array;
  /** Each field at most once. */
  readonly changes: readonly FieldRows[];
};

/** Row numbers, or `undefined` for the rows from 0 on. */
type RowList = Uint32Array | undefined;

const own = new ByteWriter();
/** Where the part under way goes. Parts are never nested. */
let writer = own;
const rowSets = new RowSetWriter();
let picked = new Uint32Array(256);
let present = new Uint32Array(256);
let rest = new Uint32Array(256);
let ids = new Float64Array(256);

function reserve(count: number): void {
  if (picked.length >= count) return;
  picked = new Uint32Array(count * 2);
  present = new Uint32Array(count * 2);
  rest = new Uint32Array(count * 2);
  ids = new Float64Array(count * 2);
}

/** What a state or a delta part is about. */
export type PartRows = {
  readonly shape: ViewShape;
  readonly at: CellPosition;
  readonly rows: ViewRows;
  /** Row numbers, ascending; `undefined`: rows 0 … count − 1. */
  readonly chosen: Uint32Array | undefined;
  readonly count: number;
};

/** Where the receiver of a delta stands: `seq` is at most that of the part. */
export type PartBase = { readonly seq: number; readonly hash: number };

/** The chosen rows, whole. A complete part. */
export function encodeStatePart(
  shape: ViewShape,
  at: CellPosition,
  rows: ViewRows,
  chosen: Uint32Array | undefined,
  count: number,
): Uint8Array {
  appendStatePart(own.reset(), { shape, at, rows, chosen, count });
  return own.finish();
}

/** As `encodeStatePart`, behind what was written before. */
export function appendStatePart(into: ByteWriter, part: PartRows): void {
  const { shape, at, rows, chosen, count } = part;
  reserve(count);
  writer = into;
  const start = writer.beginPart(PART.state);
  writePosition(at);
  writeRows(shape, rows, chosen, count);
  writer.endPart(start);
}

/**
 * What changed in the chosen rows since `base`. The receiver has exactly the chosen rows once it
 * has removed and added. A complete part.
 */
export function encodeDeltaPart(
  shape: ViewShape,
  at: CellPosition,
  base: PartBase,
  rows: ViewRows,
  chosen: Uint32Array | undefined,
  count: number,
  delta: CellChanges,
): Uint8Array {
  appendDeltaPart(own.reset(), { shape, at, rows, chosen, count }, base, delta);
  return own.finish();
}

/** As `encodeDeltaPart`, behind what was written before. */
export function appendDeltaPart(
  into: ByteWriter,
  part: PartRows,
  base: PartBase,
  delta: CellChanges,
): void {
  const { shape, at, rows, chosen, count } = part;
  const { removed, added, changes } = delta;
  reserve(count);
  writer = into;
  const start = writer.beginPart(PART.delta);
  const kept = added.length === 0 ? undefined : added;
  let changeCount = 0;
  for (let i = 0; i < changes.length; i++) {
    if (changedCount(changes[i] as FieldRows, kept) > 0) changeCount++;
  }
  writePosition(at);
  writer.varint(at.seq - base.seq).u32(base.hash);
  writer.u8(
    (removed.length > 0 ? DELTA.removed : 0) |
      (added.length > 0 ? DELTA.added : 0) |
      (changeCount > 0 ? DELTA.changes : 0),
  );
  if (removed.length > 0) writer.ids(removed);
  if (added.length > 0) {
    for (let i = 0; i < added.length; i++) picked[i] = rowAt(chosen, added[i] as number);
    writeRows(shape, rows, picked, added.length);
  }
  if (changeCount > 0) {
    writer.varint(changeCount);
    rowSets.reset();
    for (let i = 0; i < changes.length; i++) writeChange(part, kept, changes[i] as FieldRows);
  }
  writer.endPart(start);
}

const rowAt = (list: RowList, i: number): number => (list === undefined ? i : (list[i] as number));

function writePosition({ cell, tick, seq, hash }: CellPosition): void {
  writer.varint(cell).varint(tick).varint(seq).u32(hash);
}

/** Ids, then by component who has it and, by field, the values of those. */
function writeRows(shape: ViewShape, rows: ViewRows, list: RowList, count: number): void {
  if (list !== undefined) {
    for (let i = 0; i < count; i++) ids[i] = rows.ids[list[i] as number] as number;
  }
  writer.ids(list === undefined ? rows.ids : ids, count);
  if (count === 0) return;
  for (const component of shape.components) {
    const found = rowsWith(rows.masks, component.index, list, count);
    writePresence(rows.masks, component.index, { list, count, found });
    if (found === 0) continue;
    const having = found === count ? list : present;
    for (let f = 0; f < component.fields.length; f++) {
      writeBlock(component, f, { rows, list: having, count: found });
    }
  }
}

/** Lists the rows that have the component in `present`; answers how many. */
function rowsWith(masks: Uint32Array, bit: number, list: RowList, count: number): number {
  let found = 0;
  for (let i = 0; i < count; i++) {
    const row = rowAt(list, i);
    present[found] = row;
    found += ((masks[row] as number) >>> bit) & 1;
  }
  return found;
}

function writePresence(
  masks: Uint32Array,
  bit: number,
  { list, count, found }: { list: RowList; count: number; found: number },
): void {
  if (found === 0) writer.u8(PRESENCE.none);
  else if (found === count) writer.u8(PRESENCE.all);
  else {
    writer.u8(PRESENCE.bitmap);
    for (let base = 0; base < count; base += 8) {
      let byte = 0;
      for (let i = base; i < Math.min(base + 8, count); i++) {
        byte |= (((masks[rowAt(list, i)] as number) >>> bit) & 1) << (i - base);
      }
      writer.u8(byte);
    }
  }
}

/** How many rows of the change are not added ones. */
function changedCount({ rows, count }: FieldRows, added: RowList): number {
  if (added === undefined) return count;
  let left = count;
  let a = 0;
  for (let i = 0; i < count; i++) {
    while (a < added.length && (added[a] as number) < (rows[i] as number)) a++;
    if (added[a] === rows[i]) left--;
  }
  return left;
}

/** The positions of the change that are not added ones; in `rest` unless nothing is added. */
function changedRows({ rows, count }: FieldRows, added: RowList): Uint32Array {
  if (added === undefined) return rows;
  let a = 0;
  let left = 0;
  for (let i = 0; i < count; i++) {
    while (a < added.length && (added[a] as number) < (rows[i] as number)) a++;
    if (added[a] !== rows[i]) rest[left++] = rows[i] as number;
  }
  return rest;
}

function writeChange(part: PartRows, added: RowList, change: FieldRows): void {
  const { shape, rows, chosen, count } = part;
  const changed = changedCount(change, added);
  if (changed === 0) return;
  const positions = changedRows(change, added);
  writer.u8(change.component).u8(change.field);
  rowSets.write(writer, positions, changed, count);
  let list: RowList = positions;
  if (changed === count) list = chosen;
  else if (chosen !== undefined) {
    for (let i = 0; i < changed; i++) picked[i] = chosen[positions[i] as number] as number;
    list = picked;
  }
  const component = shape.components[change.component] as ViewComponent;
  if (change.differences && writeDifferences(component, change.field, rows, list, changed)) return;
  writeBlock(component, change.field, { rows, list, count: changed });
}

type Block = {
  readonly rows: ViewRows;
  readonly list: RowList;
  readonly count: number;
};

/** Differences, if the field has them and each fits a byte. */
function writeDifferences(
  { index }: ViewComponent,
  f: number,
  { dq }: ViewRows,
  list: RowList,
  count: number,
): boolean {
  const values = dq[index]?.[f];
  if (values === undefined) return false;
  const start = writer.length;
  if (writer.u8(ENCODING.difference8).differences(values, list, count)) return true;
  writer.truncate(start);
  return false;
}

/** The values of a field in the shortest encoding that carries them all. */
function writeBlock(component: ViewComponent, f: number, block: Block): void {
  const { rows, list, count } = block;
  const field = component.fields[f] as ViewField;
  const column = rows.columns[component.index]?.[f] as Column;
  if (field.step === 0) {
    writer.u8(ENCODING.raw);
    writeValues(writer, component, field, column, { count, rows: list, ids: rows.ids });
    return;
  }
  const q = rows.q[component.index]?.[f] as Int32Array;
  const bits = bitsOf(q, list, count);
  if (bits <= 32_767) {
    writer.u8(ENCODING.fixed16);
    writeFixed(writer.room(count * 2), q, list, 2);
  } else if (bits < WIDE_BITS) {
    writer.u8(ENCODING.fixed32);
    writeFixed(writer.room(count * 4), q, list, 4);
  } else {
    writer.u8(ENCODING.float);
    for (let i = 0; i < count; i++) writer.f64(column[rowAt(list, i)] as number);
  }
}

const WIDE_BITS = 2 ** 31;

/** All bits, but the sign, that some value needs; `WIDE_BITS` if one is `Q_WIDE`. */
function bitsOf(values: Int32Array, list: RowList, count: number): number {
  let bits = 0;
  for (let i = 0; i < count; i++) {
    const value = values[rowAt(list, i)] as number;
    if (value === Q_WIDE) return WIDE_BITS;
    bits |= value < 0 ? ~value : value;
  }
  return bits;
}

function writeFixed(into: Uint8Array, q: Int32Array, list: RowList, bytesEach: 2 | 4): void {
  for (let i = 0, at = 0; at < into.length; i++) {
    let value = q[rowAt(list, i)] as number;
    for (let byte = 0; byte < bytesEach; byte++) {
      into[at++] = value;
      value >>= 8;
    }
  }
}
