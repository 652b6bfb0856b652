/**
 * Which cells nobody needs to hold. A cell is busy when something is in it or in one of its
 * neighbours: whoever is about to cross into it finds it awake. Whatever comes to a cell that sleeps
 * all the same wakes it by itself (its sender holds it), so being wrong costs a moment.
 */
import type { Loads } from '@leasehold/plan';
import type { Plan } from '@leasehold/protocol';

export type SleepGrid = {
  readonly cells: number;
  neighbours(cell: number): Iterable<number>;
};

export class Sleep {
  readonly #grid: SleepGrid;
  readonly #idleMs: number;
  readonly #busyMs: Float64Array;

  /** `asleep`: as the plan in force says; all others have just been busy, for all that is known. */
  constructor(grid: SleepGrid, idleMs: number, asleep: Plan['asleep'], nowMs: number) {
    this.#grid = grid;
    this.#idleMs = idleMs;
    this.#busyMs = new Float64Array(grid.cells).fill(nowMs);
    for (const [first, count] of asleep) {
      this.#busyMs.fill(Number.NEGATIVE_INFINITY, first, first + count);
    }
  }

  /** Cells that are to sleep now, as runs. */
  look({ entities }: Loads, nowMs: number): Plan['asleep'] {
    if (this.#idleMs === 0) return [];
    for (let cell = 0; cell < this.#grid.cells; cell++) {
      if ((entities[cell] as number) <= 0) continue;
      this.#busyMs[cell] = nowMs;
      for (const other of this.#grid.neighbours(cell)) this.#busyMs[other] = nowMs;
    }
    const runs: [number, number][] = [];
    for (let cell = 0; cell < this.#grid.cells; cell++) {
      if (nowMs - (this.#busyMs[cell] as number) < this.#idleMs) continue;
      const last = runs.at(-1);
      if (last !== undefined && last[0] + last[1] === cell) last[1]++;
      else runs.push([cell, 1]);
    }
    return runs;
  }
}

/** How many cells there are in runs. */
export const cellsOf = (runs: Plan['asleep']): number =>
  runs.reduce((sum, [, count]) => sum + count, 0);

/** Whether two lists of runs name the same cells. */
export const areSame = (a: Plan['asleep'], b: Plan['asleep']): boolean =>
  a.length === b.length &&
  a.every(([first, count], i) => first === b[i]?.[0] && count === b[i]?.[1]);
