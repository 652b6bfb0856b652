import { expect, test } from 'vitest';
import { assert, ERROR_CATALOGUE, faultReport, hasCode, LeaseholdError } from './index.ts';

const detail = { field: 'space.cell', value: '0', remedy: 'Use a number above 0.' };

test('every code is NOUN_STATE and says in one line what it means', () => {
  for (const [code, meaning] of Object.entries(ERROR_CATALOGUE)) {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)+$/);
    expect(meaning).toMatch(/^[^\n]{10,90}$/);
  }
});

test('an error carries its code, detail and cause, and is recognised by its code alone', () => {
  const cause = new Error('below');
  const error = new LeaseholdError('SPACE_INVALID', 'no space', detail, { cause });
  expect(error).toMatchObject({ name: 'LeaseholdError', message: 'no space', cause, detail });
  expect(hasCode(error, 'SPACE_INVALID')).toBe(true);
  expect(hasCode(error, 'NAME_INVALID')).toBe(false);
  expect(hasCode(new Error('SPACE_INVALID'), 'SPACE_INVALID')).toBe(false);
});

test('a report has the same five facts whatever was thrown', () => {
  const error = new LeaseholdError('SPACE_INVALID', 'no space', detail);
  expect(faultReport(error)).toEqual({ code: 'SPACE_INVALID', message: 'no space', ...detail });
  for (const thrown of [new TypeError('oops'), 'oops']) {
    expect(faultReport(thrown)).toMatchObject({ code: 'INTERNAL', message: 'oops', field: '' });
  }
});

test('an assertion that holds is silent, one that fails stops the program', () => {
  expect(() => assert(1, 'one')).not.toThrow();
  expect(() => assert(0, 'zero')).toThrow('assertion failed: zero');
});
