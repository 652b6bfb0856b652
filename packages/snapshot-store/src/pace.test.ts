/** How a rate is kept. */
import { expect, test } from 'vitest';
import { Pace, sipBytes } from './index.ts';

test('sips follow each other at the rate', () => {
  const pace = new Pace(1_000);
  expect(pace.after(0, 100)).toBe(100);
  // Done at once, and begun when it was free to.
  expect(pace.after(100, 300)).toBe(400);
});

test('two sips at once share the rate', () => {
  const pace = new Pace(1_000);
  expect(pace.after(0, 100)).toBe(100);
  expect(pace.after(0, 100)).toBe(200);
});

test('time that nobody used is not made up for by a burst', () => {
  const pace = new Pace(1_000);
  expect(pace.after(0, 100)).toBe(100);
  expect(pace.after(60_000, 100)).toBe(60_100);
  expect(pace.after(60_100, 100)).toBe(60_200);
});

test('a sip is a small part of what a second may have, and never nothing', () => {
  expect(sipBytes(4_000_000)).toBeLessThanOrEqual(400_000);
  expect(sipBytes(4_000_000)).toBeGreaterThan(0);
  expect(sipBytes(1)).toBe(sipBytes(2));
});
