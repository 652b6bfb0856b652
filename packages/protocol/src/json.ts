/**
 * JSON with one spelling per value: keys sorted by code unit, no blanks, −0 kept. Two states are
 * equal if and only if their texts are.
 */
import { LeaseholdError } from '@leasehold/kernel';

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** Deeper values are refused: enough for any record, far below what a stack holds. */
export const JSON_DEPTH_MAX = 64;

/**
 * The one text of a value. Members that are `undefined` are left out, as `JSON.stringify` does;
 * whatever else JSON cannot hold (NaN, functions, cycles, class instances) is
 * `FIELD_KIND_MISMATCH`, naming `field`.
 */
export function canonicalJson(value: unknown, field: string): string {
  return write(value, field, 0);
}

function write(value: unknown, field: string, depth: number): string {
  if (value === null || value === true || value === false) return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) {
    return Object.is(value, -0) ? '-0' : String(value);
  }
  if (typeof value !== 'object') throw notJson(field, String(value));
  if (depth === JSON_DEPTH_MAX) throw notJson(field, `nested deeper than ${JSON_DEPTH_MAX}`);
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown) => write(item, field, depth + 1)).join(',')}]`;
  }
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto !== Object.prototype && proto !== null) throw notJson(field, 'an object of a class');
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    members.push(`${JSON.stringify(key)}:${write(member, field, depth + 1)}`);
  }
  return `{${members.join(',')}}`;
}

function notJson(field: string, value: string): LeaseholdError {
  return new LeaseholdError('FIELD_KIND_MISMATCH', `${field} holds what JSON cannot: ${value}`, {
    field,
    value,
    remedy: 'Use null, booleans, finite numbers, strings, arrays and plain objects.',
  });
}

/** The value of a canonical text, or `undefined` if the text is not JSON or not canonical. */
export function parseCanonicalJson(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return write(value, '', 0) === text ? value : undefined;
  } catch {
    return undefined;
  }
}
