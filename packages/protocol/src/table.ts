/**
 * The rows of one cell, column by column, always ascending by id. Writers and followers of a cell
 * hold the same table after the same commits; bodies speak of rows by number because of that.
 */
import { assert } from '@leasehold/kernel';
import {
  type Column,
  columnValue,
  emptyColumn,
  type FieldSchema,
  type LayerSchema,
  type Slab,
} from './schema.ts';

const CAPACITY_MIN = 16;

/** Changes of a component that its log has not been told yet. */
export type Owed = {
  readonly component: number;
  /** [row], bit f: the field. */
  marks: Uint32Array;
};

const NOTHING_OWED: readonly Owed[] = [];

/** The arrays of a table. */
type Room = Pick<Table, 'ids' | 'masks' | 'columns' | 'dirty' | 'maskDirty'>;

/**
 * PERF: tables without room share their arrays. Most cells of a large world are empty, and a typed
 * array takes 200 bytes even when there is nothing in it.
 */
const BARE = new WeakMap<LayerSchema, Room>();

function roomFor({ components }: LayerSchema, capacity: number): Room {
  return {
    ids: new Float64Array(capacity),
    masks: new Uint32Array(capacity),
    columns: components.map(({ fields }) =>
      fields.map((field) => filled(field, emptyColumn(field.kind, capacity), 0, capacity)),
    ),
    dirty: components.map(() => new Uint32Array(capacity)),
    maskDirty: new Uint8Array(capacity),
  };
}

function bareRoom(schema: LayerSchema): Room {
  const known = BARE.get(schema);
  if (known !== undefined) return known;
  const room = roomFor(schema, 0);
  BARE.set(schema, room);
  return room;
}

/** Where rows move in one merge or removal: runs of (from, to, length), worked through in order. */
type Runs = { readonly moves: readonly number[]; readonly copies: readonly number[] };

/**
 * Columns, masks and marks have room for `capacity` rows; only the first `count` mean anything. All
 * arrays are replaced when the table grows, so re-read them after `merge` and `append`.
 *
 * A row that lacks a component has its mask bit clear and the component's fields at their initial
 * values; `setMask` keeps that so.
 */
export class Table {
  readonly schema: LayerSchema;
  count = 0;
  ids: Float64Array;
  /** Bit c: the row has `schema.components[c]`. */
  masks: Uint32Array;
  /** [component][field][row] */
  columns: Column[][];
  /** [component][row], bit f: the field was changed since `clearDirty`. */
  dirty: Uint32Array[];
  /** [row] 1: components were added or removed since `clearDirty`. */
  maskDirty: Uint8Array;
  /** Only where a holder keeps account of it; it stays with its rows, and `clearDirty` leaves it. */
  owed: readonly Owed[] = NOTHING_OWED;

  /** With a `capacity` of 0 it takes next to nothing until there is a row. */
  constructor(schema: LayerSchema, capacity = CAPACITY_MIN) {
    this.schema = schema;
    const room = capacity === 0 ? bareRoom(schema) : roomFor(schema, capacity);
    this.ids = room.ids;
    this.masks = room.masks;
    this.columns = room.columns;
    this.dirty = room.dirty;
    this.maskDirty = room.maskDirty;
  }

  get capacity(): number {
    return this.ids.length;
  }

  /** The row of an id, or −1. */
  find(id: number): number {
    const row = this.#lowerBound(id, 0);
    return row < this.count && this.ids[row] === id ? row : -1;
  }

