/**
 * A plan as text, and back. Judges its form alone: whether regions overlap or lie outside the grid
 * is for those who know the grid.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { Plan } from './plan.ts';

/** 10,000 regions of one cell, each with four edges, and some. */
export const PLAN_BYTES_MAX = 4 * 1024 * 1024;
/** Digits of 1e14: beyond, Lua 5.1 writes a number in another way. */
const INTEGER_MAX = 99_999_999_999_999;

const SIDES = ['west', 'east', 'north', 'south'];
const RELIEFS = ['alone', 'slow-views', 'dilated', 'overloaded'];
const DILATING = ['dilated', 'overloaded'];
/** Slower than a thousandth is standing still, which nobody means by relief. */
const DILATION_MAX = 1_000;

type Members = Readonly<Record<string, unknown>>;

/** Throws `PLAN_INVALID`. */
export function planJson(plan: Plan): string {
  check(plan);
  const json = JSON.stringify(plan);
  const { length } = json;
  if (length > PLAN_BYTES_MAX)
    throw fault('plan', `${length} bytes`, `more than ${PLAN_BYTES_MAX}`);
  return json;
}

/** Throws `PLAN_INVALID`, and names what is wrong. */
export function parsePlan(json: string): Plan {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw fault('plan', json.slice(0, 40), 'not JSON');
  }
  check(value);
  return value;
}

function check(value: unknown): asserts value is Plan {
  const plan = object(value, 'plan');
  integer(plan['version'], 'version', 1);
  integer(plan['atMs'], 'atMs', 0);
  const ids = new Set<unknown>();
  for (const [i, item] of list(plan['regions'], 'regions').entries()) {
    const at = `regions[${i}]`;
    const region = object(item, at);
    checkRegion(region, at);
    if (ids.has(region['id'])) throw fault(`${at}.id`, String(region['id']), 'given twice');
    ids.add(region['id']);
  }
  let end = 0;
  for (const [i, item] of list(plan['asleep'], 'asleep').entries()) {
    const run = list(item, `asleep[${i}]`);
    if (run.length !== 2) throw fault(`asleep[${i}]`, JSON.stringify(run), 'not [first, count]');
    const first = integer(run[0], `asleep[${i}][0]`, end);
    end = first + integer(run[1], `asleep[${i}][1]`, 1);
  }
}

function checkRegion(region: Members, at: string): void {
  integer(region['id'], `${at}.id`, 0);
  const rect = object(region['rect'], `${at}.rect`);
  integer(rect['column'], `${at}.rect.column`, 0);
  integer(rect['row'], `${at}.rect.row`, 0);
  integer(rect['columns'], `${at}.rect.columns`, 1);
  integer(rect['rows'], `${at}.rect.rows`, 1);
  text(region['pod'], `${at}.pod`);
  text(region['standby'], `${at}.standby`);
  if (region['relief'] !== undefined) oneOf(region['relief'], `${at}.relief`, RELIEFS);
  if (region['dilation'] !== undefined) {
    integer(region['dilation'], `${at}.dilation`, 2, DILATION_MAX);
    // Nobody's time is stretched unless the plan says that it is.
    oneOf(region['relief'], `${at}.relief`, DILATING);
  }
  for (const [i, item] of list(region['edges'], `${at}.edges`).entries()) {
    const edge = object(item, `${at}.edges[${i}]`);
    oneOf(edge['side'], `${at}.edges[${i}].side`, SIDES);
    integer(edge['region'], `${at}.edges[${i}].region`, 0);
    text(edge['pod'], `${at}.edges[${i}].pod`);
    integer(edge['cells'], `${at}.edges[${i}].cells`, 1);
  }
}

function object(value: unknown, field: string): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw fault(field, shown(value), 'not an object');
}

function list(value: unknown, field: string): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw fault(field, shown(value), 'not a list');
}

function integer(value: unknown, field: string, min: number, max = INTEGER_MAX): number {
  const isGood = Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
  if (isGood) return value as number;
  const most = max === INTEGER_MAX ? '' : ` and at most ${max}`;
  throw fault(field, shown(value), `not a whole number of at least ${min}${most}`);
}

function text(value: unknown, field: string): void {
  if (typeof value !== 'string') throw fault(field, shown(value), 'not a text');
}

function oneOf(value: unknown, field: string, known: readonly string[]): void {
  if (typeof value === 'string' && known.includes(value)) return;
  throw fault(field, shown(value), `none of ${known.join(', ')}`);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80);
}

function fault(field: string, value: string, why: string): LeaseholdError {
  return new LeaseholdError('PLAN_INVALID', `plan: ${field} is ${why}: ${value}`, {
    field,
    value,
    remedy: 'Let the authority write the plan anew; pods go on as they are meanwhile.',
  });
}
