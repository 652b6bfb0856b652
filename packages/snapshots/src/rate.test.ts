/** How fast a snapshot is taken when nobody says it, and when somebody does. */
import { expect, test } from 'vitest';
import { SNAPSHOT_BYTES_PER_SECOND, snapshotRate } from './index.ts';

test('a snapshot of a world that runs has a limit unless somebody asks for none', () => {
  expect(snapshotRate(undefined, false)).toBe(SNAPSHOT_BYTES_PER_SECOND);
  expect(snapshotRate(0, false)).toBeUndefined();
  expect(snapshotRate(7_000, false)).toBe(7_000);
});

test('a world that stands still is read as fast as it goes unless somebody asks for a limit', () => {
  expect(snapshotRate(undefined, true)).toBeUndefined();
  expect(snapshotRate(7_000, true)).toBe(7_000);
});

test('a million entities of two numbers each take less than a minute', () => {
  const bytesOfOne = 2 * 8 + 8;
  expect((1_000_000 * bytesOfOne) / SNAPSHOT_BYTES_PER_SECOND).toBeLessThan(60);
});
