/** Waits, clocks and estimates, on times that the test makes up. */
import { describe, expect, test } from 'vitest';
import { Backoff } from './backoff.ts';
import { Latency } from './latency.ts';
import { RenderClock } from './render-clock.ts';
import { SlidingMinimum } from './sliding-minimum.ts';

describe('backoff', () => {
  test('every gateway is tried once at once, then waits double up to the limit', () => {
    const backoff = new Backoff({ urls: ['a', 'b'], random: () => 1, maxMs: 1_000 });
    expect(backoff.url).toBe('a');
    const waits = Array.from({ length: 7 }, () => [backoff.fail(), backoff.url]);
    expect(waits).toEqual([
      [0, 'b'],
      [0, 'a'],
      [200, 'b'],
      [400, 'a'],
      [800, 'b'],
      [1_000, 'a'],
      [1_000, 'b'],
    ]);
    backoff.succeed();
    expect(backoff.fail()).toBe(0);
  });

  test('jitter takes up to half of a wait, and the limit is 5 s', () => {
    const backoff = new Backoff({ urls: ['a'], random: () => 0 });
    for (let i = 0; i < 2_000; i++) backoff.fail();
    expect(backoff.fail()).toBe(2_500);
  });

  test('who is to blame does not come back at once', () => {
    const backoff = new Backoff({ urls: ['a', 'b'], random: () => 1 });
    backoff.blame();
    expect(backoff.fail()).toBe(200);
  });
});

test('a sliding minimum forgets what is older than its window', () => {
  const minimum = new SlidingMinimum(800);
  minimum.add(5, 0);
  minimum.add(7, 700);
  expect(minimum.value).toBe(5);
  minimum.add(9, 900);
  expect(minimum.value).toBe(7);
  minimum.add(11, 60_000);
  expect(minimum.value).toBe(11);
});

describe('the render clock', () => {
  const clockAt = (jitter: (tick: number) => number) => {
    const clock = new RenderClock();
    for (let tick = 1; tick <= 60; tick++) {
      clock.hear(tick, tick * 50 + jitter(tick));
      clock.at(tick * 50 + jitter(tick));
    }
    return clock;
  };

  test('goes by the earliest arrivals: frames that are late do not move it', () => {
    const clock = clockAt((tick) => (tick % 3 === 0 ? 0 : 40));
    expect(clock.at(3_025)).toBeCloseTo(60.5, 6);
    expect(clock.jumps).toBe(1);
  });

  test('goes on while nothing comes, and never back when frames are late from then on', () => {
    const clock = clockAt(() => 0);
    let before = clock.at(3_000);
    for (let now = 3_010; now < 30_000; now += 10) {
      if (now % 50 === 0) clock.hear(now / 50 - 6, now);
      const tick = clock.at(now);
      expect(tick).toBeGreaterThan(before);
      before = tick;
    }
    // 300 ms late for good: the clock has come round to it.
    expect(before).toBeCloseTo(29_990 / 50 - 6, 1);
    expect(clock.jumps).toBe(1);
  });

  test('is set, not slewed, when it is off by more than 2 s', () => {
    const clock = clockAt(() => 0);
    for (let tick = 61; tick < 140; tick++) clock.hear(tick, tick * 50 + 60_000);
    expect(clock.at(139 * 50 + 60_000)).toBeCloseTo(139, 6);
    expect(clock.jumps).toBe(2);
  });

  test('another rate goes on from the same tick', () => {
    const clock = clockAt(() => 0);
    expect(clock.at(3_000)).toBe(60);
    clock.setRate(10);
    expect(clock.at(3_000)).toBe(60);
    expect(clock.at(3_100)).toBe(61);
  });

  test('in lockstep it follows the pace that it sees, and waits for ticks that do not come', () => {
    const clock = new RenderClock();
    clock.setRate(20, { isLockstep: true });
    for (let tick = 1; tick <= 100; tick++) {
      clock.hear(tick, tick * 10);
      clock.at(tick * 10);
    }
    expect(clock.tickMs).toBeCloseTo(10, 3);
    expect(clock.at(1_000)).toBeGreaterThan(97);
    expect(clock.at(60_000)).toBeLessThanOrEqual(101);
    expect(clock.isHeld).toBe(true);
  });
});

describe('latency', () => {
  const time = {
    nowMs: 0,
    baseMs: 10_000,
    baseTick: 0,
    rateHz: 20,
    isPaused: false,
    isLockstep: false,
  };

  test('is arrival after due, the clocks matched by the fastest frame', () => {
    const latency = new Latency();
    expect(latency.ms).toBeNaN();
    latency.hearTime(time);
    // Store time is local time + 9,000; a frame takes 2 ms at best.
    for (let tick = 1; tick <= 400; tick++) {
      const sentMs = 10_000 + tick * 50 + 12;
      latency.hearFrame(sentMs, tick, sentMs - 9_000 + (tick % 2 === 0 ? 2 : 8));
    }
    // 12 ms to commit and publish, and 0 or 6 more than the fastest frame.
    expect(latency.ms).toBeGreaterThan(12);
    expect(latency.ms).toBeLessThan(18);
  });

  test('stays as it was while the world is paused or has no rate', () => {
    const latency = new Latency();
    latency.hearTime({ ...time, isPaused: true });
    latency.hearFrame(10_000, 1, 0);
    latency.hearFrame(10_050, 2, 50);
    latency.hearTime({ ...time, rateHz: 0 });
    latency.hearFrame(10_100, 3, 100);
    expect(latency.ms).toBeNaN();
  });
});
