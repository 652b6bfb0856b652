/**
 * Which rows of a table something is about: all, a bitmap, or gaps between row numbers, whichever
 * is shortest, or the same rows as the set before. A set has one spelling.
 */
import { type ByteReader, type ByteWriter, varintLength } from './bytes.ts';

/** The first `count` of `rows`, ascending; `rows` is empty when the set is all rows of the table. */
export type RowSet = {
  readonly count: number;
  readonly isAll: boolean;
  readonly rows: Uint32Array;
};

/** Gives room for row numbers: a new array, or one that is used again. */
type Room = (count: number) => Uint32Array;

const ALL = 1;
const BITMAP = 2;
const GAPS = 3;
const SAME = 4;
const NO_ROWS = new Uint32Array(0);

/** Remembers the set before, to say `same`. One per body. */
export class RowSetWriter {
  #previous = new Uint32Array(256);
  #previousCount = -1;

  reset(): void {
    this.#previousCount = -1;
  }

  /**
   * Writes the first `count` of `rows`, of a table of `total` rows; `count` is at least 1. `rows` is
   * not looked at when they are all.
   */
  write(writer: ByteWriter, rows: Uint32Array, count: number, total: number): void {
    if (count === total) {
      writer.u8(ALL);
      this.#previousCount = -1;
      return;
    }
    if (this.#isPrevious(rows, count)) {
      writer.u8(SAME);
    } else if (bitmapLength(total) <= gapsLength(rows, count)) {
      writer.u8(BITMAP);
      writeBitmap(writer, rows, count, total);
    } else {
      writer.u8(GAPS).varint(count);
      let next = 0;
      for (let i = 0; i < count; i++) {
        const row = rows[i] as number;
        writer.varint(row - next);
        next = row + 1;
      }
    }
    this.#remember(rows, count);
  }

  #isPrevious(rows: Uint32Array, count: number): boolean {
    if (count !== this.#previousCount) return false;
    for (let i = 0; i < count; i++) if (rows[i] !== this.#previous[i]) return false;
    return true;
  }

  #remember(rows: Uint32Array, count: number): void {
    if (this.#previous.length < count) this.#previous = new Uint32Array(count * 2);
    this.#previous.set(rows.subarray(0, count));
    this.#previousCount = count;
  }
}

const bitmapLength = (total: number): number => Math.ceil(total / 8);

function gapsLength(rows: Uint32Array, count: number): number {
  let length = varintLength(count);
  let next = 0;
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    length += varintLength(row - next);
    next = row + 1;
  }
  return length;
}

function writeBitmap(writer: ByteWriter, rows: Uint32Array, count: number, total: number): void {
  let i = 0;
  for (let base = 0; base < total; base += 8) {
    let byte = 0;
    while (i < count && (rows[i] as number) < base + 8) byte |= 1 << ((rows[i++] as number) - base);
    writer.u8(byte);
  }
}

const newRoom: Room = (count) => new Uint32Array(count);

/**
 * Reads sets as `readRowSet` does, into two arrays that it uses in turn: a set holds until the
 * next but one. Their `rows` may be longer than `count`.
 */
export class RowSetReader {
  #previous: RowSet | undefined;
  #own: Uint32Array = NO_ROWS;
  #other: Uint32Array = NO_ROWS;
  readonly #room: Room = (count) => {
    [this.#own, this.#other] = [this.#other, this.#own];
    if (this.#own.length < count) this.#own = new Uint32Array(count * 2);
    return this.#own;
  };

  reset(): void {
    this.#previous = undefined;
  }

  read(reader: ByteReader, total: number, bytesEach: number): RowSet {
    this.#previous = readRowSet(reader, total, bytesEach, this.#previous, this.#room);
    return this.#previous;
  }
}

/**
 * Reads a set of at least one row. `bytesEach`: least bytes that each row takes later in the body,
 * so that a set is refused before it is allocated if what it speaks of cannot be there.
 */
export function readRowSet(
  reader: ByteReader,
  total: number,
  bytesEach: number,
  previous: RowSet | undefined,
  room: Room = newRoom,
): RowSet {
  const mode = reader.u8();
  if (total === 0) throw reader.fault('it names rows of an empty table');
  if (mode === ALL) {
    reader.fits(total, bytesEach, 'values');
    return { count: total, isAll: true, rows: NO_ROWS };
  }
  if (mode === SAME) {
    if (previous === undefined || previous.isAll) throw reader.fault('it repeats no set of rows');
    reader.fits(previous.count, bytesEach, 'values');
    return previous;
  }
  if (mode !== BITMAP && mode !== GAPS) throw reader.fault(`${mode} is no kind of row set`);
  const set =
    mode === BITMAP
      ? readBitmap(reader, total, bytesEach, room)
      : readGaps(reader, total, bytesEach, room);
  const { rows, count } = set;
  const shorter = bitmapLength(total) <= gapsLength(rows, count) ? BITMAP : GAPS;
  if (count === 0 || count === total || shorter !== mode || repeats(set, previous)) {
    throw reader.fault('a set of rows is not in its shortest form');
  }
  return set;
}

function repeats({ rows, count }: RowSet, previous: RowSet | undefined): boolean {
  if (previous === undefined || previous.isAll || previous.count !== count) return false;
  for (let i = 0; i < count; i++) if (rows[i] !== previous.rows[i]) return false;
  return true;
}

function readBitmap(reader: ByteReader, total: number, bytesEach: number, room: Room): RowSet {
  const bits = reader.raw(bitmapLength(total));
  let count = 0;
  for (let i = 0; i < bits.length; i++) {
    for (let rest = bits[i] as number; rest !== 0; rest &= rest - 1) count++;
  }
  const last = bits[bits.length - 1] as number;
  if (total % 8 !== 0 && last >>> (total % 8) !== 0) throw reader.fault('a row is out of range');
  reader.fits(count, bytesEach, 'values');
  const rows = room(count);
  let at = 0;
  for (let i = 0; i < bits.length; i++) {
    for (let rest = bits[i] as number; rest !== 0; rest &= rest - 1) {
      rows[at++] = i * 8 + 31 - Math.clz32(rest & -rest);
    }
  }
  return { count, isAll: false, rows };
}

function readGaps(reader: ByteReader, total: number, bytesEach: number, room: Room): RowSet {
  const count = reader.count('rows', Math.max(1, bytesEach));
  const rows = room(count);
  let next = 0;
  for (let i = 0; i < count; i++) {
    const row = next + reader.varint();
    if (row >= total) throw reader.fault('a row is out of range');
    rows[i] = row;
    next = row + 1;
  }
  return { count, isAll: false, rows };
}
