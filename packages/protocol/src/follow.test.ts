/**
 * Goal: whoever follows a cell holds what its writer holds, bit for bit, whatever happened in a tick.
 * Method: random ticks on a writer's table; each body is decoded and applied to a follower's table.
 */
import { hasCode } from '@leasehold/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyChanges } from './apply.ts';
import { writeCommit } from './commit-body.ts';
import {
  applyCommit,
  type CommitBody,
  decodeCheckpoint,
  decodeCommit,
  decodeRows,
  encodeCheckpoint,
  encodeCommit,
  encodeRows,
  inspectCommit,
  type LayerSchema,
  StateHash,
  settle,
  Table,
} from './index.ts';
import { contents, kitchenSink, randomValue, type Tick, ticks } from './testing.ts';

/** The table a commit refers to, as far as its row numbers go, with its changes marked. */
function recoded(body: CommitBody, schema: LayerSchema): Uint8Array {
  const table = new Table(schema, Math.max(1, body.rowCount));
  for (let row = 0; row < body.rowCount; row++) table.append(row, 0);
  const before = body.changes.map(({ component }) => 1 << component).reduce((a, b) => a | b, 0);
  const gained = new Map<number, number>();
  for (let i = 0; i < (body.masks?.set.count ?? 0); i++) {
    const row = body.masks?.set.isAll === true ? i : (body.masks?.set.rows[i] as number);
    gained.set(row, body.masks?.values[i] as number);
  }
  for (let row = 0; row < body.rowCount; row++) {
    // Any mask but the new one will do for rows whose mask changes.
    table.masks[row] = gained.has(row) ? ~(gained.get(row) as number) : before;
  }
  expect(applyChanges(table, body)).toBe(true);
  for (const [row, mask] of gained) {
    for (let c = 0; c < schema.components.length; c++) {
      const marks = table.dirty[c] as Uint32Array;
      if (((mask >>> c) & 1) === 0) marks[row] = 0;
    }
  }
  return writeCommit(table, body);
}

const hashOfTables = (tick: number, ...tables: Table[]): string => {
  const hash = new StateHash();
  for (const table of tables) hash.add(table);
  return hash.hex(tick);
};

/** Plays one tick on the writer; returns the body. */
function play(writer: Table, tick: Tick, number: number, nextId: { id: number }): Uint8Array {
  const { schema } = writer;
  const arrivals = tick.arrivals.map((specs, i) => {
    const rows = new Table(schema, 1);
    for (const spec of specs) addRow(rows, nextId, spec);
    const body = encodeRows(rows, number - 1);
    writer.merge(rows);
    return { seq: number * 8 + i, from: i, to: 99, tick: number - 1, body };
  });
  for (const { row, field, seed } of tick.changes) {
    if (writer.count > 0) change(writer, row % writer.count, field, seed);
  }
  for (const { row, mask } of tick.masks) {
    if (writer.count > 0) writer.setMask(row % writer.count, mask);
  }
  const births = new Table(schema, 1);
  for (const spec of tick.births) addRow(births, nextId, spec);
  const chosen = (numbers: readonly number[], taken: ReadonlySet<number>): number[] => {
    const ids = numbers.map((n) => writer.ids[n % Math.max(1, writer.count)] as number);
    const here = writer.count === 0 ? [] : [...new Set(ids)];
    return here.filter((id) => !taken.has(id)).sort((a, b) => a - b);
  };
  const deaths = chosen(tick.deaths, new Set());
  const leaving = chosen(tick.departures, new Set(deaths));
  const departures = [
    { to: 3, seq: 1, ids: leaving.filter((_, i) => i % 2 === 0) },
    { to: 70_000, seq: 2, ids: leaving.filter((_, i) => i % 2 === 1) },
  ].slice(0, tick.departures.length % 3);
  const parts = { tick: number, idCounter: nextId.id, arrivals, births, deaths, departures };
  const body = encodeCommit(writer, { ...parts, jumped: tick.jumped });
  settle(writer, parts);
  return body;
}

function addRow(table: Table, nextId: { id: number }, { mask, seed }: Tick['births'][number]): void {
  nextId.id += 1 + (seed % 3) * (seed % 7 === 0 ? 2 ** 33 : 1);
  const row = table.append(nextId.id, mask);
  fillRow(table, row, seed);
}

