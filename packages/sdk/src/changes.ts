/**
 * Which rows changed during the previous tick, for `changed` filters. Kept by id, because rows move
 * between ticks; the same on a pod that simulated that tick and on one that followed it (T1).
 */
import type { Table } from '@leasehold/protocol';

const ALL = 0xffffffff;
/** PERF: what all share that remember nobody. */
const NO_IDS = new Float64Array(0);
const NO_MARKS = new Uint32Array(0);

export class ChangeMemory {
  #ids = NO_IDS;
  #marks = NO_MARKS;
  #count = 0;
  #aligned = NO_MARKS;

  /**
   * Remembers a table at the end of a tick, its marks not yet cleared. `births` are left out, so
   * that they count as changed: so does everybody who is not remembered.
   */
  take(table: Table, births: Table): void {
    if (this.#ids.length < table.count) {
      this.#ids = new Float64Array(table.ids.length);
      this.#marks = new Uint32Array(table.ids.length);
    }
    let count = 0;
    let born = 0;
    for (let row = 0; row < table.count; row++) {
      const id = table.ids[row] as number;
      while (born < births.count && (births.ids[born] as number) < id) born++;
      if (born < births.count && births.ids[born] === id) continue;
      this.#ids[count] = id;
      this.#marks[count++] = this.#marksOf(table, row);
    }
    this.#count = count;
  }

  #marksOf(table: Table, row: number): number {
    if (table.maskDirty[row] !== 0) return ALL;
    let marks = 0;
    for (let c = 0; c < table.dirty.length; c++) {
      if (table.dirty[c]?.[row] !== 0) marks |= 2 ** c;
    }
    return marks;
  }

  /** Per row of the table: bit c, component c changed. Valid until the next call. */
  align(table: Table): Uint32Array {
    if (this.#aligned.length < table.count) this.#aligned = new Uint32Array(table.ids.length);
    let known = 0;
    for (let row = 0; row < table.count; row++) {
      const id = table.ids[row] as number;
      while (known < this.#count && (this.#ids[known] as number) < id) known++;
      const isKnown = known < this.#count && this.#ids[known] === id;
      this.#aligned[row] = isKnown ? (this.#marks[known] as number) : ALL;
    }
    return this.#aligned;
  }

  /** Forgets: everybody counts as changed. */
  clear(): void {
    this.#count = 0;
  }
}
