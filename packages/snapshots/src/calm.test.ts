/** Between two ticks there is time for others, and how long it is until then. */
import type { WorldClock } from '@leasehold/protocol';
import { expect, test } from 'vitest';
import { calmInMs } from './calm.ts';

const clock = (rateHz: number, more: Partial<WorldClock> = {}): WorldClock => ({
  ...{ mode: 'realtime', rateHz, baseTick: 7, baseMs: 1_000, isPaused: false, endTick: 0 },
  ...more,
});

test.each([
  [20, 0, 20],
  [20, 5, 15],
  [20, 20, 0],
  [20, 25, 0],
  [20, 26, 44],
  [20, 49, 21],
  [1, 0, 30],
  [1, 500, 0],
  [1, 980, 50],
])('at %d Hz, %d ms after a tick was due, it is %d ms until it is calm', (rateHz, since, inMs) => {
  const periodMs = 1_000 / rateHz;
  for (const ticks of [0, 1, 1_000]) {
    expect(calmInMs(clock(rateHz), 1_000 + ticks * periodMs + since)).toBeCloseTo(inMs, 3);
  }
});

test('whoever waits so long begins when it is calm', () => {
  for (let at = 1_000; at < 1_300; at += 0.7) {
    expect(calmInMs(clock(30), at + calmInMs(clock(30), at) + 1e-6)).toBe(0);
  }
});

test.each([
  ['stands still', { isPaused: true }],
  ['is in lockstep', { mode: 'lockstep' }],
  ['begins only later', { baseMs: 5_000 }],
] as const)('nobody waits for a world that %s', (_, more) => {
  expect(calmInMs(clock(20, more), 1_001)).toBe(0);
});
