/**
 * Components: named, versioned record types. A component is a function that makes values of itself
 * for `spawn` and `add`; its name, version and fields are what reaches the disk.
 */
import { checkName, LeaseholdError } from '@leasehold/kernel';
import {
  type ComponentSchema,
  checkedDurability,
  type Durability,
  type FieldSchema,
  type FieldValue,
} from '@leasehold/protocol';
import { type Field, type Frozen, printable, storable } from './kinds.ts';

/** Fields by name. */
export type Fields = Readonly<Record<string, Field>>;

/** What a field holds. */
export type ValueOf<F extends Field> = F['kind'] extends 'json'
  ? Frozen<F['initial']>
  : F['initial'];

/** The record type of some fields. */
export type Values<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> };

/** Names of the fields that are f32 or f64. */
type FloatField<F extends Fields> = {
  [K in keyof F & string]: F[K]['kind'] extends 'f32' | 'f64' ? K : never;
}[keyof F & string];

/** A component whatever its fields, as declarations take it. */
export interface AnyComponent<F extends Fields = Fields> {
  readonly schema: ComponentSchema;
  readonly fields: F;
}

/** A component type; called, it makes a value. Fields that are not given start at their initial. */
export interface Component<F extends Fields = Fields> extends AnyComponent<F> {
  (values?: Partial<Values<F>>): ComponentValue;
}

/** Components under the names by which a system's `each` receives them. */
export type Components = Readonly<Record<string, AnyComponent>>;

/** A row of a component that a system writes. */
export type Row<C extends AnyComponent> = {
  -readonly [K in keyof C['fields']]: ValueOf<C['fields'][K]>;
};

/** A row of a component that a system reads. */
export type ReadonlyRow<C extends AnyComponent> = Readonly<Row<C>>;

/** A component with its values, in the order of its fields: what `spawn` and `add` take. */
export class ComponentValue {
  readonly component: AnyComponent;
  readonly values: readonly FieldValue[];

  constructor(component: AnyComponent, values: readonly FieldValue[]) {
    this.component = component;
    this.values = values;
  }
}

export type ComponentOptions<F extends Fields> = {
  /**
   * Names of the two fields, f32 or f64, that say where the entity is: x and y in the units of the
   * space, or longitude and latitude in degrees. At most one component of a world has them.
   */
  readonly spatial?: readonly [x: FloatField<F>, y: FloatField<F>];
  /**
   * How finely views show an f32 or f64: `{ longitude: 0.0005 }` rounds what viewers see to 0.0005
   * degrees, and makes an update cost 1 or 2 bytes instead of 4 or 8. The simulation and what is
   * stored keep every bit, so steps may change at any time, without a new version.
   */
  readonly steps?: { readonly [K in FloatField<F>]?: number };
  /**
   * What a crash may cost of it. `'tick'`: nothing, each change is in the commit of its tick.
   * `{ every: n }`: the changes of at most n ticks, told together. `'ephemeral'`: all of it, for it is
   * told as it changes and not kept: a new holder of the cell starts it from its initial values. May
   * change at any time, without a new version. In lockstep every component is `'tick'`.
   */
  readonly durability?: Durability;
};

/**
 * Declares a component.
 *
 * `version` is a whole number from 1; raise it when fields change: stored rows are then read by
 * field name, and new fields start at their initial value.
 *
 * Errors: `NAME_INVALID`, `COMPONENT_INVALID` (also for a step that is not above 0, or of a field
 * that is no f32 or f64, and a durability that it cannot have), `FIELD_KIND_MISMATCH` (an initial
 * value of the wrong kind). A value made of it with an unknown field or a wrong kind is
 * `FIELD_KIND_MISMATCH`.
 */
