import { describe, expect, test } from 'vitest';
import type { ComponentSchema } from '../schema.ts';
import {
  CellRows,
  encodeDeltaPart,
  encodeStatePart,
  type FieldRows,
  FrameReader,
  FrameWriter,
  PART,
  Q_WIDE,
  quantise,
  type ViewRows,
  viewShape,
} from './index.ts';
import { bodyOf } from './testing.ts';

const NOTHING = new Uint32Array(0);
const position: ComponentSchema = {
  name: 'position',
  version: 1,
  fields: [
    { name: 'x', kind: 'f64', initial: 0, step: 0.01 },
    { name: 'y', kind: 'f64', initial: 0, step: 0.01 },
  ],
  spatial: ['x', 'y'],
};
const shape = viewShape([position]);
const at = { cell: 1, tick: 2, seq: 3, hash: 4 };
const base = { seq: 2, hash: 5 };

/** Rows whose x and y are these many steps from 0, and were `by` fewer before. */
function rowsOf(steps: readonly number[], by: number): ViewRows {
  const q = Int32Array.from(steps, (n) => (Number.isFinite(n) ? n : Q_WIDE));
  const dq = Int32Array.from(steps, (n) => (Number.isFinite(n) ? by : Q_WIDE));
  const values = Float64Array.from(steps, (n) => n * 0.01);
  return {
    count: steps.length,
    ids: Float64Array.from(steps, (_, i) => i + 1),
    masks: new Uint32Array(steps.length).fill(1),
    columns: [[values, values]],
    q: [[q, q]],
    dq: [[dq, dq]],
  };
}

/** The delta when all x of these rows changed, and its first bytes after its head. */
function encodingOf(rows: ViewRows, differences: boolean): { encoding: number; bytes: number } {
  const all = Uint32Array.from({ length: rows.count }, (_, i) => i);
  const changes: FieldRows[] = [
    { component: 0, field: 0, rows: all, count: rows.count, differences },
  ];
  const delta = { removed: [], added: NOTHING, changes };
  const part = encodeDeltaPart(shape, at, base, rows, undefined, rows.count, delta);
  const body = bodyOf(part);
  body.raw(3 + 4 + 1 + 4 + 1);
  expect([body.u8(), body.u8(), body.u8(), body.u8()]).toEqual([1, 0, 0, 1]);
  const encoding = body.u8();
  return { encoding, bytes: body.remaining };
}

describe('a field with a step', () => {
  test.each([
    [1, 1, [5, 100_000, -3], 127],
    [1, 1, [5, 100_000, -3], -128],
    [2, 2, [5, 32_767, -32_768], 128],
    [2, 2, [5, 32_767, -32_768], -129],
    [3, 4, [5, 32_768, 3], 1000],
    [3, 4, [5, -32_769, 3], 1000],
    [3, 4, [2 ** 31 - 1, -(2 ** 31) + 1, 3], 1000],
    [4, 8, [5, Number.NaN, 3], 1],
  ])('is sent in encoding %i, %i bytes each, when that carries all', (code, width, steps, by) => {
    expect(encodingOf(rowsOf(steps, by), true)).toEqual({ encoding: code, bytes: 3 * width });
  });

  test('is not sent as differences to what the receiver does not have', () => {
    expect(encodingOf(rowsOf([1, 2, 3], 1), false).encoding).toBe(2);
  });
});

test('a row that is added is not changed by the same part too', () => {
  const rows = rowsOf([10, 20, 30], 1);
  const copy = new CellRows(shape, 1, 0, 0);
  const two = Uint32Array.of(0, 2);
  copy.applyState(
    bodyOf(encodeStatePart(shape, { ...at, ...base }, rowsOf([9, 0, 29], 0), two, 2)),
  );
  const all = Uint32Array.of(0, 1, 2);
  const changes = [0, 1].map((field) => {
    return { component: 0, field, rows: all, count: 3, differences: true };
  });
  const delta = { removed: [], added: Uint32Array.of(1), changes };
  const change = copy.applyDelta(
    bodyOf(encodeDeltaPart(shape, at, base, rows, undefined, 3, delta)),
  );
  expect(change?.entered).toEqual([2]);
  expect([...(change?.changedRows ?? [])]).toEqual([0, 2]);
  expect([...(copy.columns[0]![1] as Float64Array).subarray(0, 3)]).toEqual([0.1, 0.2, 0.3]);
});

test('an encoder returns bytes of its own', () => {
  const first = encodeStatePart(shape, at, rowsOf([1, 2], 0), undefined, 2);
  const copy = first.slice();
  encodeStatePart(shape, at, rowsOf([3, 4, 5], 0), undefined, 3);
  expect(first).toEqual(copy);
  expect(first.buffer.byteLength).toBe(first.length);
});

test('10,000 entities that move in 500 cells cost at most 6 bytes each, frame and all', () => {
  const [cells, each, step] = [500, 20, 0.01];
  const all = Uint32Array.from({ length: each }, (_, row) => row);
  const frames = new FrameWriter();
  const changes = [0, 1].map((field) => {
    return { component: 0, field, rows: all, count: each, differences: true };
  });
  const copies = Array.from({ length: cells }, (_, cell) => new CellRows(shape, cell, 0, 0));
  let bytes = 0;
  for (let tick = 70_000; tick < 70_004; tick++) {
    frames.begin(1_700_000_000_000.5, tick).scope(1);
    for (let cell = 0; cell < cells; cell++) {
      const values = Float64Array.from(all, (i) => i * 7.3 - cell * 0.9 + (tick - 70_000) * 0.31);
      const past = values.map((value) => value - 0.31);
      const q = Int32Array.from(values, (value) => quantise(value, 0, step));
      const dq = Int32Array.from(q, (now, i) => now - quantise(past[i]!, 0, step));
      const ids = Float64Array.from(all, (i) => cell * 2 ** 32 + i * 500);
      const masks = new Uint32Array(each).fill(1);
      const rows = {
        count: each,
        ids,
        masks,
        columns: [[values, values]],
        q: [[q, q]],
        dq: [[dq, dq]],
      };
      const position = { cell, tick, seq: tick + 9, hash: (tick * 977 + cell) >>> 0 };
      const before = { seq: tick + 8, hash: ((tick - 1) * 977 + cell) >>> 0 };
      const delta = { removed: [], added: NOTHING, changes };
      frames.part(
        tick === 70_000
          ? encodeStatePart(shape, position, rows, undefined, each)
          : encodeDeltaPart(shape, position, before, rows, undefined, each, delta),
      );
    }
    const frame = frames.finish();
    if (tick > 70_000) bytes += frame.length;
    const reader = new FrameReader(frame);
    for (let part = reader.next(); part !== undefined; part = reader.next()) {
      if (part.kind === PART.state) copies[part.body.peekVarint()]!.applyState(part.body);
      if (part.kind === PART.delta) {
        const change = copies[part.body.peekVarint()]!.applyDelta(part.body);
        expect(change?.changedRows.length).toBe(each);
      }
    }
  }
  expect(bytes / (3 * cells * each)).toBeLessThanOrEqual(6);
  expect(copies[499]!.columns[0]![1]![19]).toBeCloseTo(19 * 7.3 - 499 * 0.9 + 3 * 0.31, 2);
});
