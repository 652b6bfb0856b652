/**
 * The mail of a pod: what waits in the inboxes of its cells, what it is to bring to cells far away,
 * and where those are who came and went. One loop, beside those that tick and read.
 */
import { bearerOf, type Signal } from '@leasehold/kernel';
import type { Holding } from './holding.ts';
import { Inboxes } from './inboxes.ts';
import type { Keeper } from './keeper.ts';
import type { Loading } from './loader.ts';
import { Postman, type PostmanCounts } from './postman.ts';
import type { PodParts } from './settings.ts';
import { Strays } from './strays.ts';

/** How long a server that is away, or new, is waited for. */
const AWAY_MS = 20;
/** In place of a cell: it died. */
const DIED = -1;

export type MailParts = {
  readonly holdings: ReadonlyMap<number, Holding>;
  readonly loading: ReadonlyMap<number, Loading>;
  readonly keeper: Keeper;
  /** It sleeps outside of the store, as far as is known here. */
  readonly isCold: (cell: number) => boolean;
  /** Another server answers, with which nothing that is held was compared. */
  readonly isNewRun: () => boolean;
  readonly mailing: Signal;
  readonly ticking: Signal;
};

export class Mail {
  readonly #parts: MailParts;
  readonly #pod: PodParts;
  readonly #inboxes: Inboxes;
  readonly #postman: Postman;
  readonly #strays: Strays;
  /** The server that knows where all are. */
  #runId = '';

  constructor(pod: PodParts, parts: MailParts) {
    this.#pod = pod;
    this.#parts = parts;
    this.#inboxes = new Inboxes(pod, parts.holdings);
    this.#postman = new Postman(pod);
    this.#strays = new Strays(pod);
  }

  set isExact(isExact: boolean) {
    this.#postman.isExact = isExact;
  }

  get counts(): PostmanCounts {
    return this.#postman.counts;
  }

  /** Reads inboxes, and brings what is for no cell around. */
  async turn(): Promise<void> {
    const { mailing, ticking, holdings, keeper, isCold } = this.#parts;
    if (!this.#pod.store.status().isConnected) {
      await mailing.wait(AWAY_MS);
      return;
    }
    const { runId } = this.#pod.store.status();
    // What was noted last may be lost with the server that was told.
    if (this.#runId !== '' && runId !== this.#runId)
      for (const each of holdings.values()) this.#check(each);
    this.#runId = runId;
    if (await this.#inboxes.turn()) ticking.wake();
    for (const cell of await this.#inboxes.watched(keeper.watched, isCold)) keeper.expect(cell);
    await this.#strays.turn(holdings.values());
    const waitMs = this.#parts.isNewRun() ? AWAY_MS : await this.#postman.turn(holdings.values());
    if (!this.#inboxes.isHinted) await mailing.wait(waitMs);
  }

  /** Something waits in the inboxes of these cells. Of one that sleeps it wakes the cell. */
  expect(cells: readonly number[]): void {
    const { holdings, loading, keeper, mailing } = this.#parts;
    for (const cell of cells) {
      if (holdings.has(cell) || loading.has(cell)) this.#inboxes.hint(cell);
      else keeper.expect(cell);
    }
    mailing.wake();
  }

  /** A commit was accepted: who came is here, and what it sends further is to be brought. */
  settled({ cell, arrived, died, outbox, settledTick }: Holding): void {
    if (arrived.length > 0) this.#postman.note(arrived, cell, settledTick);
    if (died.length > 0) {
      const strangers = died.filter((id) => bearerOf(id) !== cell);
      this.#postman.note(strangers, DIED, settledTick);
    }
    if (outbox.size > 0) this.#parts.mailing.wake();
  }

  /** A cell is here. Whoever held it before may have died between a commit and its note. */
  enter(holding: Holding): void {
    this.#check(holding);
    this.expect([holding.cell]);
  }

  /** Those who came from elsewhere are noted again; of the others it is looked where they are said to be. */
  #check({ cell, state: { table, tick } }: Holding): void {
    const ids = [...table.ids.subarray(0, table.count)];
    this.#postman.note(
      ids.filter((id) => bearerOf(id) !== cell),
      cell,
      tick,
    );
    this.#postman.check(
      ids.filter((id) => bearerOf(id) === cell),
      cell,
      tick,
    );
  }
}
