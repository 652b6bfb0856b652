/** What charts are drawn with: colours for light and dark, words, paths and markers. */
import type { Point } from './fit.ts';

export const WIDTH = 760;
export const RIGHT = 24;
const FONT = 'ui-sans-serif, system-ui, sans-serif';

/** Each with 4.5 : 1 at least against its ground, and told apart by those who see no red or green. */
const LIGHT = ['#0a58b0', '#a63c06', '#17692d', '#6f3fc4'];
const DARK = ['#79b8ff', '#f7a35c', '#6cc77a', '#c29bf5'];

export const STYLE = `
text { font-family: ${FONT}; font-size: 13px; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.ground { fill: #ffffff }
.grid { stroke: #d0d7de; stroke-width: 1; fill: none }
.course { fill: none; stroke-width: 2 }
.course.s1 { stroke-dasharray: 9 3 }
.course.s2 { stroke-dasharray: 3 3 }
.course.s3 { stroke-dasharray: 9 3 3 3 }
.fit { fill: none; stroke-width: 1.5; stroke-dasharray: 6 4 }
.bar { stroke-width: 1.5 }
.bar.m1 { fill-opacity: 0.25 }
.aim { stroke: #1f2328; stroke-width: 2; stroke-dasharray: 5 3; fill: none }
.edge { stroke: #ffffff; stroke-width: 5; fill: none }
${colours(LIGHT)}
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.ground { fill: #0d1117 }
.grid { stroke: #30363d }
.aim { stroke: #e6edf3 }
.edge { stroke: #0d1117 }
${colours(DARK)}
}`;

function colours(of: readonly string[]): string {
  return of
    .flatMap((colour, i) => [`.s${i} { stroke: ${colour} }`, `.m${i} { fill: ${colour} }`])
    .join('\n');
}

/** A shape of its own for each series, as lines have: colour is never all that tells them apart. */
export function marker([x, y]: Point, i: number): string {
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

export const n = (value: number): string => value.toFixed(1);

export function path(points: readonly Point[], name: string): string {
  const d = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${n(x)} ${n(y)}`).join('');
  return `<path class="${name}" d="${d}"/>`;
}

export function text(x: number, y: number, said: string, anchor: string, name = ''): string {
  const of = name === '' ? '' : ` class="${name}"`;
  return `<text${of} x="${n(x)}" y="${n(y)}" text-anchor="${anchor}">${escaped(said)}</text>`;
}

export const escaped = (said: string): string =>
  said.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
