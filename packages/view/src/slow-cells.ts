/**
 * Cells whose views the plan slows: what their logs say is read at once, as ever, and waits here
 * until it is told together, at most at a quarter of the tick rate. So a client gets the latest
 * state of such a cell, only more seldom; who stands where in the meantime is `LiveCell.hide`'s.
 */
import type { LogEntry, Plan } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import type { LiveCell } from './live-cell.ts';

/** Ticks of the world that are told together. */
export const SLOW_TICKS = 4;
/** A round that comes a little early is still the right one. */
const SLACK_MS = 10;
/** More are told at once, whatever the time: a store that stalled has much to say. */
const HELD_MAX = 64;

type Waiting = { entries: LogEntry[]; dueAtMs: number };

export class SlowCells {
  /** Commits that were told together with a later one. */
  coalesced = 0;
  readonly #periodMs: number;
  readonly #waiting = new Map<number, Waiting>();
  #slow: ReadonlySet<number> = new Set();

  constructor(tickHz: number) {
    this.#periodMs = (SLOW_TICKS * 1_000) / tickHz;
  }

  get size(): number {
    return this.#slow.size;
  }

  follow(slow: ReadonlySet<number>): void {
    this.#slow = slow;
  }

  isSlow(cell: number): boolean {
    return this.#slow.has(cell);
  }

  /** Up to where the log of a cell was read: beyond what it shows if something waits. */
  readTo(live: LiveCell): { readonly seq: number; readonly hash: string } {
    return this.#waiting.get(live.cell)?.entries.at(-1) ?? live;
  }

  hold(cell: number, entry: LogEntry): void {
    const waiting = this.#waiting.get(cell);
    if (waiting === undefined) this.#waiting.set(cell, { entries: [entry], dueAtMs: 0 });
    else waiting.entries.push(entry);
  }

  /** What a cell is to be told by now; nothing while it is to wait. */
  take(cell: number, nowMs: number): readonly LogEntry[] {
    const waiting = this.#waiting.get(cell);
    if (waiting === undefined || !this.#isDue(cell, waiting, nowMs)) return NOTHING;
    const { entries } = waiting;
    this.coalesced += Math.max(0, entries.length - 1);
    if (this.isSlow(cell)) {
      this.#waiting.set(cell, { entries: [], dueAtMs: nowMs + this.#periodMs });
    } else this.#waiting.delete(cell);
    return entries;
  }

  #isDue(cell: number, { entries, dueAtMs }: Waiting, nowMs: number): boolean {
    if (!this.isSlow(cell) || entries.length >= HELD_MAX) return true;
    return nowMs >= dueAtMs - SLACK_MS;
  }

  /** Cells for which something waits that is due. */
  due(nowMs: number): number[] {
    return [...this.#waiting]
      .filter(([cell, each]) => each.entries.length > 0 && this.#isDue(cell, each, nowMs))
      .map(([cell]) => cell);
  }

  /** What was read does not count any more. */
  forget(cell: number): void {
    this.#waiting.delete(cell);
  }
}

const NOTHING: readonly LogEntry[] = [];

/** Cells of the regions for which a plan lowers the rate of views, be it among more. */
export function slowCellsOf(plan: Plan | undefined, grid: Grid): ReadonlySet<number> {
  const cells = new Set<number>();
  for (const { relief, rect } of plan?.regions ?? []) {
    if (relief === undefined || relief === 'alone') continue;
    // A plan of another grid says nothing about this one.
    const right = Math.min(grid.columns, rect.column + rect.columns);
    const top = Math.min(grid.rows, rect.row + rect.rows);
    for (let row = rect.row; row < top; row++) {
      for (let column = rect.column; column < right; column++)
        cells.add(row * grid.columns + column);
    }
  }
  return cells;
}
