import { createRandom } from '@leasehold/kernel';
import { describe, expect, test } from 'vitest';
import { Backoff, systemClock } from './index.ts';

describe('the system clock', () => {
  test('never goes back, and passes at least while one sleeps', async () => {
    const startMs = systemClock.nowMs();
    await systemClock.sleep(20);
    expect(systemClock.nowMs() - startMs).toBeGreaterThanOrEqual(18);
  });

  test('wakes at once when the signal aborts, before or during sleep, and never rejects', async () => {
    const startMs = systemClock.nowMs();
    await systemClock.sleep(60_000, AbortSignal.abort());
    const ending = new AbortController();
    const sleeping = systemClock.sleep(60_000, ending.signal);
    ending.abort();
    await sleeping;
    expect(systemClock.nowMs() - startMs).toBeLessThan(5_000);
  });

  test('leaves no listener on a signal that outlives the sleep', async () => {
    const signal = new AbortController().signal;
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    await systemClock.sleep(1, signal);
    expect(listeners).toBe(0);
  });
});

describe('a backoff', () => {
  const open = (seed: number) =>
    new Backoff({ baseMs: 100, maxMs: 3_000, random: createRandom(seed) });

  test('doubles each time up to its cap, with up to half taken off at random', () => {
    const backoff = open(1);
    for (const capMs of [100, 200, 400, 800, 1_600, 3_000, 3_000]) {
      const waitMs = backoff.nextMs();
      expect(waitMs).toBeGreaterThanOrEqual(capMs / 2);
      expect(waitMs).toBeLessThan(capMs);
    }
    expect(backoff.attempts).toBe(7);
  });

  test('stays at its cap however long the other side is away', () => {
    const backoff = open(2);
    for (let i = 0; i < 5_000; i++) backoff.nextMs();
    expect(backoff.nextMs()).toBeLessThan(3_000);
    expect(backoff.nextMs()).toBeGreaterThanOrEqual(1_500);
  });

  test('starts anew after a success', () => {
    const backoff = open(3);
    for (let i = 0; i < 5; i++) backoff.nextMs();
    backoff.reset();
    expect(backoff.nextMs()).toBeLessThan(100);
  });

  test('is the same for one seed, and another for another', () => {
    const waits = (seed: number) => {
      const backoff = open(seed);
      return Array.from({ length: 5 }, () => backoff.nextMs());
    };
    expect(waits(4)).toEqual(waits(4));
    expect(waits(4)).not.toEqual(waits(5));
  });

  test('waits on the clock it is given, and ends early with the signal', async () => {
    const slept: number[] = [];
    const clock = { nowMs: () => 0, sleep: async (ms: number) => void slept.push(ms) };
    await open(6).wait(clock);
    expect(slept[0]).toBeGreaterThanOrEqual(50);
    await new Backoff({ baseMs: 60_000, maxMs: 60_000, random: createRandom(1) }).wait(
      systemClock,
      AbortSignal.abort(),
    );
  });
});
