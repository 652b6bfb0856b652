import { expect, test } from 'vitest';
import { checkName, LeaseholdError } from './index.ts';

test('a name is 1 to 64 letters, digits, _ or -', () => {
  for (const name of ['a', 'Flights-2', '_', 'x'.repeat(64)]) {
    expect(checkName('world', name)).toBe(name);
  }
});

test.each(['', 'a b', '{a}', 'a}', 'a.b', 'a:b', 'a\n', 'ä', 'x'.repeat(65)])(
  'the name %j is refused, with the field it came from',
  (name) => {
    try {
      checkName('layers.main', name);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(LeaseholdError);
      expect(error).toMatchObject({
        code: 'NAME_INVALID',
        detail: { field: 'layers.main', value: JSON.stringify(name) },
      });
    }
  },
);
