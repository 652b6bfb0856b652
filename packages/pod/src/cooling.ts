/**
 * Cells that sleep leave the live store, a few at a time, where there is a cold store. Whatever stands
 * in the way, they stay where they are, and nothing is lost: it is tried again.
 */
import { COOL_CELLS_MAX, type CoolReply } from '@leasehold/protocol';
import type { PodParts } from './settings.ts';

/** Between two calls that moved cells, … */
const NEXT_MS = 100;
/** … when nothing was to be moved, … */
const LOOK_MS = 1_000;
/** … and when the cold store does not answer. */
const AWAY_MS = 5_000;
/** A cell that has to stay for now. */
const BUSY_MS = 10_000;

export type CoolingCounts = { cellsCooled: number; coolingWaits: number };

export class Cooling {
  readonly counts: CoolingCounts = { cellsCooled: 0, coolingWaits: 0 };
  readonly #parts: PodParts;
  /** They leave once they have been held again; `isTelling`: and what they have sent has been read. */
  readonly #hold: (cell: number, isTelling: boolean) => void;
  #watched: readonly number[] = [];
  #next = 0;
  /** Until when they are not tried; those that have left for ever. */
  readonly #settled = new Map<number, number>();
  #nextMs = 0;
  #isBusy = false;

  constructor(parts: PodParts, hold: (cell: number, isTelling: boolean) => void) {
    this.#parts = parts;
    this.#hold = hold;
  }

  /** Something came to a cell: it is here again, or will be. */
  wakes(cell: number): void {
    this.#settled.delete(cell);
  }

  /** It has left, as far as is known here. */
  isCold(cell: number): boolean {
    return this.#settled.get(cell) === Number.POSITIVE_INFINITY;
  }

  /** `watched`: cells that sleep and that this pod looks after. Nobody waits for it. */
  look(watched: readonly number[], isCut: boolean): void {
    const { cool, clock } = this.#parts;
    const now = clock.nowMs();
    if (cool === undefined || this.#isBusy || now < this.#nextMs) return;
    if (watched !== this.#watched) this.#begin(watched);
    // S1: who reads the world as it was at a cut may need more than the last state of a cell.
    const cells = isCut ? [] : this.#some(now);
    this.#nextMs = now + LOOK_MS;
    if (cells.length === 0) return;
    this.#isBusy = true;
    cool(cells)
      .then((replies) => this.#note(cells, replies))
      .catch((error: unknown) => this.#parts.log.debug({ err: error }, 'no cell was moved'))
      .finally(() => {
        this.#isBusy = false;
      });
  }

  #begin(watched: readonly number[]): void {
    const still = new Set(watched);
    for (const cell of this.#settled.keys()) if (!still.has(cell)) this.#settled.delete(cell);
    this.#watched = watched;
    this.#next = 0;
  }

  /** In turn, so that none waits for ever. */
  #some(now: number): number[] {
    const cells: number[] = [];
    const { length } = this.#watched;
    for (let i = 0; i < length && cells.length < COOL_CELLS_MAX; i++) {
      const cell = this.#watched[this.#next] as number;
      this.#next = (this.#next + 1) % length;
      if ((this.#settled.get(cell) ?? 0) <= now) cells.push(cell);
    }
    return cells;
  }

  #note(cells: readonly number[], replies: readonly CoolReply[]): void {
    const now = this.#parts.clock.nowMs();
    let left = 0;
    let later = 0;
    let away = '';
    for (const [i, reply] of replies.entries()) {
      const cell = cells[i] as number;
      if (reply.tag === 'COLD') {
        this.#settled.set(cell, Number.POSITIVE_INFINITY);
        if (reply.hasLeft) left++;
      } else if (reply.tag === 'OPEN') this.#hold(cell, false);
      else if (reply.tag === 'OFF') away = reply.why;
      else if (reply.isLater) later++;
      else {
        this.#settled.set(cell, now + BUSY_MS);
        if (reply.isUnread) this.#hold(cell, true);
      }
    }
    this.counts.cellsCooled += left;
    if (away !== '') this.#nextMs = now + AWAY_MS;
    else if (left > 0 || later > 0) this.#nextMs = now + NEXT_MS;
    this.#tell(away);
  }

  /** Once when it begins, and once when it ends. */
  #tell(away: string): void {
    const { store, pod, log } = this.#parts;
    const waits = away === '' ? 0 : 1;
    if (waits === this.counts.coolingWaits) return;
    this.counts.coolingWaits = waits;
    const kind = waits === 1 ? 'cooling-waits' : 'cooling-goes-on';
    log.warn({ why: away }, waits === 1 ? 'no cell leaves for now' : 'cells leave again');
    store.feed({ kind, pod, facts: away === '' ? {} : { why: away } }).catch((error: unknown) => {
      log.debug({ err: error }, 'feed entry not written');
    });
  }
}
