/**
 * The last versions of a face: in which round, and at which position of the cell's log. A ring of
 * numbers. PERF: a version costs no allocation, and nearly every question is about the last two.
 */
import { assert } from '@leasehold/kernel';

const ROUND = 0;
const SEQ = 1;
const HASH = 2;
const WIDTH = 3;

export class Versions {
  readonly #ring: Float64Array;
  readonly #max: number;
  /** Slot of the newest. */
  #at = 0;
  #count = 0;

  constructor(max: number) {
    this.#max = max;
    this.#ring = new Float64Array(max * WIDTH);
  }

  clear(): void {
    this.#count = 0;
  }

  /** Rounds ascend. */
  push(round: number, seq: number, hash: number): void {
    this.#at = this.#at + 1 === this.#max ? 0 : this.#at + 1;
    if (this.#count < this.#max) this.#count++;
    const from = this.#at * WIDTH;
    this.#ring[from + ROUND] = round;
    this.#ring[from + SEQ] = seq;
    this.#ring[from + HASH] = hash;
  }

  /** The round of the oldest that is remembered; there must be one. */
  get oldest(): number {
    return this.#ring[this.#slot(this.#count - 1) * WIDTH + ROUND] as number;
  }

  #slot(age: number): number {
    const slot = this.#at - age;
    return slot < 0 ? slot + this.#max : slot;
  }

  has(round: number): boolean {
    return this.#find(round) >= 0;
  }

  /** Puts where the version of a round stands, which must be there, into `into`. */
  read(round: number, into: { seq: number; hash: number }): void {
    const slot = this.#find(round);
    assert(slot >= 0, 'a delta is told from a version that is known');
    into.seq = this.#ring[slot * WIDTH + SEQ] as number;
    into.hash = this.#ring[slot * WIDTH + HASH] as number;
  }

  #find(round: number): number {
    for (let age = 0; age < this.#count; age++) {
      const slot = this.#slot(age);
      const known = this.#ring[slot * WIDTH + ROUND] as number;
      if (known === round) return slot;
      if (known < round) return -1;
    }
    return -1;
  }
}
