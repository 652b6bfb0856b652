/**
 * Bytes, one after the other: a writer that grows and a reader that never leaves its bounds.
 *
 * Numbers are little-endian; counts and ids are variable-length integers of 7 bits a byte, low bits
 * first, in their shortest form, up to 2^53 − 1. A reader accepts only what the writer produces, so
 * a body has one spelling.
 */
import { assert, LeaseholdError } from '@leasehold/kernel';

assert(
  new Uint8Array(Uint16Array.of(1).buffer)[0] === 1,
  'slabs are copied as the machine holds them, so the machine must be little-endian',
);

const TWO_28 = 2 ** 28;
const STORED_REMEDY =
  'The bytes are damaged or from a newer build; run `leasehold audit` on the world.';
const FRAME_REMEDY =
  'The bytes are damaged, or the gateway and the client are of different builds; connect again.';
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes of the length of a part below 16 KB; others are moved when it is known. */
const PART_LENGTH_ROOM = 2;

/** Beyond so many bytes a view and a copy of memory are cheaper. */
const COPIED_ONE_BY_ONE_MAX = 192;

const F64 = new Float64Array(1);
const F64_BYTES = new Uint8Array(F64.buffer);

/** How many bytes `n` (a safe integer ≥ 0) takes. */
export function varintLength(n: number): number {
  let length = 1;
  for (let rest = n; rest > 127; rest = Math.floor(rest / 128)) length++;
  return length;
}

/**
 * Grows by doubling and is meant to be reused: `reset`, write, `finish`. A body costs one
 * allocation, the exact copy that `finish` returns.
 */
