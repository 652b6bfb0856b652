/**
 * Rounds, and at which position of a cell's log the cell stood in each. A ring of numbers. PERF: a
 * round costs no allocation, and nearly every question is about the last two.
 */
const ROUND = 0;
const SEQ = 1;
const HASH = 2;
const WIDTH = 3;

export type LogPosition = { seq: number; hash: number };

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

  /** The oldest round that is remembered; infinite if none is. */
  get oldest(): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : this.#round(this.#count - 1);
  }

  #round(age: number): number {
    return this.#ring[this.#slot(age) * WIDTH + ROUND] as number;
  }

  #slot(age: number): number {
    const slot = this.#at - age;
    return slot < 0 ? slot + this.#max : slot;
  }

  /** Puts where the cell stood in exactly this round into `into`; false if that is not known. */
  readAt(round: number, into: LogPosition): boolean {
    const age = this.#ageAt(round);
    return age < this.#count && this.#round(age) === round && this.#read(age, into);
  }

  /** As `readAt`, but in the latest round that is not after this one. */
  readBy(round: number, into: LogPosition): boolean {
    const age = this.#ageAt(round);
    return age < this.#count && this.#read(age, into);
  }

  #ageAt(round: number): number {
    let age = 0;
    while (age < this.#count && this.#round(age) > round) age++;
    return age;
  }

  #read(age: number, into: LogPosition): true {
    const from = this.#slot(age) * WIDTH;
    into.seq = this.#ring[from + SEQ] as number;
    into.hash = this.#ring[from + HASH] as number;
    return true;
  }
}
