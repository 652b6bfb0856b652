import { expect, test } from 'vitest';
import { FrameMeter } from './meter.ts';

test('the 95th percentile leaves out the worst twentieth of the last 600 frames', () => {
  const meter = new FrameMeter();
  expect(meter.p95Ms).toBe(0);
  for (let i = 0; i < 100; i++) meter.add(i, 1_000);
  for (let i = 0; i < 571; i++) meter.add(i, 2);
  for (let i = 0; i < 29; i++) meter.add(i, 50);
  expect(meter.p95Ms).toBe(2);
  meter.add(0, 50);
  expect(meter.p95Ms).toBe(50);
  meter.clear();
  expect(meter.p95Ms).toBe(0);
});

test('frames per second are those of the last second', () => {
  const meter = new FrameMeter();
  for (let ms = 0; ms < 2_000; ms += 20) meter.add(ms, 1);
  expect(meter.fps(1_980)).toBe(50);
});
