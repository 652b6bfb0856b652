/**
 * Runs the named benchmarks and prints their tables. Figures are for this machine; ratios are taken
 * within one run, round by round, so that a noisy neighbour touches both sides.
 *
 *   npm run bench -- commit memory      only these
 *   npm run bench -- --json             one JSON line per benchmark
 *   npm run bench -- --quick            only to see that they run
 *   npm run bench -- --save             remember the ratios as the baseline to compare with
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { commit } from './commit.bench.ts';
import type { Benchmark, Figure } from './figure.ts';
import { memory } from './memory.bench.ts';
import { traffic } from './traffic.bench.ts';
import { views } from './views.bench.ts';

const BENCHMARKS: readonly Benchmark[] = [commit, memory, traffic, views];
const BASELINES = new URL('baselines/', import.meta.url);

const args = process.argv.slice(2);
const isJson = args.includes('--json');
const isQuick = args.includes('--quick');
const names = args.filter((arg) => !arg.startsWith('--'));
const unknown = names.filter((name) => !BENCHMARKS.some(({ tag }) => tag === name));
if (unknown.length > 0 || args.includes('--help')) {
  const tags = BENCHMARKS.map(({ tag, what }) => `  ${tag.padEnd(10)} ${what}`).join('\n');
  console.log(`npm run bench -- [TAG …] [--json] [--quick] [--save]\n\n${tags}`);
  process.exit(unknown.length > 0 ? 2 : 0);
}

let isMissed = false;
for (const benchmark of BENCHMARKS) {
  if (names.length > 0 && !names.includes(benchmark.tag)) continue;
  console.error(`${benchmark.tag}: ${benchmark.what}`);
  const figures = await benchmark.run((line) => console.error(`  ${line}`), { isQuick });
  const baseline = readBaseline(benchmark.tag);
  if (isJson) console.log(JSON.stringify({ tag: benchmark.tag, figures }));
  else print(figures, baseline);
  if (args.includes('--save')) saveBaseline(benchmark.tag, figures);
  isMissed ||= figures.some(({ isMet }) => isMet === false);
}
process.exit(isMissed ? 1 : 0);

function print(figures: readonly Figure[], baseline: Readonly<Record<string, number>>): void {
  for (const { name, value, unit, target, isMet } of figures) {
    const shown = Number(value.toPrecision(4)).toLocaleString('en-US');
    const mark = isMet === undefined ? ' ' : isMet ? '✓' : '✗';
    const aim = target === undefined ? '' : `  (aim ${target})`;
    const before = baseline[name];
    const change = before === undefined ? '' : `  baseline ${Number(before.toPrecision(4))}`;
    console.log(`${mark} ${name.padEnd(52)} ${shown.padStart(14)} ${unit}${aim}${change}`);
  }
}

function readBaseline(tag: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(new URL(`${tag}.json`, BASELINES), 'utf8'));
  } catch {
    // No baseline yet: the figures stand alone.
    return {};
  }
}

function saveBaseline(tag: string, figures: readonly Figure[]): void {
  mkdirSync(BASELINES, { recursive: true });
  const kept = Object.fromEntries(figures.map(({ name, value }) => [name, value]));
  writeFileSync(new URL(`${tag}.json`, BASELINES), `${JSON.stringify(kept, null, 2)}\n`);
}
