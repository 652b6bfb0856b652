/**
 * Charts as SVG, for a page: no script, no font of their own, light and dark by the reader's wish,
 * every number also as text for those who do not see the picture.
 */
import { type Bars, barsHeight, barsInWords, barsPanel } from './charts-bars.ts';
import { escaped, marker, n, path, RIGHT, STYLE, text, WIDTH } from './charts-svg.ts';
import type { Line, Point } from './fit.ts';
import { type Axis, amount, scaleOf } from './scales.ts';

export type Chart = {
  /** What is to be seen, as a sentence. */
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
};

/** What a picture is made of. */
export type Drawing = Chart | Bars;

export type Series = {
  readonly name: string;
  readonly points: readonly Point[];
  /** Points stand alone unless they are a course. */
  readonly isJoined?: boolean;
  /** Drawn behind the points. */
  readonly line?: Line;
};

const HEIGHT = 340;
const LEFT = 76;
const TOP = 66;
const BOTTOM = 52;
const STEPS = 48;

/** One picture of all charts, one below the other. */
export function picture(charts: readonly Drawing[]): string {
  const heights = charts.map((chart) => ('bars' in chart ? barsHeight(chart) : HEIGHT));
  const height = heights.reduce((sum, each) => sum + each, 0);
  const titles = charts.map(({ title }) => title).join('; ');
  const said = charts.map((chart) => ('bars' in chart ? barsInWords(chart) : words(chart)));
  let offset = 0;
  const panels = charts.map((chart, i) => {
    const top = offset;
    offset += heights[i] as number;
    return 'bars' in chart ? barsPanel(chart, top) : panel(chart, top);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title words">`,
    `<title id="title">${escaped(titles)}</title>`,
    `<desc id="words">${escaped(said.join(' '))}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    ...panels,
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
