/**
 * What a commit tells the cell's GEO index: entities that are new, gone, or have moved more than
 * the resolution since they were indexed. The index is never authoritative.
 */
import { type Commit, GEO_PER_COMMIT_MAX } from '@leasehold/protocol';
import type { CellState, Engine } from '@leasehold/sdk/engine';
import { toGeo } from '@leasehold/spatial';

type Put = { readonly id: number; readonly longitude: number; readonly latitude: number };

const ROOM_MIN = 64;
/** PERF: shared by all that hold nothing; most cells of a large world are empty. */
const NO_NUMBERS = new Float64Array(0);

/** What one cell's index in the store holds, by ascending id, as far as this holder wrote it. */
export class CellIndex {
  #ids = NO_NUMBERS;
  #xs = NO_NUMBERS;
  #ys = NO_NUMBERS;
  #count = 0;
  #nextIds = NO_NUMBERS;
  #nextXs = NO_NUMBERS;
  #nextYs = NO_NUMBERS;
  readonly #point: [number, number] = [0, 0];

  /** The updates since the last call, at most `GEO_PER_COMMIT_MAX`; the rest comes next time. */
  updates(engine: Engine, state: CellState, resolution: number): Commit['geo'] {
    const spatial = engine.spatial;
    if (spatial === undefined) return undefined;
    const { table } = state;
    const bit = 1 << spatial.component;
    const columns = table.columns[spatial.component];
    const xs = columns?.[spatial.x] as Float64Array;
    const ys = columns?.[spatial.y] as Float64Array;
    this.#reserve(table.count + this.#count);
    const put: Put[] = [];
    const drop: number[] = [];
    let kept = 0;
    let old = 0;
    // PERF: one walk over two ascending lists; allocates only for what goes into the index.
    for (let row = 0; row < table.count; row++) {
      if (((table.masks[row] as number) & bit) === 0) continue;
      const id = table.ids[row] as number;
      while (old < this.#count && (this.#ids[old] as number) < id) {
        kept = this.#drop(old++, kept, drop, put.length);
      }
      const x = xs[row] as number;
      const y = ys[row] as number;
      const isKnown = old < this.#count && this.#ids[old] === id;
      if (isKnown) {
        const ix = this.#xs[old] as number;
        const iy = this.#ys[old] as number;
        const hasMoved =
          Math.abs(engine.grid.deltaX(ix, x)) > resolution ||
          Math.abs(engine.grid.deltaY(iy, y)) > resolution;
        old++;
        if (!hasMoved || put.length + drop.length >= GEO_PER_COMMIT_MAX) {
          kept = this.#keep(kept, id, ix, iy);
          continue;
        }
      }
      if (put.length + drop.length >= GEO_PER_COMMIT_MAX) continue;
      if (!toGeo(engine.grid, state.cell, x, y, this.#point)) {
        if (isKnown) drop.push(id);
        continue;
      }
      put.push({ id, longitude: this.#point[0], latitude: this.#point[1] });
      kept = this.#keep(kept, id, x, y);
    }
    while (old < this.#count) kept = this.#drop(old++, kept, drop, put.length);
    this.#swap(kept);
    return put.length + drop.length === 0 ? undefined : { put, drop };
  }

  /** Forgets what was written, so that everything is written again. */
  reset(): void {
    this.#count = 0;
  }

  #drop(old: number, kept: number, drop: number[], puts: number): number {
    const id = this.#ids[old] as number;
    if (drop.length + puts < GEO_PER_COMMIT_MAX) {
      drop.push(id);
      return kept;
    }
    return this.#keep(kept, id, this.#xs[old] as number, this.#ys[old] as number);
  }

  #keep(kept: number, id: number, x: number, y: number): number {
    this.#nextIds[kept] = id;
    this.#nextXs[kept] = x;
    this.#nextYs[kept] = y;
    return kept + 1;
  }

  #reserve(count: number): void {
    if (count <= this.#nextIds.length) return;
    const room = Math.max(ROOM_MIN, count * 2);
    this.#nextIds = new Float64Array(room);
    this.#nextXs = new Float64Array(room);
    this.#nextYs = new Float64Array(room);
  }

  #swap(count: number): void {
    [this.#ids, this.#nextIds] = [this.#nextIds, this.#ids];
    [this.#xs, this.#nextXs] = [this.#nextXs, this.#xs];
    [this.#ys, this.#nextYs] = [this.#nextYs, this.#ys];
    this.#count = count;
  }
}
