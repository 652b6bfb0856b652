import { createRandom } from '@leasehold/kernel';
import { describe, expect, test } from 'vitest';
import { podsWanted, type Wanted, type WantedInput } from './index.ts';
import { loadsOf } from './testing.ts';

/** Of cells of 1 ms; a pod is to carry 37.5 of them. */
const loadsOfMs = (ms: number) => loadsOf(new Float64Array(Math.round(ms)).fill(1));

/** Asks once a second; the pods that are wanted are there at once. */
class Signal {
  last: Wanted | undefined;
  nowMs = 0;
  pods: number;
  readonly heard: number[] = [];

  constructor(pods: number) {
    this.pods = pods;
  }

  run(seconds: number, ms: (second: number) => number, more: Partial<WantedInput> = {}): this {
    for (let second = 0; second < seconds; second++) {
      this.nowMs += 1_000;
      const { pods, nowMs, last } = this;
      this.last = podsWanted({ loads: loadsOfMs(ms(second)), pods, nowMs, last, ...more });
      this.pods = this.last.pods;
      this.heard.push(this.pods);
    }
    return this;
  }

  get changes(): number {
    return this.heard.filter((pods, n) => n > 0 && pods !== this.heard[n - 1]).length;
  }
}

test('rises within a few seconds to what the load asks for, and says why', () => {
  const signal = new Signal(2).run(5, () => 290);
  expect(signal.pods).toBe(8);
  expect(signal.heard).toContain(2);
  expect(new Signal(2).run(1, () => 290).last).toMatchObject({ pods: 2, raw: 8 });
  expect(signal.last!.utilization).toBeCloseTo(290 / (8 * 50));
});

test('a peak of a second asks for nothing', () => {
  const signal = new Signal(2).run(60, (second) => (second % 10 === 0 ? 290 : 60));
  expect(new Set(signal.heard)).toEqual(new Set([2]));
});

test('falls only after a minute in which fewer would always have done, and then to the most of it', () => {
  const signal = new Signal(8).run(59, () => 100);
  expect(signal.pods).toBe(8);
  expect(signal.last!.why).toContain('would do');
  signal.run(5, () => 100);
  expect(signal.pods).toBe(4);
  expect(signal.heard).not.toContain(3);
  expect(new Signal(8).run(90, (second) => (second === 30 ? 180 : 60)).pods).toBe(6);
});

test('follows a load that has fallen step by step a minute later, without waiting another', () => {
  const signal = new Signal(8).run(30, () => 290).run(5, () => 250);
  signal.run(59, () => 20);
  expect(signal.pods).toBe(8);
  signal.run(1, () => 20);
  expect(signal.pods).toBe(1);
});

test('does not fall while the load asks for as many from time to time', () => {
  const signal = new Signal(4).run(600, (second) => (second % 30 < 3 ? 130 : 50));
  expect(signal.changes).toBe(0);
});

test('never swings on a constant load, whatever it is and however it is measured', () => {
  const random = createRandom(3);
  for (let ms = 1; ms < 400; ms += 7) {
    const signal = new Signal(3).run(120, () => ms);
    const settled = signal.pods;
    signal.run(600, () => ms * random.between(0.95, 1.05));
    // A pod more once is a load just below a limit that noise has crossed; it does not come back.
    expect(new Set([settled, settled + 1]), `${ms} ms`).toContain(signal.pods);
    const changes = signal.changes;
    signal.run(600, () => ms * random.between(0.95, 1.05));
    expect(signal.changes - changes, `${ms} ms`).toBeLessThanOrEqual(1);
  }
});

describe('limits', () => {
  test('are kept, and one pod is the least', () => {
    expect(new Signal(1).run(10, () => 900, { max: 4 }).pods).toBe(4);
    expect(new Signal(4).run(100, () => 0).pods).toBe(1);
    expect(new Signal(4).run(100, () => 0, { min: 2 }).pods).toBe(2);
    expect(new Signal(0).run(1, () => 0).pods).toBe(1);
  });

  test('a cell that is beyond a pod asks for one pod, not for ten', () => {
    const loads = loadsOf(Float64Array.of(500, 10));
    const first = podsWanted({ loads, pods: 1, nowMs: 0 });
    const wanted = podsWanted({ loads, pods: 1, nowMs: 3_000, last: first });
    expect(wanted.pods).toBe(2);
    expect(wanted.why).toContain('beyond a pod');
  });
});

test('a clock that jumps, either way, changes nothing by itself', () => {
  const signal = new Signal(8).run(5, () => 100);
  signal.nowMs += 3_600_000;
  expect(signal.run(1, () => 100).pods).toBe(8);
  signal.nowMs -= 7_200_000;
  expect(signal.run(1, () => 100).pods).toBe(8);
  expect(signal.run(60, () => 100).pods).toBe(4);
});

test('starts from the pods that are there when nothing is remembered', () => {
  expect(new Signal(5).run(1, () => 10).pods).toBe(5);
});

test.each([0, -1, Number.NaN, undefined])(
  'a budget of %s is none, and the usual one counts',
  (tickBudgetMs) => {
    const settings = { tickBudgetMs } as { tickBudgetMs: number };
    expect(new Signal(2).run(5, () => 290, { settings }).pods).toBe(8);
  },
);
