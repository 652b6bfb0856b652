/** The rules of what is kept for the life of entities, as `db/lua` has them. */
import { ID_COUNTER_MAX, LeaseholdError } from '@leasehold/kernel';
import {
  ANSWER_KEPT_S,
  DEAD_LETTERS_MAX,
  type DeadLetter,
  IDS_PER_CALL_MAX,
  type RequestAnswer,
  type Whereabouts,
} from '@leasehold/protocol';
import type { CellRecord } from './cell.ts';

export type LifeRecord = {
  readonly where: Map<number, { readonly cell: number; readonly tick: number }>;
  /** As JSON: what was put must not be changed by who put it. */
  readonly answers: Map<string, { readonly json: string; readonly untilMs: number }>;
  readonly letters: Map<string, { readonly json: string; readonly atMs: number }>;
};

export function newLifeRecord(): LifeRecord {
  return { where: new Map(), answers: new Map(), letters: new Map() };
}

/** `undefined`: the grid has no such cell. */
export function reserve(cell: CellRecord | undefined, number: number, count: number): number {
  if (cell === undefined) throw badCall('cell', String(number), 'Name a cell of the grid.');
  const isCount = Number.isInteger(count) && count >= 1 && count <= IDS_PER_CALL_MAX;
  if (!isCount) throw badCall('count', String(count), `Ask for 1 to ${IDS_PER_CALL_MAX}.`);
  if (cell.asked + count > ID_COUNTER_MAX) {
    throw new LeaseholdError('LIMIT_EXCEEDED', `cell ${number} has no ids left`, {
      field: 'cell',
      value: String(number),
      remedy: 'Create the entities in another cell.',
    });
  }
  cell.asked += count;
  return cell.asked - count + 1;
}

export function note({ where }: LifeRecord, notes: readonly Whereabouts[]): void {
  for (const { id, cell, tick } of notes) {
    // N1: of two notes the later tick stands.
    const known = where.get(id);
    if (known === undefined || known.tick < tick) where.set(id, { cell, tick });
  }
}

export function whereaboutsOf({ where }: LifeRecord, id: number): number | undefined {
  const cell = where.get(id)?.cell ?? -1;
  return cell < 0 ? undefined : cell;
}

export function keepAnswers(
  { answers }: LifeRecord,
  given: readonly { readonly id: string; readonly answer: RequestAnswer }[],
  nowMs: number,
): void {
  for (const { id, answer } of given) {
    const known = answers.get(id);
    if (known !== undefined && known.untilMs > nowMs) continue;
    const untilMs = nowMs + ANSWER_KEPT_S * 1_000;
    answers.set(id, { json: JSON.stringify(answer), untilMs });
  }
}

export function answerOf(
  { answers }: LifeRecord,
  id: string,
  nowMs: number,
): RequestAnswer | undefined {
  const known = answers.get(id);
  if (known === undefined) return undefined;
  if (known.untilMs > nowMs) return JSON.parse(known.json) as RequestAnswer;
  answers.delete(id);
  return undefined;
}

export function addLetters({ letters }: LifeRecord, added: readonly DeadLetter[]): void {
  for (const letter of added) {
    if (letters.has(letter.id)) continue;
    letters.set(letter.id, { json: JSON.stringify(letter), atMs: letter.atMs });
  }
  const excess = letters.size - DEAD_LETTERS_MAX;
  if (excess > 0) for (const id of ordered(letters).slice(0, excess)) letters.delete(id);
}

export function lettersOf({ letters }: LifeRecord, count: number): DeadLetter[] {
  const ids = ordered(letters).slice(0, Math.max(0, count));
  return ids.map((id) => JSON.parse(letters.get(id)?.json ?? '') as DeadLetter);
}

export function dropLetters({ letters }: LifeRecord, ids: readonly string[]): number {
  return ids.filter((id) => letters.delete(id)).length;
}

/** By time, then by id, as a sorted set in Redis has them. */
function ordered(letters: LifeRecord['letters']): string[] {
  const ids = [...letters].map(([id, { atMs }]) => ({ id, atMs }));
  ids.sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1));
  return ids.map(({ id }) => id);
}

function badCall(field: string, value: string, remedy: string): LeaseholdError {
  return new LeaseholdError('SETTING_INVALID', `${field}: ${value} is not possible`, {
    field,
    value,
    remedy,
  });
}
