/**
 * Cells that are to change hands are followed by their heir first, so that taking them over costs
 * no reading. Whoever is promised nothing takes them all the same, only later: what is said here
 * may be lost, and decides nothing.
 *
 *   holder                           heir
 *     ├── soon: cells ────────────────►│ follows them
 *     │◄──────────────── ready: cells ─┤ is where they are; or refused, as it is leaving too
 *     ├── handover, left: cells ──────►│ acquires, reads the last entry, ticks
 */
import type { PodOrder } from '@leasehold/protocol';
import type { Halo } from './halo.ts';

/** What a pod is told, mostly by other pods. */
export type Message =
  | { readonly posted: readonly number[] }
  | { readonly soon: readonly number[]; readonly from: string }
  | { readonly ready: readonly number[]; readonly from: string }
  | { readonly refused: readonly number[]; readonly from: string }
  | { readonly left: readonly number[] }
  /** From the authority: there is a new one. */
  | { readonly plan: number }
  /** From people: what they want of this pod now. */
  | { readonly order: PodOrder };

/** A heir that has not answered by then is told again. */
const READY_MS_MAX = 1_000;
/** So long after it was told first it takes the cells cold: nobody waits for ever. */
export const COLD_AFTER_MS = 10_000;
/** How long a cell is followed for a handover that does not come. */
const EXPECTED_MS_MAX = 4_000;
/** A cell that has not ticked for so long is quiet: there is no tick before its last to wait for. */
const QUIET_MS = 150;

/** `sinceMs`: when the heir was told first. */
type Promised = { readonly heir: string; readonly sinceMs: number; readonly untilMs: number };
type Overdue = { readonly cell: number; readonly heir: string; readonly sinceMs: number };
type Expected = { readonly from: string; readonly sinceMs: number };

export class Standby {
  /** Cells that came here: as they were followed, or read from the store. */
  readonly counts = { warmCells: 0, coldCells: 0 };
  readonly #promised = new Map<number, Promised>();
  readonly #expected = new Map<number, Expected>();
  /** Cells that their holder has not been answered about. */
  readonly #unanswered = new Set<number>();

  /** The heir will be told that it gets these cells. */
  promise(cells: readonly number[], heir: string, nowMs: number, sinceMs = nowMs): void {
    const promised = { heir, sinceMs, untilMs: nowMs + READY_MS_MAX };
    for (const cell of cells) this.#promised.set(cell, promised);
  }

  isPromised(cell: number): boolean {
    return this.#promised.has(cell);
  }

  /** Those of the cells that were promised to this heir, which has answered. */
  redeem(cells: readonly number[], heir: string): number[] {
    const redeemed = cells.filter((cell) => this.#promised.get(cell)?.heir === heir);
    for (const cell of redeemed) this.#promised.delete(cell);
    return redeemed;
  }

  /** Promised cells whose heir has not answered in time. They are promised to nobody any more. */
  overdue(nowMs: number): Overdue[] {
    const overdue: Overdue[] = [];
    for (const [cell, { heir, sinceMs, untilMs }] of this.#promised) {
      if (untilMs > nowMs) continue;
      this.#promised.delete(cell);
      overdue.push({ cell, heir, sinceMs });
    }
    return overdue;
  }

  /** A holder will leave these cells to this pod. */
  expect(cells: readonly number[], from: string, nowMs: number): void {
    for (const cell of cells) {
      this.#expected.set(cell, { from, sinceMs: nowMs });
      this.#unanswered.add(cell);
    }
  }

  /** Cells to follow for this. */
  expected(nowMs: number): Iterable<number> {
    for (const [cell, { sinceMs }] of this.#expected) {
      if (nowMs - sinceMs > EXPECTED_MS_MAX) this.forget(cell);
    }
    return this.#expected.keys();
  }

  /** It came, or it will not. */
  forget(cell: number): void {
    this.#expected.delete(cell);
    this.#unanswered.delete(cell);
  }

  /** Holders to be answered, with the cells of theirs that could be taken over as they are here. */
  answers(halo: Halo, nowMs: number): Map<string, number[]> {
    const answers = new Map<string, number[]>();
    for (const cell of this.#unanswered) {
      const expected = this.#expected.get(cell);
      const isQuiet = expected !== undefined && nowMs - expected.sinceMs > QUIET_MS;
      if (expected === undefined || !halo.isReady(cell, isQuiet)) continue;
      this.#unanswered.delete(cell);
      const cells = answers.get(expected.from);
      if (cells === undefined) answers.set(expected.from, [cell]);
      else cells.push(cell);
    }
    return answers;
  }
}
