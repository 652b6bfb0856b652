/**
 * The loop that runs one system on rows. Every system gets a loop of its own: the same source,
 * compiled once more.
 *
 * PERF: V8 learns about a function from all its callers. In a loop that all systems share, every
 * row pays for a call of an unknown `each`, and nothing of it can be known beforehand. In a loop of
 * its own, `each` and all that it reads and writes become one piece of machine code, in which rows,
 * cursor and columns are constants.
 */
import type { Cursor } from './rows.ts';
import type { Context } from './system.ts';

/** What is the same for all rows that a system runs on. */
export type Work = {
  readonly name: string;
  readonly each: (row: object, context: Context) => void;
  readonly row: object;
  readonly context: Context;
  readonly cursor: Cursor;
};

export type Loop = {
  /** Runs on rows 0 … count − 1. */
  all(count: number): void;
  /** Runs on the first `count` of some rows. */
  some(rows: Int32Array, count: number): void;
};

/** Refers to nothing but its argument, so that its text alone can be compiled. */
function makeLoop({ each, row: view, context, cursor }: Work): Loop {
  return {
    all(count) {
      const end = count | 0;
      for (let row = 0; row < end; row++) {
        cursor.row = row;
        each(view, context);
      }
    },
    some(rows, count) {
      const end = count | 0;
      for (let i = 0; i < end; i++) {
        cursor.row = rows[i] as number;
        each(view, context);
      }
    },
  };
}

let made = 0;

/** The loop of a system. */
export function loopOf(work: Work): Loop {
  // V8 gives equal sources one compilation; the name also tells systems apart in a profile.
  const source = `return ${makeLoop.toString()}\n//# sourceURL=system-${work.name}-${++made}`;
  try {
    const make = new Function(source)() as typeof makeLoop;
    return make(work);
  } catch (error) {
    // A page may forbid to compile text; then systems share one loop.
    if (error instanceof EvalError) return makeLoop(work);
    throw error;
  }
}
