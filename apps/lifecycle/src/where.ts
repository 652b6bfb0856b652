/** Predicates on fields, as they stand in an address: `component.field,op,value`. */
import { LeaseholdError } from '@leasehold/kernel';
import {
  type FieldSchema,
  isOwnComponent,
  type LayerSchema,
  type Table,
} from '@leasehold/protocol';

export const WHERE_TERMS_MAX = 8;
const OPS = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const;
type Op = (typeof OPS)[number];
type Value = number | string | boolean;

export type Predicate = (table: Table, row: number) => boolean;

/** A term, and its place among those that were sent. */
export type Term = { readonly text: string; readonly at: string };
type Layered = { readonly schema: LayerSchema };

/**
 * Terms by the layer whose component they are about; of the first one where there is no such
 * component. Errors: `REQUEST_INVALID`.
 */
export function termsOf<Layer extends Layered>(
  layers: readonly [Layer, ...Layer[]],
  texts: readonly string[],
): Map<Layer, Term[]> {
  if (texts.length > WHERE_TERMS_MAX) {
    throw invalid('where', String(texts.length), `Give at most ${WHERE_TERMS_MAX} terms.`);
  }
  const terms = new Map<Layer, Term[]>();
  for (const [i, text] of texts.entries()) {
    const [name = ''] = text.split('.', 1);
    const layer = layers.find(({ schema }) => ownIndex(schema, name) !== -1) ?? layers[0];
    terms.set(layer, [...(terms.get(layer) ?? []), { text, at: `where.${i}` }]);
  }
  return terms;
}

/** All terms must hold; one about a component that a row lacks does not. Errors: `REQUEST_INVALID`. */
export function predicateOf(schema: LayerSchema, terms: readonly Term[]): Predicate {
  const tests = terms.map((term) => testOf(schema, term));
  return (table, row) => tests.every((test) => test(table, row));
}

function testOf(schema: LayerSchema, { text: term, at }: Term): Predicate {
  const [, name = '', fieldName = '', word = '', text = ''] =
    /^([A-Za-z0-9_-]+)\.([^,]{1,128}),([a-z]{2}),([\s\S]*)$/.exec(term) ?? [];
  const component = ownIndex(schema, name);
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

/** A copy of a component is not asked: the layer that has it is ahead of it. */
function ownIndex(schema: LayerSchema, name: string): number {
  return schema.components.findIndex((each) => each.name === name && isOwnComponent(each));
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
