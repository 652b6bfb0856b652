/** What cells weigh for a policy: by cell and over any rectangle, with the border of it. */
import type { Rect } from '@leasehold/protocol';
import type { Loads } from './loads.ts';
import type { PlanGrid, PlanInput } from './policy.ts';
import { type PlanSettings, planSettings } from './settings.ts';
import { Sums } from './sums.ts';

/**
 * This part of the load is spread over all cells: where nothing happens, space is divided as
 * evenly as what costs nothing can be.
 */
const SPREAD = 0.001;
/** And this, for a world in which nothing happens at all. */
const CELL_MS_MIN = 1e-6;

export class Weights {
  readonly grid: PlanGrid;
  readonly settings: PlanSettings;
  readonly cells: number;
  readonly byCell: Float64Array;
  readonly totalMs: number;
  readonly #ticks: Sums;
  readonly #halo: Sums;

  /** @param cellMsMax a heavier cell counts as this: what is beyond a pod cannot be spread. */
  constructor(input: Pick<PlanInput, 'grid' | 'loads' | 'settings'>, cellMsMax = Infinity) {
    const { grid, loads } = input;
    this.grid = grid;
    this.settings = planSettings(input.settings);
    this.cells = grid.columns * grid.rows;
    this.byCell = new Float64Array(this.cells);
    const halo = new Float64Array(this.cells);
    // Loads of a grid of another size say nothing about this one.
    if (loads.tickMs.length !== this.cells) this.byCell.fill(CELL_MS_MIN);
    else this.#weigh(loads, halo, cellMsMax);
    this.#ticks = new Sums(grid, this.byCell);
    this.#halo = new Sums(grid, halo);
    this.totalMs = this.of({ column: 0, row: 0, columns: grid.columns, rows: grid.rows });
  }

  #weigh({ tickMs, entities }: Loads, halo: Float64Array, cellMsMax: number): void {
    const { borderCellMs, borderEntityMs } = this.settings;
    let total = 0;
    for (let cell = 0; cell < this.cells; cell++) total += Math.min(tickMs[cell]!, cellMsMax);
    const idleMs = Math.max(CELL_MS_MIN, (SPREAD * total) / this.cells);
    for (let cell = 0; cell < this.cells; cell++) {
      this.byCell[cell] = Math.min(tickMs[cell]!, cellMsMax) + idleMs;
      if (entities[cell]! > 0) halo[cell] = borderCellMs + entities[cell]! * borderEntityMs;
    }
  }

  /** Tick time of the cells of a rectangle. */
  of(rect: Rect): number {
    return this.#ticks.of(rect);
  }

  /** The cell that costs most; of those that cost the same, the first. */
  heaviest({ column, row, columns, rows }: Rect): { readonly cell: number; readonly ms: number } {
    let heaviest = -1;
    let most = -1;
    for (let y = row; y < row + rows; y++) {
      for (let x = column; x < column + columns; x++) {
        const cell = y * this.grid.columns + x;
        if (this.byCell[cell]! > most) [heaviest, most] = [cell, this.byCell[cell]!];
      }
    }
    return { cell: heaviest, ms: most };
  }

  /** What following the cells around a rectangle costs its holder. */
  borderMs(rect: Rect): number {
    return this.#halo.around(rect, this.grid);
  }

  /** What both sides of a cut through a rectangle pay for following each other across it. */
  cutMs(rect: Rect, axis: 'column' | 'row', at: number): number {
    const strip =
      axis === 'column'
        ? { ...rect, column: at - 1, columns: 2 }
        : { ...rect, row: at - 1, rows: 2 };
    return this.#halo.of(strip);
  }
}
