/**
 * Who is near whom: a cell list (Allen and Tildesley 1987) over the views of a cell and its
 * neighbours. One per engine, filled anew for each system and cell, its arrays reused.
 *
 * The order of what is found depends on ids alone and distances on absolute positions alone, so
 * that neither pods nor borders can be told from a result (T1).
 */
import { type Column, emptyColumn, type LayerSchema, type Table } from '@leasehold/protocol';
import { EARTH_RADIUS_M, type Grid } from '@leasehold/spatial';
import { binAlong, PackedBins } from './packed-bins.ts';
import { type RowSet, type Slot, slotOf } from './rows.ts';
import { sortFirst } from './sort-first.ts';
import type { CellView, SpatialFields, ViewField } from './view.ts';

/**
 * Along one axis. More bins cost more to clear than they save: cells hold hundreds, not millions.
 */
const BINS_MAX = 64;
/** The bin of who was dropped. */
const GONE = -1;
/** Binning rounds; what lies exactly at the radius must still be looked at. */
const SLACK = 1e-9;
const DEGREES = 180 / Math.PI;

/** Where the rows that ask stand, relative to the centre of the cell. */
export type Box = { minX: number; maxX: number; minY: number; maxY: number };

/** A bin of a search that may have gone round once. */
const around = (bin: number, bins: number): number =>
  bin < 0 ? bin + bins : bin >= bins ? bin - bins : bin;

export class Neighbourhood {
  readonly slots: readonly (readonly Slot[])[];
  /** How many rows this pool has, ascending by id. */
  count = 0;
  /** Of the last `find`: rows of this pool, ascending by id. */
  found = new Int32Array(64);
  foundCount = 0;
  /** How many of those were dropped since. */
  goneCount = 0;
  ids = new Float64Array(0);
  x = new Float64Array(0);
  y = new Float64Array(0);
  /** The row of the table of those of the own cell, after a `gather` with `live`; else −1. */
  rows = new Int32Array(0);
  readonly #grid: Grid;
  readonly #isSphere: boolean;
  readonly #isTiny: boolean;
  /** Whether bins go round a whole torus, so that each row is in one of them and met once. */
  readonly #isRound: boolean;
  readonly #schema: LayerSchema;
  readonly #fields: readonly ViewField[];
  readonly #spatial: SpatialFields;
  #columns: Column[] = [];
  #radius = 0;
  #takesAll = false;
  #centreX = 0;
  #centreY = 0;
  #originX = 0;
  #originY = 0;
  #binsX = 1;
  #binsY = 1;
  #perX = 0;
  #perY = 0;
  #head = new Int32Array(BINS_MAX * BINS_MAX);
  /** Instead of lists by bin, where nobody moves and bins do not go round. */
  readonly #packed: PackedBins;
  #isPacked = false;
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  #bin = new Int32Array(0);
  /** Sequential systems: the pool row of each row of the table. */
  #poolRows = new Int32Array(0);

  constructor(grid: Grid, schema: LayerSchema, fields: readonly ViewField[], at: SpatialFields) {
    this.#grid = grid;
    this.#packed = new PackedBins(grid);
    this.#isSphere = grid.spec.kind === 'wgs84';
    // In so small a torus the same row may be met on both sides.
    this.#isTiny = grid.wrapsX && Math.min(grid.columns, grid.wrapsY ? grid.rows : 4) < 4;
    this.#isRound = this.#isTiny && grid.wrapsY;
    this.#schema = schema;
    this.#fields = fields;
    this.#spatial = at;
    this.slots = schema.components.map((component) =>
      component.fields.map((field, f) => slotOf(component, f, emptyColumn(field.kind, 0))),
    );
  }

  /** The slots of a component that is known to be in the schema. */
  slotsOf(component: string): readonly Slot[] {
    const c = this.#schema.components.findIndex(({ name }) => name === component);
    return this.slots[c] as readonly Slot[];
  }

  /** Forgets all rows. */
  clear(): void {
    this.count = 0;
  }

