import { expect, test } from 'vitest';
import { Rate, Tally } from './rates.ts';

test('a rate is what a counter rose by within the window', () => {
  const rate = new Rate(5_000);
  expect(rate.perSecond).toBeUndefined();
  for (let second = 0; second <= 60; second++) rate.add(second * 1_000, second * second);
  expect(rate.perSecond).toBe((60 ** 2 - 55 ** 2) / 5);
});

test('a counter that starts again is not a negative rate', () => {
  const rate = new Rate();
  rate.add(0, 1_000);
  rate.add(1_000, 0);
  expect(rate.perSecond).toBeUndefined();
  rate.add(2_000, 10);
  expect(rate.perSecond).toBe(10);
});

test('what a dead process had counted stays in the total', () => {
  const births = new Tally();
  births.note('pod-1 100', 5);
  births.note('pod-1 100', 7);
  births.note('pod-1 200', 1);
  births.note('pod-1 100', 0);
  expect(births.total).toBe(8);
});