  /** The first row at or after `from` whose id is not below `id`. */
  #lowerBound(id: number, from: number): number {
    let low = from;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ids[middle] as number) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Adds a row at the end, all fields initial, nothing marked; `id` must be above all others. */
  append(id: number, mask: number): number {
    const row = this.count;
    assert(row === 0 || id > (this.ids[row - 1] as number), `id ${id} does not ascend`);
    this.#reserve(row + 1);
    this.count = row + 1;
    this.ids[row] = id;
    this.masks[row] = mask;
    this.maskDirty[row] = 0;
    for (let c = 0; c < this.columns.length; c++) {
      (this.dirty[c] as Uint32Array)[row] = 0;
      this.#resetComponent(c, row);
    }
    for (const { marks } of this.owed) marks[row] = 0;
    return row;
  }

  /** Begins to keep account of changes of these components that are not told at once. */
  owe(components: readonly number[]): void {
    this.owed = components.map((component) => {
      return { component, marks: new Uint32Array(this.capacity) };
    });
  }

  /** Puts a component of all rows back to its initial values; marks nothing. */
  reset(c: number): void {
    const fields = this.schema.components[c]?.fields ?? [];
    for (const [f, column] of (this.columns[c] as Column[]).entries()) {
      filled(fields[f] as FieldSchema, column, 0, this.count);
    }
  }

  #resetComponent(c: number, row: number): void {
    const fields = this.schema.components[c]?.fields ?? [];
    const columns = this.columns[c] as Column[];
    for (let f = 0; f < columns.length; f++) {
      filled(fields[f] as FieldSchema, columns[f] as Column, row, row + 1);
    }
  }

  /**
   * Gives the row exactly the components of `mask` and marks the change. What it loses goes back to
   * initial values; what it gains is marked whole.
   */
  setMask(row: number, mask: number): void {
    const before = this.masks[row] as number;
    const changed = (before ^ mask) >>> 0;
    if (changed === 0) return;
    this.masks[row] = mask;
    this.maskDirty[row] = 1;
    for (let c = 0; c < this.columns.length; c++) {
      if (((changed >>> c) & 1) === 0) continue;
      this.#resetComponent(c, row);
      const gained = (mask >>> c) & 1;
      const all = 2 ** (this.columns[c] as Column[]).length - 1;
      (this.dirty[c] as Uint32Array)[row] = gained === 1 ? all : 0;
    }
  }

  /**
   * Inserts all rows of a table of the same schema, unmarked; marks of the rows here stay with
   * their rows. An id that is in both is the caller's mistake.
   */
  merge(rows: Table): void {
    assert(this.mergeDistinct(rows), 'tables that are merged have no id in common');
  }

  /** As `merge`, but answers false and changes nothing if an id is in both. */
  mergeDistinct(rows: Table): boolean {
    assert(rows.schema.hash === this.schema.hash, 'tables that are merged have one schema');
    if (rows.count === 0) return true;
    const runs = this.#insertion(rows);
    if (runs === undefined) return false;
    this.#reserve(this.count + rows.count);
    spread(this.ids, rows.ids, runs);
    spread(this.masks, rows.masks, runs);
    spread(this.maskDirty, undefined, runs);
    for (const { marks } of this.owed) spread(marks, undefined, runs);
    for (let c = 0; c < this.columns.length; c++) {
      spread(this.dirty[c] as Uint32Array, undefined, runs);
      const own = this.columns[c] as Column[];
      const theirs = rows.columns[c] as Column[];
      for (let f = 0; f < own.length; f++) spread(own[f] as Column, theirs[f] as Column, runs);
    }
    this.count += rows.count;
    return true;
  }

  /** Plans an insertion from the back, so that nothing is overwritten before it has moved. */
  #insertion(rows: Table): Runs | undefined {
    const moves: number[] = [];
    const copies: number[] = [];
    let own = this.count;
    let theirs = rows.count;
    while (theirs > 0) {
      const top = rows.ids[theirs - 1] as number;
      const start = own === 0 ? 0 : this.#lowerBoundBelow(top, own);
      if (start < own) {
        if (this.ids[start] === top) return undefined;
        moves.push(start, start + theirs, own - start);
        own = start;
      }
      const floor = own === 0 ? -1 : (this.ids[own - 1] as number);
      let first = theirs - 1;
      while (first > 0 && (rows.ids[first - 1] as number) > floor) first--;
      copies.push(first, own + first, theirs - first);
      theirs = first;
    }
    return { moves, copies };
  }

  /** As `#lowerBound`, over the first `end` rows. */
  #lowerBoundBelow(id: number, end: number): number {
    let low = 0;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ids[middle] as number) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Removes the rows of these ids (ascending); answers how many there were. Marks stay with rows.
   */
  remove(ids: readonly number[] | Float64Array): number {
    if (ids.length === 0 || this.count === 0) return 0;
    const moves: number[] = [];
    let kept = 0;
    let from = 0;
    let removed = 0;
    let previous = -1;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      assert(id > previous, 'ids to remove ascend');
      previous = id;
      const row = this.#lowerBound(id, from);
      if (row >= this.count || this.ids[row] !== id) continue;
      if (row > from && from !== kept) moves.push(from, kept, row - from);
      kept += row - from;
      from = row + 1;
      removed++;
    }
    if (removed === 0) return 0;
    if (from < this.count) moves.push(from, kept, this.count - from);
    const count = this.count - removed;
    this.#compact(moves, count);
    return removed;
  }

  #compact(moves: readonly number[], count: number): void {
    compact(this.ids, moves);
    compact(this.masks, moves);
    compact(this.maskDirty, moves);
    for (const { marks } of this.owed) compact(marks, moves);
    for (let c = 0; c < this.columns.length; c++) {
      compact(this.dirty[c] as Uint32Array, moves);
      const columns = this.columns[c] as Column[];
      for (let f = 0; f < columns.length; f++) {
        const column = columns[f] as Column;
        compact(column, moves);
        // Values of removed rows would otherwise live as long as the table.
        if (Array.isArray(column)) this.#release(c, f, count);
      }
    }
    this.count = count;
  }

  #release(c: number, f: number, from: number): void {
    const field = this.schema.components[c]?.fields[f] as FieldSchema;
    filled(field, (this.columns[c] as Column[])[f] as Column, from, this.count);
  }

  /** A table of copies of these rows (numbers, ascending), unmarked. */
  pick(rows: readonly number[]): Table {
    const picked = new Table(this.schema, Math.max(rows.length, 1));
    picked.count = rows.length;
    gather(this.ids, rows, picked.ids);
    gather(this.masks, rows, picked.masks);
    for (let c = 0; c < this.columns.length; c++) {
      const columns = this.columns[c] as Column[];
      const into = picked.columns[c] as Column[];
      for (let f = 0; f < columns.length; f++) {
        gather(columns[f] as Column, rows, into[f] as Column);
      }
    }
    return picked;
  }

  clearDirty(): void {
    for (const marks of this.dirty) marks.fill(0, 0, this.count);
    this.maskDirty.fill(0, 0, this.count);
  }

  /** Removes all rows; keeps the room. */
  clear(): void {
    this.#compact([], 0);
    for (const marks of this.dirty) marks.fill(0);
    for (const { marks } of this.owed) marks.fill(0);
    this.maskDirty.fill(0);
  }

  #reserve(rows: number): void {
    if (rows <= this.capacity) return;
    const capacity = Math.max(rows, this.capacity * 2, CAPACITY_MIN);
    const grown = new Table(this.schema, capacity);
    grown.ids.set(this.ids);
    grown.masks.set(this.masks);
    grown.maskDirty.set(this.maskDirty);
    for (const owed of this.owed) {
      const marks = new Uint32Array(capacity);
      marks.set(owed.marks);
      owed.marks = marks;
    }
    for (let c = 0; c < this.columns.length; c++) {
      grown.dirty[c]?.set(this.dirty[c] as Uint32Array);
      const own = this.columns[c] as Column[];
      const theirs = grown.columns[c] as Column[];
      for (let f = 0; f < own.length; f++) {
        copyInto(theirs[f] as Column, own[f] as Column, 0, this.count, 0);
      }
    }
    this.ids = grown.ids;
    this.masks = grown.masks;
    this.columns = grown.columns;
    this.dirty = grown.dirty;
    this.maskDirty = grown.maskDirty;
  }
}

