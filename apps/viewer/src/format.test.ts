import { expect, test } from 'vitest';
import { counted, listed, placeText, short, valueText, whole } from './format.ts';

test('whole numbers have thousands separated, unknown ones are a dash', () => {
  expect([whole(8757), whole(0), whole(undefined), whole(Number.NaN)]).toEqual([
    '8,757',
    '0',
    '–',
    '–',
  ]);
});

test('measured numbers show about three digits', () => {
  expect([0.4217, 4.217, 42.17, 421.7, 4217, 0].map(short)).toEqual([
    '0.42',
    '4.22',
    '42.2',
    '422',
    '4,217',
    '0',
  ]);
});

test('nouns follow their count and names are joined as in a sentence', () => {
  expect([counted(1, 'cell'), counted(212, 'cell')]).toEqual(['1 cell', '212 cells']);
  expect([listed([]), listed(['a']), listed(['a', 'b', 'c'])]).toEqual(['', 'a', 'a, b and c']);
});

test('values are text: floats without their rounding, JSON indented, huge JSON cut', () => {
  expect([valueText(0.1 + 0.2), valueText(7), valueText('')]).toEqual(['0.3', '7', '(empty)']);
  expect(valueText([1])).toBe('[\n 1\n]');
  expect(valueText(Array.from({ length: 50_000 }, () => 1)).length).toBeLessThan(20_010);
});

test('places on the globe are in degrees of north and east', () => {
  expect(placeText(-0.12, 51.5, true)).toBe('51.5° N, 0.1° W');
  expect(placeText(12.345, 6, false)).toBe('12.3, 6.00');
});
