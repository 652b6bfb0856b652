/**
 * The query strings of `/query` and `/nearest`, read by hand: nothing is coerced, nothing unknown
 * is passed over, and what is wrong is named as the user wrote it.
 */
import { type ErrorCode, LeaseholdError } from '@leasehold/kernel';
import type { Area, Selection } from '@leasehold/protocol/view';
import { areaFromText, entityFromText, numbersFromText } from '@leasehold/view';

export type Format = 'json' | 'geojson';

type Shown = {
  readonly selection: Selection;
  readonly format: Format;
  /** A snapshot; absent for now. */
  readonly asOf?: string;
};

export type AreaQuestion = Shown & {
  /** An area, or one entity. */
  readonly of: { readonly area: Area } | { readonly id: number };
  readonly limit: number;
};

export type NearestQuestion = Shown & {
  readonly x: number;
  readonly y: number;
  readonly count: number;
  /** Nobody farther away than this: units of the space; metres on wgs84. */
  readonly radius?: number;
};

export const QUERY_LIMIT_DEFAULT = 1_000;
export const QUERY_LIMIT_MAX = 10_000;
export const NEAREST_COUNT_DEFAULT = 10;
export const NEAREST_COUNT_MAX = 100;
const VALUE_SHOWN_MAX = 100;

const AREAS = ['box', 'circle', 'polygon', 'around', 'id', 'world'] as const;
const COMMON = ['components', 'with', 'format', 'asOf'] as const;

/** Throws `AREA_INVALID`, `COMPONENT_UNKNOWN` for an empty name, or `VIEW_MESSAGE_INVALID`. */
export function areaQuestion(search: string): AreaQuestion {
  const words = new Words(search, [...AREAS, ...COMMON, 'limit']);
  const given = AREAS.filter((name) => words.has(name));
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    throw wrong(
      'AREA_INVALID',
      'area',
      given.join(', ') || 'nothing',
      `Give exactly one of ${AREAS.join(', ')}.`,
    );
  }
  const limit = words.integer('limit', 1, QUERY_LIMIT_MAX, QUERY_LIMIT_DEFAULT);
  const of =
    kind === 'id'
      ? { id: entityFromText('id', words.text('id')) }
      : { area: areaFromText(kind, words.text(kind)) };
  return { of, limit, ...shownOf(words) };
}

/** Throws as `areaQuestion` does. */
export function nearestQuestion(search: string): NearestQuestion {
  const words = new Words(search, ['x', 'y', 'count', 'radius', ...COMMON]);
  const [x] = numbersFromText('x', words.text('x'), 1) as [number];
  const [y] = numbersFromText('y', words.text('y'), 1) as [number];
  const count = words.integer('count', 1, NEAREST_COUNT_MAX, NEAREST_COUNT_DEFAULT);
  const radius = words.has('radius') ? radiusOf(words.text('radius')) : undefined;
  return { x, y, count, ...(radius === undefined ? {} : { radius }), ...shownOf(words) };
}

/** How large it may be is a matter of the world. */
function radiusOf(text: string): number {
  const [radius] = numbersFromText('radius', text, 1) as [number];
  if (radius > 0) return radius;
  throw wrong('AREA_INVALID', 'radius', text, 'Give a number above 0.');
}

function shownOf(words: Words): Shown {
  const format = words.has('format') ? words.text('format') : 'json';
  if (format !== 'json' && format !== 'geojson') {
    throw wrong('VIEW_MESSAGE_INVALID', 'format', format, 'Give json or geojson.');
  }
  const components = words.names('components');
  const having = words.names('with');
  return {
    selection: {
      ...(components === undefined ? {} : { components }),
      ...(having === undefined ? {} : { with: having }),
    },
    format,
    ...(words.has('asOf') ? { asOf: words.text('asOf') } : {}),
  };
}

/** The words of a query string: each known, each at most once. */
class Words {
  readonly #words = new Map<string, string>();

  constructor(search: string, known: readonly string[]) {
    for (const [name, value] of new URLSearchParams(search)) {
      if (!known.includes(name)) {
        const remedy = `Known are ${known.join(', ')}.`;
        throw wrong('VIEW_MESSAGE_INVALID', name.slice(0, VALUE_SHOWN_MAX), value, remedy);
      }
      if (this.#words.has(name)) {
        throw wrong('VIEW_MESSAGE_INVALID', name, value, `Give ${name} once.`);
      }
      this.#words.set(name, value);
    }
  }

  has(name: string): boolean {
    return this.#words.has(name);
  }

  text(name: string): string {
    return this.#words.get(name) ?? '';
  }

  integer(name: string, min: number, max: number, fallback: number): number {
    if (!this.has(name)) return fallback;
    const text = this.text(name);
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    const remedy = `Give a whole number from ${min} to ${max}.`;
    throw wrong('VIEW_MESSAGE_INVALID', name, text, remedy);
  }

  names(name: string): readonly string[] | undefined {
    if (!this.has(name)) return undefined;
    const names = this.text(name).split(',');
    if (!names.includes('')) return names;
    const remedy = 'Give names of components, separated by commas.';
    throw wrong('COMPONENT_UNKNOWN', name, this.text(name), remedy);
  }
}

function wrong(code: ErrorCode, field: string, value: string, remedy: string): LeaseholdError {
  const shown = value.slice(0, VALUE_SHOWN_MAX);
  const message = `${field} is ${shown === '' ? 'empty' : shown}`;
  return new LeaseholdError(code, message, { field, value: shown, remedy });
}
