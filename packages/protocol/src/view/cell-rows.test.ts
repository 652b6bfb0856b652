import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyColumn } from '../schema.ts';
import type { CellChange } from './cell-rows.ts';
import { CellRows, cellCentre, quantise } from './index.ts';
import {
  bodyOf,
  CELL,
  layer,
  originOf,
  PublishedCell,
  play,
  same,
  selections,
  steps,
  Watcher,
} from './testing.ts';

type Seen = Map<number, { mask: number; values: unknown[][] }>;

/** All that a watcher's copy holds, by id. */
function contents({ rows }: Watcher): Seen {
  const seen: Seen = new Map();
  for (let row = 0; row < rows.count; row++) {
    const values = rows.columns.map((columns) => columns.map((column) => column[row]));
    seen.set(rows.ids[row]!, { mask: rows.masks[row]!, values });
  }
  return seen;
}

/** Each row is what was published, to the bit or to half a step. */
function expectEqual(watcher: Watcher, cell: PublishedCell, chosen: Uint32Array | undefined): void {
  const list = chosen ?? Uint32Array.from(cell.rows.ids.keys());
  const { rows, shape } = watcher;
  expect(Array.from(rows.ids.subarray(0, rows.count))).toEqual(
    Array.from(list, (row) => cell.rows.ids[row]),
  );
  expect([rows.seq, rows.hash, rows.tick]).toEqual([cell.seq, cell.hash, cell.seq * 3]);
  list.forEach((row, i) => {
    const mask = cell.rows.masks[row]!;
    shape.components.forEach((component, c) => {
      const isThere = ((mask >>> component.index) & 1) === 1;
      expect((rows.masks[i]! >>> c) & 1).toBe(isThere ? 1 : 0);
      component.fields.forEach((field, f) => {
        const raw = cell.rows.columns[component.index]![f]![row];
        const value = rows.columns[c]![f]![i];
        if (!isThere) expect(value).toBe(emptyColumn(field.kind, 1)[0]);
        else if (field.step === 0) expect([field.name, value]).toEqual([field.name, raw]);
        else expectNear(value as number, raw as number, originOf(field), field.step);
      });
    });
  });
}

function expectNear(value: number, raw: number, origin: number, step: number): void {
  const q = quantise(raw, origin, step);
  if (Object.is(value, raw)) return;
  expect(value).toBe(origin + q * step);
  expect(Math.abs(value - raw)).toBeLessThanOrEqual((step / 2) * (1 + 1e-6));
}

/** The change names everything that became different, and rows and ids as they are. */
function expectTold(change: CellChange, before: Seen, watcher: Watcher): void {
  const after = contents(watcher);
  expect(change.entered).toEqual([...after.keys()].filter((id) => !before.has(id)));
  expect(change.left).toEqual([...before.keys()].filter((id) => !after.has(id)));
  const told = new Set(change.changedRows);
  const fields = new Set(change.changed.map(({ component, field }) => `${component}.${field}`));
  expect([...told]).toEqual([...told].sort((a, b) => a - b));
  [...after].forEach(([id, now], row) => {
    const was = before.get(id);
    if (was === undefined) expect(told.has(row)).toBe(false);
    else if (was.mask !== now.mask) expect(told.has(row)).toBe(true);
    now.values.forEach((values, c) => {
      values.forEach((value, f) => {
        if (was === undefined || same(was.values[c]![f], value)) return;
        expect(told.has(row)).toBe(true);
        expect(fields.has(`${c}.${f}`)).toBe(true);
      });
    });
  });
}

