/**
 * The loops that run one system on rows. Every system gets loops of its own: the same source,
 * compiled once more.
 *
 * PERF: in a loop that all systems share, every row pays for a call of an unknown `each`, and
 * nothing of it can be known beforehand. In a loop of its own, `each` and all that it reads and
 * writes become one piece of machine code, in which rows, cursor and columns are constants.
 */
import { compiledAnew } from './compiled.ts';
import type { Cursor } from './rows.ts';
import type { Context } from './system.ts';

/** What is the same for all rows that a system runs on. */
export type Work = {
  readonly name: string;
  readonly each: (row: object, context: Context) => void;
  readonly row: object;
  readonly context: Context;
  readonly cursor: Cursor;
  /** Makes ready for the row of the cursor. */
  readonly begin: (row: number) => void;
  /** Takes note of what a row did, in sequential systems. */
  readonly end: (row: number) => void;
};

export type Loop = {
  /** Runs on rows 0 … count − 1, with nothing to be made ready. */
  all(count: number): void;
  /** Runs on the first `count` of some rows, with nothing to be made ready. */
  some(rows: Int32Array, count: number): void;
  /** Runs on the first `count` of some rows, each made ready. */
  each(rows: Int32Array, count: number): void;
  /** The same one by one: whom another ended before its turn acts no more. */
  turns(rows: Int32Array, count: number, gone: Uint8Array): void;
};

/** Refers to nothing but its argument, so that its text alone can be compiled. */
function makeLoop({ each, row: view, context, cursor, begin, end }: Work): Loop {
  return {
    all(count) {
      const until = count | 0;
      for (let row = 0; row < until; row++) {
        cursor.row = row;
        each(view, context);
      }
    },
    some(rows, count) {
      const until = count | 0;
      for (let i = 0; i < until; i++) {
        cursor.row = rows[i] as number;
        each(view, context);
      }
    },
    each(rows, count) {
      const until = count | 0;
      for (let i = 0; i < until; i++) {
        const row = rows[i] as number;
        cursor.row = row;
        begin(row);
        each(view, context);
      }
    },
    turns(rows, count, gone) {
      const until = count | 0;
      for (let i = 0; i < until; i++) {
        const row = rows[i] as number;
        if (gone[row] !== 0) continue;
        cursor.row = row;
        begin(row);
        each(view, context);
        end(row);
      }
    },
  };
}

/** The loops of a system. */
export function loopOf(work: Work): Loop {
  return compiledAnew(makeLoop, `system-${work.name}`)(work);
}