  /**
   * Gathers all rows within `radius` of a box that have the components of `mask` (as a signed
   * integer). An id that occurs in several views is taken from the first. With `live`, the first
   * view is the cell as it is now: all its rows are gathered, and `refresh` keeps them so. With
   * `takesAll`, nobody is too far, since those in the box may be moved out of it.
   */
  gather(
    cell: number,
    views: readonly CellView[],
    near: { mask: number; radius: number; box: Box; live: Table | undefined; takesAll: boolean },
  ): void {
    this.#radius = near.radius;
    this.#centreX = this.#grid.centreX(cell);
    this.#centreY = this.#grid.centreY(cell);
    const { box, live } = near;
    const worstY = Math.max(Math.abs(this.#centreY + box.minY), Math.abs(this.#centreY + box.maxY));
    this.#layBins(box, this.#reachX(worstY), this.#reachY());
    const room = views.reduce((sum, view) => sum + view.count, 0);
    if (this.ids.length < room) this.#grow(room);
    if (live !== undefined) {
      if (this.#poolRows.length < live.count) this.#poolRows = new Int32Array(live.ids.length);
      this.#poolRows.fill(-1);
    }
    this.#takesAll = near.takesAll;
    const isFlat = !this.#isSphere && !this.#isRound;
    this.#isPacked = live === undefined && isFlat && this.#binsX * this.#binsY > 1;
    this.#merge(views, near.mask, live !== undefined);
    if (!this.#isPacked) return;
    const layout = {
      ...{ centreX: this.#centreX, centreY: this.#centreY },
      ...{ originX: this.#originX, originY: this.#originY },
      ...{ perX: this.#perX, perY: this.#perY, binsX: this.#binsX, binsY: this.#binsY },
      ...{ radius: this.#radius, reach: this.#reachY() },
    };
    const { ids, x, y } = this;
    this.#packed.fill(this.count, layout, { bin: this.#bin, ids, x, y });
  }

  #layBins(box: Box, reachX: number, reachY: number): void {
    if (this.#isRound) {
      this.#layRoundBins(reachX);
      return;
    }
    this.#originX = box.minX - reachX;
    this.#originY = box.minY - reachY;
    const extentX = box.maxX - box.minX + 2 * reachX;
    const extentY = box.maxY - box.minY + 2 * reachY;
    this.#binsX = this.#isTiny ? 1 : Math.min(BINS_MAX, Math.floor(extentX / reachX));
    this.#binsY = this.#isTiny ? 1 : Math.min(BINS_MAX, Math.floor(extentY / reachY));
    this.#perX = this.#binsX / extentX;
    this.#perY = this.#binsY / extentY;
    this.#head.fill(-1, 0, this.#binsX * this.#binsY);
  }

  #layRoundBins(reach: number): void {
    const { width, height } = this.#grid;
    this.#originX = -width / 2;
    this.#originY = -height / 2;
    this.#binsX = Math.max(1, Math.min(BINS_MAX, Math.floor(width / reach)));
    this.#binsY = Math.max(1, Math.min(BINS_MAX, Math.floor(height / reach)));
    // Whoever looks into all bins does better without any.
    if (Math.max(this.#binsX, this.#binsY) <= 3) this.#binsX = this.#binsY = 1;
    this.#perX = this.#binsX / width;
    this.#perY = this.#binsY / height;
    this.#head.fill(-1, 0, this.#binsX * this.#binsY);
  }

  /** How far along x, in units of the space, somebody within the radius of a row can be. */
  #reachX(y: number): number {
    if (!this.#isSphere) return this.#radius * (1 + SLACK) + this.#grid.cellSize * SLACK;
    // The widest meridian that a small circle of angular radius d around latitude y touches.
    const ratio = Math.sin(this.#radius / EARTH_RADIUS_M) / Math.cos(y / DEGREES);
    return ratio >= 1 || Math.abs(y) >= 90 ? 360 : Math.asin(ratio) * DEGREES * (1 + SLACK) + SLACK;
  }

  #reachY(): number {
    if (!this.#isSphere) return this.#radius * (1 + SLACK) + this.#grid.cellSize * SLACK;
    return (this.#radius / EARTH_RADIUS_M) * DEGREES * (1 + SLACK) + SLACK;
  }

  /** Merges the views, each ascending by id, into one pool ascending by id. */
  #merge(views: readonly CellView[], mask: number, isLive: boolean): void {
    if (views.length === 1) {
      this.#takeOnly(views[0] as CellView, mask, isLive);
      return;
    }
    const heads = views.map((view, v) => this.#nextRow(view, 0, mask, isLive && v === 0));
    let count = 0;
    let last = -1;
    for (;;) {
      let from = -1;
      let lowest = Number.POSITIVE_INFINITY;
      for (let v = 0; v < views.length; v++) {
        const view = views[v] as CellView;
        const row = heads[v] as number;
        if (row >= view.count || (view.ids[row] as number) >= lowest) continue;
        from = v;
        lowest = view.ids[row] as number;
      }
      if (from === -1) break;
      const view = views[from] as CellView;
      const row = heads[from] as number;
      if (lowest !== last) {
        this.#put(count, view, row);
        const own = isLive && from === 0 ? (view.rows[row] as number) : -1;
        this.rows[count] = own;
        if (own !== -1) this.#poolRows[own] = count;
        count++;
        last = lowest;
      }
      heads[from] = this.#nextRow(view, row + 1, mask, isLive && from === 0);
    }
    this.count = count;
  }

  #takeOnly(view: CellView, mask: number, isLive: boolean): void {
    let count = 0;
    let row = this.#nextRow(view, 0, mask, isLive);
    for (; row < view.count; row = this.#nextRow(view, row + 1, mask, isLive)) {
      this.#put(count, view, row);
      const own = isLive ? (view.rows[row] as number) : -1;
      this.rows[count] = own;
      if (own !== -1) this.#poolRows[own] = count;
      count++;
    }
    this.count = count;
  }

  /** The first row from `row` on that has the components and is near enough. */
  #nextRow(view: CellView, row: number, mask: number, isOwn: boolean): number {
    const takesAll = isOwn || this.#takesAll;
    const right = this.#binsX / this.#perX;
    const top = this.#binsY / this.#perY;
    for (; row < view.count; row++) {
      if (((view.masks[row] as number) & mask) !== mask) continue;
      if (takesAll) return row;
      const dx = this.#localX(view.x[row] as number) - this.#originX;
      if (!this.#isTiny && !(dx >= 0 && dx <= right) && right < 360) continue;
      const dy = this.#localY(view.y[row] as number) - this.#originY;
      if (this.#isTiny || (dy >= 0 && dy <= top)) return row;
    }
    return row;
  }

  #localX(x: number): number {
    return this.#grid.deltaX(this.#centreX, x);
  }

  #localY(y: number): number {
    return this.#grid.deltaY(this.#centreY, y);
  }

  #put(pool: number, view: CellView, row: number): void {
    this.ids[pool] = view.ids[row] as number;
    this.x[pool] = view.x[row] as number;
    this.y[pool] = view.y[row] as number;
    for (let i = 0; i < this.#columns.length; i++) {
      (this.#columns[i] as unknown[])[pool] = view.columns[i]?.[row];
    }
    this.#enter(pool);
  }

  /** The first bin of a search along one axis; below 0 when it begins on the other side. */
  #lowest(offset: number, per: number, bins: number): number {
    if (!this.#isRound) return binAlong(offset, per, bins);
    return bins === 1 ? 0 : Math.max(-bins, Math.floor(offset * per));
  }

  /** The last bin of a search that begins at `lowest`: no bin is looked into twice. */
  #highest(offset: number, per: number, bins: number, lowest: number): number {
    if (!this.#isRound) return binAlong(offset, per, bins);
    return Math.min(lowest + bins - 1, Math.floor(offset * per));
  }

  #binAt(x: number, y: number): number {
    const column = binAlong(this.#localX(x) - this.#originX, this.#perX, this.#binsX);
    const row = binAlong(this.#localY(y) - this.#originY, this.#perY, this.#binsY);
    return row * this.#binsX + column;
  }

  #enter(pool: number): void {
    const bin = this.#binAt(this.x[pool] as number, this.y[pool] as number);
    this.#bin[pool] = bin;
    if (this.#isPacked) return;
    const first = this.#head[bin] as number;
    this.#next[pool] = first;
    this.#previous[pool] = -1;
    if (first !== -1) this.#previous[first] = pool;
    this.#head[bin] = pool;
  }

  #leave(pool: number): void {
    const next = this.#next[pool] as number;
    const previous = this.#previous[pool] as number;
    if (previous === -1) this.#head[this.#bin[pool] as number] = next;
    else this.#next[previous] = next;
    if (next !== -1) this.#previous[next] = previous;
  }

  /** Takes over what a row of the own cell is now. Only after a `gather` with `live`. */
  refresh({ slots }: RowSet, row: number): void {
    const { component, x, y } = this.#spatial;
    const pool = this.#poolRows[row] as number;
    if (pool === -1 || this.#bin[pool] === GONE) return;
    const fields = this.#fields;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i] as ViewField;
      const slot = slots[field.component]?.[field.field] as Slot;
      (this.#columns[i] as unknown[])[pool] = slot.column[row];
    }
    const at = slots[component] as readonly Slot[];
    this.#place(pool, at[x]?.column[row] as number, at[y]?.column[row] as number);
  }

  /** Looks up where somebody of the own cell is now, whose copied position was changed. */
  move(pool: number): void {
    if (this.#bin[pool] === GONE) return;
    const { component, x, y } = this.#spatial;
    const slots = this.slots[component] as readonly Slot[];
    this.#place(pool, slots[x]?.column[pool] as number, slots[y]?.column[pool] as number);
  }

  #place(pool: number, x: number, y: number): void {
    this.#leave(pool);
    this.x[pool] = x;
    this.y[pool] = y;
    this.#enter(pool);
  }

  /** Takes a row of the own cell out: nobody finds it any more. After a `gather` with `live`. */
  drop(row: number): void {
    const pool = this.#poolRows[row] as number;
    if (pool === -1 || this.#bin[pool] === GONE) return;
    this.#leave(pool);
    this.#bin[pool] = GONE;
    if (this.found.subarray(0, this.foundCount).includes(pool)) this.goneCount++;
  }

  /** Whether a row of this pool was dropped. */
  isGone(pool: number): boolean {
    return this.#bin[pool] === GONE;
  }

  /** Finds all but `id` itself within the radius of a point, into `found`. */
  find(id: number, x: number, y: number): void {
    this.goneCount = 0;
    if (this.#isPacked) {
      this.foundCount = this.#packed.find(id, x, y);
      this.found = this.#packed.found;
    } else if (this.#isSphere) this.#findOnSphere(id, x, y);
    else if (this.#binsX * this.#binsY === 1) this.#findAmongAll(id, x, y);
    else this.#findInBins(id, x, y);
  }

  #findOnSphere(id: number, x: number, y: number): void {
    const reachX = this.#reachX(y);
    const reachY = this.#reachY();
    const localX = this.#localX(x) - this.#originX;
    const localY = this.#localY(y) - this.#originY;
    const isAllRound = reachX >= 90;
    const left = isAllRound ? 0 : binAlong(localX - reachX, this.#perX, this.#binsX);
    const right = isAllRound ? this.#binsX - 1 : binAlong(localX + reachX, this.#perX, this.#binsX);
    const low = binAlong(localY - reachY, this.#perY, this.#binsY);
    const high = binAlong(localY + reachY, this.#perY, this.#binsY);
    let count = 0;
    for (let row = low; row <= high; row++) {
      for (let column = left; column <= right; column++) {
        let pool = this.#head[row * this.#binsX + column] as number;
        for (; pool !== -1; pool = this.#next[pool] as number) {
          if (this.ids[pool] === id) continue;
          const [toX, toY] = [this.x[pool] as number, this.y[pool] as number];
          if (this.#grid.distance(x, y, toX, toY) > this.#radius) continue;
          if (count === this.found.length) this.#widen();
          this.found[count++] = pool;
        }
      }
    }
    this.foundCount = count;
    sortFirst(this.found, count);
  }

  /**
   * PERF: with one bin a plain loop over the arrays meets everybody in order. Following the list of
   * the bin, and sorting what was found, a flock of 400 birds took 1.7 times as long.
   */
  #findAmongAll(id: number, x: number, y: number): void {
    const { ids, x: xs, y: ys } = this;
    const grid = this.#grid;
    const bins = this.#bin;
    const square = this.#radius * this.#radius;
    const halfX = grid.wrapsX ? grid.width / 2 : Number.POSITIVE_INFINITY;
    const halfY = grid.wrapsY ? grid.height / 2 : Number.POSITIVE_INFINITY;
    const total = this.count;
    while (this.found.length < total) this.#widen();
    const found = this.found;
    let count = 0;
    for (let pool = 0; pool < total; pool++) {
      let dx = (xs[pool] as number) - x;
      let dy = (ys[pool] as number) - y;
      if (!(dx >= -halfX && dx < halfX)) dx = grid.deltaX(x, xs[pool] as number);
      if (!(dy >= -halfY && dy < halfY)) dy = grid.deltaY(y, ys[pool] as number);
      if (dx * dx + dy * dy > square || ids[pool] === id || bins[pool] === GONE) continue;
      found[count++] = pool;
    }
    this.foundCount = count;
  }

  /** PERF: all that the loops need stands in locals, as V8 reads a field again after every call. */
  #findInBins(id: number, x: number, y: number): void {
    const { ids, x: xs, y: ys } = this;
    const grid = this.#grid;
    const head = this.#head;
    const next = this.#next;
    const binsX = this.#binsX;
    const square = this.#radius * this.#radius;
    const halfX = grid.wrapsX ? grid.width / 2 : Number.POSITIVE_INFINITY;
    const halfY = grid.wrapsY ? grid.height / 2 : Number.POSITIVE_INFINITY;
    const reach = this.#reachY();
    const localX = this.#localX(x) - this.#originX;
    const localY = this.#localY(y) - this.#originY;
    const left = this.#lowest(localX - reach, this.#perX, binsX);
    const right = this.#highest(localX + reach, this.#perX, binsX, left);
    const low = this.#lowest(localY - reach, this.#perY, this.#binsY);
    const high = this.#highest(localY + reach, this.#perY, this.#binsY, low);
    let found = this.found;
    let count = 0;
    for (let row = low; row <= high; row++) {
      const line = around(row, this.#binsY) * binsX;
      for (let column = left; column <= right; column++) {
        let pool = head[line + around(column, binsX)] as number;
        for (; pool !== -1; pool = next[pool] as number) {
          let dx = (xs[pool] as number) - x;
          let dy = (ys[pool] as number) - y;
          if (!(dx >= -halfX && dx < halfX)) dx = grid.deltaX(x, xs[pool] as number);
          if (!(dy >= -halfY && dy < halfY)) dy = grid.deltaY(y, ys[pool] as number);
          if (dx * dx + dy * dy > square || ids[pool] === id) continue;
          if (count === found.length) {
            this.#widen();
            found = this.found;
          }
          found[count++] = pool;
        }
      }
    }
    this.foundCount = count;
    sortFirst(this.found, count);
  }

  /** How many of the own cell stand within a radius of a point. After a `gather` with `live`. */
  countOwn(x: number, y: number, radius: number): number {
    const localX = this.#localX(x) - this.#originX;
    const localY = this.#localY(y) - this.#originY;
    const reach = radius * (1 + SLACK) + this.#grid.cellSize * SLACK;
    const left = this.#lowest(localX - reach, this.#perX, this.#binsX);
    const right = this.#highest(localX + reach, this.#perX, this.#binsX, left);
    const low = this.#lowest(localY - reach, this.#perY, this.#binsY);
    const high = this.#highest(localY + reach, this.#perY, this.#binsY, low);
    let count = 0;
    for (let row = low; row <= high; row++) {
      const line = around(row, this.#binsY) * this.#binsX;
      for (let column = left; column <= right; column++) {
        let pool = this.#head[line + around(column, this.#binsX)] as number;
        for (; pool !== -1; pool = this.#next[pool] as number) {
          if (this.rows[pool] === -1) continue;
          const dx = this.#grid.deltaX(x, this.x[pool] as number);
          const dy = this.#grid.deltaY(y, this.y[pool] as number);
          if (dx * dx + dy * dy <= radius * radius) count++;
        }
      }
    }
    return count;
  }

  #widen(): void {
    const wider = new Int32Array(this.found.length * 2);
    wider.set(this.found);
    this.found = wider;
  }

  #grow(room: number): void {
    const capacity = Math.max(64, room, this.ids.length * 2);
    this.ids = new Float64Array(capacity);
    this.x = new Float64Array(capacity);
    this.y = new Float64Array(capacity);
    this.rows = new Int32Array(capacity);
    this.#next = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
    this.#bin = new Int32Array(capacity);
    this.#columns = this.#fields.map(({ component, field }) => {
      const kind = this.#schema.components[component]?.fields[field]?.kind ?? 'f64';
      const column = emptyColumn(kind, capacity);
      (this.slots[component]?.[field] as Slot).column = column;
      return column;
    });
  }
}
