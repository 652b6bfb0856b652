/**
 * Runs the systems of a layer over one cell after another. Its buffers are shared by all cells, so
 * it works on one cell at a time.
 */
import { assert, hasCode, LeaseholdError } from '@leasehold/kernel';
import type { Column } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import { ENDED, type Placement } from './births.ts';
import type { CellState } from './cell.ts';
import type { Lattice } from './lattice.ts';
import type { Box, Neighbourhood } from './neighbourhood.ts';
import type { RowSet } from './rows.ts';
import type { Delivery, RunningSystem } from './running.ts';
import { CellView, type ViewField } from './view.ts';

export type RunInput = {
  readonly tick: number;
  /** Which components of each row changed in the previous tick; only where a system asks. */
  readonly changes: Uint32Array | undefined;
  /** The cell itself at the end of the previous tick. */
  readonly own: CellView | undefined;
  view(cell: number): CellView | undefined;
};

export type RunnerOptions = {
  readonly grid: Grid;
  readonly placement: Placement;
  readonly systems: readonly RunningSystem[];
  readonly rows: RowSet;
  readonly pool: Neighbourhood | undefined;
  readonly lattice: Lattice | undefined;
  readonly viewFields: readonly ViewField[];
  /** A monotonic clock in ms, if times are wanted. */
  readonly time: (() => number) | undefined;
};

