/** The part of README.md that is made from the saved baselines. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Baseline, drawings, FOLDER, type Machine } from './baselines.ts';
import { type Figure, shown } from './figure.ts';

const BEGIN = '<!-- figures: made by `npm run bench -- --save`, not by hand -->';
const END = '<!-- end of figures -->';

const PAGE = new URL('README.md', FOLDER);

/** The page with this between its marks. Throws when it has no marks. */
export function withFigures(page: string, figures: string): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from === -1 || to < from) throw new Error('bench/README.md has lost its marks for figures');
  return `${page.slice(0, from + BEGIN.length)}\n\n${figures}\n${page.slice(to)}`;
}

export const readPage = (): string => readFileSync(PAGE, 'utf8');

export function savePage(baselines: readonly Baseline[]): void {
  writeFileSync(PAGE, withFigures(readPage(), figuresPage(baselines)));
}

/** One section for each baseline, in the order given. */
export function figuresPage(baselines: readonly Baseline[]): string {
  if (baselines.length === 0) return 'No run has been saved yet.\n';
  return baselines.map(section).join('\n');
}

function section(baseline: Baseline): string {
  const { tag, what, seconds, machine, figures } = baseline;
  const lines = [
    `### ${tag}`,
    '',
    `${sentence(what)}. ${machineLine(machine)}; it took ${Math.round(seconds)} s.`,
    '',
    '| figure | value | aim | |',
    '| --- | ---: | --- | --- |',
    ...figures.map(row),
    '',
  ];
  const drawn = drawings(baseline);
  if (drawn.length > 0) {
    const summary = drawn.map(({ title }) => title).join('; ');
    lines.push(`![${cellText(summary)}](charts/${tag}.svg)`, '');
  }
  return lines.join('\n');
}

function machineLine(machine: Machine): string {
  const { cpu, cores, memoryGb, node, redis, date, commit } = machine;
  const server = `Node ${node.replace(/^v/, '')}, Redis ${redis}`;
  return `Measured ${date} at ${commit} on ${cores} cores of ${cpu}, ${memoryGb} GB, ${server}`;
}

function row({ name, value, unit, target = '', isMet }: Figure): string {
  const mark = isMet === undefined ? '' : isMet ? '✓' : '✗';
  const amount = `${shown(value)} ${unit}`.trim();
  return `| ${[name, amount, target, mark].map(cellText).join(' | ')} |`;
}

const sentence = (what: string): string => what.charAt(0).toUpperCase() + what.slice(1);
const cellText = (text: string): string => text.replaceAll('|', '\\|');
