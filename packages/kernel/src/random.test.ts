import { describe, expect, test } from 'vitest';
import { createRandom, Random, saltOf } from './index.ts';

/** Chi-square of counts against equal shares. With 255 degrees of freedom 1 in 10^6 exceeds 370. */
function chiSquare(counts: readonly number[]): number {
  const share = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - share) ** 2 / share, 0);
}
const CHI_SQUARE_255_MAX = 370;
const DRAWS = 100_000;

function countBytes(draw: (i: number) => number, shift: number): number[] {
  const counts = new Array<number>(256).fill(0);
  for (let i = 0; i < DRAWS; i++) {
    const slot = (draw(i) >>> shift) & 255;
    counts[slot] = (counts[slot] as number) + 1;
  }
  return counts;
}

/** How the draws of one stream relate to those of the next: each part of a key is one way on. */
const random = new Random();
const ways: Record<string, (i: number) => number> = {
  'one stream': (() => {
    const stream = createRandom(42);
    return () => stream.next();
  })(),
  'seeds in a row': (i) => random.key(i, 1, 1, 1).next(),
  'entities in a row': (i) => random.key(1, i, 1, 1).next(),
  'cells in a row': (i) => random.key(1, i * 2 ** 32, 1, 1).next(),
  'ticks in a row': (i) => random.key(1, 1, i, 1).next(),
  'salts in a row': (i) => random.key(1, 1, 1, i).next(),
  'second draws of entities in a row': (i) => {
    random.key(1, i, 1, 1).next();
    return random.next();
  },
};

describe.each(Object.entries(ways))('%s', (_, draw) => {
  test.each([0, 8, 16, 24])('draws are uniform in the byte at bit %i', (shift) => {
    expect(chiSquare(countBytes(draw, shift))).toBeLessThan(CHI_SQUARE_255_MAX);
  });

  test('a draw tells nothing of the next: pairs are uniform', () => {
    let before = draw(DRAWS);
    const pairs = countBytes((i) => {
      const now = draw(i);
      const pair = ((before >>> 28) << 4) | (now >>> 28);
      before = now;
      return pair;
    }, 0);
    expect(chiSquare(pairs)).toBeLessThan(CHI_SQUARE_255_MAX);
  });
});

describe('a stream', () => {
  test('T1 is a function of seed, entity, tick and salt, whatever was drawn before', () => {
    const fresh = new Random().key(3, 77, 5, saltOf('flock'));
    const used = createRandom(9);
    for (let i = 0; i < 10; i++) used.next();
    used.key(3, 77, 5, saltOf('flock'));
    for (let i = 0; i < 10; i++) expect(used.next()).toBe(fresh.next());
  });

  test('T1 differs when any part of its key does, also in the high bits of the entity', () => {
    const base: [number, number, number, number] = [1, 2 ** 33 + 5, 3, 4];
    const draws = [base, [2, base[1], 3, 4], [1, 2 ** 32 + 5, 3, 4], [1, 5, 3, 4]]
      .concat([[1, base[1], 4, 4]], [[1, base[1], 3, 5]], [[1, 2 ** 52 + base[1], 3, 4]])
      .map((key) => random.key(...(key as typeof base)).next());
    expect(new Set(draws).size).toBe(draws.length);
  });

  test('T1 gives these numbers for ever: a stored world would otherwise change its course', () => {
    const stream = createRandom(7);
    expect([stream.next(), stream.next(), stream.next(), stream.next()]).toEqual([
      886079307, 3770969185, 209058643, 1838151243,
    ]);
    const keyed = new Random().key(1, 2 ** 40 + 5, 9, saltOf('flock'));
    expect([keyed.next(), keyed.next(), keyed.float(), keyed.normal()]).toEqual([
      557462425, 403560842, 0.22272326455076608, -0.2696508725637533,
    ]);
  });

  test('floats lie in [0, 1), fill it evenly, and use more than 32 bits', () => {
    const stream = createRandom(11);
    const floats = Array.from({ length: DRAWS }, () => stream.float());
    expect(floats.every((f) => f >= 0 && f < 1)).toBe(true);
    expect(floats.reduce((sum, f) => sum + f, 0) / DRAWS).toBeCloseTo(0.5, 2);
    expect(floats.some((f) => !Number.isInteger(f * 2 ** 32))).toBe(true);
  });

  test('below(n) and between(a, b) stay in range and reach its ends', () => {
    const stream = createRandom(12);
    const dice = new Set(Array.from({ length: 1_000 }, () => stream.below(6)));
    expect([...dice].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    for (let i = 0; i < 1_000; i++) {
      const value = stream.between(-3, 5);
      expect(value >= -3 && value < 5).toBe(true);
    }
  });

  test('chance(p) is true p of the time, never for 0, always for 1', () => {
    const stream = createRandom(13);
    let hits = 0;
    for (let i = 0; i < DRAWS; i++) if (stream.chance(0.2)) hits++;
    expect(hits / DRAWS).toBeCloseTo(0.2, 2);
    expect([stream.chance(0), stream.chance(1)]).toEqual([false, true]);
  });

  test('normal deviates have mean 0, deviation 1, and the usual tails', () => {
    const stream = createRandom(14);
    const drawn = Array.from({ length: DRAWS }, () => stream.normal());
    const mean = drawn.reduce((sum, x) => sum + x, 0) / DRAWS;
    const deviation = Math.sqrt(drawn.reduce((sum, x) => sum + x * x, 0) / DRAWS - mean ** 2);
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(deviation - 1)).toBeLessThan(0.02);
    expect(drawn.filter((x) => Math.abs(x) > 2).length / DRAWS).toBeCloseTo(0.0455, 2);
  });
});

test('salts differ by name', () => {
  const names = Array.from({ length: 1_000 }, (_, i) => `system-${i}`);
  expect(new Set(names.map(saltOf)).size).toBe(1_000);
  expect([saltOf('flock'), saltOf('')]).toEqual([1467952320, 2872998923]);
});
