import { expect, test } from 'vitest';
import { MODELS } from './abm/worlds.ts';
import { readBaseline } from './baselines.ts';
import { BENCHMARKS } from './benchmarks.ts';
import { picture } from './charts.ts';
import type { Bars } from './charts-bars.ts';
import { barsOf } from './charts-of-figures.ts';
import type { Figure } from './figure.ts';

/** What a row has room for, left of the bars. */
const ROW_CHARACTERS_MAX = 28;

const values = (bars: readonly Bars[]): number[] =>
  bars.flatMap((each) => each.bars.map(({ value }) => value));

const times = (name: string, value: number): Figure => ({
  ...{ name: `${name}: as long as loops by hand`, value, unit: 'times' },
  ...{ target: '≤ 1.5', isMet: value <= 1.5 },
});

test.each(['commit', 'tick', 'view', 'traffic'])('what was saved of %s is drawn', (tag) => {
  const { figures } = readBaseline(tag)!;
  expect(barsOf(tag, figures).length).toBeGreaterThan(0);
});

test('every saved figure with an aim is drawn with that aim as a line', () => {
  const isLine = ({ target }: Figure): boolean => target !== undefined && target !== '0';
  for (const { tag } of BENCHMARKS) {
    const { figures = [] } = readBaseline(tag) ?? {};
    const drawn = barsOf(tag, figures).flatMap(({ bars }) => bars);
    const aims = drawn.flatMap(({ aim }) => (aim === undefined ? [] : [aim.said]));
    expect(aims.toSorted(), tag).toEqual(
      figures
        .filter(isLine)
        .map(({ target }) => target)
        .toSorted(),
    );
  }
});

test('no figure is drawn twice, in two units at once, or with a name too long for its place', () => {
  for (const { tag } of BENCHMARKS) {
    const { figures = [] } = readBaseline(tag) ?? {};
    const drawn = barsOf(tag, figures);
    expect(new Set(drawn.map(({ title }) => title)).size).toBe(drawn.length);
    for (const { title, bars } of drawn) {
      const units = bars.map(({ value }) => figures.find((each) => each.value === value)?.unit);
      expect(new Set(units).size, title).toBe(1);
      expect(new Set(bars.map(({ row, series }) => `${row}: ${series}`)).size).toBe(bars.length);
      for (const { row } of bars) expect(row.length, row).toBeLessThanOrEqual(ROW_CHARACTERS_MAX);
    }
  }
});

test('agent models are drawn small beside large as soon as figures are saved', () => {
  const figures = MODELS.flatMap(({ name, isLarge }, i): Figure[] => {
    const label = `${name} ${isLarge ? 'large' : 'small'}`;
    return [
      { name: `${label}: a run`, value: 3 ** (i + 1), unit: 'ms' },
      times(label, 0.9 + i / 5),
      {
        ...{ name: `${label}: on Redis, as long as in memory`, value: 6 - i, unit: 'times' },
        ...(isLarge ? { target: '≤ 2', isMet: 6 - i <= 2 } : {}),
      },
      {
        ...{ name: `${label}: outcomes apart, in standard errors`, value: i / 3, unit: '' },
        ...{ target: '≤ 4', isMet: true },
      },
      ...(isLarge ? [] : [{ name: `${name}: code`, value: 40 + i, unit: 'lines' }]),
    ];
  });
  const drawn = barsOf('abm', figures);
  expect(drawn.map(({ bars }) => bars.length)).toEqual(drawn.map(() => MODELS.length));
  expect(drawn[0]?.bars.map(({ row, series }) => `${row} ${series}`)).toEqual(
    MODELS.map(({ name, isLarge }) => `${name} ${isLarge ? 'large' : 'small'}`),
  );
  const svg = picture(drawn);
  expect(svg).toContain('flocking, small: 0.9 (aim ≤ 1.5, met)');
  expect(svg).toContain('Schelling, large: 1.9 (aim ≤ 1.5, missed)');
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});

test('nothing is drawn of figures that are not there, nor of a benchmark without bars', () => {
  expect(barsOf('tick', [])).toEqual([]);
  expect(barsOf('scale', [{ name: 'x: a tick', value: 1, unit: 'ms' }])).toEqual([]);
  expect(values(barsOf('tick', [times('a', Number.NaN), times('b', 2)]))).toEqual([2]);
});

test('an aim is a line where it is a number, and at the first value where it is the same', () => {
  const commands = (n: string, value: number): Figure => ({
    ...{ name: `commands a tick, with ${n} entities`, value, unit: '', target: 'the same' },
  });
  const [panel] = barsOf('traffic', [commands('16', 4), commands('1,024', 5)]);
  expect(panel?.bars.map(({ aim }) => aim)).toEqual([
    { said: 'the same', value: 4 },
    { said: 'the same', value: 4 },
  ]);
  const [{ bars }] = barsOf('tick', [{ ...times('a', 1), target: '≤ 1,500' }]) as [Bars];
  expect(bars[0]?.aim).toEqual({ said: '≤ 1,500', value: 1_500 });
  const [{ bars: odd }] = barsOf('tick', [{ ...times('a', 1), target: 'soon' }]) as [Bars];
  expect(odd[0]?.aim).toBeUndefined();
});
