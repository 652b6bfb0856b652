import { expect, test } from 'vitest';
import { isOlder } from './compare.ts';

test.each([
  ['runs another module is older', { module: 1 }, true],
  ['runs this one is not', { module: 2 }, false],
  ['has just come and said nothing yet is not', {}, false],
])('a pod that %s', (_, report, expected) => {
  expect(isOlder({ report }, 2)).toBe(expected);
});
