/**
 * Reading what an older module wrote. Fields are matched by name: a new one starts at its initial
 * value, a dropped one is forgotten, a kind may only widen. A component must keep being declared;
 * whoever wants it gone declares a new version of it without fields.
 */
import { LeaseholdError } from '@leasehold/kernel';
import {
  type Column,
  type ComponentSchema,
  emptyColumn,
  type FieldKind,
  type FieldSchema,
  type LayerSchema,
  type Slab,
} from './schema.ts';
import { Table } from './table.ts';
import { isSpatial } from './values.ts';

/** Kinds that hold every value of another kind, exactly. */
const WIDER: Readonly<Record<FieldKind, readonly FieldKind[]>> = {
  bool: ['u8', 'u16', 'u32', 'i8', 'i16', 'i32', 'f32', 'f64'],
  u8: ['u16', 'u32', 'i16', 'i32', 'f32', 'f64'],
  u16: ['u32', 'i32', 'f32', 'f64'],
  u32: ['f64'],
  i8: ['i16', 'i32', 'f32', 'f64'],
  i16: ['i32', 'f32', 'f64'],
  i32: ['f64'],
  f32: ['f64'],
  f64: [],
  entity: [],
  string: ['json'],
  json: [],
};

/**
 * Where a component's data goes: its index in the newer schema, and each field's, −1 if dropped.
 */
type Move = { readonly component: number; readonly fields: readonly number[] };

/** By component of the older schema. */
export type Migration = readonly Move[];

const plans = new WeakMap<LayerSchema, WeakMap<LayerSchema, Migration>>();

/**
 * How state of schema `from` becomes state of schema `to`. Throws `SCHEMA_INCOMPATIBLE` when it
 * cannot, naming component, field and both kinds or versions: a component that is gone or older
 * than stored, fields changed without a new version, a kind that does not widen.
 */
export function planMigration(from: LayerSchema, to: LayerSchema): Migration {
  const known = plans.get(from) ?? new WeakMap<LayerSchema, Migration>();
  plans.set(from, known);
  const plan = known.get(to) ?? planned(from, to);
  known.set(to, plan);
  return plan;
}

function planned(from: LayerSchema, to: LayerSchema): Migration {
  return from.components.map((older) => {
    const component = to.components.findIndex(({ name }) => name === older.name);
    const newer = to.components[component];
    if (newer === undefined) {
      const remedy = `Declare ${older.name} again; a new version of it may have no fields.`;
      throw incompatible(older.name, 'stored, but no longer declared', remedy);
    }
    checkVersions(older, newer);
    const fields = older.fields.map((field) => {
      const f = newer.fields.findIndex(({ name }) => name === field.name);
      const kind = newer.fields[f]?.kind;
      if (kind !== undefined && kind !== field.kind && !WIDER[field.kind].includes(kind)) {
        const remedy = `Keep ${field.kind}, or give the new field another name.`;
        const found = `stored as ${field.kind}, declared as ${kind}, which cannot hold it`;
        throw incompatible(`${older.name}.${field.name}`, found, remedy);
      }
      return f;
    });
    return { component, fields };
  });
}

function checkVersions(older: ComponentSchema, newer: ComponentSchema): void {
  if (newer.version < older.version) {
    const found = `stored in version ${older.version}, declared in version ${newer.version}`;
    const remedy = `Run the newer module, or declare version ${older.version} or above.`;
    throw incompatible(older.name, found, remedy);
  }
  const shape = ({ fields }: ComponentSchema): string =>
    fields
      .map(({ name, kind }) => `${name}: ${kind}`)
      .sort()
      .join(', ');
  if (newer.version === older.version && shape(newer) !== shape(older)) {
    const found = `version ${older.version} is stored as {${shape(older)}}, declared as {${shape(newer)}}`;
    throw incompatible(older.name, found, `Raise its version to ${older.version + 1}.`);
  }
}

function incompatible(field: string, value: string, remedy: string): LeaseholdError {
  return new LeaseholdError('SCHEMA_INCOMPATIBLE', `${field}: ${value}`, { field, value, remedy });
}

/** A mask of the older schema in terms of the newer. */
export function migratedMask(plan: Migration, mask: number): number {
  let moved = 0;
  for (let c = 0; c < plan.length; c++) {
    if (((mask >>> c) & 1) === 1) moved |= 1 << (plan[c] as Move).component;
  }
  return moved >>> 0;
}

/** The values in a column of the newer kind; the same column if the kind stays. */
export function migratedColumn(column: Column, from: FieldKind, to: FieldKind): Column {
  if (from === to || Array.isArray(column)) return column;
  const wider = emptyColumn(to, column.length) as Slab;
  wider.set(column as ArrayLike<number>);
  return wider;
}

/**
 * The rows in the newer schema: the table itself if it is in that already, else a new one,
 * unmarked. Throws as `planMigration`, and `SPATIAL_NOT_FINITE` if a field that is a position only
 * now holds NaN or infinity.
 */
export function migrate(table: Table, to: LayerSchema): Table {
  const from = table.schema;
  if (from.hash === to.hash) return table;
  const plan = planMigration(from, to);
  const moved = new Table(to, Math.max(table.count, 1));
  moved.count = table.count;
  for (let row = 0; row < table.count; row++) {
    moved.ids[row] = table.ids[row] as number;
    moved.masks[row] = migratedMask(plan, table.masks[row] as number);
  }
  plan.forEach(({ component, fields }, c) => {
    fields.forEach((field, f) => {
      if (field < 0) return;
      const into = moved.columns[component]?.[field] as Column;
      copyPresent(table, c, table.columns[c]?.[f] as Column, into);
      checkFinite(moved, component, field);
    });
  });
  return moved;
}

/** Rows that lack the component keep the initial value of the newer schema. */
function copyPresent({ masks, count }: Table, c: number, column: Column, into: Column): void {
  for (let row = 0; row < count; row++) {
    if ((((masks[row] as number) >>> c) & 1) === 1) (into as unknown[])[row] = column[row];
  }
}

function checkFinite(table: Table, c: number, f: number): void {
  const component = table.schema.components[c] as ComponentSchema;
  const field = component.fields[f] as FieldSchema;
  if (!isSpatial(component, field)) return;
  const column = table.columns[c]?.[f] as Column;
  const at = `${component.name}.${field.name}`;
  for (let row = 0; row < table.count; row++) checkPosition(at, column[row] as number);
}

/** Throws `SPATIAL_NOT_FINITE` unless the value can be a position. */
export function checkPosition(at: string, value: number): void {
  if (Number.isFinite(value)) return;
  throw new LeaseholdError('SPATIAL_NOT_FINITE', `${at} is a position, but stored as ${value}`, {
    field: at,
    value: String(value),
    remedy: 'Declare the field as a position only once every entity has a finite one.',
  });
}
