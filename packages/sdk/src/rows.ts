/**
 * Rows as systems see them: objects whose properties read and write columns at the row of a cursor.
 * One object per component serves every entity of every cell, so nothing is allocated per entity.
 *
 * PERF: the accessors are closures over their slot and cursor, with one function literal per kind
 * of column. So each literal only ever meets one kind of typed array, each `each` only ever meets
 * one shape of row, and the optimising compiler inlines the access: an entity of `drift` (four
 * reads, two writes) costs about 30 ns of a busy core, 16,384 of them encoded and settled 1.6 ms a
 * tick.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { Column, ComponentSchema, FieldSchema, Json, Table } from '@leasehold/protocol';
import { kindMismatch, printable, storable } from './kinds.ts';

/** Where a set of slots points. */
export class Cursor {
  row = 0;
}

/** One field of one component in the table that is being worked on. */
export class Slot<C extends Column = Column> {
  column: C;
  /** [row] bit f: changed in this tick. */
  dirty: Uint32Array = new Uint32Array(0);
  /** `component.field`, for messages. */
  readonly field: string;
  readonly bit: number;
  readonly isSpatial: boolean;

  constructor(component: ComponentSchema, index: number, column: C) {
    const field = component.fields[index] as FieldSchema;
    this.column = column;
    this.field = `${component.name}.${field.name}`;
    this.bit = 2 ** index;
    this.isSpatial = component.spatial?.includes(field.name) ?? false;
  }
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
    this.slots = components.map((component, c) =>
      component.fields.map((_, f) => new Slot(component, f, table.columns[c]?.[f] as Column)),
    );
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
        slot.dirty = table.dirty[c] as Uint32Array;
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
      return integerAccessor(kind, slot as Slot<Numbers>, cursor);
  }
}

function f64Accessor(slot: Slot<Float64Array>, cursor: Cursor): Accessor {
  const { bit, isSpatial } = slot;
  return {
    get: () => slot.column[cursor.row],
    set: (value: number) => {
      if (typeof value !== 'number') throw kindMismatch(slot.field, 'f64', value);
      // Only a finite number less itself is 0.
      if (isSpatial && value - value !== 0) throw notFinite(slot.field, value);
      const row = cursor.row;
      if (Object.is(slot.column[row], value)) return;
      slot.column[row] = value;
      (slot.dirty[row] as number) |= bit;
    },
  };
}

function f32Accessor(slot: Slot<Float32Array>, cursor: Cursor): Accessor {
  const { bit, isSpatial } = slot;
  return {
    get: () => slot.column[cursor.row],
    set: (value: number) => {
      if (typeof value !== 'number') throw kindMismatch(slot.field, 'f32', value);
      const rounded = Math.fround(value);
      if (isSpatial && rounded - rounded !== 0) throw notFinite(slot.field, value);
      const row = cursor.row;
      if (Object.is(slot.column[row], rounded)) return;
      slot.column[row] = rounded;
      (slot.dirty[row] as number) |= bit;
    },
  };
}

function boolAccessor(slot: Slot<Uint8Array>, cursor: Cursor): Accessor {
  const { bit } = slot;
  return {
    get: () => slot.column[cursor.row] !== 0,
    set: (value: boolean) => {
      if (typeof value !== 'boolean') throw kindMismatch(slot.field, 'bool', value);
      const row = cursor.row;
      if ((slot.column[row] !== 0) === value) return;
      slot.column[row] = value ? 1 : 0;
      (slot.dirty[row] as number) |= bit;
    },
  };
}

function integerAccessor(kind: FieldSchema['kind'], slot: Slot<Numbers>, cursor: Cursor): Accessor {
  const { bit } = slot;
  return {
    get: () => slot.column[cursor.row],
    set: (value: number) => {
      const row = cursor.row;
      const before = slot.column[row] as number;
      if (before === value) return;
      // −0 would read back as 0 elsewhere.
      slot.column[row] = value === 0 ? 0 : value;
      // A typed array rounds and wraps in silence; what it cannot hold is refused instead.
      const isLossy = slot.column[row] !== value;
      if (isLossy || (kind === 'entity' && !(Number.isSafeInteger(value) && value >= 0))) {
        slot.column[row] = before;
        throw kindMismatch(slot.field, kind, value);
      }
      (slot.dirty[row] as number) |= bit;
    },
  };
}

function valueAccessor(kind: 'string' | 'json', slot: Slot<Json[]>, cursor: Cursor): Accessor {
  const { bit, field } = slot;
  return {
    get: () => slot.column[cursor.row],
    set: (value: Json) => {
      const row = cursor.row;
      if (Object.is(slot.column[row], value)) return;
      slot.column[row] = storable(field, kind, value) as Json;
      (slot.dirty[row] as number) |= bit;
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
