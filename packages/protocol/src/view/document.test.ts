/** The page for those who write a client of their own says what the code does. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ComponentSchema } from '../schema.ts';
import {
  CellRows,
  CLOSE,
  cellCentre,
  encodeDeltaPart,
  encodeStatePart,
  FrameReader,
  FrameWriter,
  PART,
  quantise,
  type ViewRows,
  viewShape,
} from './index.ts';

const page = readFileSync(new URL('../../../../docs/reference/frames.md', import.meta.url), 'utf8');
const field = { kind: 'f64', initial: 0, step: 0.5 } as const;
const components: readonly ComponentSchema[] = [
  {
    name: 'position',
    version: 1,
    fields: [
      { name: 'x', ...field },
      { name: 'y', ...field },
    ],
    spatial: ['x', 'y'],
  },
  { name: 'ship', version: 1, fields: [{ name: 'name', kind: 'string', initial: '' }] },
];
const shape = viewShape(components);
const grid = { columns: 3, cellSize: 10, originX: 0, originY: 0 };
const [centreX, centreY] = cellCentre(grid, 4);

function rowsOf(x: readonly number[], xBefore: readonly number[]): ViewRows {
  const y = [15, 20];
  const steps = (values: readonly number[], origin: number) =>
    Int32Array.from(values, (value) => quantise(value, origin, 0.5));
  const [q, past] = [steps(x, centreX), steps(xBefore, centreX)];
  return {
    count: 2,
    ids: Float64Array.of(7, 9),
    masks: Uint32Array.of(3, 1),
    columns: [[Float64Array.from(x), Float64Array.from(y)], [['Ada', '']]],
    q: [[q, steps(y, centreY)], [undefined]],
    dq: [[q.map((now, i) => now - past[i]!), new Int32Array(2)], [undefined]],
  };
}

test('the example of the page is what the encoder writes, and reads as the page says', () => {
  const lines = /```hex\n([\s\S]*?)```/.exec(page)?.[1]?.trim().split('\n') ?? [];
  const shown = lines.flatMap((line) => line.split(/ {2,}/)[0]!.split(' '));
  const before = { seq: 41, hash: 0x89ab_cdef };
  const first = rowsOf([12.6, 18], [0, 0]);
  const second = rowsOf([13.1, 17], [12.6, 18]);
  const at = { cell: 4, tick: 301, seq: 42, hash: 0x0123_4567 };
  const rows = Uint32Array.of(0, 1);
  const frame = new FrameWriter()
    .begin(1000.5, 301)
    .scope(1)
    .part(encodeStatePart(shape, { cell: 4, tick: 300, ...before }, first, undefined, 2))
    .part(
      encodeDeltaPart(shape, at, before, second, undefined, 2, {
        removed: [],
        added: new Uint32Array(0),
        changes: [{ component: 0, field: 0, rows, count: 2, differences: true }],
      }),
    )
    .live()
    .finish();
  expect(shown).toEqual(Array.from(frame, (byte) => byte.toString(16).padStart(2, '0')));

  const cell = new CellRows(shape, 4, centreX, centreY);
  const reader = new FrameReader(frame);
  const seen: unknown[] = [];
  for (let part = reader.next(); part !== undefined; part = reader.next()) {
    if (part.kind === PART.state) cell.applyState(part.body);
    if (part.kind === PART.delta) cell.applyDelta(part.body);
    if (cell.count > 0) seen.push(Array.from(cell.columns[0]![0]!.slice(0, 2)));
  }
  expect(seen.slice(0, 2)).toEqual([
    [12.5, 18],
    [13, 17],
  ]);
  expect(cell.columns[1]![0]![0]).toBe('Ada');
});

test('the page lists every part and every close code', () => {
  for (const [name, kind] of Object.entries(PART)) {
    expect(page).toContain(`| ${kind} | ${name.toUpperCase()} |`);
  }
  for (const [name, code] of Object.entries(CLOSE)) {
    expect(page).toContain(`| ${code} | \`${name}\` |`);
  }
});
