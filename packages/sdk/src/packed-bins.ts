/**
 * Rows in the order of their bins, for searches on a plane in which nobody moves (a cell list, Allen
 * and Tildesley 1987).
 *
 * PERF: those of neighbouring bins of one line stand next to each other, so that a search reads three
 * runs of memory instead of following nine lists.
 */
import type { Grid } from '@leasehold/spatial';
import { sortFirst } from './sort-first.ts';

/** Where the bins lie: `per` unit of the space, from an origin relative to the centre of a cell. */
export type BinLayout = {
  readonly centreX: number;
  readonly centreY: number;
  readonly originX: number;
  readonly originY: number;
  readonly perX: number;
  readonly perY: number;
  readonly binsX: number;
  readonly binsY: number;
  readonly radius: number;
  /** The radius, and what rounding may add to it. */
  readonly reach: number;
};

type Rows = {
  /** [row] */
  readonly bin: Int32Array;
  readonly ids: Float64Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
};

/** The bin at a distance from the first one's border, along one axis. */
export const binAlong = (offset: number, per: number, bins: number): number => {
  const slot = Math.floor(offset * per);
  return slot < 0 ? 0 : slot >= bins ? bins - 1 : slot;
};

export class PackedBins {
  /** Of the last `find`: rows, ascending. */
  found = new Int32Array(64);
  readonly #grid: Grid;
  #layout!: BinLayout;
  /** [bin] where it begins; it ends where the next one begins. */
  #starts = new Int32Array(0);
  #rows = new Int32Array(0);
  #ids = new Float64Array(0);
  #x = new Float64Array(0);
  #y = new Float64Array(0);

  constructor(grid: Grid) {
    this.#grid = grid;
  }

  /** Takes the first `count` of some rows. */
  fill(count: number, layout: BinLayout, { bin, ids, x, y }: Rows): void {
    this.#layout = layout;
    const bins = layout.binsX * layout.binsY;
    if (this.#starts.length <= bins) this.#starts = new Int32Array(bins + 1);
    if (this.#rows.length < count) this.#grow(ids.length);
    const starts = this.#starts.fill(0, 0, bins + 1);
    for (let row = 0; row < count; row++) (starts[bin[row] as number] as number)++;
    let end = 0;
    for (let b = 0; b <= bins; b++) {
      end += starts[b] as number;
      starts[b] = end;
    }
    // From the end of each bin down to its start, which is where `starts` points in the end.
    for (let row = count - 1; row >= 0; row--) {
      const at = --(starts[bin[row] as number] as number);
      this.#rows[at] = row;
      this.#ids[at] = ids[row] as number;
      this.#x[at] = x[row] as number;
      this.#y[at] = y[row] as number;
    }
  }

  /**
   * Finds all but `id` itself within the radius of a point; answers how many. PERF: whether somebody is
   * in reach cannot be foreseen, so each is written down, and counts or is overwritten by the next.
   */
  find(id: number, x: number, y: number): number {
    const grid = this.#grid;
    const { centreX, centreY, originX, originY, perX, perY, binsX, binsY, radius, reach } =
      this.#layout;
    const starts = this.#starts;
    const rows = this.#rows;
    const ids = this.#ids;
    const xs = this.#x;
    const ys = this.#y;
    const square = radius * radius;
    const halfX = grid.wrapsX ? grid.width / 2 : Number.POSITIVE_INFINITY;
    const halfY = grid.wrapsY ? grid.height / 2 : Number.POSITIVE_INFINITY;
    const localX = grid.deltaX(centreX, x) - originX;
    const localY = grid.deltaY(centreY, y) - originY;
    const left = binAlong(localX - reach, perX, binsX);
    const right = binAlong(localX + reach, perX, binsX);
    const low = binAlong(localY - reach, perY, binsY);
    const high = binAlong(localY + reach, perY, binsY);
    let count = 0;
    for (let line = low; line <= high; line++) {
      const first = starts[line * binsX + left] as number;
      const end = starts[line * binsX + right + 1] as number;
      if (this.found.length < count + end - first) this.#widen(count + end - first);
      const found = this.found;
      for (let at = first; at < end; at++) {
        let dx = (xs[at] as number) - x;
        let dy = (ys[at] as number) - y;
        if (!(dx >= -halfX && dx < halfX)) dx = grid.deltaX(x, xs[at] as number);
        if (!(dy >= -halfY && dy < halfY)) dy = grid.deltaY(y, ys[at] as number);
        found[count] = rows[at] as number;
        count += Number(dx * dx + dy * dy <= square) & Number(ids[at] !== id);
      }
    }
    sortFirst(this.found, count);
    return count;
  }

  #widen(room: number): void {
    const wider = new Int32Array(Math.max(room, this.found.length * 2));
    wider.set(this.found);
    this.found = wider;
  }

  #grow(room: number): void {
    this.#rows = new Int32Array(room);
    this.#ids = new Float64Array(room);
    this.#x = new Float64Array(room);
    this.#y = new Float64Array(room);
  }
}
