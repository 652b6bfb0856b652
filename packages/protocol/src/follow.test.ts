/**
 * Goal: whoever follows a cell holds what its writer holds, bit for bit, whatever happened.
 * Method: random ticks on a writer's table; each body is decoded and applied to a follower's table.
 */
import { isDeepStrictEqual } from 'node:util';
import { hasCode } from '@leasehold/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyCommit,
  decodeCheckpoint,
  decodeCommit,
  decodeRows,
  encodeCheckpoint,
  encodeCommit,
  encodeRows,
  inspectCommit,
  StateHash,
  settle,
  Table,
} from './index.ts';
import { contents, kitchenSink, play, recoded, ticks } from './testing.ts';

/** Other work on the machine must not fail what only takes long. */
const SLOW = { timeout: 60_000 };

const hashOfTables = (tick: number, ...tables: Table[]): string => {
  const hash = new StateHash();
  for (const table of tables) hash.add(table);
  return hash.hex(tick);
};

/** `toEqual`, ten times as fast when things are equal; −0 is not 0. */
function same(found: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(found, expected)) expect(found).toEqual(expected);
}

describe('a follower', () => {
  test(
    'L3 holds what the writer holds after every tick, and bodies have one spelling',
    SLOW,
    () => {
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
            same(recoded(body), bytes);
            applyCommit(follower, body);
            same(contents(follower), contents(writer));
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
        { numRuns: 60 },
      );
      expect(operations / runs).toBeGreaterThan(25);
    },
  );

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
    const bytes = encodeCommit(writer, { tick: 1, idCounter: 0, ...nothing });
    const body = decodeCommit(bytes, kitchenSink);
    expect(() => applyCommit(new Table(kitchenSink), body)).toThrow('about 1 rows');
    expect(fits({ deaths: [6] })).toBe(false);
    expect(fits({ births: writer.pick([0]) })).toBe(false);
    const entry = { from: 1, to: 2, seq: 1, tick: 0, body: encodeRows(writer, 0) };
    expect(fits({ arrivals: [entry] })).toBe(false);
    const leaving = [1, 2].map((to) => ({ to, seq: to, ids: [5] }));
    expect(fits({ departures: leaving.slice(1) })).toBe(true);
    expect(fits({ departures: leaving })).toBe(false);
    expect(fits({ deaths: [5], departures: leaving.slice(1) })).toBe(false);
  });

  test('is not told of marks on components that an entity lacks', () => {
    const writer = new Table(kitchenSink, 4);
    writer.append(5, 0);
    for (const marks of writer.dirty) marks[0] = 1;
    const births = new Table(kitchenSink, 1);
    const parts = { tick: 1, idCounter: 0, arrivals: [], births, deaths: [], departures: [] };
    const body = decodeCommit(encodeCommit(writer, parts), kitchenSink);
    expect([body.rowCount, body.changes]).toEqual([1, []]);
  });

  test('sees the cell with those in flight and the marks of the tick, as the writer does', () => {
    const writer = new Table(kitchenSink, 4);
    for (const id of [5, 6, 7]) writer.append(id, 15);
    const follower = writer.pick([0, 1, 2]);
    for (const marks of writer.dirty) if (marks !== writer.dirty[3]) marks[1] = 3;
    const births = new Table(kitchenSink, 1);
    births.append(9, 0);
    const departures = [{ to: 2, seq: 1, ids: [6] }];
    const parts = { tick: 1, idCounter: 9, arrivals: [], births, deaths: [5], departures };
    const body = decodeCommit(encodeCommit(writer, parts), kitchenSink);
    const views: unknown[] = [];
    settle(writer, parts, (table) => views.push(contents(table)));
    applyCommit(follower, body, (table) => views.push(contents(table)));
    expect(views[0]).toEqual(views[1]);
    expect(views[0]).toMatchObject({ ids: [6, 7, 9] });
    expect(contents(follower)).toMatchObject({
      ids: [7, 9],
      dirty: writer.dirty.map(() => [0, 0]).concat([[0, 0]]),
    });
  });
});
