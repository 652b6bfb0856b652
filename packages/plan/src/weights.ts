/** What cells weigh for a policy: by cell and over any rectangle, with the border of it. */
import type { Rect } from '@leasehold/protocol';
import type { PlanGrid, PlanInput } from './policy.ts';
import { cellsIn } from './rects.ts';
import { PLAN_SETTINGS, type PlanSettings } from './settings.ts';
import { Sums } from './sums.ts';

export class Weights {
  readonly grid: PlanGrid;
  readonly settings: PlanSettings;
  readonly cells: number;
  readonly byCell: Float64Array;
  readonly #ticks: Sums;
  readonly #entities: Sums;

  /** @param shareMs where a cell is heavier, it counts as this: more than a pod cannot be spread. */
  constructor(input: Pick<PlanInput, 'grid' | 'loads' | 'settings'>, shareMs = Infinity) {
    const { grid, loads } = input;
    this.grid = grid;
    this.settings = { ...PLAN_SETTINGS, ...input.settings };
    this.cells = grid.columns * grid.rows;
    this.byCell = new Float64Array(this.cells);
    const isMeasured = loads.tickMs.length === this.cells;
    for (let cell = 0; cell < this.cells; cell++) {
      const tickMs = isMeasured ? loads.tickMs[cell]! : 0;
      this.byCell[cell] = Math.min(tickMs + this.settings.cellMs, shareMs);
    }
    this.#ticks = new Sums(grid, this.byCell);
    this.#entities = new Sums(grid, isMeasured ? loads.entities : new Float64Array(this.cells));
  }

  get totalMs(): number {
    return this.of({ column: 0, row: 0, columns: this.grid.columns, rows: this.grid.rows });
  }

  /** Tick time of the cells of a rectangle. */
  of(rect: Rect): number {
    return this.#ticks.of(rect);
  }

  /** What following the cells around a rectangle costs its holder. */
  borderOf(rect: Rect): number {
    const { borderCellMs, borderEntityMs } = this.settings;
    const entities = this.#entities.around(rect, this.grid);
    return entities * borderEntityMs + aroundCount(rect, this.grid) * borderCellMs;
  }

  /** What both sides of a cut through a rectangle pay for following each other across it. */
  cutMs(rect: Rect, axis: 'column' | 'row', at: number): number {
    const { borderCellMs, borderEntityMs } = this.settings;
    const strip =
      axis === 'column'
        ? { ...rect, column: at - 1, columns: 2 }
        : { ...rect, row: at - 1, rows: 2 };
    return this.#entities.of(strip) * borderEntityMs + cellsIn(strip) * borderCellMs;
  }

  /** The score of a region: its tick time and its border. */
  scoreOf(rect: Rect): number {
    return this.of(rect) + this.borderOf(rect);
  }
}

/** How many cells touch a rectangle from outside. */
function aroundCount(rect: Rect, { columns, rows, wrapsX, wrapsY }: PlanGrid): number {
  const across = reach(rect.column, rect.columns, columns, wrapsX);
  const up = reach(rect.row, rect.rows, rows, wrapsY);
  return across * up - cellsIn(rect);
}

function reach(from: number, count: number, length: number, wraps: boolean): number {
  if (wraps) return Math.min(length, count + 2);
  return Math.min(length, from + count + 1) - Math.max(0, from - 1);
}
