import { assert } from './assert.ts';

/**
 * Entity ids: integers below 2^53, never reused.
 *
 *   bit 52       origin: 0 born in the simulation, 1 asked for from outside
 *   bits 32..51  the number of the cell that bore it (20 bits)
 *   bits 0..31   that cell's counter
 */
export type EntityId = number;

export const CELLS_MAX = 2 ** 20;
export const ID_COUNTER_MAX = 2 ** 32 - 1;
/**
 * A realtime successor skips this many ids: a lost tail may have shown some of them (design: ids).
 */
export const ID_SKIP_ON_TAKEOVER = 1_024;

/** The id of the `counter`-th entity that `cell` bears. */
export function entityId(cell: number, counter: number, origin: 0 | 1 = 0): EntityId {
  assert(cell >= 0 && cell < CELLS_MAX, `cell ${cell} is out of range`);
  assert(counter >= 0 && counter <= ID_COUNTER_MAX, `id counter ${counter} is out of range`);
  return origin * 2 ** 52 + cell * 2 ** 32 + counter;
}

/** The cell that bore the entity, not the one it is in. */
export function bearerOf(id: EntityId): number {
  return Math.floor((id % 2 ** 52) / 2 ** 32);
}

/** The position of the entity among its bearer's births. */
export function counterOf(id: EntityId): number {
  return id % 2 ** 32;
}
