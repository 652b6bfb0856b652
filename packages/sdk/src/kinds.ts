/**
 * The kinds of fields, as values: `f64` is a kind whose fields start at 0, `f64(5)` one whose
 * fields start at 5. What a kind admits is checked here and nowhere else.
 */
import { LeaseholdError } from '@leasehold/kernel';
import {
  canonicalJson,
  type FieldKind,
  type FieldValue,
  isOfKind,
  type Json,
} from '@leasehold/protocol';

/** One field of a component: its kind and the value that it has when nobody gives another. */
export interface Field<K extends FieldKind = FieldKind, T = unknown> {
  readonly kind: K;
  readonly initial: T;
}

/** A kind: a field by itself, and a function that makes a field with another initial value. */
export interface Kind<K extends FieldKind, T> extends Field<K, T> {
  (initial: T): Field<K, T>;
}

/** The kind `json`: any value that JSON can carry; `json<Route[]>([])` says which. */
export interface JsonKind extends Field<'json', unknown> {
  <T>(initial: T): Field<'json', T>;
}

/** A value as a system sees it: JSON is replaced as a whole, never changed in place. */
export type Frozen<T> = T extends readonly (infer U)[]
  ? readonly Frozen<U>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

function kindOf<K extends FieldKind, T>(kind: K, initial: T): Kind<K, T> {
  const make = (value: T): Field<K, T> => Object.freeze({ kind, initial: value });
  return Object.freeze(Object.assign(make, { kind, initial }));
}

/** A 32-bit float; what is written is rounded to it. */
export const f32: Kind<'f32', number> = kindOf('f32', 0);
/** A 64-bit float. */
export const f64: Kind<'f64', number> = kindOf('f64', 0);
/** An integer in 0 … 255. */
export const u8: Kind<'u8', number> = kindOf('u8', 0);
/** An integer in 0 … 65,535. */
export const u16: Kind<'u16', number> = kindOf('u16', 0);
/** An integer in 0 … 2^32 − 1. */
export const u32: Kind<'u32', number> = kindOf('u32', 0);
/** An integer in −128 … 127. */
export const i8: Kind<'i8', number> = kindOf('i8', 0);
/** An integer in −32,768 … 32,767. */
export const i16: Kind<'i16', number> = kindOf('i16', 0);
/** An integer in −2^31 … 2^31 − 1. */
export const i32: Kind<'i32', number> = kindOf('i32', 0);
/** True or false. */
export const bool: Kind<'bool', boolean> = kindOf('bool', false);
/** The id of an entity; 0 stands for none. */
export const entity: Kind<'entity', number> = kindOf('entity', 0);
/** Text that UTF-8 can carry: no lone surrogates. */
export const string: Kind<'string', string> = kindOf('string', '');
/** Anything that JSON can carry. Replace the value to change it: a change in place is not seen. */
export const json: JsonKind = kindOf('json', null as unknown) as JsonKind;

/** Whether a value can be stored in a field of this kind without loss; floats may be NaN. */
export function fits(kind: FieldKind, value: unknown): boolean {
  if (kind === 'f32' || kind === 'f64') return typeof value === 'number';
  return isOfKind(kind, value);
}

/**
 * The value as every reader will have it. JSON is rebuilt from its one spelling: else a pod that
 * kept an object and one that decoded it could see its keys in different orders (T1).
 */
export function storable(field: string, kind: FieldKind, value: unknown): FieldValue {
  if (!fits(kind, value)) throw kindMismatch(field, kind, value);
  if (kind === 'f32') return Math.fround(value as number);
  if (kind === 'json') return JSON.parse(canonicalJson(value, field)) as Json;
  // Integers have no −0 on the wire.
  return value === 0 && kind !== 'f64' ? 0 : (value as FieldValue);
}

/** Says that a value does not fit; `field` is `component.field`. */
export function kindMismatch(field: string, kind: FieldKind, value: unknown): LeaseholdError {
  const shown = printable(value);
  return new LeaseholdError('FIELD_KIND_MISMATCH', `${field}: ${shown} is no ${kind}`, {
    field,
    value: shown,
    remedy: `Give it ${KIND_WORDS[kind]}, or declare the field with another kind.`,
  });
}

const KIND_WORDS: Record<FieldKind, string> = {
  f32: 'a number',
  f64: 'a number',
  u8: 'an integer from 0 to 255',
  u16: 'an integer from 0 to 65535',
  u32: 'an integer from 0 to 4294967295',
  i8: 'an integer from -128 to 127',
  i16: 'an integer from -32768 to 32767',
  i32: 'an integer from -2147483648 to 2147483647',
  bool: 'true or false',
  entity: 'the id of an entity, or 0',
  string: 'text without lone surrogates',
  json: 'what JSON can carry: no functions, dates, undefined, NaN or infinity',
};

const SHOWN_MAX = 80;

/** A value as an error message shows it: short, and never throwing. */
export function printable(value: unknown): string {
  let text: string;
  try {
    text = typeof value === 'object' ? (JSON.stringify(value) ?? 'undefined') : String(value);
  } catch {
    text = Object.prototype.toString.call(value);
  }
  if (typeof value === 'string') text = JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}
