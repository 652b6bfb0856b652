/**
 * Areas, numbers and ids as they stand in the address of a request, read by hand: nothing is coerced,
 * and what is wrong is named as the user wrote it.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { Area } from '@leasehold/protocol/view';

/** One ring; a coast is not what one asks for in an address. */
const POINTS_MAX = 128;
const VALUE_SHOWN_MAX = 100;

/** An area by its kind, as it stands in an address. Throws `AREA_INVALID`. */
export function areaFromText(kind: Area['kind'], text: string): Area {
  if (kind === 'world') {
    if (['', '1', 'true'].includes(text)) return { kind };
    throw wrong('world', text, 'Write world without a value.');
  }
  if (kind === 'box') {
    const [minX, minY, maxX, maxY] = numbersFromText(kind, text, 4) as [
      number,
      number,
      number,
      number,
    ];
    return { kind, minX, minY, maxX, maxY };
  }
  if (kind === 'circle') {
    const [x, y, radius] = numbersFromText(kind, text, 3) as [number, number, number];
    return { kind, x, y, radius };
  }
  if (kind === 'around') {
    const [first = '', ...rest] = text.split(',');
    const entity = entityFromText(kind, first);
    const [radius] = numbersFromText(kind, rest.join(','), 1) as [number];
    return { kind, entity, radius };
  }
  return { kind, points: pointsOf(text) };
}

function pointsOf(text: string): readonly (readonly [number, number])[] {
  const pairs = text.split(';');
  if (pairs.length < 3 || pairs.length > POINTS_MAX + 1) {
    const remedy = `Give 3 to ${POINTS_MAX} points as x,y;x,y;x,y.`;
    throw wrong('polygon', `${pairs.length} points`, remedy);
  }
  return pairs.map((pair, i) => numbersFromText(`polygon[${i}]`, pair, 2) as [number, number]);
}

/** Number() takes '', ' 1', '0x10' and 'Infinity' too; nobody means those in an area. */
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d{1,3})?$/i;

/** So many finite numbers, separated by commas. Throws `AREA_INVALID`. */
export function numbersFromText(field: string, text: string, count: number): number[] {
  const parts = text.split(',');
  if (parts.length !== count) {
    const what = count === 1 ? 'one number' : `${count} numbers, separated by commas`;
    throw wrong(field, text, `Give ${what}.`);
  }
  return parts.map((part, i) => {
    const value = NUMBER.test(part) ? Number(part) : Number.NaN;
    if (Number.isFinite(value)) return value;
    const at = count === 1 ? field : `${field}[${i}]`;
    throw wrong(at, part, 'Give finite numbers in decimal digits.');
  });
}

/** The id of an entity. Throws `AREA_INVALID`. */
export function entityFromText(field: string, text: string): number {
  const id = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  if (id >= 1 && Number.isSafeInteger(id)) return id;
  throw wrong(field, text, 'Give the id of an entity: a whole number from 1.');
}

function wrong(field: string, value: string, remedy: string): LeaseholdError {
  const shown = value.slice(0, VALUE_SHOWN_MAX);
  const message = `${field} is ${shown === '' ? 'empty' : shown}`;
  return new LeaseholdError('AREA_INVALID', message, { field, value: shown, remedy });
}
