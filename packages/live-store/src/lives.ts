/** What is kept for the life of entities beside their cells: whereabouts, ids, answers, letters. */
import { LeaseholdError } from '@leasehold/kernel';
import {
  ANSWER_KEPT_S,
  type DeadLetter,
  type LifeStore,
  type RequestAnswer,
  type Whereabouts,
} from '@leasehold/protocol';
import type { CallOptions } from './calls.ts';
import { asleepError, type ColdCells } from './cold.ts';
import { idsReserve, letterAdd, letterDrop, whereaboutsNote } from './generated/library.ts';
import { type Keys, slotOf } from './keys.ts';
import type { Link, Request } from './link.ts';
import { callAll, callOne } from './one-call.ts';

// The limits of `db/lua/lib/limits.lua` that callers need not know.
const NOTES_PER_CALL_MAX = 256;
const LETTERS_PER_CALL_MAX = 64;
/** Ids, and letters, that one command asks for. */
const READ_MAX = 1_000;
/** Somebody else may put a cell to sleep again meanwhile. */
const WAKES_MAX = 3;

export type LivesParts = {
  readonly link: Link;
  readonly keys: Keys;
  readonly calls: CallOptions;
  readonly cold: Pick<ColdCells, 'wake'>;
};

export class Lives implements LifeStore {
  readonly #link: Link;
  readonly #keys: Keys;
  readonly #calls: CallOptions;
  readonly #cold: Pick<ColdCells, 'wake'>;
  readonly #call: { readonly incarnation: number };

  constructor({ link, keys, calls, cold }: LivesParts) {
    this.#link = link;
    this.#keys = keys;
    this.#calls = calls;
    this.#cold = cold;
    this.#call = { incarnation: keys.incarnation };
  }

  async reserveIds(cell: number, count: number): Promise<number> {
    if (!this.#keys.has(cell)) {
      throw new LeaseholdError('SETTING_INVALID', `the grid has no cell ${cell}`, {
        field: 'cell',
        value: String(cell),
        remedy: 'Name a cell of the grid.',
      });
    }
    const item = { ...this.#keys.cell(cell), count };
    for (let wakes = 0; ; wakes++) {
      const reply = await callOne(this.#link, this.#calls, idsReserve, { call: this.#call, item });
      if (reply.tag === 'OK') return reply.first;
      const why = (await this.#cold.wake([{ cell, mark: reply.mark }])).get(cell);
      if (why === undefined && wakes < WAKES_MAX) continue;
      const { message = 'it does not wake', code = 'CELL_COLD' } = why ?? {};
      throw asleepError(cell, { code, message: `cell ${cell} sleeps: ${message}` });
    }
  }

  async noteWhereabouts(notes: readonly Whereabouts[]): Promise<void> {
    const items = [...bySlot(notes)].flatMap(([slot, of]) =>
      chunks(of, NOTES_PER_CALL_MAX).map((some) => ({
        ...this.#keys.whereabouts(slot),
        notes: some.map(({ id, cell, tick }) => ({ id, place: cell + 1, tick })),
      })),
    );
    await callAll(this.#link, this.#calls, whereaboutsNote, { call: this.#call, items });
  }

  async whereabouts(ids: readonly number[], layer?: number): Promise<(number | undefined)[]> {
    if (ids.length === 0) return [];
    const asked = [...bySlot(ids.map((id) => ({ id })))].flatMap(([slot, of]) =>
      chunks(of, READ_MAX).map((some) => ({ slot, some })),
    );
    const found = new Map<number, number>();
    const replies = await this.#read(
      asked.map(({ slot, some }): Request => {
        return ['HMGET', this.#keys.whereabouts(slot, layer).dir, ...some.map(({ id }) => id)];
      }),
    );
    asked.forEach(({ some }, i) => {
      some.forEach(({ id }, j) => {
        const cell = Number.parseInt((replies[i] as (string | null)[])[j] ?? '0', 10) - 1;
        if (cell >= 0) found.set(id, cell);
      });
    });
    return ids.map((id) => found.get(id));
  }

  async putAnswers(
    answers: readonly { readonly id: string; readonly answer: RequestAnswer }[],
  ): Promise<void> {
    await this.#read(
      answers.map(({ id, answer }): Request => {
        // L4: whoever takes a cell over may answer again what was answered: the first one stays.
        return ['SET', this.#keys.answer(id), JSON.stringify(answer), 'NX', 'EX', ANSWER_KEPT_S];
      }),
    );
  }

  async answers(ids: readonly string[]): Promise<(RequestAnswer | undefined)[]> {
    const replies = await this.#read(ids.map((id): Request => ['GET', this.#keys.answer(id)]));
    return replies.map((json) =>
      json === null ? undefined : (JSON.parse(json as string) as RequestAnswer),
    );
  }

  async addDeadLetters(letters: readonly DeadLetter[]): Promise<void> {
    const items = chunks(letters, LETTERS_PER_CALL_MAX).map((some) => ({
      ...this.#letterKeys(),
      added: some.map((letter) => ({
        id: letter.id,
        atMs: letter.atMs,
        json: Buffer.from(JSON.stringify(letter)),
      })),
    }));
    await callAll(this.#link, this.#calls, letterAdd, { call: this.#call, items });
  }

  async deadLetters(count: number): Promise<DeadLetter[]> {
    const { letters, order } = this.#letterKeys();
    if (count < 1) return [];
    const ids = (await this.#link.call(['ZRANGE', order, 0, count - 1])) as string[];
    const replies = await this.#read(
      chunks(ids, READ_MAX).map((some): Request => {
        return ['HMGET', letters, ...some.map((id) => `l${id}`)];
      }),
    );
    // One that was dropped between the two reads is no longer there.
    return (replies as (string | null)[][])
      .flat()
      .flatMap((json) => (json === null ? [] : [JSON.parse(json) as DeadLetter]));
  }

  async dropDeadLetters(ids: readonly string[]): Promise<number> {
    const items = chunks(ids, LETTERS_PER_CALL_MAX).map((some) => ({
      ...this.#letterKeys(),
      ids: some,
    }));
    const replies = await callAll(this.#link, this.#calls, letterDrop, { call: this.#call, items });
    return replies.reduce((sum, { dropped }) => sum + dropped, 0);
  }

  #letterKeys(): { readonly letters: string; readonly order: string } {
    return { letters: this.#keys.letters, order: this.#keys.letterOrder };
  }

  /** One round trip; rejects if any of them failed. */
  async #read(requests: readonly Request[]): Promise<unknown[]> {
    if (requests.length === 0) return [];
    const outcomes = await this.#link.exec(requests);
    return outcomes.map(({ value, error }) => {
      if (error !== undefined) throw error;
      return value;
    });
  }
}

function bySlot<T extends { readonly id: number }>(of: readonly T[]): Map<number, T[]> {
  const slots = new Map<number, T[]>();
  for (const each of of) {
    const slot = slotOf(each.id);
    const known = slots.get(slot);
    if (known === undefined) slots.set(slot, [each]);
    else known.push(each);
  }
  return slots;
}

function chunks<T>(of: readonly T[], most: number): T[][] {
  const parts: T[][] = [];
  for (let i = 0; i < of.length; i += most) parts.push(of.slice(i, i + most));
  return parts;
}
