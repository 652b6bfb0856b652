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

const bars = {
  title: 'How long <it> takes',
  x: { label: 'ms' },
  bars: [
    { row: 'a', series: 'p50', value: 10, aim: { said: '≤ 20', value: 20 }, isMet: true },
    { row: 'a', series: 'p99', value: 40 },
    { row: 'b', series: 'p50', value: 30, aim: { said: '≤ 20', value: 20 }, isMet: false },
    { row: 'c', series: 'p50', value: 5, aim: { said: '≤ 20', value: 20 }, isMet: true },
  ],
};

test('bars begin at zero, end at their value, and are told apart by more than colour', () => {
  const svg = picture([bars]);
  const widths = [...svg.matchAll(/<rect class="bar m\d s\d" x="232.0".* width="([\d.]+)"/g)];
  const [of10, of40, of30, of5] = widths.map(([, width]) => Number(width));
  expect([of40, of30, of5]).toEqual([4, 3, 0.5].map((part) => part * (of10 as number)));
  expect(svg).toContain('.bar.m1 { fill-opacity');
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});

test('an aim is one line across the bars that follow each other with it, and in the legend', () => {
  const svg = picture([bars]);
  // The key of the legend, the first bar, and the two last ones in one.
  expect(svg.match(/class="aim"/g)).toHaveLength(3);
  expect(svg).toContain('aim: ≤ 20');
  expect(svg.match(/[\d.]+ [✓✗]/g)).toEqual(['10 ✓', '30 ✗', '5 ✓']);
});

test('bars are told in words, with aims, and escaped', () => {
  const svg = picture([bars]);
  expect(svg).toContain('<title id="title">How long &lt;it&gt; takes</title>');
  expect(svg).toContain('In ms. a, p50: 10 (aim ≤ 20, met); a, p99: 40; b, p50: 30 (aim ≤ 20, mis');
});

test('on a log scale a value is a point, as there is no zero for a bar to begin at', () => {
  const svg = picture([{ ...bars, x: { label: 'ms', isLog: true } }]);
  expect(svg).not.toContain('<rect class="bar');
  expect(svg.match(/<circle/g)).toHaveLength(4);
});

test('panels of different heights stand one below the other', () => {
  const svg = picture([bars, chart, bars]);
  const tops = [...svg.matchAll(/<g transform="translate\(0 (\d+)\)">/g)].map(([, y]) => Number(y));
  const [first, second, third] = tops as [number, number, number];
  expect([first, third - second]).toEqual([0, 340]);
  expect(svg).toContain(`viewBox="0 0 760 ${third + second}"`);
});
