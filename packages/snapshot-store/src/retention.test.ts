/** Which snapshots go. */
import { expect, test } from 'vitest';
import { dispensable } from './retention.ts';

const HOUR_MS = 3_600_000;
/** Two an hour for three days: `h5a` and `h5b` are of the sixth hour. */
const snapshots = Array.from({ length: 72 }, (_, hour) => [
  { id: `h${hour}a`, takenAtMs: hour * HOUR_MS },
  { id: `h${hour}b`, takenAtMs: hour * HOUR_MS + HOUR_MS / 2 },
]).flat();

const kept = (retention: Parameters<typeof dispensable>[1]): string[] => {
  const gone = new Set(dispensable(snapshots, retention));
  return snapshots.flatMap(({ id }) => (gone.has(id) ? [] : [id]));
};

test('the newest are kept, whenever they were taken', () => {
  expect(kept({ keep: 3 })).toEqual(['h70b', 'h71a', 'h71b']);
  expect(kept({ keep: 1_000 })).toHaveLength(snapshots.length);
});

test('of each hour and each day the newest one is kept', () => {
  expect(kept({ hourly: 2 })).toEqual(['h70b', 'h71b']);
  expect(kept({ daily: 2 })).toEqual(['h47b', 'h71b']);
  expect(kept({ keep: 2, hourly: 2, daily: 9 })).toEqual(['h23b', 'h47b', 'h70b', 'h71a', 'h71b']);
});

test('hours and days in which nothing was taken do not count', () => {
  const far = [
    { id: 'old', takenAtMs: 0 },
    { id: 'new', takenAtMs: 1_000 * HOUR_MS },
  ];
  expect(dispensable(far, { hourly: 2 })).toEqual([]);
  expect(dispensable(far, { daily: 1 })).toEqual(['old']);
});

test('those that go are told oldest first, and the order given counts for nothing', () => {
  const gone = dispensable([...snapshots].reverse(), { keep: 140 });
  expect(gone).toEqual(['h0a', 'h0b', 'h1a', 'h1b']);
});
