/**
 * What a store keeps for the life of entities beyond the cells they are in: where they are, ids for
 * those who are asked for from outside, answers to requests, and letters that found nobody.
 * `live-store` and `twin-store` implement it beside `Store`; one suite runs against both.
 */
import type { RequestAnswer } from './request.ts';

/** An entity was seen in a cell at a tick. `cell` −1: it died there. */
export type Whereabouts = { readonly id: number; readonly cell: number; readonly tick: number };

/** An event or request that could not take effect. */
export type DeadLetter = {
  /** Unique, and the same when it is written again: `<layer>:<cell>:<channel position>:<index>`. */
  readonly id: string;
  readonly atMs: number;
  readonly tick: number;
  readonly cell: number;
  /** The entity it was meant for. */
  readonly to: number;
  /** The entity that emitted it; 0: the outside. */
  readonly from: number;
  readonly event: string;
  /** Values by field name. */
  readonly payload: Readonly<Record<string, import('./json.ts').Json>>;
  readonly reason: DeadReason;
  readonly message: string;
};

/**
 * GONE: the entity is nowhere. FAR: lockstep reaches neighbouring cells only. POISON: its handlers
 * fail. LATE: others of its producer, emitted later, took effect before. FULL: the inbox it was for
 * took nothing for too long. INVALID: its event is unknown there.
 */
export type DeadReason = 'GONE' | 'FAR' | 'POISON' | 'LATE' | 'FULL' | 'INVALID';

export interface LifeStore {
  /**
   * So many ids that nobody else gets, borne by a cell, with origin 1 (`entityId`): the counters
   * from the answer on. Throws `LIMIT_EXCEEDED` when the cell has none left, and the errors of the
   * network. At most `IDS_PER_CALL_MAX`.
   */
  reserveIds(cell: number, count: number): Promise<number>;

  /**
   * Notes where entities are. An older tick changes nothing. A hint, sharded by id, that may be
   * rebuilt from state at any time: whoever never crossed a border is not in it.
   */
  noteWhereabouts(notes: readonly Whereabouts[]): Promise<void>;
  /**
   * The cell in which each was last noted; undefined: never noted, so where it was born
   * (`bearerOf`), or dead. `layer`: the number of another layer, whose notes are asked for. One round
   * trip.
   */
  whereabouts(ids: readonly number[], layer?: number): Promise<(number | undefined)[]>;

  /** Answers requests by the ids of their posts, whatever the layer; kept for `ANSWER_KEPT_S`. The first one stays. */
  putAnswers(
    answers: readonly { readonly id: string; readonly answer: RequestAnswer }[],
  ): Promise<void>;
  answers(ids: readonly string[]): Promise<(RequestAnswer | undefined)[]>;

  /** Adds letters of this layer; those that are there already stay. At most `DEAD_LETTERS_MAX` are kept. */
  addDeadLetters(letters: readonly DeadLetter[]): Promise<void>;
  /** Oldest first. */
  deadLetters(count: number): Promise<DeadLetter[]>;
  /** How many of these were there. */
  dropDeadLetters(ids: readonly string[]): Promise<number>;
}

export const IDS_PER_CALL_MAX = 100_000;
/** Who asked comes back for the answer within seconds. */
export const ANSWER_KEPT_S = 3_600;
/** The oldest go first: a world that makes so many has another problem. */
export const DEAD_LETTERS_MAX = 10_000;
