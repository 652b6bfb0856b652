/** Predicates on fields, as they stand in an address: `component.field,op,value`. */
import { LeaseholdError } from '@leasehold/kernel';
import type { FieldSchema, LayerSchema, Table } from '@leasehold/protocol';

export const WHERE_TERMS_MAX = 8;
const OPS = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const;
type Op = (typeof OPS)[number];
type Value = number | string | boolean;

export type Predicate = (table: Table, row: number) => boolean;

/** All terms must hold; one about a component that a row lacks does not. Errors: `REQUEST_INVALID`. */
export function predicateOf(schema: LayerSchema, terms: readonly string[]): Predicate {
  if (terms.length > WHERE_TERMS_MAX) {
    throw invalid('where', String(terms.length), `Give at most ${WHERE_TERMS_MAX} terms.`);
  }
  const tests = terms.map((term, i) => testOf(schema, term, `where.${i}`));
  return (table, row) => tests.every((test) => test(table, row));
}

function testOf(schema: LayerSchema, term: string, at: string): Predicate {
  const [, name = '', fieldName = '', word = '', text = ''] =
    /^([A-Za-z0-9_-]+)\.([^,]{1,128}),([a-z]{2}),([\s\S]*)$/.exec(term) ?? [];
  const component = schema.components.findIndex((each) => each.name === name);
  const fields = schema.components[component]?.fields ?? [];
  const f = fields.findIndex((each) => each.name === fieldName);
  const field = fields[f];
  const op = OPS.find((known) => known === word);
  if (field === undefined) throw invalid(at, term, 'Write component.field,op,value of the world.');
  if (op === undefined) throw invalid(at, term, `Use one of ${OPS.join(', ')}.`);
  const value = comparedValue(field, text, op, at);
  return (table, row) => {
    if ((((table.masks[row] as number) >>> component) & 1) === 0) return false;
    const stored = table.columns[component]?.[f]?.[row] as number | string;
    return holds(op, field.kind === 'bool' ? stored === 1 : stored, value);
  };
}

function comparedValue({ kind, name }: FieldSchema, text: string, op: Op, at: string): Value {
  if (kind === 'json') throw invalid(at, name, 'Fields of kind json cannot be compared.');
  if (kind === 'string') return text;
  if (kind === 'bool') {
    if (text !== 'true' && text !== 'false') throw invalid(at, text, 'Compare with true or false.');
    if (op !== 'eq' && op !== 'ne') throw invalid(at, op, 'Use eq or ne with a bool.');
    return text === 'true';
  }
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d{1,3})?$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return kind === 'f32' ? Math.fround(value) : value;
  throw invalid(at, text, 'Compare with a finite number in decimal digits.');
}

function holds(op: Op, stored: Value, value: Value): boolean {
  switch (op) {
    case 'eq':
      return stored === value;
    case 'ne':
      return stored !== value;
    case 'lt':
      return stored < value;
    case 'le':
      return stored <= value;
    case 'gt':
      return stored > value;
    case 'ge':
      return stored >= value;
  }
}

function invalid(field: string, value: string, remedy: string): LeaseholdError {
  const shown = value.slice(0, 100);
  return new LeaseholdError('REQUEST_INVALID', `${field} cannot be ${shown}`, {
    field,
    value: shown,
    remedy,
  });
}
