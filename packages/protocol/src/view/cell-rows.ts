/**
 * A client's copy of one cell: takes state and delta parts, checks that each follows what it has,
 * and says what became different.
 */
import type { ByteReader } from '../bytes.ts';
import { ROWS_MAX } from '../header.ts';
import { RowSetReader } from '../row-set.ts';
import { type Column, emptyColumn } from '../schema.ts';
import { type FieldColumn, type RowList, readBlock } from './blocks.ts';
import { DELTA, PRESENCE } from './encoding.ts';
import { Q_WIDE, type ViewShape } from './shape.ts';

/** Float64Array of real values for a field with a step, else as its kind is stored. */
export type ViewColumn = Column;

/** Indices in the shape. */
export type ChangedField = { readonly component: number; readonly field: number };

/** What a part made different. Holds until the next part is applied to the same cell. */
export type CellChange = {
  /** Ids, ascending. */
  readonly entered: readonly number[];
  /** Ids, ascending. */
  readonly left: readonly number[];
  /** Rows that were there before and got values, ascending, as they are numbered now. */
  readonly changedRows: Uint32Array;
  /** The fields that some of these rows got values of. */
  readonly changed: readonly ChangedField[];
};

type Position = { readonly tick: number; readonly seq: number; readonly hash: number };

const NONE: readonly number[] = Object.freeze([]);
const CAPACITY_MIN = 8;

const rowSets = new RowSetReader();
/** Rows to take out, or before which to put one in. */
let places = new Uint32Array(256);
let targets = new Uint32Array(256);
/** By row: 1 if it got values. */
let marks = new Uint8Array(256);

function reserveScratch(count: number): void {
  if (marks.length >= count) return;
  places = new Uint32Array(count * 2);
  targets = new Uint32Array(count * 2);
  marks = new Uint8Array(count * 2);
}

/**
 * Rows in ascending order of ids. All arrays have room for `count` rows or more; they are replaced
 * when they grow, so take them anew after each part. Fields of a component that a row lacks are 0,
 * '' or null.
 *
 * Memory: `count` × the width of the shape; rows are at most one per byte of a part and 131,072.
 */
export class CellRows {
  readonly shape: ViewShape;
  readonly cell: number;
  /** −1 as long as it holds no state. */
  seq = -1;
  hash = 0;
  tick = 0;
  count = 0;
  ids = new Float64Array(0);
  /** Bit i: the row has component i of the shape. */
  masks = new Uint32Array(0);
  /** [component of the shape][field][row]. */
  readonly columns: ViewColumn[][];
  readonly #fields: readonly (readonly FieldColumn[])[];
  readonly #names: readonly (readonly ChangedField[])[];
  readonly #changed: ChangedField[] = [];
  #changedRows = new Uint32Array(0);

