/** Figures side by side as bars, with the aim as a line across those that have one. */

import { marker, n, path, RIGHT, text, WIDTH } from './charts-svg.ts';
import type { Point } from './fit.ts';
import { type Axis, amount, type Scale, scaleOf } from './scales.ts';

export type Bar = {
  readonly row: string;
  /** What a row's bars differ in; '' where each row has one. */
  readonly series: string;
  readonly value: number;
  readonly aim?: Aim;
  readonly isMet?: boolean;
};

/** `said` is for people; `value` is where the line is. */
export type Aim = { readonly said: string; readonly value: number };

export type Bars = {
  /** What is to be seen, as a sentence. */
  readonly title: string;
  readonly x: Axis;
  /** Rows and series come in the order in which they are first named. */
  readonly bars: readonly Bar[];
};

const BAR = 16;
const BAR_GAP = 3;
const ROW_GAP = 12;
/** Where bars begin, in all panels of a picture the same. */
const LEFT = 232;
/** Below the title; below title and legend. */
const TOP = { bare: 44, legend: 66 };
const BOTTOM = 52;
/** For the value at the end of the longest bar. */
const VALUE_WIDTH = 72;
const CHARACTER = 7.2;
const AIM_OVER = 3;

/** From the top of one place for a bar to the next. */
type Placed = { readonly bar: Bar; readonly y: number; readonly of: number };

type Layout = {
  readonly placed: readonly Placed[];
  readonly rows: readonly { readonly name: string; readonly y: number }[];
  readonly series: readonly string[];
  readonly top: number;
  readonly height: number;
};

function layoutOf({ bars }: Bars): Layout {
  const series = [...new Set(bars.map((bar) => bar.series))];
  const hasLegend = bars.some((bar) => bar.series !== '' || bar.aim !== undefined);
  const top = hasLegend ? TOP.legend : TOP.bare;
  const placed: Placed[] = [];
  const rows: { name: string; y: number }[] = [];
  let y = top + ROW_GAP / 2;
  for (const name of new Set(bars.map((bar) => bar.row))) {
    const own = bars.filter((bar) => bar.row === name);
    const from = y;
    for (const bar of own) {
      placed.push({ bar, y, of: series.indexOf(bar.series) });
      y += BAR + BAR_GAP;
    }
    rows.push({ name, y: (from + y - BAR_GAP) / 2 });
    y += ROW_GAP - BAR_GAP;
  }
  return { placed, rows, series, top, height: y - ROW_GAP / 2 + BOTTOM };
}

export const barsHeight = (bars: Bars): number => layoutOf(bars).height;

export function barsPanel(bars: Bars, offset: number): string {
  const { title, x } = bars;
  const { placed, rows, series, top, height } = layoutOf(bars);
  const values = bars.bars.flatMap(({ value, aim }) => [value, ...(aim ? [aim.value] : [])]);
  const across = scaleOf(x, values, LEFT, WIDTH - RIGHT - VALUE_WIDTH);
  const bottom = height - BOTTOM;
  const parts = [
    `<g transform="translate(0 ${offset})">`,
    text(24, 24, title, 'start', 'title'),
    ...legend(series, aimsOf(bars), x.isLog),
  ];
  for (const value of across.ticks) {
    const at = n(across.at(value));
    parts.push(`<path class="grid" d="M${at} ${top}V${n(bottom)}"/>`);
    parts.push(text(Number(at), bottom + 20, amount(value), 'middle'));
  }
  parts.push(text((LEFT + WIDTH - RIGHT - VALUE_WIDTH) / 2, height - 10, x.label, 'middle'));
  parts.push(...rows.map(({ name, y }) => text(LEFT - 10, y + 4.5, name, 'end')));
  parts.push(...placed.map((each) => drawn(each, across, x.isLog)));
  parts.push(...aimLines(placed, across));
  parts.push(...placed.map((each) => valueText(each, across)));
  parts.push('</g>');
  return parts.join('\n');
}

/** A log scale has no zero for a bar to begin at: there the value is a point. */
function drawn({ bar, y, of }: Placed, across: Scale, isLog = false): string {
  const at = across.at(bar.value);
  const middle = y + BAR / 2;
  if (!isLog) {
    const size = `x="${n(LEFT)}" y="${n(y)}" width="${n(at - LEFT)}" height="${BAR}"`;
    return `<rect class="bar m${of % 4} s${of % 4}" ${size}/>`;
  }
  const lead: Point[] = [
    [LEFT, middle],
    [at, middle],
  ];
  return `${path(lead, 'grid')}\n${marker([at, middle], of)}`;
}

/** One line for bars that follow each other and have the same aim. */
function aimLines(placed: readonly Placed[], across: Scale): string[] {
  const lines: { value: number; from: number; to: number }[] = [];
  let last: Aim | undefined;
  for (const { bar, y } of placed) {
    const { aim } = bar;
    const line = lines.at(-1);
    if (aim !== undefined && line !== undefined && aim.value === last?.value) line.to = y + BAR;
    else if (aim !== undefined) lines.push({ value: aim.value, from: y, to: y + BAR });
    last = aim;
  }
  return lines.flatMap(({ value, from, to }) => {
    const at = across.at(value);
    const line = (over: number): Point[] => [
      [at, from - over],
      [at, to + over],
    ];
    return [path(line(0), 'edge'), path(line(AIM_OVER), 'aim')];
  });
}

function valueText({ bar, y }: Placed, across: Scale): string {
  const said = bar.isMet === undefined ? amount(bar.value) : `${amount(bar.value)} ${mark(bar)}`;
  const end = across.at(bar.value);
  const aim = bar.aim === undefined ? end : across.at(bar.aim.value);
  // Beside the line, not under it.
  const isInTheWay = aim > end - AIM_OVER && aim < end + 16 + said.length * CHARACTER;
  return text((isInTheWay ? Math.max(aim, end) : end) + 8, y + BAR / 2 + 4.5, said, 'start');
}

const mark = ({ isMet }: Bar): string => (isMet === true ? '✓' : '✗');

const aimsOf = ({ bars }: Bars): string[] => [
  ...new Set(bars.flatMap(({ aim }) => (aim === undefined ? [] : [aim.said]))),
];

function legend(series: readonly string[], aims: readonly string[], isLog = false): string[] {
  const parts: string[] = [];
  let at = 24;
  const key = (drawing: string, said: string): void => {
    parts.push(drawing, text(at + 22, 46, said, 'start'));
    at += 44 + said.length * CHARACTER;
  };
  for (const [i, name] of series.entries()) {
    if (name === '') continue;
    const box = `<rect class="bar m${i % 4} s${i % 4}" x="${n(at)}" y="36" width="16" height="11"/>`;
    key(isLog ? marker([at + 8, 42], i) : box, name);
  }
  if (aims.length > 0) {
    key(`<path class="aim" d="M${n(at + 8)} 34v15"/>`, `aim: ${aims.join(' and ')}`);
  }
  return parts;
}

/** All of it as sentences, for those who do not see the picture. */
export function barsInWords({ title, x, bars }: Bars): string {
  const said = bars.map((bar) => {
    const { row, series, value, aim, isMet } = bar;
    const name = series === '' ? row : `${row}, ${series}`;
    const met = isMet === undefined ? '' : isMet ? ', met' : ', missed';
    return `${name}: ${amount(value)}${aim === undefined ? '' : ` (aim ${aim.said}${met})`}`;
  });
  return `${title}. In ${x.label}. ${said.join('; ')}.`;
}
