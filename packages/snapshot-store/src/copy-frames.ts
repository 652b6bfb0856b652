/**
 * Rows as binary COPY takes them: a frame of big-endian lengths around each value. One buffer is
 * used again and again; what is full is handed on.
 */

/** As much as a socket takes at once; more only makes the other side wait. */
const CHUNK_BYTES = 128 * 1024;
const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const TRAILER = Buffer.from([0xff, 0xff]);
const JSONB_VERSION = 1;
const POINT = 1;
const WITH_SRID = 0x2000_0000;
/** Of UTF-16, in UTF-8. */
const BYTES_PER_UNIT_MAX = 3;

export class CopyFrames {
  #bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES * 2);
  #at = 0;

  constructor() {
    this.#at = HEADER.copy(this.#bytes, 0);
  }

  get isFull(): boolean {
    return this.#at >= CHUNK_BYTES;
  }

  /** What was written since; the caller may keep it. */
  take(): Buffer {
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    return bytes;
  }

  end(): Buffer {
    this.#room(TRAILER.length);
    this.#at += TRAILER.copy(this.#bytes, this.#at);
    return this.take();
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#at + more, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }

  row(fields: number): this {
    this.#room(2);
    this.#at = this.#bytes.writeInt16BE(fields, this.#at);
    return this;
  }

  int4(value: number): this {
    this.#room(8);
    this.#at = this.#bytes.writeInt32BE(4, this.#at);
    this.#at = this.#bytes.writeInt32BE(value, this.#at);
    return this;
  }

  /** A safe integer ≥ 0. */
  int8(value: number): this {
    this.#room(12);
    this.#at = this.#bytes.writeInt32BE(8, this.#at);
    this.#at = this.#bytes.writeUInt32BE(Math.floor(value / 2 ** 32), this.#at);
    this.#at = this.#bytes.writeUInt32BE(value % 2 ** 32, this.#at);
    return this;
  }

  nothing(): this {
    this.#room(4);
    this.#at = this.#bytes.writeInt32BE(-1, this.#at);
    return this;
  }

  text(value: string): this {
    return this.#plain(value, 0);
  }

  jsonb(value: string): this {
    return this.#plain(value, 1);
  }

  #plain(value: string, versionBytes: number): this {
    this.#room(5 + value.length * BYTES_PER_UNIT_MAX);
    const start = this.#at + 4;
    if (versionBytes === 1) this.#bytes[start] = JSONB_VERSION;
    const length = versionBytes + this.#bytes.write(value, start + versionBytes, 'utf8');
    this.#bytes.writeInt32BE(length, this.#at);
    this.#at = start + length;
    return this;
  }

  /** PostGIS takes the numbers as this machine has them; the first byte says which way round. */
  point(x: number, y: number, srid: number): this {
    this.#room(29);
    const bytes = this.#bytes;
    let at = bytes.writeInt32BE(srid === 0 ? 21 : 25, this.#at);
    at = bytes.writeUInt8(1, at);
    at = bytes.writeUInt32LE(srid === 0 ? POINT : POINT + WITH_SRID, at);
    if (srid !== 0) at = bytes.writeUInt32LE(srid, at);
    at = bytes.writeDoubleLE(x, at);
    this.#at = bytes.writeDoubleLE(y, at);
    return this;
  }
}
