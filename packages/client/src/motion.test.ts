import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Motion, type MotionSpace } from './motion.ts';

const PLANE: MotionSpace = {
  originX: 0,
  originY: 0,
  width: 1000,
  height: 1000,
  wrapsX: false,
  wrapsY: false,
  cellSize: 100,
};
const TORUS: MotionSpace = { ...PLANE, wrapsX: true, wrapsY: true };
const DELAY = 1.5;

/** One entity in slot 0 at 20 Hz, sampled as frames come: `now` trails the newest tick. */
function motionIn(space: MotionSpace): Motion {
  const motion = new Motion(space, 0);
  motion.assign(0, 7);
  return motion;
}

function told(motion: Motion, ticks: number, at: (tick: number) => number, first = 0): void {
  for (let tick = first; tick <= ticks; tick++) motion.sample(0, at(tick), 500, tick, tick - DELAY);
}

const xAt = (motion: Motion, tick: number): number => motion.at(tick).x[0] as number;

describe('motion', () => {
  test('steady movement is shown exactly where it was at the tick that is shown', () => {
    const motion = motionIn(PLANE);
    told(motion, 20, (tick) => 100 + tick * 2);
    for (const now of [18.5, 18.75, 19, 19.4]) expect(xAt(motion, now)).toBeCloseTo(100 + now * 2);
    expect(motion.at(19).heading[0]).toBeCloseTo(0);
  });

  test('on a torus it goes the short way over the edge and stays within', () => {
    const motion = motionIn(TORUS);
    told(motion, 20, (tick) => (980 + tick * 2) % 1000);
    expect(xAt(motion, 19.25)).toBeCloseTo(18.5);
    const back = motionIn(TORUS);
    told(back, 20, (tick) => (1020 - tick * 2) % 1000);
    expect(xAt(back, 19.25)).toBeCloseTo(981.5);
    expect(Math.abs(back.at(19).heading[0] as number)).toBeCloseTo(Math.PI);
  });

  test('the path over an edge itself is within the space', () => {
    const motion = motionIn(TORUS);
    told(motion, 10, (tick) => (980 + tick * 2) % 1000);
    for (let now = 8.5; now < 30; now += 0.1) {
      const { x } = motion.at(now);
      expect(x[0]).toBeGreaterThanOrEqual(0);
      expect(x[0]).toBeLessThan(1000);
    }
  });

  test('it goes on for a second without news, then holds, and never beyond a border', () => {
    const motion = motionIn(PLANE);
    told(motion, 20, (tick) => 100 + tick * 2);
    expect(xAt(motion, 30)).toBeCloseTo(160);
    expect(xAt(motion, 40)).toBeCloseTo(180);
    expect(xAt(motion, 60)).toBeCloseTo(180);
    const edge = motionIn(PLANE);
    told(edge, 20, (tick) => 955 + tick * 2);
    expect(xAt(edge, 40)).toBe(1000);
  });

  test('after three seconds of silence the last word counts', () => {
    const motion = motionIn(PLANE);
    told(motion, 20, (tick) => 100 + tick * 2);
    expect(xAt(motion, 20 + 60)).toBeCloseTo(180);
    expect(xAt(motion, 20 + 80)).toBeCloseTo(140);
  });

  test('after a gap it is led to where it should be, without a jump', () => {
    const motion = motionIn(PLANE);
    told(motion, 20, (tick) => 100 + tick * 2);
    // 40 ticks later a new holder tells 20 missed ticks at once, then goes on.
    const before = xAt(motion, 60);
    for (let tick = 40; tick <= 60; tick++) motion.sample(0, 100 + tick * 2, 500, tick, 60);
    expect(xAt(motion, 60)).toBeCloseTo(before);
    let last = before;
    for (let now = 60; now < 70; now += 0.25) {
      const x = xAt(motion, now);
      expect(Math.abs(x - last)).toBeLessThan(5);
      last = x;
    }
    expect(xAt(motion, 66)).toBeCloseTo(100 + 66 * 2);
  });

  test('what is shown never jumps, whenever samples come', () => {
    const delays = fc.array(
      fc.record({
        wait: fc.double({ min: 0, max: 6, noNaN: true }),
        step: fc.integer({ min: 1, max: 4 }),
        move: fc.double({ min: -5, max: 5, noNaN: true }),
      }),
      { minLength: 2, maxLength: 60 },
    );
    fc.assert(
      fc.property(delays, (samples) => {
        const motion = motionIn(TORUS);
        motion.sample(0, 500, 500, 1, 0);
        let [tick, now, x] = [1, 0, 500];
        for (const { wait, step, move } of samples) {
          now += wait;
          tick += step;
          x = (x + move * step + 1000) % 1000;
          const before = xAt(motion, now);
          motion.sample(0, x, 500, tick, now);
          const off = Math.abs(xAt(motion, now) - before);
          expect(Math.min(off, 1000 - off)).toBeLessThan(1e-6);
        }
      }),
    );
  });

  test('what stopped is shown where it stopped', () => {
    const motion = motionIn(PLANE);
    told(motion, 20, (tick) => 100 + tick * 2);
    told(motion, 40, () => 140, 21);
    expect(xAt(motion, 38.5)).toBeCloseTo(140);
    expect(xAt(motion, 60)).toBeCloseTo(140);
  });

  test('being unmoved for a tick, as between two cells, is no stop', () => {
    const motion = motionIn(PLANE);
    told(motion, 20, (tick) => 100 + tick * 2);
    for (const [tick, x] of [
      [21, 140],
      [22, 140],
      [23, 146],
      [24, 148],
    ] as const) {
      motion.sample(0, x, 500, tick, tick - DELAY);
      for (const now of [tick - 1.5, tick - 1, tick - 0.6]) {
        expect(xAt(motion, now)).toBeCloseTo(100 + now * 2);
      }
    }
  });

  test('a sample of before is no news, and neither is the same one again', () => {
    const motion = motionIn(PLANE);
    told(motion, 20, (tick) => 100 + tick * 2);
    motion.sample(0, 0, 0, 12, 18.5);
    motion.sample(0, 140, 500, 20, 18.5);
    expect(xAt(motion, 19.5)).toBeCloseTo(139);
  });

  test('who is suddenly more than a cell and 40 steps away jumps instead of gliding', () => {
    const motion = motionIn(PLANE);
    told(motion, 20, (tick) => 100 + tick * 2);
    motion.sample(0, 900, 500, 21, 19.5);
    expect(xAt(motion, 19.5)).toBe(900);
    // Two steps of 60 are no teleport for who always moves so.
    const fast = motionIn(TORUS);
    told(fast, 20, (tick) => (tick * 120) % 1000, 1);
    expect(xAt(fast, 19.5)).toBeCloseTo(340);
  });

  test('a clock that was set leaves everybody where they are, and leads them on', () => {
    const motion = motionIn(PLANE);
    told(motion, 20, (tick) => 100 + tick * 2);
    const before = xAt(motion, 19);
    motion.rebase(19, 500);
    expect(xAt(motion, 500)).toBeCloseTo(before);
    const after = xAt(motion, 510);
    motion.rebase(510, 3);
    expect(xAt(motion, 3)).toBeCloseTo(after);
  });

  test('slots are shown from the first sample on; the version tells who came and went', () => {
    const motion = new Motion(PLANE, 4);
    motion.assign(0, 1);
    motion.assign(3, 4);
    expect([motion.at(0).count, motion.version]).toEqual([0, 4]);
    motion.sample(3, 5, 6, 1, 0);
    motion.sample(0, 5, 6, 1, 0);
    const shown = motion.at(1);
    expect([shown.count, [...shown.ids.subarray(0, 4)], shown.version]).toEqual([
      4,
      [1, 0, 0, 4],
      6,
    ]);
    motion.assign(3, 0);
    expect([motion.at(1).count, motion.version]).toEqual([1, 7]);
    motion.hide(0);
    expect(motion.at(1).count).toBe(0);
  });

  test('the same arrays are given each time, and grow when somebody comes', () => {
    const motion = motionIn(PLANE);
    motion.sample(0, 1, 1, 1, 0);
    const shown = motion.at(1);
    const { x } = shown;
    expect(motion.at(2)).toBe(shown);
    expect(motion.at(2).x).toBe(x);
    for (let slot = 1; slot < 5_000; slot++) motion.assign(slot, slot);
    expect(xAt(motion, 3)).toBe(1);
  });
});
