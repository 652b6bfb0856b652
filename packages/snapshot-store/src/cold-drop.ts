/**
 * Forgets what sleeps of a world, or of its earlier incarnations: a piece at a time, so that no statement
 * takes longer for there being many rows.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, rowsOf } from './database.ts';

/** Rows of a megabyte each go within a second or two. */
const PIECE_ROWS_MAX = 256;
/** For those who wait for cells that wake or leave. */
const PAUSE_MS = 50;
/** After a failure; the next piece is half as large. */
const RETRY_MS = 2_000;

// Several pods drop at once: each takes rows that no other one is about to take.
const DROP = `
with piece as (
  select incarnation, layer, cell, mark from leasehold.cold_cell
   where world = $1 and incarnation < $2 limit $3 for update skip locked),
gone as (
  delete from leasehold.cold_cell c using piece p
   where c.world = $1 and c.incarnation = p.incarnation and c.layer = p.layer
     and c.cell = p.cell and c.mark = p.mark
  returning 1)
select count(*) from gone`;

async function dropPiece(
  db: Database,
  world: string,
  below: number,
  rowsMax: number,
): Promise<number> {
  const rows = await rowsOf<{ count: string }>(db, DROP, [world, below, rowsMax]);
  return Number(rows[0]?.count ?? 0);
}

/** Forgets all that sleeps of a world, or of its incarnations below one, and tells how much it was. */
export async function dropColdCells(
  db: Database,
  world: string,
  below = Number.MAX_SAFE_INTEGER,
): Promise<number> {
  for (let dropped = 0; ; ) {
    const count = await dropPiece(db, world, below, PIECE_ROWS_MAX);
    if (count === 0) return dropped;
    dropped += count;
  }
}

export type ColdDrop = {
  readonly world: string;
  readonly below: number;
  readonly signal: AbortSignal;
  /** It is tried again by itself. */
  readonly onFault: (error: Error) => void;
};

/** The same beside other work, until it is done or the signal aborts. Never rejects. */
export async function dropBeside(db: Database, drop: ColdDrop): Promise<void> {
  const { world, below, signal, onFault } = drop;
  const pause = (ms: number): Promise<void> =>
    sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
  let rowsMax = PIECE_ROWS_MAX;
  while (!signal.aborted) {
    try {
      if ((await dropPiece(db, world, below, rowsMax)) === 0) return;
      await pause(PAUSE_MS);
    } catch (error) {
      if (signal.aborted) return;
      onFault(error as Error);
      rowsMax = Math.max(1, rowsMax >> 1);
      await pause(RETRY_MS);
    }
  }
}