describe('a copy of a cell', () => {
  test('is what was published after every state and delta, to half a step, and says what changed', () => {
    const seen = { differences: 0 };
    fc.assert(
      fc.property(selections, steps, (selected, history) => {
        const cell = new PublishedCell();
        const watcher = new Watcher(selected);
        for (const step of history) {
          const chosen = play(cell, step);
          if (step.service === 'miss') continue;
          const before = contents(watcher);
          const change = watcher.apply(watcher.follow(cell, chosen, step.service === 'state'));
          expect(change).toBeDefined();
          expectEqual(watcher, cell, chosen);
          expectTold(change as CellChange, before, watcher);
          seen.differences++;
        }
      }),
      { numRuns: 400 },
    );
    expect(seen.differences).toBeGreaterThan(400);
  });

  test('takes no delta before a state, of another base or of another hash, and is untouched', () => {
    const cell = new PublishedCell();
    cell.put(1, 31, 3);
    cell.publish();
    const [first, late] = [new Watcher(['position']), new Watcher(['position'])];
    const state = first.follow(cell, undefined, true);
    first.apply(state);
    cell.change(1, 4, 8, false);
    cell.put(2, 31, 4);
    cell.publish();
    const second = first.follow(cell, undefined, false);
    expect(late.apply(second)).toBeUndefined();
    expect([late.rows.seq, late.rows.count]).toEqual([-1, 0]);
    expect(first.apply(second)?.entered).toEqual([2]);
    const before = contents(first);
    expect(first.apply(second)).toBeUndefined();
    expect([contents(first), first.rows.seq]).toEqual([before, 2]);
    first.rows.hash ^= 1;
    cell.publish();
    expect(first.apply(first.follow(cell, undefined, false))).toBeUndefined();
  });

  test('takes no delta that removes what it does not have', () => {
    const cell = new PublishedCell();
    cell.put(1, 1, 3);
    cell.put(2, 1, 4);
    cell.publish();
    const [full, part] = [new Watcher([]), new Watcher([])];
    full.apply(full.follow(cell, undefined, true));
    part.apply(part.follow(cell, Uint32Array.of(1), true));
    cell.entities.delete(1);
    cell.publish();
    const delta = full.follow(cell, undefined, false);
    expect(part.apply(delta)).toBeUndefined();
    expect([part.rows.seq, part.rows.count]).toEqual([1, 1]);
    expect(full.apply(delta)?.left).toEqual([1]);
  });

  test('is without a state once a part was malformed, so that nothing follows it', () => {
    const cell = new PublishedCell();
    cell.put(1, 31, 3);
    cell.publish();
    const watcher = new Watcher(layer.components.map(({ name }) => name));
    const state = watcher.follow(cell, undefined, true);
    watcher.apply(state);
    const body = bodyOf(state);
    const cut = body.part(body.remaining - 1);
    expect(() => watcher.rows.applyState(cut)).toThrow(
      expect.objectContaining({ code: 'BODY_MALFORMED' }),
    );
    expect([watcher.rows.seq, watcher.rows.count]).toEqual([-1, 0]);
    expect(watcher.apply(state)?.entered).toEqual([1]);
  });

  test('refuses a part of another cell', () => {
    const cell = new PublishedCell();
    cell.publish();
    const watcher = new Watcher([]);
    const state = watcher.follow(cell, undefined, true);
    const other = new CellRows(watcher.shape, CELL + 1, 0, 0);
    expect(() => other.applyState(bodyOf(state))).toThrow(/cell 300/);
  });

  test('keeps its arrays while who is in it stays the same', () => {
    const cell = new PublishedCell();
    for (let id = 1; id <= 30; id++) cell.put(id, 31, id);
    cell.publish();
    const watcher = new Watcher(['position', 'mind']);
    watcher.apply(watcher.follow(cell, undefined, true));
    const { ids, masks } = watcher.rows;
    const columns = watcher.rows.columns.flat();
    const change = new Set<unknown>();
    for (let i = 0; i < 20; i++) {
      for (let id = 1; id <= 30; id += 2) cell.change(id, i, i * 7, true);
      for (let id = 1; id <= 30; id += 3) cell.change(id, i + 4, i * 7, true);
      cell.publish();
      change.add(watcher.apply(watcher.follow(cell, undefined, false))?.changedRows.buffer);
    }
    expect(watcher.rows.ids).toBe(ids);
    expect(watcher.rows.masks).toBe(masks);
    for (const [i, column] of watcher.rows.columns.flat().entries())
      expect(column).toBe(columns[i]);
    expect(change.size).toBe(1);
  });
});

describe('fixed point', () => {
  test('is off by at most half a step, and nothing where it has no number', () => {
    const value = fc.oneof(
      fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
      fc.double(),
      fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 2 ** 31, 5e-324),
    );
    const step = fc.double({ min: 1e-4, max: 1e4, noNaN: true });
    fc.assert(
      fc.property(value, fc.double({ min: -1e3, max: 1e3, noNaN: true }), step, (v, origin, s) => {
        const q = quantise(v, origin, s);
        const isWide = !(Math.abs(v - origin) / s <= 2 ** 31 - 0.5);
        expect(Number.isNaN(q)).toBe(isWide);
        if (isWide) return;
        expect(Number.isInteger(q) && Math.abs(q) < 2 ** 31).toBe(true);
        const rounding = Number.EPSILON * 4 * (Math.abs(v) + Math.abs(origin));
        expect(Math.abs(origin + q * s - v)).toBeLessThanOrEqual(s / 2 + rounding);
      }),
      { numRuns: 3_000 },
    );
    expect(quantise(2 ** 31 - 1, 0, 1)).toBe(2 ** 31 - 1);
    expect(quantise(-(2 ** 31), 0, 1)).toBeNaN();
    expect(quantise(2 ** 31, 0, 1)).toBeNaN();
  });

  test('counts positions from the middle of the cell', () => {
    const grid = { columns: 36, cellSize: 10, originX: -180, originY: -90 };
    expect(cellCentre(grid, 0)).toEqual([-175, -85]);
    expect(cellCentre(grid, 37)).toEqual([-165, -75]);
  });
});
