/**
 * What the outside asks of rows: new ones, other values, components given and taken. Everything is
 * checked before anything is changed.
 */
import { LeaseholdError } from '@leasehold/kernel';
import {
  type ComponentSchema,
  type ComponentValues,
  type EntityMatch,
  type EntityRequest,
  type FieldValue,
  type Json,
  type NewEntity,
  type Table,
  valuesHash,
} from '@leasehold/protocol';
import type { Placement, Requests } from './births.ts';
import type { Component, ComponentValue } from './component.ts';
import { storable } from './kinds.ts';

/** Fields of a component that the row has, with their values as columns hold them. */
type FieldPatch = {
  readonly component: number;
  readonly field: number;
  readonly value: FieldValue;
};

export type Patch = {
  readonly fields: readonly FieldPatch[];
  /** Components that the row gets, whole. */
  readonly given: readonly { readonly component: number; readonly value: ComponentValue }[];
  readonly taken: readonly number[];
};

type PatchRequest = Extract<EntityRequest, { kind: 'patch' }>;

/**
 * The rows that new entities become. Throws `COMPONENT_UNKNOWN`, `FIELD_KIND_MISMATCH` or
 * `SPATIAL_NOT_FINITE`.
 */
export function checkNewEntities(
  placement: Placement,
  entities: readonly NewEntity[],
): { readonly id: number; readonly row: readonly ComponentValue[] }[] {
  return entities.map(({ id, components }) => {
    const row = Object.entries(components).map(([name, values]) =>
      newValue(placement, name, values),
    );
    for (const value of row) placement.checkPlace(value);
    return { id, row };
  });
}

function newValue(
  placement: Placement,
  name: string,
  values: Readonly<Record<string, Json>>,
): ComponentValue {
  return (placement.component(name) as Component)(values as never);
}

/** Throws `COMPONENT_UNKNOWN`, `FIELD_KIND_MISMATCH` or `SPATIAL_NOT_FINITE`. */
export function checkPatch(
  placement: Placement,
  table: Table,
  row: number,
  { set, remove }: PatchRequest,
): Patch {
  const mask = table.masks[row] as number;
  const fields: FieldPatch[] = [];
  const given: { component: number; value: ComponentValue }[] = [];
  for (const [name, values] of Object.entries(set)) {
    const component = indexOf(placement, name);
    const value = newValue(placement, name, values);
    placement.checkPlace(value);
    if (((mask >>> component) & 1) === 0) given.push({ component, value });
    else fields.push(...fieldPatches(table.schema.components[component], component, values));
  }
  const taken = remove.map((name) => indexOf(placement, name));
  return { fields, given, taken };
}

function indexOf(placement: Placement, name: string): number {
  const index = placement.indexOf(placement.component(name), 'patch');
  if (index !== -1) return index;
  throw new LeaseholdError('COMPONENT_UNKNOWN', `${name} is a component of another layer`, {
    field: name,
    value: name,
    remedy: 'Send the request to the layer that has it.',
  });
}

function fieldPatches(
  schema: ComponentSchema | undefined,
  component: number,
  values: Readonly<Record<string, Json>>,
): FieldPatch[] {
  return Object.entries(values).map(([name, value]) => {
    const field = schema?.fields.findIndex((candidate) => candidate.name === name) ?? -1;
    const kind = schema?.fields[field]?.kind ?? 'json';
    const stored = storable(`${schema?.name}.${name}`, kind, value);
    return { component, field, value: kind === 'bool' ? Number(stored) : stored };
  });
}

/** Values hold from now on; components are given and taken at the end of the tick. */
export function applyPatch(
  placement: Placement,
  table: Table,
  at: { readonly row: number; readonly patch: Patch; readonly requests: Requests },
): void {
  const { row, patch, requests } = at;
  for (const { component, field, value } of patch.fields) {
    const column = table.columns[component]?.[field] as unknown[];
    if (Object.is(column[row], value)) continue;
    column[row] = placement.placed(component, field, value);
    const marks = table.dirty[component] as Uint32Array;
    marks[row] = (marks[row] as number) | (2 ** field);
  }
  const id = table.ids[row] as number;
  for (const { component, value } of patch.given) requests.exchanges.push({ id, component, value });
  for (const component of patch.taken) {
    requests.exchanges.push({ id, component, value: undefined });
  }
}

/** Whether the named components of a row have the values that somebody read. */
export function matches(table: Table, row: number, { components, hash }: EntityMatch): boolean {
  return valuesHash(rowValues(table, row, new Set(components))) === hash;
}

function rowValues(table: Table, row: number, names: ReadonlySet<string>): ComponentValues {
  const values: Record<string, Record<string, Json>> = {};
  for (const [c, { name, fields }] of table.schema.components.entries()) {
    if (!names.has(name) || (((table.masks[row] as number) >>> c) & 1) === 0) continue;
    const held: Record<string, Json> = {};
    for (const [f, field] of fields.entries()) {
      const value = table.columns[c]?.[f]?.[row] as Json;
      held[field.name] = field.kind === 'bool' ? value !== 0 : value;
    }
    values[name] = held;
  }
  return values;
}
