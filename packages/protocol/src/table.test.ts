import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Table } from './table.ts';
import { contents, kitchenSink } from './testing.ts';

const c = kitchenSink.components.findIndex(({ name }) => name === 'mind');
const everything = 2 ** kitchenSink.components.length - 1;

/** A table in which every field tells which row it belongs to, marks included. */
function tableOf(ids: Iterable<number>, isMarked = true): Table {
  const table = new Table(kitchenSink, 1);
  for (const id of ids) {
    const row = table.append(id, everything);
    for (const columns of table.columns) for (const column of columns) write(column, row, id);
    table.maskDirty[row] = isMarked ? id % 2 : 0;
    for (const marks of table.dirty) marks[row] = isMarked ? id : 0;
  }
  return table;
}

/** Small enough an id to fit every kind of field. */
const write = (column: unknown[] | ArrayLike<unknown>, row: number, id: number): void => {
  (column as unknown[])[row] = typeof column[row] === 'string' ? String(id) : id % 100;
};

test('tables without room share their arrays until they have rows', () => {
  const [one, other] = [new Table(kitchenSink, 0), new Table(kitchenSink, 0)];
  expect(one.capacity).toBe(0);
  expect(one.ids).toBe(other.ids);
  expect(one.columns).toBe(other.columns);
  expect(one.dirty).toBe(other.dirty);
  const roomy = new Table(kitchenSink);
  for (const table of [one, roomy]) table.append(7, everything);
  expect(contents(one)).toEqual(contents(roomy));
  expect(other.count + other.capacity).toBe(0);
  expect(other.columns.flat().every((column) => column.length === 0)).toBe(true);
});

const sorted = (ids: Iterable<number>): number[] => [...ids].sort((a, b) => a - b);
const idSet = fc.uniqueArray(fc.nat({ max: 120 }), { size: 'max', maxLength: 80 });

test('merging and removing keep every value and mark with its row, as a sorted set would', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(idSet, idSet), { size: 'max', maxLength: 6 }), (steps) => {
      const table = tableOf([]);
      const model = new Set<number>();
      for (const [more, fewer] of steps) {
        const marks = tableOf(sorted(more.filter((id) => !model.has(id))));
        table.merge(marks);
        for (const id of more) model.add(id);
        const gone = fewer.filter((id) => model.delete(id)).length;
        for (let row = 0; row < table.count; row++) {
          const id = table.ids[row] as number;
          table.maskDirty[row] = id % 2;
          for (const column of table.dirty) column[row] = id;
        }
        expect(table.remove(sorted(fewer))).toBe(gone);
        expect(contents(table)).toEqual(contents(tableOf(sorted(model))));
        for (const id of more) expect(table.find(id)).toBe(sorted(model).indexOf(id));
      }
    }),
  );
});

test('rows that are merged come unmarked, and rows that were here keep their marks', () => {
  const table = tableOf([1, 5]);
  table.merge(tableOf([3, 7]));
  const [marks] = table.dirty;
  expect(Array.from((marks as Uint32Array).subarray(0, 4))).toEqual([1, 0, 5, 0]);
  expect(Array.from(table.maskDirty.subarray(0, 4))).toEqual([1, 0, 1, 0]);
});

test('an id in both tables is refused before anything moves', () => {
  const table = tableOf([1, 5, 9]);
  const before = contents(table);
  expect(table.mergeDistinct(tableOf([0, 5, 12]))).toBe(false);
  expect(() => table.merge(tableOf([9]))).toThrow('no id in common');
  expect(contents(table)).toEqual(before);
});

test('a table grows without losing rows, and new rows hold initial values', () => {
  const table = tableOf(Array.from({ length: 100 }, (_, i) => i));
  const row = table.append(1_000, 0);
  const columns = table.columns[c] as unknown[][];
  const initial = kitchenSink.components[c]?.fields.map((field) => field.initial);
  expect(columns.map((column) => column[row])).toEqual(initial);
  expect(table.capacity).toBeGreaterThan(100);
  table.remove([1_000]);
  expect(contents(table)).toEqual(contents(tableOf(Array.from({ length: 100 }, (_, i) => i))));
  expect(() => table.append(99, 0)).toThrow('does not ascend');
});

test('picked rows are unmarked copies', () => {
  const table = tableOf([1, 5, 9]);
  const picked = table.pick([0, 2]);
  expect(contents(picked)).toEqual(contents(tableOf([1, 9], false)));
  (picked.columns[c] as unknown[][])[0]?.fill(77);
  expect(contents(table)).toEqual(contents(tableOf([1, 5, 9])));
});

test('a component that is lost goes back to initial values, one that is gained is marked whole', () => {
  const table = tableOf([1], false);
  table.setMask(0, everything & ~(1 << c));
  const columns = table.columns[c] as unknown[][];
  const fields = kitchenSink.components[c]?.fields ?? [];
  expect(columns.map((column) => column[0])).toEqual(fields.map((field) => field.initial));
  expect([table.maskDirty[0], table.dirty[c]?.[0]]).toEqual([1, 0]);
  table.setMask(0, everything);
  expect(table.dirty[c]?.[0]).toBe(2 ** fields.length - 1);
  table.clearDirty();
  table.setMask(0, everything);
  expect(table.maskDirty[0]).toBe(0);
});

test('a cleared table is as a new one', () => {
  const table = tableOf([1, 5]);
  table.clear();
  expect(table.count).toBe(0);
  table.append(1, everything);
  const fresh = new Table(kitchenSink);
  fresh.append(1, everything);
  expect(contents(table)).toEqual(contents(fresh));
});

test('removed texts are not kept alive by the room they had', () => {
  const table = tableOf([1, 5]);
  table.remove([1, 5]);
  const names = table.columns[c]?.[4] as string[];
  expect(names.slice(0, 2)).toEqual(['nobody', 'nobody']);
});
