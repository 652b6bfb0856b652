/**
 * Rows as systems see them: objects whose properties read and write columns at the row of a cursor.
 * One object per component serves every entity of every cell, so nothing is allocated per entity.
 *
 * PERF: the accessors are closures over their slot and cursor, with one function literal per kind
 * of column. So each literal only ever meets one kind of typed array, each `each` only ever meets
 * one shape of row, and the loop of a system (loop.ts) takes all of it in: 100,000 entities of
 * `drift` (four reads, two writes, each compared and marked) cost 0.78 ms, by hand 0.51 ms. Fields of
 * slots are only declared, because one that begins as undefined never gets a known class, and every
 * access then asks for it.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { Column, ComponentSchema, FieldSchema, Json, Table } from '@leasehold/protocol';
import { compiledAnew } from './compiled.ts';
import { kindMismatch, printable, storable } from './kinds.ts';

/** Where a set of slots points. */
export class Cursor {
  row = 0;
}

/** Shared by the slots of a component. */
export class Marks {
  /** [row] bit f: changed in this tick. */
  dirty: Uint32Array = new Uint32Array(0);
}

/** One field of one component in the table that is being worked on. */
export class Slot<C extends Column = Column> {
  declare column: C;
  declare readonly marks: Marks;
  /** `component.field`, for messages. */
  declare readonly field: string;
  declare readonly bit: number;
  declare readonly isSpatial: boolean;

  constructor(component: ComponentSchema, index: number, column: C, marks = new Marks()) {
    const field = component.fields[index] as FieldSchema;
    this.column = column;
    this.marks = marks;
    this.field = `${component.name}.${field.name}`;
    this.bit = 2 ** index;
    this.isSpatial = component.spatial?.includes(field.name) ?? false;
  }
}

// PERF: a class per common kind, so that V8 knows the kind of column of each and does not ask.
class F64Slot extends Slot<Float64Array> {}
class F32Slot extends Slot<Float32Array> {}

/** The slot of a field, of the class that suits its column. */
export function slotOf(component: ComponentSchema, f: number, column: Column, marks?: Marks): Slot {
  if (column instanceof Float64Array) return new F64Slot(component, f, column, marks);
  if (column instanceof Float32Array) return new F32Slot(component, f, column, marks);
  return new Slot(component, f, column, marks);
}

type Numbers = Exclude<Column, string[] | Json[]>;
type Accessor = { get(): unknown; set(value: never): void };

/** The slots of every component of a schema, in its order, and the two row objects of each. */
export class RowSet {
  readonly cursor = new Cursor();
  readonly slots: readonly (readonly Slot[])[];
  readonly readable: readonly object[];
  readonly writable: readonly object[];

