/**
 * Charts as SVG, for a page: no script, no font of their own, light and dark by the reader's wish,
 * every number also as text for those who do not see the picture.
 */
import type { Line, Point } from './fit.ts';
import { type Axis, amount, scaleOf } from './scales.ts';

export type Chart = {
  /** What is to be seen, as a sentence. */
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
};

export type Series = {
  readonly name: string;
  readonly points: readonly Point[];
  /** Points stand alone unless they are a course. */
  readonly isJoined?: boolean;
  /** Drawn behind the points. */
  readonly line?: Line;
};

const WIDTH = 760;
const HEIGHT = 340;
const LEFT = 76;
const RIGHT = 24;
const TOP = 66;
const BOTTOM = 52;
const STEPS = 48;
const FONT = 'ui-sans-serif, system-ui, sans-serif';

/** Each with 4.5 : 1 at least against its ground. */
const LIGHT = ['#0a58b0', '#a63c06', '#17692d', '#6f3fc4'];
const DARK = ['#79b8ff', '#f7a35c', '#6cc77a', '#c29bf5'];

const STYLE = `
text { font-family: ${FONT}; font-size: 13px; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.ground { fill: #ffffff }
.grid { stroke: #d0d7de; stroke-width: 1; fill: none }
.course { fill: none; stroke-width: 2 }
.course.s1 { stroke-dasharray: 9 3 }
.course.s2 { stroke-dasharray: 3 3 }
.course.s3 { stroke-dasharray: 9 3 3 3 }
.fit { fill: none; stroke-width: 1.5; stroke-dasharray: 6 4 }
${colours(LIGHT)}
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.ground { fill: #0d1117 }
.grid { stroke: #30363d }
${colours(DARK)}
}`;

function colours(of: readonly string[]): string {
  return of
    .flatMap((colour, i) => [`.s${i} { stroke: ${colour} }`, `.m${i} { fill: ${colour} }`])
    .join('\n');
}

/** One picture of all charts, one below the other. */
export function picture(charts: readonly Chart[]): string {
  const height = charts.length * HEIGHT;
  const titles = charts.map(({ title }) => title).join('; ');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title words">`,
    `<title id="title">${escaped(titles)}</title>`,
    `<desc id="words">${escaped(charts.map(words).join(' '))}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    ...charts.map((chart, i) => panel(chart, i * HEIGHT)),
    '</svg>',
    '',
  ].join('\n');
}

/** The chart as sentences: what is drawn, with every point that stands alone. */
function words({ title, x, y, series }: Chart): string {
  const said = series.map(({ name, points, line, isJoined }) => {
    const first = points[0];
    const last = points.at(-1);
    const some = isJoined && first && last ? [first, last] : points;
    const pairs = some.map(([px, py]) => `${amount(px)}: ${amount(py)}`).join(', ');
    const fit = line === undefined ? '' : ` (line: r² ${line.r2.toFixed(3)})`;
    return `${name}${fit}: ${pairs}.`;
  });
  return `${title}. ${y.label} by ${x.label}. ${said.join(' ')}`;
}

function panel(chart: Chart, offset: number): string {
  const { title, x, y, series } = chart;
  const of = (at: 0 | 1): number[] => series.flatMap(({ points }) => points.map((p) => p[at]));
  const across = scaleOf(x, of(0), LEFT, WIDTH - RIGHT);
  const up = scaleOf(y, of(1), HEIGHT - BOTTOM, TOP);
  const parts = [
    `<g transform="translate(0 ${offset})">`,
    text(LEFT, 24, title, 'start', 'title'),
    ...legend(series),
  ];
  for (const value of up.ticks) {
    const at = n(up.at(value));
    parts.push(`<path class="grid" d="M${LEFT} ${at}H${WIDTH - RIGHT}"/>`);
    parts.push(text(LEFT - 8, Number(at) + 4, amount(value), 'end'));
  }
  for (const value of across.ticks) {
    const at = n(across.at(value));
    parts.push(`<path class="grid" d="M${at} ${HEIGHT - BOTTOM}v5"/>`);
    parts.push(text(Number(at), HEIGHT - BOTTOM + 20, amount(value), 'middle'));
  }
  parts.push(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x.label, 'middle'));
  const middle = (TOP + HEIGHT - BOTTOM) / 2;
  parts.push(
    `<text transform="translate(18 ${middle}) rotate(-90)" text-anchor="middle">${escaped(y.label)}</text>`,
  );
  for (const [i, each] of series.entries()) {
    const place = ([px, py]: Point): Point => [across.at(px), up.at(py)];
    if (each.line !== undefined) parts.push(path(curve(each, x.isLog).map(place), `fit s${i % 4}`));
    if (each.isJoined) parts.push(path(each.points.map(place), `course s${i % 4}`));
    else parts.push(...each.points.map((point) => marker(place(point), i)));
  }
  parts.push('</g>');
  return parts.join('\n');
}

/** Many points of the line between its first point and its last: on log scales it is bent. */
function curve({ points, line }: Series, isLog = false): Point[] {
  if (line === undefined || points.length === 0) return [];
  const xs = points.map(([x]) => x);
  const from = Math.min(...xs);
  const to = Math.max(...xs);
  return Array.from({ length: STEPS + 1 }, (_, i) => {
    const part = i / STEPS;
    const x = isLog ? from * (to / from) ** part : from + (to - from) * part;
    return [x, line.intercept + line.slope * x] as const;
  });
}

function legend(series: readonly Series[]): string[] {
  let at = LEFT;
  return series.flatMap(({ name, isJoined }, i) => {
    const key = isJoined
      ? path(
          [
            [at, 42],
            [at + 16, 42],
          ],
          `course s${i % 4}`,
        )
      : marker([at + 8, 42], i);
    const said = text(at + 22, 46, name, 'start');
    at += 44 + name.length * 7;
    return [key, said];
  });
}

/** A shape of its own for each series, as lines have: colour is never all that tells them apart. */
function marker([x, y]: Point, i: number): string {
  const of = `class="m${i % 4}"`;
  switch (i % 4) {
    case 0:
      return `<circle ${of} cx="${n(x)}" cy="${n(y)}" r="4.5"/>`;
    case 1:
      return `<rect ${of} x="${n(x - 4)}" y="${n(y - 4)}" width="8" height="8"/>`;
    case 2:
      return `<path ${of} d="M${n(x)} ${n(y - 5.5)}l5.5 9.5h-11z"/>`;
    default:
      return `<path ${of} d="M${n(x)} ${n(y - 5.5)}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>`;
  }
}

const n = (value: number): string => value.toFixed(1);

function path(points: readonly Point[], name: string): string {
  const d = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${n(x)} ${n(y)}`).join('');
  return `<path class="${name}" d="${d}"/>`;
}

function text(x: number, y: number, said: string, anchor: string, name = ''): string {
  const of = name === '' ? '' : ` class="${name}"`;
  return `<text${of} x="${n(x)}" y="${n(y)}" text-anchor="${anchor}">${escaped(said)}</text>`;
}

const escaped = (said: string): string =>
  said.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
