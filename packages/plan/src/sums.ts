/** Sums over any rectangle of cells in four look-ups, and what the cells around it add up to. */
import type { Rect } from '@leasehold/protocol';
import type { PlanGrid } from './policy.ts';

/**
 * PERF: a summed-area table. A plan for 100 pods asks for some ten thousand sums; cell by cell they
 * would cost seconds.
 */
export class Sums {
  readonly #width: number;
  readonly #at: Float64Array;

  constructor(grid: PlanGrid, values: Float64Array) {
    const { columns, rows } = grid;
    this.#width = columns + 1;
    this.#at = new Float64Array((columns + 1) * (rows + 1));
    for (let row = 0; row < rows; row++) {
      const above = row * this.#width;
      let sum = 0;
      for (let column = 0; column < columns; column++) {
        sum += values[row * columns + column]!;
        this.#at[above + this.#width + column + 1] = this.#at[above + column + 1]! + sum;
      }
    }
  }

  of(rect: Rect): number {
    return this.between(rect.column, rect.row, rect.column + rect.columns, rect.row + rect.rows);
  }

  /** From a column and row up to, and without, another. */
  between(column: number, row: number, columnEnd: number, rowEnd: number): number {
    const at = this.#at;
    const low = row * this.#width;
    const high = rowEnd * this.#width;
    return at[high + columnEnd]! - at[high + column]! - at[low + columnEnd]! + at[low + column]!;
  }

  /** Of the cells that touch a rectangle from outside, through seams too. */
  around(rect: Rect, grid: PlanGrid): number {
    let sum = 0;
    const across = spans(rect.column, rect.columns, grid.columns, grid.wrapsX);
    for (const [row, rowEnd] of spans(rect.row, rect.rows, grid.rows, grid.wrapsY)) {
      for (const [column, columnEnd] of across) sum += this.between(column, row, columnEnd, rowEnd);
    }
    return sum - this.of(rect);
  }
}

/** One cell more on each side, as up to two stretches of the axis. */
function spans(from: number, count: number, length: number, wraps: boolean): [number, number][] {
  if (count + 2 >= length && wraps) return [[0, length]];
  const low = from - 1;
  const high = from + count + 1;
  const inside: [number, number] = [Math.max(0, low), Math.min(length, high)];
  if (wraps && low < 0) return [inside, [length - 1, length]];
  if (wraps && high > length) return [inside, [0, 1]];
  return [inside];
}