export class ByteWriter {
  #bytes = new Uint8Array(64 * 1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  reset(): this {
    this.#length = 0;
    return this;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    const bytes = this.#bytes;
    const at = this.#length;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    this.#length = at + 4;
    return this;
  }

  f64(value: number): this {
    F64[0] = value;
    return this.raw(F64_BYTES);
  }

  /** A safe integer ≥ 0. */
  varint(value: number): this {
    // PERF: the text of an assertion is made whether it holds or not, and this runs for every id.
    if (!(Number.isSafeInteger(value) && value >= 0)) assert(false, `${value} is not a count`);
    this.#reserve(8);
    const bytes = this.#bytes;
    let at = this.#length;
    let rest = value;
    while (rest >= TWO_28) {
      bytes[at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      bytes[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#length = at;
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Strictly ascending ids: how many, the first, then each one's distance from the one before. */
  ids(ids: readonly number[] | Float64Array, count = ids.length): this {
    this.varint(count);
    let previous = -1;
    for (let i = 0; i < count; i++) {
      const id = ids[i] as number;
      if (!(id > previous)) assert(false, `ids must ascend: ${id} after ${previous}`);
      this.varint(id - previous - 1);
      previous = id;
    }
    return this;
  }

  /** UTF-8 with its length. The text must be well formed: a lone surrogate has no UTF-8. */
  text(text: string): this {
    const units = text.length;
    if (units > 127) return this.#longText(text);
    this.#reserve(units + 1);
    const bytes = this.#bytes;
    const start = this.#length;
    for (let i = 0; i < units; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 127) return this.#longText(text);
      bytes[start + 1 + i] = unit;
    }
    bytes[start] = units;
    this.#length = start + 1 + units;
    return this;
  }

  #longText(text: string): this {
    const bytes = encoder.encode(text);
    return this.varint(bytes.length).raw(bytes);
  }

  /** Leaves room for the length of a section. Give the result to `endSection`. */
  beginSection(): number {
    this.#reserve(4);
    this.#length += 4;
    return this.#length;
  }

  endSection(start: number): void {
    const size = this.#length - start;
    for (let i = 0; i < 4; i++) this.#bytes[start - 4 + i] = (size >>> (8 * i)) & 255;
  }

  /** Room for `length` bytes that the caller fills at once: the next write may move them. */
  room(length: number): Uint8Array {
    this.#reserve(length);
    this.#length += length;
    return this.#bytes.subarray(this.#length - length, this.#length);
  }

  copyTo(into: Uint8Array, at: number): void {
    into.set(this.#bytes.subarray(0, this.#length), at);
  }

  /** Begins a part of a frame: its kind, and room for the length of most. See `endPart`. */
  beginPart(kind: number): number {
    this.#reserve(1 + PART_LENGTH_ROOM);
    this.#bytes[this.#length] = kind;
    this.#length += 1 + PART_LENGTH_ROOM;
    return this.#length;
  }

  /** Ends the part that began there: its length takes the shortest form, and its body follows. */
  endPart(start: number): void {
    const size = this.#length - start;
    const digits = varintLength(size);
    const at = start - PART_LENGTH_ROOM;
    const shift = digits - PART_LENGTH_ROOM;
    if (shift !== 0) {
      if (shift > 0) this.#reserve(shift);
      this.#bytes.copyWithin(start + shift, start, start + size);
    }
    this.#length = at;
    this.varint(size);
    this.#length += size;
  }

  /**
   * Writes a byte for each of the first `count` of `rows` (absent: of the rows from 0 on), unless
   * one of the values does not fit: then it writes nothing and answers false. PERF: one pass.
   */
  differences(values: Int32Array, rows: Uint32Array | undefined, count: number): boolean {
    this.#reserve(count);
    const bytes = this.#bytes;
    let at = this.#length;
    let bits = 0;
    for (let i = 0; i < count; i++) {
      const value = values[rows === undefined ? i : (rows[i] as number)] as number;
      bits |= value ^ (value >> 31);
      bytes[at++] = value;
    }
    if (bits > 127) return false;
    this.#length = at;
    return true;
  }

  /** Forgets what was written beyond the first `length` bytes. */
  truncate(length: number): void {
    assert(length <= this.#length, 'only what was written is forgotten');
    this.#length = length;
  }

  /** A copy of what was written from there on. */
  from(start: number): Uint8Array {
    return this.#bytes.slice(start, this.#length);
  }

  /** Writes what another writer holds between two places. PERF: parts are short; no view is made. */
  copy(other: ByteWriter, start: number, end: number): void {
    this.#reserve(end - start);
    const source = other.#bytes;
    if (end - start > COPIED_ONE_BY_ONE_MAX) {
      this.#bytes.set(source.subarray(start, end), this.#length);
      this.#length += end - start;
      return;
    }
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = start; i < end; i++) bytes[at++] = source[i] as number;
    this.#length = at;
  }

  /** An exact copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

/** Reads one body or frame. Everything it refuses is `BODY_MALFORMED`, naming the body and the byte. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  readonly #end: number;
  #at: number;

  /** `what` names the bytes in errors: 'commit', 'checkpoint', 'frame'. */
  constructor(bytes: Uint8Array, what: string, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#what = what;
    this.#at = start;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  /** The error to throw for what was just read. */
  fault(message: string, cause?: unknown): LeaseholdError {
    return new LeaseholdError(
      'BODY_MALFORMED',
      `${this.#what} body, byte ${this.#at} of ${this.#end}: ${message}`,
      {
        field: `${this.#what} body`,
        value: `byte ${this.#at} of ${this.#end}`,
        remedy: this.#what === 'frame' ? FRAME_REMEDY : STORED_REMEDY,
      },
      cause === undefined ? undefined : { cause },
    );
  }

  u8(): number {
    if (this.#at >= this.#end) throw this.fault('it ends too early');
    return this.#bytes[this.#at++] as number;
  }

  /** The next byte, which stays to be read. */
  peek(): number {
    const byte = this.u8();
    this.#at--;
    return byte;
  }

  u32(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 24; scale *= 256) value += this.u8() * scale;
    return value;
  }

  f64(): number {
    F64_BYTES.set(this.raw(8));
    return F64[0] as number;
  }

  /** The next varint, which stays to be read. */
  peekVarint(): number {
    const at = this.#at;
    const value = this.varint();
    this.#at = at;
    return value;
  }

  varint(): number {
    const first = this.u8();
    if (first < 128) return first;
    let value = first & 127;
    for (let scale = 128; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte >= 128) {
        if (scale >= 2 ** 49) throw this.fault('a number has too many bytes');
        continue;
      }
      if (byte === 0) throw this.fault('a number is not in its shortest form');
      if (value > Number.MAX_SAFE_INTEGER) throw this.fault('a number is beyond 2^53');
      return value;
    }
  }

  /**
   * A count of things that take at least `bytesEach` bytes: refused before anything is allocated.
   */
  count(what: string, bytesEach = 1): number {
    const count = this.varint();
    this.fits(count, bytesEach, what);
    return count;
  }

  fits(count: number, bytesEach: number, what: string): void {
    if (count * bytesEach > this.remaining) {
      throw this.fault(`${count} ${what} do not fit into ${this.remaining} bytes`);
    }
  }

  /** A view of the next bytes, not a copy. */
  raw(length: number): Uint8Array {
    if (length > this.remaining) throw this.fault(`${length} bytes do not fit`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  ids(what: string): number[] {
    const count = this.count(what);
    const ids: number[] = [];
    this.#idsInto(ids, count);
    return ids;
  }

  /** As `ids`, in a typed array. */
  idColumn(what: string): Float64Array {
    const ids = new Float64Array(this.count(what));
    this.#idsInto(ids, ids.length);
    return ids;
  }

  #idsInto(ids: number[] | Float64Array, count: number): void {
    let previous = -1;
    for (let i = 0; i < count; i++) {
      previous += this.varint() + 1;
      if (previous > Number.MAX_SAFE_INTEGER) throw this.fault('an id is beyond 2^53');
      ids[i] = previous;
    }
  }

  text(): string {
    return this.plainText(this.count('bytes of text'));
  }

  /** The next `length` bytes as text. */
  plainText(length: number): string {
    const bytes = this.raw(length);
    if (bytes.length < 24) {
      // PERF: a call into TextDecoder costs about 300 ns; most strings are short and plain.
      let text = '';
      let i = 0;
      for (; i < bytes.length; i++) {
        const unit = bytes[i] as number;
        if (unit > 127) break;
        text += String.fromCharCode(unit);
      }
      if (i === bytes.length) return text;
    }
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw this.fault('text is not UTF-8', cause);
    }
  }

  /** A reader of the next section alone. */
  section(): ByteReader {
    return this.part(this.u32());
  }

  /** A reader of the next `size` bytes alone. */
  part(size: number): ByteReader {
    if (size > this.remaining) throw this.fault(`a section of ${size} bytes does not fit`);
    const section = new ByteReader(this.#bytes, this.#what, this.#at, this.#at + size);
    this.#at += size;
    return section;
  }

  end(): void {
    if (this.remaining !== 0) throw this.fault(`${this.remaining} bytes too many`);
  }
}
