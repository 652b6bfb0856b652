/**
 * What others may see of a cell: its rows that stand somewhere, as of the end of one tick, with the
 * fields that some system reads of neighbours. A copy, so that the cell can go on.
 */
import { type Column, emptyColumn, type LayerSchema, type Table } from '@leasehold/protocol';

/** A field that some system reads of neighbours: indexes into the schema. */
export type ViewField = { readonly component: number; readonly field: number };

/** The spatial component of a layer: indexes into the schema. */
export type SpatialFields = { readonly component: number; readonly x: number; readonly y: number };

/**
 * Which component and fields say where a row is; undefined for a layer without a space of its own.
 */
export function spatialFields(schema: LayerSchema): SpatialFields | undefined {
  for (const [component, { spatial, fields }] of schema.components.entries()) {
    if (spatial === undefined) continue;
    const [x, y] = spatial.map((name) => fields.findIndex((field) => field.name === name));
    return { component, x: x as number, y: y as number };
  }
  return undefined;
}

/** PERF: what all views without rows share; most cells of a large world are empty. */
const NO_NUMBERS = new Float64Array(0);
const NO_MASKS = new Uint32Array(0);
const NO_ROWS = new Int32Array(0);
const NO_COLUMNS: Column[] = [];

/** Rows ascending by id. Arrays have room for more; only the first `count` mean anything. */
export class CellView {
  readonly cell: number;
  tick = -1;
  count = 0;
  ids = NO_NUMBERS;
  masks = NO_MASKS;
  x = NO_NUMBERS;
  y = NO_NUMBERS;
  /** Row of the table at the moment of `take`. */
  rows = NO_ROWS;
  /** The tick of which the copies of other layers in it are; −1: as the layer itself had them. */
  joinedTick = -1;
  /** Who left with that tick, and for which cell. */
  leaving: ReadonlyMap<number, number> | undefined;
  /** One per `ViewField` of the engine, in its order. */
  columns = NO_COLUMNS;
  readonly #fields: readonly ViewField[];

  constructor(cell: number, fields: readonly ViewField[]) {
    this.cell = cell;
    this.#fields = fields;
  }

  /** Takes all rows of a table, wherever they stand, as the end of `tick`. */
  takeAll(table: Table, tick: number): void {
    this.tick = tick;
    if (this.ids.length < table.count) this.#grow(table);
    const { rows } = this;
    const { count } = table;
    for (let row = 0; row < count; row++) rows[row] = row;
    this.count = count;
    if (count === 0) return;
    copy(this.ids, table.ids, rows, count);
    copy(this.masks, table.masks, rows, count);
    this.#copyFields(table, rows, count);
  }

  /** Takes those rows of a table that stand somewhere, as the end of `tick`. */
  take(table: Table, tick: number, spatial: SpatialFields): void {
    this.tick = tick;
    this.joinedTick = -1;
    if (this.ids.length < table.count) this.#grow(table);
    const bit = 2 ** spatial.component;
    const rows = this.rows;
    let count = 0;
    for (let row = 0; row < table.count; row++) {
      if (((table.masks[row] as number) & bit) !== 0) rows[count++] = row;
    }
    this.count = count;
    if (count === 0) return;
    const columns = table.columns[spatial.component] as Column[];
    copy(this.ids, table.ids, rows, count);
    copy(this.masks, table.masks, rows, count);
    copy(this.x, columns[spatial.x] as Column, rows, count);
    copy(this.y, columns[spatial.y] as Column, rows, count);
    this.#copyFields(table, rows, count);
  }

  #copyFields(table: Table, rows: Int32Array, count: number): void {
    this.#fields.forEach(({ component, field }, i) => {
      copy(this.columns[i] as Column, table.columns[component]?.[field] as Column, rows, count);
    });
  }

  /** Whether somebody is among its rows. */
  has(id: number): boolean {
    return this.indexOf(id) !== -1;
  }

  /** Where somebody is among its rows; −1: not there. */
  indexOf(id: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ids[middle] as number) < id) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.ids[low] === id ? low : -1;
  }

  #grow(table: Table): void {
    const capacity = table.ids.length;
    this.ids = new Float64Array(capacity);
    this.masks = new Uint32Array(capacity);
    this.x = new Float64Array(capacity);
    this.y = new Float64Array(capacity);
    this.rows = new Int32Array(capacity);
    this.columns = this.#fields.map(({ component, field }) =>
      emptyColumn(table.schema.components[component]?.fields[field]?.kind ?? 'f64', capacity),
    );
  }
}

type Numbers = Float64Array;

function copy(into: Column, from: Column, rows: Int32Array, count: number): void {
  // Without gaps the rows are 0 … count − 1, and one block is moved.
  const isWhole = count === 0 || rows[count - 1] === count - 1;
  if (isWhole && !Array.isArray(into)) {
    (into as Numbers).set((from as Numbers).subarray(0, count));
    return;
  }
  for (let i = 0; i < count; i++) (into as unknown[])[i] = from[rows[i] as number];
}
