/**
 * A 64-bit hash of bytes, for chaining a log and comparing states. Not for secrets: nobody who can
 * write a log is kept out by it.
 *
 * Two lanes of 32 bits over 32-bit words, mixed as in MurmurHash3 x86_128 (Appleby, public domain).
 * Own code because it must be synchronous, run in a browser, and allocate nothing per call.
 */
const C1 = 0x239b961b;
const C2 = 0xab0e9789;

const rotate = (x: number, r: number): number => (x << r) | (x >>> (32 - r));

function finish(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Feed bytes, numbers and text in order; read `hex`. Reset to use again. */
export class Hasher {
  #a = 0;
  #b = 0;
  #length = 0;

  reset(): this {
    this.#a = 0x2f0b4c47;
    this.#b = 0x6c62272e;
    this.#length = 0;
    return this;
  }

  constructor() {
    this.reset();
  }

  u32(word: number): this {
    let a = this.#a ^ Math.imul(rotate(Math.imul(word, C1), 15), C2);
    let b = this.#b ^ Math.imul(rotate(Math.imul(word, C2), 16), C1);
    a = (Math.imul(rotate(a, 19) + b, 5) + 0x561ccd1b) | 0;
    b = (Math.imul(rotate(b, 17) + a, 5) + 0x0bcaa747) | 0;
    this.#a = a;
    this.#b = b;
    this.#length += 4;
    return this;
  }

  /** A float64 by its bits, so −0 and 0 differ. */
  f64(value: number): this {
    F64[0] = value;
    return this.u32(U32[0] as number).u32(U32[1] as number);
  }

  bytes(bytes: Uint8Array): this {
    const whole = bytes.length & ~3;
    let i = 0;
    for (; i < whole; i += 4) {
      this.u32(
        (bytes[i] as number) |
          ((bytes[i + 1] as number) << 8) |
          ((bytes[i + 2] as number) << 16) |
          ((bytes[i + 3] as number) << 24),
      );
    }
    let tail = 0;
    for (let shift = 0; i < bytes.length; i++, shift += 8) tail |= (bytes[i] as number) << shift;
    return this.u32(tail).u32(bytes.length);
  }

  /** Text by its UTF-16 code units. */
  text(text: string): this {
    for (let i = 0; i < text.length; i++) this.u32(text.charCodeAt(i));
    return this.u32(text.length);
  }

  /** Sixteen lower-case hex digits. */
  hex(): string {
    let a = (this.#a ^ this.#length) | 0;
    let b = (this.#b ^ this.#length) | 0;
    a = (a + b) | 0;
    b = (b + a) | 0;
    a = finish(a);
    b = finish(b);
    a = (a + b) >>> 0;
    b = (b + a) >>> 0;
    return a.toString(16).padStart(8, '0') + b.toString(16).padStart(8, '0');
  }
}

const F64 = new Float64Array(1);
const U32 = new Uint32Array(F64.buffer);

/** The hash of a byte string in one call. */
export function hashOf(bytes: Uint8Array): string {
  return new Hasher().bytes(bytes).hex();
}