export function component<const N extends string, F extends Fields>(
  name: N,
  version: number,
  fields: F,
  options: ComponentOptions<F> = {},
): Component<F> {
  checkName('component name', name);
  if (!Number.isInteger(version) || version < 1 || version > 0xffff) {
    throw invalid(name, 'version', version, 'Use a whole number from 1 to 65535.');
  }
  const steps = stepsOf(name, fields, options.steps ?? {});
  const schemas = Object.entries(fields).map(([field, { kind, initial }]): FieldSchema => {
    checkName(`field of component ${name}`, field);
    const step = steps.get(field);
    const start = storable(`${name}.${field}`, kind, initial);
    return { name: field, kind, initial: start, ...(step === undefined ? {} : { step }) };
  });
  const spatial = options.spatial && spatialOf(name, schemas, options.spatial);
  const placed = { name, ...(spatial && { spatial }) };
  const durability = checkedDurability(placed, options.durability);
  const kept = { ...placed, version, fields: schemas };
  const schema: ComponentSchema = { ...kept, ...(durability && { durability }) };
  const make = (values: Partial<Values<F>> = {}): ComponentValue =>
    makeValue(declared, values as Readonly<Record<string, unknown>>);
  const declared: Component<F> = Object.assign(make, { schema, fields });
  Object.defineProperty(declared, 'name', { value: name });
  return Object.freeze(declared);
}

function stepsOf(name: string, fields: Fields, steps: object): ReadonlyMap<string, number> {
  const checked = new Map<string, number>();
  for (const [field, step] of Object.entries(steps) as [string, unknown][]) {
    if (step === undefined) continue;
    const kind = Object.hasOwn(fields, field) ? fields[field]?.kind : undefined;
    if (kind !== 'f32' && kind !== 'f64') {
      throw invalid(name, 'steps', field, 'Give steps to its fields of kind f32 or f64 only.');
    }
    if (typeof step !== 'number' || !Number.isFinite(step) || step <= 0) {
      const remedy = 'Use a finite number above 0: how finely viewers see the field.';
      throw invalid(name, `steps.${field}`, step, remedy);
    }
    checked.set(field, step);
  }
  return checked;
}

function spatialOf(
  name: string,
  schemas: readonly FieldSchema[],
  spatial: readonly string[],
): readonly [string, string] {
  const [x, y] = spatial;
  for (const field of [x, y]) {
    const schema = schemas.find((candidate) => candidate.name === field);
    if (schema === undefined || (schema.kind !== 'f32' && schema.kind !== 'f64')) {
      throw invalid(name, 'spatial', field, 'Name two of its fields of kind f32 or f64.');
    }
    if (!Number.isFinite(schema.initial)) {
      throw invalid(
        name,
        `${field}`,
        schema.initial,
        'Let a spatial field start at a finite number.',
      );
    }
  }
  if (x === undefined || y === undefined || x === y) {
    throw invalid(name, 'spatial', spatial, 'Name two different fields: x, then y.');
  }
  return [x, y];
}

function makeValue(
  declared: AnyComponent,
  values: Readonly<Record<string, unknown>>,
): ComponentValue {
  const { name, fields } = declared.schema;
  const row: FieldValue[] = [];
  for (let f = 0; f < fields.length; f++) {
    const field = fields[f] as FieldSchema;
    const value = values[field.name];
    if (value === undefined) row.push(field.initial);
    else if (field.kind === 'f64' && typeof value === 'number') row.push(value);
    else row.push(storable(`${name}.${field.name}`, field.kind, value));
  }
  for (const given of Object.keys(values)) {
    if (Object.hasOwn(declared.fields, given)) continue;
    throw new LeaseholdError('FIELD_KIND_MISMATCH', `${name} has no field ${given}`, {
      field: `${name}.${given}`,
      value: printable(values[given]),
      remedy: `Its fields are ${fields.map((field) => field.name).join(', ') || 'none'}.`,
    });
  }
  return new ComponentValue(declared, row);
}

function invalid(name: string, field: string, value: unknown, remedy: string): LeaseholdError {
  const shown = printable(value);
  return new LeaseholdError('COMPONENT_INVALID', `component ${name}: ${field} is ${shown}`, {
    field: `${name}.${field}`,
    value: shown,
    remedy,
  });
}
