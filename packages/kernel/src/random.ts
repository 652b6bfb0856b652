/**
 * Counter-based randomness: a draw is a pure function of (seed, entity, tick, salt, n), so a tick
 * gives the same numbers on any pod and however often it is repeated (T1).
 *
 * The mixer is two rounds of the 32-bit finaliser of MurmurHash3 (Appleby, public domain) over a
 * keyed Weyl sequence; 32-bit multiplies only, so no BigInt and no allocation per draw.
 */
function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const WEYL = 0x9e3779b9;

/** A stream of draws. `key` starts a new stream without allocating. */
export class Random {
  #a = 0;
  #b = 0;
  #n = 0;

  /** Starts the stream of (seed, entity, tick, salt). Seed, tick and salt are 32-bit integers. */
  key(seed: number, entity: number, tick: number, salt: number): this {
    const low = entity >>> 0;
    const high = Math.floor(entity / 2 ** 32) >>> 0;
    this.#a = mix(mix(mix(seed >>> 0) ^ low) + high);
    this.#b = mix(mix((tick >>> 0) + WEYL) ^ mix((salt >>> 0) + this.#a));
    this.#n = 0;
    return this;
  }

  /** An integer in 0 … 2^32 − 1. */
  next(): number {
    this.#n = (this.#n + WEYL) >>> 0;
    return mix(mix(this.#n ^ this.#a) + this.#b);
  }

  /** A float in [0, 1) with 53 random bits. */
  float(): number {
    const high = this.next() >>> 5;
    return (high * 2 ** 26 + (this.next() >>> 6)) / 2 ** 53;
  }

  /** A float in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.float();
  }

  /** An integer in 0 … n − 1; n at most 2^32. The bias is below n / 2^53. */
  below(n: number): number {
    return Math.floor(this.float() * n);
  }

  /** True with probability p. */
  chance(p: number): boolean {
    return this.float() < p;
  }

  /** A normal deviate with mean 0 and deviation 1 (Box and Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
    return radius * Math.cos(2 * Math.PI * this.float());
  }
}

/** A stream for tests, seeding and fault schedules. */
export function createRandom(seed: number): Random {
  return new Random().key(seed, 0, 0, 0);
}

/** A 32-bit salt from a name, so that two systems never share a stream. */
export function saltOf(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return mix(h);
}