function filled(field: FieldSchema, column: Column, from: number, to: number): Column {
  const value = columnValue(field, field.initial);
  if (to === from + 1) (column as unknown[])[from] = value;
  else (column as Slab).fill(value as number, from, to);
  return column;
}

/** Makes room by moving own rows, then puts the new ones in; without a source they are 0. */
function spread(column: Column, source: Column | undefined, { moves, copies }: Runs): void {
  for (let i = 0; i < moves.length; i += 3) {
    const [from, to, length] = [moves[i] as number, moves[i + 1] as number, moves[i + 2] as number];
    (column as Slab).copyWithin(to, from, from + length);
  }
  for (let i = 0; i < copies.length; i += 3) {
    const [from, to] = [copies[i] as number, copies[i + 1] as number];
    const length = copies[i + 2] as number;
    if (source !== undefined) copyInto(column, source, from, length, to);
    else (column as Slab).fill(0, to, to + length);
  }
}

function compact(column: Column, moves: readonly number[]): void {
  for (let i = 0; i < moves.length; i += 3) {
    const from = moves[i] as number;
    (column as Slab).copyWithin(moves[i + 1] as number, from, from + (moves[i + 2] as number));
  }
}

function copyInto(into: Column, source: Column, from: number, length: number, to: number): void {
  if (length === 1) (into as unknown[])[to] = source[from];
  else if (!Array.isArray(into)) into.set((source as Slab).subarray(from, from + length), to);
  else for (let i = 0; i < length; i++) (into as unknown[])[to + i] = source[from + i];
}

function gather(column: Column, rows: readonly number[], into: Column): void {
  for (let i = 0; i < rows.length; i++) (into as unknown[])[i] = column[rows[i] as number];
}
