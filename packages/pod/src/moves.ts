/**
 * Cells that change hands in order: what this pod says to those who are to have its cells, and what
 * it does when it is told that it is to have theirs. What is said may be lost, and decides nothing.
 */
import type { Signal } from '@leasehold/kernel';
import type { Halo } from './halo.ts';
import type { Holding } from './holding.ts';
import type { Keeper } from './keeper.ts';
import type { Grant } from './loader.ts';
import type { PodParts } from './settings.ts';
import { COLD_AFTER_MS, type Message, Standby } from './standby.ts';

export type MovesParts = {
  readonly holdings: ReadonlyMap<number, Holding>;
  readonly halo: Halo;
  readonly keeper: Keeper;
  readonly ticking: Signal;
  readonly keeping: Signal;
  readonly reading: Signal;
  readonly load: (grants: readonly Grant[]) => void;
  /** Something waits in the inboxes of these cells. */
  readonly posted: (cells: readonly number[]) => void;
};

export class Moves {
  readonly standby = new Standby();
  readonly #pod: PodParts;
  readonly #parts: MovesParts;

  constructor(pod: PodParts, parts: MovesParts) {
    this.#pod = pod;
    this.#parts = parts;
  }

  /** A few of the cells that others should hold are promised to them. */
  async look(isLate: boolean): Promise<void> {
    const { keeper } = this.#parts;
    const move = keeper.cellsToHandOver((cell) => this.standby.isPromised(cell), isLate);
    if (move !== undefined) await this.#promise(move.cells, move.heir);
    await this.#settleUnanswered();
  }

  /** All cells are promised to those who are to have them when this pod is gone. */
  promiseAll(): Promise<void> {
    return this.#promiseToOwners([...this.#parts.holdings.keys()]);
  }

  async #promiseToOwners(cells: readonly number[]): Promise<void> {
    const heirs = new Map<string, number[]>();
    const ownerOf = this.#parts.keeper.owners();
    for (const cell of cells) {
      const heir = ownerOf(cell);
      const own = heirs.get(heir);
      if (own === undefined) heirs.set(heir, [cell]);
      else own.push(cell);
    }
    await Promise.all([...heirs].map(([heir, own]) => this.#promise(own, heir)));
  }

  /** The heir is told, so that it can follow the cells; they are handed over when it does. */
  async #promise(cells: readonly number[], heir: string, sinceMs?: number): Promise<void> {
    const { clock, pod } = this.#pod;
    this.standby.promise(cells, heir, clock.nowMs(), sinceMs);
    if (heir === '') this.#letGo(cells, heir);
    // Who is not told does not answer: then it is told again, or they are handed over all the same.
    else await this.#say(heir, { soon: cells, from: pod }).catch(() => undefined);
  }

  /**
   * Whoever does not answer may be dead: then the cells are not left to it. Who is only slow would
   * need long to read them, and nobody would tick them meanwhile: it is told again, for a while.
   */
  async #settleUnanswered(): Promise<void> {
    const { keeper } = this.#parts;
    const nowMs = this.#pod.clock.nowMs();
    const ownerOf = keeper.owners();
    const again = new Map<string, number[]>();
    let firstMs = nowMs;
    for (const { cell, heir, sinceMs } of this.standby.overdue(nowMs)) {
      // It is on its way to nobody: there is nobody to wait for.
      if (heir === '') continue;
      const owner = ownerOf(cell);
      const isStill = owner === heir;
      if (keeper.isDraining || (isStill && nowMs - sinceMs >= COLD_AFTER_MS)) {
        this.#letGo([cell], owner);
      } else if (isStill) {
        firstMs = Math.min(firstMs, sinceMs);
        const cells = again.get(heir);
        if (cells === undefined) again.set(heir, [cell]);
        else cells.push(cell);
      }
    }
    for (const [heir, cells] of again) await this.#promise(cells, heir, firstMs);
  }

  #letGo(cells: readonly number[], heir: string): void {
    for (const cell of cells) {
      const holding = this.#parts.holdings.get(cell);
      holding?.leave(heir, heir === '' && !this.#parts.keeper.isDraining);
    }
    this.#parts.ticking.wake();
  }

  /** Whoever is not told claims the cells all the same, only later. */
  tellLeaving(cells: readonly number[], heir: string): void {
    this.#say(heir, { left: cells }).catch((error: unknown) => {
      this.#pod.log.debug({ err: error, heir }, 'an heir is not told');
    });
  }

  async answerHolders(): Promise<void> {
    const { clock, pod } = this.#pod;
    const answers = this.standby.answers(this.#parts.halo, clock.nowMs());
    for (const [from, ready] of answers) await this.#say(from, { ready, from: pod });
  }

  #say(to: string, message: Message): Promise<void> {
    return this.#pod.store.notify(to, JSON.stringify(message));
  }

  hear(text: string): void {
    const { keeper, keeping, reading } = this.#parts;
    const message = JSON.parse(text) as Message;
    if ('posted' in message) this.#parts.posted(message.posted);
    else if ('plan' in message) {
      keeper.meetPlan();
      keeping.wake();
    } else if ('order' in message) {
      keeper.isCordoned = message.order === 'cordon';
      if (message.order === 'drain') this.#pod.onDrainOrder?.();
    } else if ('left' in message) {
      keeper.hurry(message.left);
      void this.#takeOffered();
    } else if ('ready' in message) {
      this.#letGo(this.standby.redeem(message.ready, message.from), message.from);
    } else if ('refused' in message) {
      keeper.roster.noteLeaving(message.from, this.#pod.clock.nowMs());
      const cells = this.standby.redeem(message.refused, message.from);
      // Of a pod that stays they stay too, until it knows who should have them.
      if (keeper.isDraining) void this.#promiseToOwners(cells);
    } else if (keeper.isDraining) {
      void this.#refuse(message.soon, message.from);
    } else {
      this.standby.expect(message.soon, message.from, this.#pod.clock.nowMs());
      reading.wake();
    }
  }

  /** Who is not told waits for an answer until the time for it is up. */
  async #refuse(refused: readonly number[], to: string): Promise<void> {
    const { pod, log } = this.#pod;
    await this.#say(to, { refused, from: pod }).catch((error: unknown) => {
      log.debug({ err: error, to }, 'cells that were promised are not refused');
    });
  }

  /** At once: the cells stand still. Whatever goes wrong, they are claimed again later. */
  async #takeOffered(): Promise<void> {
    const { keeper, keeping, load } = this.#parts;
    try {
      await keeper.claimOffered(load);
    } catch (error) {
      this.#pod.log.debug({ err: error }, 'cells that were left here are not taken yet');
    }
    keeping.wake();
  }
}