function fillRow(table: Table, row: number, seed: number): void {
  table.schema.components.forEach((component, c) => {
    if ((((table.masks[row] as number) >>> c) & 1) === 0) return;
    component.fields.forEach((field, f) => {
      const column = table.columns[c]?.[f] as unknown[];
      column[row] = randomValue(component, field, seed + f);
    });
  });
}

/** Changes one field of a row, if the row has its component. */
function change(table: Table, row: number, field: number, seed: number): void {
  const places = table.schema.components.flatMap(({ fields }, c) => fields.map((_, f) => [c, f]));
  const [c, f] = places[field % places.length] as [number, number];
  if ((((table.masks[row] as number) >>> c) & 1) === 0) return;
  const component = table.schema.components[c] as LayerSchema['components'][number];
  const column = table.columns[c]?.[f] as unknown[];
  column[row] = randomValue(component, component.fields[f] as never, seed);
  const marks = table.dirty[c] as Uint32Array;
  marks[row] = (marks[row] as number) | (1 << f);
}

describe('a follower', () => {
  test('L3 holds what the writer holds after every tick, and bodies have one spelling', () => {
    let operations = 0;
    let runs = 0;
    fc.assert(
      fc.property(ticks, (history) => {
        runs++;
        const writer = new Table(kitchenSink, 1);
        const follower = new Table(kitchenSink, 1);
        const nextId = { id: 0 };
        history.forEach((tick, i) => {
          operations += Object.values(tick).flat(2).length;
          const bytes = play(writer, tick, i + 1, nextId);
          const body = decodeCommit(bytes, kitchenSink);
          expect(recoded(body, kitchenSink)).toEqual(bytes);
          applyCommit(follower, body);
          expect(contents(follower)).toEqual(contents(writer));
          expect(hashOfTables(i, follower)).toBe(hashOfTables(i, writer));
          const seen = inspectCommit(bytes);
          expect(seen.births).toEqual(Array.from(body.births.ids.subarray(0, body.births.count)));
          expect([seen.deaths, seen.departures]).toEqual([body.deaths, body.departures]);
          expect(seen.arrivals.map(({ ids }) => ids)).toEqual(
            body.arrivalRows.map(({ ids, count }) => Array.from(ids.subarray(0, count))),
          );
        });
        const image = encodeCheckpoint(writer, { tick: 7, idCounter: nextId.id });
        const restored = decodeCheckpoint(image, () => kitchenSink);
        expect(contents(restored.table)).toEqual(contents(writer));
        expect(encodeCheckpoint(restored.table, restored)).toEqual(image);
        const rows = encodeRows(writer, 7);
        const { rows: copy, tick } = decodeRows(rows, kitchenSink);
        expect(encodeRows(copy, tick)).toEqual(rows);
      }),
      { numRuns: 150 },
    );
    expect(operations / runs).toBeGreaterThan(25);
  });

  test('L3 refuses a commit that does not extend its state', () => {
    const writer = new Table(kitchenSink, 4);
    const nothing = { arrivals: [], births: new Table(kitchenSink, 1), deaths: [], departures: [] };
    writer.append(5, 1);
    const fits = (parts: object): boolean => {
      const bytes = encodeCommit(writer, { tick: 1, idCounter: 0, ...nothing, ...parts });
      const follower = writer.pick([0]);
      try {
        applyCommit(follower, decodeCommit(bytes, kitchenSink));
        return true;
      } catch (error) {
        expect(hasCode(error, 'BODY_MALFORMED')).toBe(true);
        return false;
      }
    };
    expect(fits({})).toBe(true);
    expect(fits({ deaths: [6] })).toBe(false);
    expect(fits({ births: writer.pick([0]) })).toBe(false);
    const entry = { from: 1, to: 2, seq: 1, tick: 0, body: encodeRows(writer, 0) };
    expect(fits({ arrivals: [entry] })).toBe(false);
    const leaving = [1, 2].map((to) => ({ to, seq: to, ids: [5] }));
    expect(fits({ departures: leaving.slice(1) })).toBe(true);
    expect(fits({ departures: leaving })).toBe(false);
    expect(fits({ deaths: [5], departures: leaving.slice(1) })).toBe(false);
  });
});
