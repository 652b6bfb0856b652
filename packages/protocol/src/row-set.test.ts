import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter } from './bytes.ts';
import { type RowSet, RowSetWriter, readRowSet } from './row-set.ts';

const malformed = expect.objectContaining({ code: 'BODY_MALFORMED' });

/** The sets of one body, followed by enough bytes for their values. */
function written(sets: readonly (readonly number[])[], total: number): Uint8Array {
  const writer = new ByteWriter();
  const setWriter = new RowSetWriter();
  for (const rows of sets) setWriter.write(writer, Uint32Array.from(rows), rows.length, total);
  return writer.raw(new Uint8Array(total)).finish();
}

const read = (total: number, ...bytes: number[]): RowSet =>
  readRowSet(
    new ByteReader(Uint8Array.from([...bytes, ...Array(40).fill(0)]), 'test'),
    total,
    1,
    undefined,
  );

const numbers = (set: RowSet): number[] =>
  set.isAll ? Array.from({ length: set.count }, (_, row) => row) : Array.from(set.rows);

test('sets of rows are read as they were written', () => {
  const total = fc.integer({ min: 1, max: 300 });
  const sets = total.chain((n) => {
    const set = fc.uniqueArray(fc.nat({ max: n - 1 }), { minLength: 1, maxLength: n, size: 'max' });
    return fc.tuple(fc.constant(n), fc.array(set, { minLength: 1, maxLength: 4 }));
  });
  fc.assert(
    fc.property(sets, fc.boolean(), ([n, chosen], doubled) => {
      const all = doubled ? chosen.flatMap((rows) => [rows, rows]) : chosen;
      for (const rows of all) rows.sort((a, b) => a - b);
      const reader = new ByteReader(written(all, n), 'test');
      let previous: RowSet | undefined;
      for (const rows of all) {
        previous = readRowSet(reader, n, 1, previous);
        expect(numbers(previous)).toEqual(rows);
      }
      expect(reader.remaining).toBe(n);
    }),
  );
});

test('a set takes its shortest form: nothing, gaps, a bitmap, or a repetition', () => {
  const every = Array.from({ length: 256 }, (_, row) => row);
  const length = (...sets: number[][]): number => written(sets, 256).length - 256;
  expect(length(every)).toBe(1);
  expect(length([7])).toBe(3);
  expect(length(every.filter((row) => row % 2 === 0))).toBe(33);
  expect(length(every.slice(1), every.slice(1))).toBe(34);
});

test('a set in another form than the shortest is refused', () => {
  expect(numbers(read(20, 3, 1, 19))).toEqual([19]);
  expect(() => read(20, 2, 0, 0, 0)).toThrow('shortest form');
  expect(() => read(8, 2, 255)).toThrow('shortest form');
  expect(() => read(8, 3, 1, 3)).toThrow('shortest form');
  const reader = new ByteReader(Uint8Array.from([3, 1, 5, 3, 1, 5, 0, 0]), 'test');
  const first = readRowSet(reader, 100, 1, undefined);
  expect(() => readRowSet(reader, 100, 1, first)).toThrow('shortest form');
});

test('rows beyond the table, sets of nothing and unknown forms are refused', () => {
  expect(() => read(12, 2, 0, 16)).toThrow('out of range');
  expect(() => read(12, 3, 1, 12)).toThrow('out of range');
  expect(() => read(0, 1)).toThrow('empty table');
  expect(() => read(12, 4)).toThrow('repeats no set');
  expect(() => read(12, 9)).toThrow('no kind of row set');
  expect(() => read(1_000, 1)).toThrow(malformed);
});
