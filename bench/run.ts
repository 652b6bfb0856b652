/**
 * Runs the named benchmarks and prints their tables. Figures are for this machine; ratios are taken
 * within one run, round by round, so that a noisy neighbour touches both sides.
 *
 *   npm run bench -- commit memory      only these
 *   npm run bench -- --json             one JSON line per benchmark
 *   npm run bench -- --quick            only to see that they run
 *   npm run bench -- --save             keep what was measured, with its pictures and the page
 *   npm run bench -- --charts           draw pictures and page again from what was kept
 *
 * Exit code: 0; 1 when an aim was missed; 2 when the words on the command line are not understood;
 * 3 when a benchmark failed.
 */
import { parseArgs } from 'node:util';
import {
  type Baseline,
  change,
  fallen,
  machineNow,
  measured,
  readBaseline,
  saveBaseline,
  savePicture,
} from './baselines.ts';
import { BENCHMARKS } from './benchmarks.ts';
import type { Benchmark, Figure } from './figure.ts';
import { shown } from './figure.ts';
import { Progress } from './progress.ts';
import { savePage } from './table.ts';

const USAGE = `npm run bench -- [TAG …] [--json] [--quick] [--save] [--charts] [--help]

  --json    one JSON line per benchmark instead of a table
  --quick   only to see that they run; the figures mean nothing
  --save    keep the figures as baselines, draw the pictures, write the table of bench/README.md
  --charts  measure nothing: draw pictures and table again from the baselines that were kept

${BENCHMARKS.map(({ tag, what }) => `  ${tag.padEnd(10)} ${what}`).join('\n')}`;

type Words = {
  readonly names: readonly string[];
  readonly isJson: boolean;
  readonly isQuick: boolean;
  readonly isSaving: boolean;
  readonly isDrawing: boolean;
};

// Servers end with this process, however it ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

// A benchmark that leaves something open must not keep the next command waiting.
process.exit(await main().catch(fail));

async function main(): Promise<number> {
  const words = readWords();
  if (typeof words === 'number') return words;
  const { names, isJson, isQuick, isSaving } = words;
  if (words.isDrawing) return drawAgain(names);
  let isMissed = false;
  for (const benchmark of BENCHMARKS) {
    if (names.length > 0 && !names.includes(benchmark.tag)) continue;
    const { figures, charts, seconds } = await runOne(benchmark, isQuick);
    const { tag, what } = benchmark;
    const baseline = readBaseline(tag);
    if (isJson) console.log(JSON.stringify({ tag, seconds, figures, charts }));
    else print(figures, isQuick ? undefined : baseline);
    if (!isQuick && !isSaving) for (const line of fallen(figures, baseline)) console.error(line);
    if (isSaving) {
      saveBaseline({ tag, what, seconds, machine: await machineNow(), figures, charts });
    }
    isMissed ||= figures.some(({ isMet }) => isMet === false);
  }
  if (isSaving) savePage(BENCHMARKS.flatMap(({ tag }) => readBaseline(tag) ?? []));
  return isMissed ? 1 : 0;
}

/** The page is of all baselines, whatever was named. */
function drawAgain(names: readonly string[]): number {
  const saved = BENCHMARKS.flatMap(({ tag }) => readBaseline(tag) ?? []);
  for (const baseline of saved) {
    if (names.length > 0 && !names.includes(baseline.tag)) continue;
    savePicture(baseline);
    console.log(`drawn: bench/charts/${baseline.tag}.svg`);
  }
  savePage(saved);
  return 0;
}

function fail(error: unknown): number {
  console.error(error instanceof Error ? error.stack : error);
  return 3;
}

/** An exit code where there is nothing to run. */
function readWords(): Words | number {
  const options = {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    charts: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const;
  try {
    const { values, positionals: names } = parseArgs({ options, allowPositionals: true });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const unknown = names.find((name) => !BENCHMARKS.some(({ tag }) => tag === name));
    if (unknown !== undefined) throw new Error(`there is no benchmark ${unknown}`);
    if (values.quick && values.save) throw new Error('a quick run measures nothing to be saved');
    const { json: isJson, quick: isQuick, save: isSaving, charts: isDrawing } = values;
    if (isDrawing && (isJson || isQuick || isSaving)) {
      throw new Error('--charts draws what was kept: it measures nothing');
    }
    return { names, isJson, isQuick, isSaving, isDrawing };
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    console.log(USAGE);
    return 2;
  }
}

async function runOne({ tag, what, run }: Benchmark, isQuick: boolean) {
  const progress = new Progress(`${tag}: ${what}`);
  const startMs = performance.now();
  try {
    const { figures, charts } = measured(await run((line) => progress.say(line), { isQuick }));
    return { figures, charts, seconds: (performance.now() - startMs) / 1_000 };
  } finally {
    progress.end();
  }
}

function print(figures: readonly Figure[], baseline: Baseline | undefined): void {
  for (const figure of figures) {
    const { name, value, unit, target, isMet } = figure;
    const mark = isMet === undefined ? ' ' : isMet ? '✓' : '✗';
    const aim = target === undefined ? '' : `  (aim ${target})`;
    const percent = change(figure, baseline);
    const sign = percent !== undefined && percent > 0 ? '+' : '';
    const against = percent === undefined ? '' : `  ${sign}${percent.toFixed(1)} %`;
    console.log(`${mark} ${name.padEnd(52)} ${shown(value).padStart(14)} ${unit}${aim}${against}`);
  }
}
