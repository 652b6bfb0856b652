/** A plan as text: the grid with a letter for each pod, north up. */
import type { Plan } from '@leasehold/protocol';
import type { Colors } from '../output.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** More lines than this are no picture any more. */
const LINES_MAX = 64;
const ASLEEP = '·';
const NOBODY = '-';
/** A pod beyond the last letter. */
const ANOTHER = '?';

type Size = { readonly columns: number; readonly rows: number };

type Paint = (text: string) => string;

/** Letters by pod, in the order of their names; they stay while the pods are the same. */
export function lettersOf(plan: Plan): Map<string, string> {
  const pods = [...new Set(plan.regions.map(({ pod }) => pod))].filter((pod) => pod !== '').sort();
  return new Map(pods.map((pod, i) => [pod, LETTERS[i] ?? ANOTHER]));
}

/** One colour for each letter, again and again. */
export function paintsOf(
  letters: ReadonlyMap<string, string>,
  { cyan, yellow, magenta, green, blue, red, isColorSupported, dim }: Colors,
): (letter: string) => Paint {
  const paints = [cyan, yellow, magenta, green, blue, red];
  const order = [...letters.values()];
  return (letter) => {
    const place = order.indexOf(letter);
    if (place === -1 || !isColorSupported) return dim;
    return paints[place % paints.length] as Paint;
  };
}

export type Drawing = {
  readonly lines: readonly string[];
  /** Cells along the side of the square that a character stands for. */
  readonly step: number;
};

/** At most so many characters wide; where the grid is larger, a character stands for several cells. */
export function drawingOf(
  plan: Plan,
  { columns, rows }: Size,
  width: number,
  colors: Colors,
): Drawing {
  const step = Math.max(1, Math.ceil(columns / width), Math.ceil(rows / LINES_MAX));
  const letters = lettersOf(plan);
  const paintOf = paintsOf(letters, colors);
  const cells = new Array<string>(columns * rows).fill(NOBODY);
  const regionOf = new Int32Array(columns * rows);
  for (const { id, rect, pod } of plan.regions) {
    for (let row = rect.row; row < Math.min(rows, rect.row + rect.rows); row++) {
      const from = row * columns + rect.column;
      const to = row * columns + Math.min(columns, rect.column + rect.columns);
      cells.fill(letters.get(pod) ?? NOBODY, from, to);
      regionOf.fill(id, from, to);
    }
  }
  for (const [first, length] of plan.asleep) cells.fill(ASLEEP, first, first + length);
  // Characters are twice as high as wide: with room for it, cells are squares, and regions have
  // a line between them.
  const isWide = step === 1 && columns * 2 <= width;
  const lines: string[] = [];
  const middle = Math.floor(step / 2);
  for (let row = Math.floor((rows - 1) / step) * step; row >= 0; row -= step) {
    let line = '';
    for (let column = 0; column < columns; column += step) {
      const cell =
        Math.min(rows - 1, row + middle) * columns + Math.min(columns - 1, column + middle);
      const letter = cells[cell] as string;
      line += paintOf(letter)(letter);
      if (!isWide) continue;
      const isEnd = column + 1 < columns && regionOf[cell] !== regionOf[cell + 1];
      line += isEnd ? colors.dim('|') : ' ';
    }
    lines.push(line.trimEnd());
  }
  return { lines, step };
}
