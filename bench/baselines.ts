/** Saved runs: what a later run is compared with, and what the page's table and pictures show. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { findSource } from '@leasehold/servers';
import { type Chart, type Drawing, picture } from './charts.ts';
import { barsOf } from './charts-of-figures.ts';
import { type Figure, isRatio, type Measured } from './figure.ts';

export const FOLDER = new URL('./', import.meta.url);

/** A ratio that is less than this part of its baseline is said aloud. */
const FALLEN = 0.8;

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  readonly redis: string;
  readonly date: string;
  /** Of the repository; with a `+` when files differed from it. */
  readonly commit: string;
};

export type Baseline = {
  readonly tag: string;
  readonly what: string;
  /** How long the benchmark took. */
  readonly seconds: number;
  readonly machine: Machine;
  readonly figures: readonly Figure[];
  readonly charts: readonly Chart[];
};

export async function machineNow(): Promise<Machine> {
  const [first] = cpus();
  const source = await findSource({ purpose: 'run', env: { PATH: process.env['PATH'] } }, []);
  const redis = source?.kind === 'binary' ? spoken(source.binary, '--version') : '';
  const isChanged = spoken('git', 'status', '--porcelain', '--untracked-files=no') !== '';
  const commit = spoken('git', 'rev-parse', '--short=12', 'HEAD');
  return {
    cpu: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    redis: /v=(\S+)/.exec(redis)?.[1] ?? 'unknown',
    date: new Date().toISOString().slice(0, 10),
    commit: commit === '' ? 'unknown' : `${commit}${isChanged ? '+' : ''}`,
  };
}

/** What a program says; nothing when it cannot be run, as without git. */
function spoken(program: string, ...args: readonly string[]): string {
  try {
    return execFileSync(program, args, { cwd: FOLDER, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return '';
  }
}

const fileOf = (tag: string, folder: URL): URL => new URL(`baselines/${tag}.json`, folder);
const pictureOf = (tag: string, folder: URL): URL => new URL(`charts/${tag}.svg`, folder);

/** Nothing where none was saved. */
export function readBaseline(tag: string, folder: URL = FOLDER): Baseline | undefined {
  const file = fileOf(tag, folder);
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, 'utf8')) as Baseline;
}

/** More digits would only say how a number is stored. */
const rounded = (_key: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(6)) : value;

export function saveBaseline(baseline: Baseline, folder: URL = FOLDER): void {
  const text = JSON.stringify(baseline, rounded, 2);
  const saved = JSON.parse(text) as Baseline;
  mkdirSync(new URL('baselines/', folder), { recursive: true });
  writeFileSync(fileOf(saved.tag, folder), `${text}\n`);
  savePicture(saved, folder);
}

/** What the picture of a baseline shows: courses that were measured, then its figures as bars. */
export const drawings = ({ tag, charts, figures }: Baseline): Drawing[] => [
  ...charts,
  ...barsOf(tag, figures),
];

/** Nothing is measured for it: it shows what the baseline says. */
export function savePicture(baseline: Baseline, folder: URL = FOLDER): void {
  const drawn = drawings(baseline);
  if (drawn.length === 0) return;
  mkdirSync(new URL('charts/', folder), { recursive: true });
  writeFileSync(pictureOf(baseline.tag, folder), picture(drawn));
}

/** The picture that was saved with a baseline; nothing where there is none. */
export function readPicture(tag: string, folder: URL = FOLDER): string | undefined {
  const file = pictureOf(tag, folder);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

export const measured = (of: Measured | readonly Figure[]): Required<Measured> =>
  'figures' in of ? { charts: [], ...of } : { figures: of, charts: [] };

/** By how many percent a figure differs from its baseline; nothing without one to compare with. */
export function change(figure: Figure, baseline: Baseline | undefined): number | undefined {
  const before = baseline?.figures.find(({ name }) => name === figure.name);
  if (before === undefined || before.value === 0 || before.unit !== figure.unit) return undefined;
  return (figure.value / before.value - 1) * 100;
}

/** A sentence for each ratio that fell: figures are the machine's, ratios are the code's. */
export function fallen(figures: readonly Figure[], baseline: Baseline | undefined): string[] {
  return figures.filter(isRatio).flatMap((figure) => {
    const percent = change(figure, baseline);
    if (percent === undefined || percent >= (FALLEN - 1) * 100) return [];
    const { name, value, unit } = figure;
    return [`fell by ${(-percent).toFixed(0)} %: ${name} (${value.toFixed(1)} ${unit})`];
  });
}