  /** `centreX`, `centreY`: what `cellCentre` says of the cell. */
  constructor(shape: ViewShape, cell: number, centreX: number, centreY: number) {
    this.shape = shape;
    this.cell = cell;
    this.#fields = shape.components.map(({ name, fields }) =>
      fields.map((field) => ({
        name: `${name}.${field.name}`,
        field,
        origin: field.axis === 0 ? 0 : field.axis === 1 ? centreX : centreY,
        column: emptyColumn(field.step > 0 ? 'f64' : field.kind, 0),
        q: new Int32Array(0),
      })),
    );
    this.#names = shape.components.map(({ fields }, component) =>
      fields.map((_, field) => ({ component, field })),
    );
    this.columns = this.#fields.map((fields) => fields.map(({ column }) => column));
  }

  /**
   * Takes the place of all it has. Throws `BODY_MALFORMED`, and is empty and without state then.
   */
  applyState(body: ByteReader): CellChange {
    const position = this.#readPosition(body);
    const ids = body.idColumn('ids');
    this.#checkCount(body, ids.length);
    const { entered, left, kept } = this.#compared(ids);
    this.#void();
    this.#clear();
    this.#reserve(ids.length, 0);
    this.ids.set(ids);
    this.#readRows(body, undefined, ids.length);
    body.end();
    this.#changed.length = 0;
    if (kept > 0) this.#allChanged();
    return this.#settle(position, ids.length, entered, left);
  }

  /**
   * Adds what changed. `undefined`, and nothing is touched, when it does not follow what is here:
   * ask for the state. Throws `BODY_MALFORMED`, and is empty and without state then.
   */
  applyDelta(body: ByteReader): CellChange | undefined {
    const position = this.#readPosition(body);
    const behind = body.varint();
    const baseHash = body.u32();
    const holds = body.u8();
    if (behind > position.seq || holds > (DELTA.removed | DELTA.added | DELTA.changes)) {
      throw body.fault('its base or its flags are out of range');
    }
    if (position.seq - behind !== this.seq || baseHash !== this.hash) return undefined;
    const left = (holds & DELTA.removed) === 0 ? NONE : body.ids('removed ids');
    if (!this.#find(left)) return undefined;
    let count = this.count;
    this.#void();
    this.#changed.length = 0;
    if (left.length > 0) count = this.#remove(count, left.length);
    reserveScratch(count);
    marks.fill(0, 0, count);
    let entered = NONE;
    if ((holds & DELTA.added) !== 0) {
      entered = this.#add(body, count);
      count += entered.length;
    }
    if ((holds & DELTA.changes) !== 0) this.#readChanges(body, count);
    body.end();
    return this.#settle(position, count, entered, left);
  }

  #readPosition(body: ByteReader): Position {
    const cell = body.varint();
    if (cell !== this.cell) throw body.fault(`it is of cell ${cell}, not ${this.cell}`);
    return { tick: body.varint(), seq: body.varint(), hash: body.u32() };
  }

  #checkCount(body: ByteReader, count: number): void {
    if (count > ROWS_MAX) throw body.fault(`${count} rows are more than ${ROWS_MAX}`);
  }

  /** Until the part is read to its end there is no state that another could follow. */
  #void(): void {
    this.seq = -1;
    this.count = 0;
  }

  #settle(
    { tick, seq, hash }: Position,
    count: number,
    entered: readonly number[],
    left: readonly number[],
  ): CellChange {
    this.tick = tick;
    this.seq = seq;
    this.hash = hash;
    this.count = count;
    if (this.#changedRows.length < count) this.#changedRows = new Uint32Array(this.ids.length);
    const rows = this.#changedRows;
    let found = 0;
    for (let row = 0; row < count; row++) {
      rows[found] = row;
      found += marks[row] as number;
    }
    return { entered, left, changedRows: rows.subarray(0, found), changed: this.#changed };
  }

  /** Marks the rows of `next` that are here already; tells which are not, and which go. */
  #compared(next: Float64Array): { entered: number[]; left: number[]; kept: number } {
    reserveScratch(next.length);
    const entered: number[] = [];
    const left: number[] = [];
    let kept = 0;
    let row = 0;
    for (let i = 0; i < next.length; i++) {
      const id = next[i] as number;
      while (row < this.count && (this.ids[row] as number) < id) {
        left.push(this.ids[row++] as number);
      }
      const isKept = row < this.count && this.ids[row] === id;
      marks[i] = isKept ? 1 : 0;
      if (isKept) row++;
      else entered.push(id);
      kept += isKept ? 1 : 0;
    }
    while (row < this.count) left.push(this.ids[row++] as number);
    return { entered, left, kept };
  }

  #allChanged(): void {
    this.#changed.length = 0;
    for (const fields of this.#names) this.#changed.push(...fields);
  }

  /** Lists the rows of these ids in `places`; false if one is not here. */
  #find(ids: readonly number[]): boolean {
    reserveScratch(ids.length);
    let row = 0;
    for (let i = 0; i < ids.length; i++) {
      while (row < this.count && (this.ids[row] as number) < (ids[i] as number)) row++;
      if (row === this.count || this.ids[row] !== ids[i]) return false;
      places[i] = row;
    }
    return true;
  }

  /** Closes the gaps at `places`; answers how many rows are left. */
  #remove(count: number, gaps: number): number {
    this.#eachColumn((column) => {
      for (let k = 0; k < gaps; k++) {
        const end = k + 1 < gaps ? (places[k + 1] as number) : count;
        const start = (places[k] as number) + 1;
        (column as Float64Array).copyWithin(start - k - 1, start, end);
      }
    });
    // Nobody reads them, but texts of rows that left would be kept from being freed.
    this.#blank(count - gaps, count);
    return count - gaps;
  }

  /** Rows that are put in or replaced; answers the ids of the former. */
  #add(body: ByteReader, count: number): readonly number[] {
    const ids = body.idColumn('added ids');
    this.#checkCount(body, count + ids.length);
    reserveMarks(count + ids.length);
    const rows = new Uint32Array(ids.length);
    const entered: number[] = [];
    let row = 0;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      while (row < count && (this.ids[row] as number) < id) row++;
      rows[i] = row + entered.length;
      if (row < count && this.ids[row] === id) continue;
      places[entered.length] = row;
      entered.push(id);
    }
    if (entered.length > 0) this.#open(count, entered.length);
    marks.fill(0, 0, count + entered.length);
    for (let i = 0, e = 0; i < ids.length; i++) {
      const at = rows[i] as number;
      const isNew = entered[e] === ids[i];
      if (isNew) e++;
      else marks[at] = 1;
      this.#blank(at, at + 1);
      this.ids[at] = ids[i] as number;
    }
    if (entered.length < ids.length) this.#allChanged();
    this.#readRows(body, rows, ids.length);
    return entered.length === 0 ? NONE : entered;
  }

  /** Makes room before the rows at `places`. */
  #open(count: number, gaps: number): void {
    this.#reserve(count + gaps, count);
    this.#eachColumn((column) => {
      for (let k = gaps - 1; k >= 0; k--) {
        const end = k + 1 < gaps ? (places[k + 1] as number) : count;
        const start = places[k] as number;
        (column as Float64Array).copyWithin(start + k + 1, start, end);
      }
    });
  }

  #eachColumn(change: (column: Column) => void): void {
    change(this.ids);
    change(this.masks);
    for (const fields of this.#fields) {
      for (const { column, q, field } of fields) {
        change(column);
        if (field.step > 0) change(q);
      }
    }
  }

  #clear(): void {
    this.#blank(0, this.ids.length);
  }

  /** Rows without components. */
  #blank(from: number, to: number): void {
    this.masks.fill(0, from, to);
    for (const fields of this.#fields) {
      for (const { column, q, field } of fields) {
        if (field.kind === 'string') (column as string[]).fill('', from, to);
        else if (field.kind === 'json') (column as unknown[]).fill(null, from, to);
        else (column as Float64Array).fill(0, from, to);
        if (field.step > 0) q.fill(Q_WIDE, from, to);
      }
    }
  }

  /** Room for `capacity` rows; the first `count` keep what they have. */
  #reserve(capacity: number, count: number): void {
    if (this.ids.length >= capacity) return;
    const room = Math.max(CAPACITY_MIN, capacity, Math.ceil(this.ids.length * 1.5));
    this.ids = grown(this.ids, new Float64Array(room), count);
    this.masks = grown(this.masks, new Uint32Array(room), count);
    this.#fields.forEach((fields, c) => {
      fields.forEach((into, f) => {
        const { kind, step } = into.field;
        into.column = grown(into.column, emptyColumn(step > 0 ? 'f64' : kind, room), count);
        if (step > 0) into.q = grown(into.q, new Int32Array(room).fill(Q_WIDE), count);
        (this.columns[c] as ViewColumn[])[f] = into.column;
      });
    });
  }

  /** Who of the rows has which component, and their values. */
  #readRows(body: ByteReader, rows: RowList, count: number): void {
    if (count === 0) return;
    for (let c = 0; c < this.#fields.length; c++) {
      const presence = body.u8();
      if (presence === PRESENCE.none) continue;
      let list = rows;
      let found = count;
      if (presence === PRESENCE.bitmap) {
        found = readPresence(body, rows, count);
        list = targets;
      } else if (presence !== PRESENCE.all) {
        throw body.fault(`${presence} is no form of presence`);
      }
      for (let i = 0; i < found; i++) {
        const row = list === undefined ? i : (list[i] as number);
        this.masks[row] = (this.masks[row] as number) | (1 << c);
      }
      for (const into of this.#fields[c] as FieldColumn[]) {
        readBlock(body, into, list, found);
      }
    }
  }

  #readChanges(body: ByteReader, count: number): void {
    const changes = body.count('changes', 4);
    if (changes === 0) throw body.fault('it says that it has changes and has none');
    rowSets.reset();
    let previous: unknown;
    for (let i = 0; i < changes; i++) {
      const component = body.u8();
      const field = body.u8();
      const into = this.#fields[component]?.[field];
      const name = this.#names[component]?.[field];
      if (into === undefined || name === undefined) {
        throw body.fault(`there is no field ${component}.${field}`);
      }
      const set = rowSets.read(body, count, 1);
      const list = set.isAll ? undefined : set.rows;
      this.#checkPresent(body, component, list, set.count);
      if (set !== previous) mark(list, set.count);
      previous = set;
      if (!this.#changed.includes(name)) this.#changed.push(name);
      readBlock(body, into, list, set.count);
    }
  }

  #checkPresent(body: ByteReader, component: number, list: RowList, count: number): void {
    let all = -1;
    const { masks } = this;
    if (list === undefined) for (let row = 0; row < count; row++) all &= masks[row] as number;
    else for (let i = 0; i < count; i++) all &= masks[list[i] as number] as number;
    if (((all >>> component) & 1) === 0) {
      throw body.fault(`it changes component ${component} of a row that lacks it`);
    }
  }
}

function mark(list: RowList, count: number): void {
  if (list === undefined) marks.fill(1, 0, count);
  else for (let i = 0; i < count; i++) marks[list[i] as number] = 1;
}

/** `places` is in use then, and must stay. */
function reserveMarks(count: number): void {
  if (marks.length < count) reserveScratch(count);
}

function grown<T extends Column>(from: T, into: T, count: number): T {
  if (Array.isArray(into)) {
    for (let row = 0; row < count; row++) into[row] = (from as never[])[row] as never;
  } else {
    (into as Float64Array).set((from as Float64Array).subarray(0, count));
  }
  return into;
}

/** Lists the rows whose bits are set in `targets`; answers how many. */
function readPresence(body: ByteReader, rows: RowList, count: number): number {
  const bits = body.raw(Math.ceil(count / 8));
  reserveScratch(count);
  let found = 0;
  for (let i = 0; i < bits.length * 8; i++) {
    if ((((bits[i >> 3] as number) >> (i & 7)) & 1) === 0) continue;
    if (i >= count) throw body.fault('a row is out of range');
    targets[found++] = rows === undefined ? i : (rows[i] as number);
  }
  if (found === 0 || found === count) throw body.fault('presence is not in its shortest form');
  return found;
}