  constructor(table: Table) {
    const { components } = table.schema;
    this.slots = components.map((component, c) => {
      const marks = new Marks();
      return component.fields.map((_, f) =>
        slotOf(component, f, table.columns[c]?.[f] as Column, marks),
      );
    });
    this.readable = components.map((component, c) => this.#view(component, c, false));
    this.writable = components.map((component, c) => this.#view(component, c, true));
  }

  #view(component: ComponentSchema, c: number, isWritable: boolean): object {
    const slots = this.slots[c] as readonly Slot[];
    return rowView(component.fields, slots, this.cursor, isWritable);
  }

  /** Turns all rows to a table. Again whenever its arrays may have been replaced. */
  point(table: Table): void {
    for (let c = 0; c < this.slots.length; c++) {
      const slots = this.slots[c] as readonly Slot[];
      const columns = table.columns[c] as Column[];
      for (let f = 0; f < slots.length; f++) {
        const slot = slots[f] as Slot;
        slot.column = columns[f] as Column;
        slot.marks.dirty = table.dirty[c] as Uint32Array;
      }
    }
  }
}

/**
 * An object with one property per field. Without `isWritable`, an assignment throws. The properties
 * are inherited accessors: spreading such a row copies nothing.
 *
 * PERF: on a prototype, not on the object itself: two objects with accessors of one name of their
 * own become dictionaries in V8, and an access then costs 150 ns instead of 5.
 */
export function rowView(
  fields: readonly FieldSchema[],
  slots: readonly Slot[],
  cursor: Cursor,
  isWritable: boolean,
): object {
  const fieldAccess = {};
  fields.forEach((field, f) => {
    const { get, set } = accessor(field, slots[f] as Slot, cursor);
    const access = isWritable ? { get, set: set as (value: unknown) => void } : { get };
    Object.defineProperty(fieldAccess, field.name, { ...access, enumerable: true });
  });
  return Object.create(fieldAccess) as object;
}

/** How rows of neighbours reach the table: one for each neighbour that can be looked at at once. */
export type WriteThrough = {
  /** Row of the table. */
  readonly target: Cursor;
  /** Called before a write; throws unless `target` is a row. */
  check(field: string): void;
  /** Called after a write: a position may have changed. */
  moved(): void;
};

/**
 * As a writable `rowView`, but it reads copies, at `cursor`, and writes both the table and the copy.
 */
export function writeThroughView(
  fields: readonly FieldSchema[],
  slots: { readonly copies: readonly Slot[]; readonly table: readonly Slot[] },
  cursor: Cursor,
  through: WriteThrough,
): object {
  const { target } = through;
  const fieldAccess = {};
  fields.forEach((field, f) => {
    const copy = slots.copies[f] as Slot;
    const slot = slots.table[f] as Slot;
    const { get } = accessor(field, copy, cursor);
    const write = accessor(field, slot, target).set as (value: unknown) => void;
    const set = (value: unknown): void => {
      through.check(slot.field);
      write(value);
      (copy.column as unknown[])[cursor.row] = slot.column[target.row];
      if (slot.isSpatial) through.moved();
    };
    Object.defineProperty(fieldAccess, field.name, { get, set, enumerable: true });
  });
  return Object.create(fieldAccess) as object;
}

/**
 * Rows of which some are in the table and the rest are copies: below `split.own` the cursor counts
 * rows of the table. Writable with `through`, which is asked before each write.
 */
export function splitView(
  fields: readonly FieldSchema[],
  slots: { readonly copies: readonly Slot[]; readonly table: readonly Slot[] },
  cursor: Cursor,
  split: { readonly own: number },
  through: WriteThrough | undefined,
): object {
  const fieldAccess = {};
  fields.forEach((field, f) => {
    const slot = slots.table[f] as Slot;
    const get = splitGetterOf(field.kind)(slot, slots.copies[f] as Slot, cursor, split);
    if (through === undefined) {
      Object.defineProperty(fieldAccess, field.name, { get, enumerable: true });
      return;
    }
    const write = accessor(field, slot, through.target).set as (value: unknown) => void;
    const set = (value: unknown): void => {
      through.check(slot.field);
      write(value);
      if (slot.isSpatial) through.moved();
    };
    Object.defineProperty(fieldAccess, field.name, { get, set, enumerable: true });
  });
  return Object.create(fieldAccess) as object;
}

type SplitGetter = (
  slot: Slot,
  copy: Slot,
  cursor: Cursor,
  split: { readonly own: number },
) => () => unknown;

/** Refers to nothing but its arguments, so that its text alone can be compiled. */
const splitGetter: SplitGetter = (slot, copy, cursor, split) => () => {
  const { row } = cursor;
  const { own } = split;
  return row < own ? slot.column[row] : copy.column[row - own];
};

const splitBoolGetter: SplitGetter = (slot, copy, cursor, split) => () => {
  const { row } = cursor;
  const { own } = split;
  return (row < own ? slot.column[row] : copy.column[row - own]) !== 0;
};

const splitGetters = new Map<FieldSchema['kind'], SplitGetter>();

function splitGetterOf(kind: FieldSchema['kind']): SplitGetter {
  const known = splitGetters.get(kind);
  if (known !== undefined) return known;
  const made = kind === 'bool' ? splitBoolGetter : compiledAnew(splitGetter, `neighbour-${kind}`);
  splitGetters.set(kind, made);
  return made;
}

function accessor({ kind }: FieldSchema, slot: Slot, cursor: Cursor): Accessor {
  switch (kind) {
    case 'f64':
      return f64Accessor(slot as Slot<Float64Array>, cursor);
    case 'f32':
      return f32Accessor(slot as Slot<Float32Array>, cursor);
    case 'bool':
      return boolAccessor(slot as Slot<Uint8Array>, cursor);
    case 'string':
    case 'json':
      return valueAccessor(kind, slot as Slot<Json[]>, cursor);
    default:
      return integerAccessorOf(kind)(slot as Slot<Numbers>, cursor, kind, kindMismatch);
  }
}

/**
 * PERF: setters are short, so that V8 has room to inline all that one `each` calls: what is rare
 * stands in functions of its own. Object.is is a call there, comparisons are not.
 */
function f64Accessor(slot: Slot<Float64Array>, cursor: Cursor): Accessor {
  const { bit, marks } = slot;
  return {
    get: () => slot.column[cursor.row],
    set: (value: number) => {
      const { row } = cursor;
      const { column } = slot;
      const before = column[row] as number;
      if (typeof value !== 'number' || !isPlainChange(value - before)) {
        if (!isOther(slot, 'f64', before, value)) return;
      }
      column[row] = value;
      (marks.dirty[row] as number) |= bit;
    },
  };
}

function f32Accessor(slot: Slot<Float32Array>, cursor: Cursor): Accessor {
  const { bit, marks } = slot;
  return {
    get: () => slot.column[cursor.row],
    set: (value: number) => {
      if (typeof value !== 'number') throw kindMismatch(slot.field, 'f32', value);
      const rounded = Math.fround(value);
      const { row } = cursor;
      const { column } = slot;
      const before = column[row] as number;
      if (!isPlainChange(rounded - before) && !isOther(slot, 'f32', before, rounded)) return;
      column[row] = rounded;
      (marks.dirty[row] as number) |= bit;
    },
  };
}

/**
 * Whether a difference is finite and not 0. Of a square that is 0 too, nothing is known.
 *
 * PERF: one comparison and one jump; two tests make a tick of `drift` a twentieth longer.
 */
const isPlainChange = (change: number): boolean => change - change + change * change > 0;

/** Whether a value that is no plain change of a number is another; throws if it cannot be held. */
function isOther(slot: Slot, kind: 'f32' | 'f64', before: number, value: number): boolean {
  if (typeof value !== 'number') throw kindMismatch(slot.field, kind, value);
  if (slot.isSpatial && !Number.isFinite(value)) throw notFinite(slot.field, value);
  return !Object.is(before, value);
}

function boolAccessor(slot: Slot<Uint8Array>, cursor: Cursor): Accessor {
  const { bit, marks } = slot;
  return {
    get: () => slot.column[cursor.row] !== 0,
    set: (value: boolean) => {
      if (typeof value !== 'boolean') throw kindMismatch(slot.field, 'bool', value);
      const row = cursor.row;
      if ((slot.column[row] !== 0) === value) return;
      slot.column[row] = value ? 1 : 0;
      (marks.dirty[row] as number) |= bit;
    },
  };
}

type IntegerAccessor = (
  slot: Slot<Numbers>,
  cursor: Cursor,
  kind: FieldSchema['kind'],
  mismatch: typeof kindMismatch,
) => Accessor;

/** Refers to nothing but its arguments, so that its text alone can be compiled: once for a kind. */
const integerAccessor: IntegerAccessor = (slot, cursor, kind, mismatch) => {
  const { bit, marks } = slot;
  const isEntity = kind === 'entity';
  return {
    get: () => slot.column[cursor.row],
    set: (value: number) => {
      const row = cursor.row;
      const { column } = slot;
      const before = column[row] as number;
      if (before === value) return;
      // −0 would read back as 0 elsewhere.
      column[row] = value === 0 ? 0 : value;
      // A typed array rounds and wraps in silence; what it cannot hold is refused instead.
      if (column[row] !== value || (isEntity && !(Number.isSafeInteger(value) && value >= 0))) {
        column[row] = before;
        throw mismatch(slot.field, kind, value);
      }
      (marks.dirty[row] as number) |= bit;
    },
  };
};

const integerAccessors = new Map<FieldSchema['kind'], IntegerAccessor>();

function integerAccessorOf(kind: FieldSchema['kind']): IntegerAccessor {
  const known = integerAccessors.get(kind);
  if (known !== undefined) return known;
  const made = compiledAnew(integerAccessor, `row-${kind}`);
  integerAccessors.set(kind, made);
  return made;
}

function valueAccessor(kind: 'string' | 'json', slot: Slot<Json[]>, cursor: Cursor): Accessor {
  const { bit, field, marks } = slot;
  return {
    get: () => slot.column[cursor.row],
    set: (value: Json) => {
      const row = cursor.row;
      if (Object.is(slot.column[row], value)) return;
      slot.column[row] = storable(field, kind, value) as Json;
      (marks.dirty[row] as number) |= bit;
    },
  };
}

/**
 * A spatial field took no place in space; system, entity and tick are added where they are known.
 */
export function notFinite(field: string, value: unknown): LeaseholdError {
  return new LeaseholdError('SPATIAL_NOT_FINITE', `${field} became ${printable(value)}`, {
    field,
    value: printable(value),
    remedy: 'Check the arithmetic of the system for divisions by 0; the tick was refused.',
  });
}
