import type { JournalEntry } from '@leasehold/protocol';
import pc from 'picocolors';
import { expect, test } from 'vitest';
import { policiesOf, regionOf, sinceMsOf } from './options.ts';
import { entryLine, loadLine, reliefText } from './words.ts';

const entry: JournalEntry = {
  ...{ id: '1-0', atMs: 1_700_000_000_000, version: 7, kind: 'shift', regions: [1, 2], cells: 12 },
  cause: 'Pod a has 1.6 times the mean\u001b[2J.',
  before: { a: 31.5, b: 2 },
  expected: { b: 17.25, a: 16.25 },
};

test('an entry is one line with its plan and cause, and cannot move the cursor', () => {
  const line = entryLine(entry, pc.createColors(false));
  expect(line).toMatch(/^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d {2}plan 7 {2}shift {4}Pod a has/);
  expect(line).not.toContain('\u001b');
});

test('loads are told pod by pod, before and expected', () => {
  expect(loadLine(entry)).toBe('a 31.50 → 16.25 ms, b 2.00 → 17.25 ms');
  expect(loadLine({ ...entry, expected: { c: 1 } })).toContain('a 31.50 → - ms');
  expect(loadLine({ ...entry, before: {}, expected: {} })).toBeUndefined();
});

test('relief is told with how fast time runs there', () => {
  expect(reliefText({})).toBe('');
  expect(reliefText({ relief: 'slow-views' })).toBe('slow-views');
  expect(reliefText({ relief: 'dilated', dilation: 3 })).toBe('dilated, time at 1/3');
  expect(reliefText({ relief: 'overloaded', dilation: 4 })).toBe('OVERLOADED, time at 1/4');
});

test('a time is a number and its unit', () => {
  expect(['90s', '30m', '1h', '2d', '1.5h'].map(sinceMsOf)).toEqual([
    90_000, 1_800_000, 3_600_000, 172_800_000, 5_400_000,
  ]);
  for (const text of ['', '1', 'h', '-1h', '1w', '99d', '0s', '1e3s']) {
    expect(() => sinceMsOf(text)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }));
  }
});

test('a policy or region that cannot be is refused with what there is', () => {
  expect(policiesOf(['static-grid', 'static-grid']).map(({ name }) => name)).toEqual([
    'static-grid',
  ]);
  expect(policiesOf(undefined).length).toBeGreaterThan(2);
  const detail = expect.objectContaining({ remedy: expect.stringContaining('greedy-by-cell') });
  expect(() => policiesOf(['best'])).toThrow(expect.objectContaining({ detail }));
  expect(regionOf('12')).toBe(12);
  for (const text of ['', '-1', '1.5', 'all']) {
    expect(() => regionOf(text)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }));
  }
});
