import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import {
  type Baseline,
  change,
  drawings,
  fallen,
  readBaseline,
  readPicture,
  saveBaseline,
  savePicture,
} from './baselines.ts';
import { BENCHMARKS } from './benchmarks.ts';
import { picture } from './charts.ts';
import { figuresPage, readPage, withFigures } from './table.ts';

const SAMPLE: Baseline = {
  tag: 'sample',
  what: 'what is measured',
  seconds: 12.4,
  machine: {
    ...{ cpu: 'a processor', cores: 2, memoryGb: 23, node: 'v24.0.0', redis: '7.0.15' },
    ...{ date: '2026-11-21', commit: '0123456789ab' },
  },
  figures: [
    { name: 'gap | p50', value: 41.239, unit: 'ms', target: '≤ 50', isMet: true },
    { name: 'times the obvious way', value: 40, unit: '×', target: '≥ 50', isMet: false },
  ],
  charts: [{ title: 'gaps', x: { label: 'a' }, y: { label: 'b' }, series: [] }],
};

const saved = BENCHMARKS.flatMap(({ tag }) => readBaseline(tag) ?? []);

test('the page shows the saved baselines and nothing else', () => {
  const page = readPage();
  expect(withFigures(page, figuresPage(saved)), 'run: npm run bench -- --save').toBe(page);
});

test('the page says of every benchmark what it does, in the order in which they run', () => {
  const [, section = ''] = /## What is measured\n([^#]*)/.exec(readPage()) ?? [];
  const said = [...section.matchAll(/^\| ([a-z]+(?:-[a-z]+)*) \|/gm)].map(([, tag]) => tag);
  expect(said.slice(1)).toEqual(BENCHMARKS.map(({ tag }) => tag));
});

test('each picture is that of its baseline', () => {
  for (const baseline of saved) {
    const { tag } = baseline;
    expect(readPicture(tag), `${tag}: npm run bench -- --charts`).toBe(picture(drawings(baseline)));
  }
});

test('a section names figures, aims, the machine and the picture', () => {
  const page = figuresPage([SAMPLE]);
  expect(page).toContain('| gap \\| p50 | 41.24 ms | ≤ 50 | ✓ |');
  expect(page).toContain('| times the obvious way | 40 × | ≥ 50 | ✗ |');
  expect(page).toContain(
    'What is measured. Measured 2026-11-21 at 0123456789ab on 2 cores of a processor, 23 GB, ' +
      'Node 24.0.0, Redis 7.0.15; it took 12 s.',
  );
  expect(page).toContain('![gaps](charts/sample.svg)');
});

test('a page that has lost its marks is not written over', () => {
  expect(() => withFigures('# Benchmarks', 'x')).toThrow(/lost its marks/);
});

test('what was saved is read again as it was, with its picture', () => {
  const folder = pathToFileURL(`${mkdtempSync(join(tmpdir(), 'leasehold-baseline-'))}/`);
  expect(readBaseline('sample', folder)).toBeUndefined();
  saveBaseline(SAMPLE, folder);
  expect(readBaseline('sample', folder)).toEqual(SAMPLE);
  expect(readPicture('sample', folder)).toBe(picture(SAMPLE.charts));
});

test('a baseline of figures alone is drawn as well, also later and without measuring', () => {
  const folder = pathToFileURL(`${mkdtempSync(join(tmpdir(), 'leasehold-baseline-'))}/`);
  const figures = [{ name: 'births: a tick', value: 3, unit: 'ms' }];
  const tick: Baseline = { ...SAMPLE, tag: 'tick', charts: [], figures };
  saveBaseline(tick, folder);
  const drawn = readPicture('tick', folder);
  expect(drawn).toContain('births: 3');
  rmSync(new URL('charts/', folder), { recursive: true });
  savePicture(readBaseline('tick', folder)!, folder);
  expect(readPicture('tick', folder)).toBe(drawn);
});

test('a change is in percent of the baseline, and only of a figure of the same unit', () => {
  const [ms, ratio] = SAMPLE.figures as [Baseline['figures'][0], Baseline['figures'][0]];
  expect(change({ ...ratio, value: 44 }, SAMPLE)).toBeCloseTo(10);
  expect(change({ ...ms, unit: 's' }, SAMPLE)).toBeUndefined();
  expect(change({ ...ms, name: 'another' }, SAMPLE)).toBeUndefined();
  expect(change(ms, undefined)).toBeUndefined();
});

test('a ratio that fell by more than a fifth is said, a time never', () => {
  const [ms, ratio] = SAMPLE.figures as [Baseline['figures'][0], Baseline['figures'][0]];
  expect(fallen([{ ...ratio, value: 32.1 }], SAMPLE)).toEqual([]);
  expect(fallen([{ ...ratio, value: 31.2 }], SAMPLE)).toEqual([
    'fell by 22 %: times the obvious way (31.2 ×)',
  ]);
  expect(fallen([{ ...ms, value: 1 }], SAMPLE)).toEqual([]);
});