export class Runner {
  /** Milliseconds spent in each system since the engine was compiled; 0 without a clock. */
  readonly systemMs: Float64Array;
  readonly #options: RunnerOptions;
  readonly #now: CellView;
  readonly #box: Box = { minX: 0, maxX: 0, minY: 0, maxY: 0 };
  #rows = new Int32Array(0);
  #isRunning = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.systemMs = new Float64Array(options.systems.length);
    this.#now = new CellView(-1, options.viewFields);
  }

  run(cell: CellState, input: RunInput): void {
    assert(!this.#isRunning, 'a system does not step a cell');
    this.#isRunning = true;
    const { systems, rows, time } = this.#options;
    rows.point(cell.table);
    try {
      for (let s = 0; s < systems.length; s++) {
        const startMs = time?.() ?? 0;
        this.#runSystem(systems[s] as RunningSystem, cell, input);
        this.systemMs[s] = (this.systemMs[s] as number) + ((time?.() ?? 0) - startMs);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  #runSystem(system: RunningSystem, cell: CellState, input: RunInput): void {
    const { context } = system;
    context.host(cell, input.tick);
    const { cursor } = this.#options.rows;
    cursor.row = -1;
    try {
      if (system.on !== undefined) {
        this.#deliver(system, cell, input);
        return;
      }
      if (this.#takesAll(system, cell)) {
        system.loop.all(cell.table.count);
        return;
      }
      const count = this.#list(system, cell, input.changes);
      if (count === 0) return;
      const rows = this.#rows;
      if (system.radius > 0) this.#gather(system, cell, input, count);
      if (system.isSequential) {
        context.shuffle(rows, count, cell.cell);
        system.loop.turns(rows, count, cell.requests.gone);
      } else if (system.isPlain) system.loop.some(rows, count);
      else system.loop.each(rows, count);
    } catch (error) {
      const id = cursor.row === -1 ? 0 : (cell.table.ids[cursor.row] as number);
      throw failure(error, { system: system.name, cell: cell.cell, tick: input.tick, id });
    } finally {
      context.host(undefined, input.tick);
    }
  }

  /** Runs a system once for each event that reached a row that it matches. */
  #deliver(system: RunningSystem, cell: CellState, input: RunInput): void {
    const all = cell.mailroom.due(system.on?.event.event ?? '');
    if (all.length === 0) return;
    const { table, requests } = cell;
    const { required, forbidden } = system;
    const matching = all.filter(({ row }) => {
      const mask = table.masks[row] as number;
      const isMatching = (mask & required) === required && (mask & forbidden) === 0;
      return isMatching && requests.gone[row] !== ENDED;
    });
    if (matching.length === 0) return;
    if (this.#rows.length < matching.length) this.#rows = new Int32Array(matching.length);
    for (let i = 0; i < matching.length; i++) this.#rows[i] = (matching[i] as Delivery).row;
    if (system.radius > 0) this.#gather(system, cell, input, matching.length);
    system.take(matching, this.#options.rows.cursor);
  }

  /** Whether a system runs on every row of a cell, with nothing to be made ready for each. */
  #takesAll(system: RunningSystem, { requests, masks }: CellState): boolean {
    if (!system.isPlain || system.changed !== 0 || requests.ended > 0) return false;
    const { required, forbidden } = system;
    return (masks.inAll & required) === required && (masks.inAny & forbidden) === 0;
  }

  /**
   * Lists the rows that a system runs on, ascending; answers how many.
   *
   * PERF: the first pass has no branch that depends on a row. A herd among its grass is found in a
   * quarter of the time that one test after the other takes.
   */
  #list(system: RunningSystem, cell: CellState, changes: Uint32Array | undefined): number {
    const { table, requests } = cell;
    if (this.#rows.length < table.count) this.#rows = new Int32Array(table.ids.length);
    const { masks } = table;
    const { required, forbidden } = system;
    if ((required & forbidden) !== 0) return 0;
    const rows = this.#rows;
    const both = required | forbidden;
    const total = table.count;
    let count = 0;
    for (let row = 0; row < total; row++) {
      rows[count] = row;
      const other = ((masks[row] as number) & both) ^ required;
      // 1 if there is no other bit, else 0.
      count += ((other - 1) & ~other) >>> 31;
    }
    if (system.changed === 0 && requests.deaths === 0) return count;
    const least = system.isSequential ? 1 : ENDED;
    return this.#sift(count, { changes, wanted: system.changed, gone: requests.gone, least });
  }

  /** Keeps of the listed rows those that changed, and are not yet gone. */
  #sift(
    listed: number,
    { changes, wanted, gone, least }: Filter & { readonly changes: Uint32Array | undefined },
  ): number {
    const rows = this.#rows;
    let count = 0;
    for (let i = 0; i < listed; i++) {
      const row = rows[i] as number;
      if (wanted !== 0 && ((changes?.[row] ?? wanted) & wanted) === 0) continue;
      if ((gone[row] as number) < least) rows[count++] = row;
    }
    return count;
  }

  #gather(system: RunningSystem, cell: CellState, input: RunInput, count: number): void {
    const { grid, placement, pool, lattice } = this.#options;
    const { spatial } = placement;
    if (pool === undefined || spatial === undefined) return;
    const views: CellView[] = [];
    if (system.isSequential && system.squares === undefined) {
      this.#now.take(cell.table, input.tick, spatial);
      views.push(this.#now);
    }
    // Of the cell itself as it was, a sequential system sees only those who are on their way.
    if (input.own !== undefined && !(system.isSequential && !cell.hasInFlight))
      views.push(input.own);
    for (const neighbour of grid.neighbours(cell.cell)) {
      const view = input.view(neighbour);
      if (view !== undefined) views.push(view);
    }
    const live = system.isSequential ? cell.table : undefined;
    const { neighbourMask: mask, radius, movesNeighbours: takesAll, squares } = system;
    const isLattice = squares !== undefined && lattice !== undefined;
    if (views.length === 0) pool.clear();
    else {
      const box = this.#bound(cell, count);
      const isCopied = isLattice ? undefined : live;
      pool.gather(cell.cell, views, { mask, radius, box, live: isCopied, takesAll });
    }
    const { requests } = cell;
    if (isLattice) {
      lattice.lay(cell.cell, squares);
      lattice.fill(live, mask | (2 ** spatial.component), requests.gone);
    } else if (live !== undefined && requests.deaths > 0) {
      for (let row = 0; row < live.count; row++) if (requests.gone[row] !== 0) pool.drop(row);
    }
  }

  /** The smallest box, relative to the centre of the cell, that holds all listed rows. */
  #bound(cell: CellState, count: number): Box {
    const { grid, placement } = this.#options;
    const { component, x, y } = placement.spatial ?? { component: -1, x: 0, y: 0 };
    const columns = cell.table.columns[component] as Column[];
    const centreX = grid.centreX(cell.cell);
    const centreY = grid.centreY(cell.cell);
    const box = this.#box;
    box.minX = box.minY = Number.POSITIVE_INFINITY;
    box.maxX = box.maxY = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      const row = this.#rows[i] as number;
      const dx = grid.deltaX(centreX, columns[x]?.[row] as number);
      const dy = grid.deltaY(centreY, columns[y]?.[row] as number);
      if (dx < box.minX) box.minX = dx;
      if (dx > box.maxX) box.maxX = dx;
      if (dy < box.minY) box.minY = dy;
      if (dy > box.maxY) box.maxY = dy;
    }
    return box;
  }
}

type Filter = { readonly wanted: number; readonly gone: Uint8Array; readonly least: number };

type Place = {
  readonly system: string;
  readonly cell: number;
  readonly tick: number;
  readonly id: number;
};

function failure(cause: unknown, { system, cell, tick, id }: Place): LeaseholdError {
  const where = `entity ${id} in cell ${cell} at tick ${tick}`;
  if (hasCode(cause, 'SPATIAL_NOT_FINITE')) {
    const message = `system ${system}: ${cause.message}, ${where}`;
    const value = `${cause.detail.value}: ${where}`;
    const field = `${system}: ${cause.detail.field}`;
    return new LeaseholdError(
      'SPATIAL_NOT_FINITE',
      message,
      { ...cause.detail, field, value },
      { cause },
    );
  }
  const what = cause instanceof Error ? cause.message : String(cause);
  const message = `system ${system} failed on ${where}: ${what}`;
  const remedy =
    cause instanceof LeaseholdError
      ? cause.detail.remedy
      : 'Mend the system; the cell is tried again and then frozen, the rest of the world goes on.';
  return new LeaseholdError(
    'SYSTEM_FAILED',
    message,
    { field: system, value: where, remedy },
    { cause },
  );
}
