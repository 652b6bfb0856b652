import { expect, test } from 'vitest';
import { picture } from './charts.ts';
import { leastSquares, type Point } from './fit.ts';
import { amount, scaleOf } from './scales.ts';

const line = (points: readonly Point[]) => leastSquares(points);

test('the line of points on a line is that line', () => {
  const points = [1, 2, 5, 9].map((x) => [x, 3 + 2 * x] as const);
  const { slope, intercept, r2 } = line(points);
  expect([slope, intercept, r2].map((value) => Number(value.toFixed(9)))).toEqual([2, 3, 1]);
});

test('points off the line make r² less than one, and noise alone near zero', () => {
  const around = [1, 2, 3, 4].map((x) => [x, 10 * x + (x % 2)] as const);
  expect(line(around).r2).toBeGreaterThan(0.98);
  expect(line(around).r2).toBeLessThan(1);
  const noise: Point[] = [
    [1, 1],
    [2, -1],
    [3, -1],
    [4, 1],
  ];
  expect(line(noise).r2).toBeLessThan(0.01);
});

test('a scale has round numbers and its places in the order of the values', () => {
  const linear = scaleOf({ label: '' }, [3, 47], 0, 100);
  expect(linear.ticks).toEqual([0, 10, 20, 30, 40, 50]);
  expect(linear.at(25)).toBe(50);
  const log = scaleOf({ label: '', isLog: true }, [1_000, 1_000_000], 0, 90);
  expect(log.ticks).toEqual([1_000, 10_000, 100_000, 1_000_000]);
  expect(log.at(10_000)).toBeCloseTo(30);
  expect(log.at(0)).toBe(0);
  expect(scaleOf({ label: '', isLog: true }, [3, 40], 0, 1).ticks).toEqual([2, 5, 10, 20, 50]);
  expect(scaleOf({ label: '', isLog: true }, [1, 1_500], 0, 1).ticks).toEqual([1, 10, 100, 1_000]);
});

test('a scale of nothing, or of one value, is a scale all the same', () => {
  for (const values of [[], [0], [7]]) {
    for (const isLog of [false, true]) {
      const { ticks, at } = scaleOf({ label: '', isLog }, values, 0, 10);
      expect(ticks.length).toBeGreaterThan(1);
      expect(Number.isFinite(at(7))).toBe(true);
    }
  }
});

test('numbers are as short as they can be read', () => {
  expect([0.25, 20, 1_500, 20_000_000].map(amount)).toEqual(['0.25', '20', '1.5K', '20M']);
});

const points: readonly Point[] = [
  [1_000, 2],
  [1_000_000, 2_000],
];
const chart = {
  title: 'Cost <grows> & grows',
  x: { label: 'entities', isLog: true },
  y: { label: 'ms', isLog: true },
  series: [
    { name: 'pod', points, line: leastSquares(points) },
    { name: 'Redis', points, isJoined: true },
  ],
};

test('a picture tells in words what it shows, and is escaped', () => {
  const svg = picture([chart]);
  expect(svg).toContain('<title id="title">Cost &lt;grows&gt; &amp; grows</title>');
  expect(svg).toContain('pod (line: r² 1.000): 1K: 2, 1M: 2K.');
  expect(svg).toContain('role="img"');
  expect(svg).toContain('prefers-color-scheme: dark');
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});

test('a picture has a marker for each point that stands alone, and stays small', () => {
  const svg = picture([chart, chart]);
  // Two points and the key of the legend, in each of two charts.
  expect(svg.match(/<circle/g)).toHaveLength(6);
  expect(svg.match(/class="course/g)).toHaveLength(4);
  expect(svg.length).toBeLessThan(12_000);
});
