/**
 * Cells that sleep outside Redis, as the auditor finds them: the mark that their block keeps is read by
 * itself, and must be that of the state in the cold store.
 */
import { createHash } from 'node:crypto';
import type { ColdCell, ColdStore, ColdWish } from '@leasehold/protocol';
import type { Redis } from 'ioredis';
import { blockKeyOf, placeOf, type WorldFacts } from './keys.ts';

const MARK_BYTES = 4;

export class ColdReading {
  readonly #redis: Redis;
  readonly #facts: WorldFacts;
  readonly #store: ColdStore | undefined;

  constructor(redis: Redis, facts: WorldFacts, store: ColdStore | undefined) {
    this.#redis = redis;
    this.#facts = facts;
    this.#store = store;
  }

  /** Those of these cells, none of which is in Redis, that sleep. Where nothing is kept of one it is absent. */
  async read(cells: readonly number[]): Promise<ReadonlyMap<number, ColdCell>> {
    if (this.#store === undefined || cells.length === 0) return new Map();
    const wishes = await this.#wishes(cells);
    if (wishes.length === 0) return new Map();
    const found = await this.#store.get(wishes);
    const right = found.filter((cold) => cold !== undefined && markOf(cold.hash) === cold.mark);
    return new Map((right as ColdCell[]).map((cold) => [cold.cell, cold]));
  }

  async #wishes(cells: readonly number[]): Promise<ColdWish[]> {
    const keys = [...new Set(cells.map((cell) => blockKeyOf(this.#facts, cell)))];
    const pipeline = this.#redis.pipeline();
    for (const key of keys) pipeline.hgetBuffer(key, `cold:${this.#facts.layer}`);
    const replies = (await pipeline.exec()) ?? [];
    const marks = new Map<string, Buffer>();
    for (const [i, [error, value]] of replies.entries()) {
      if (error) throw error;
      if (value !== null) marks.set(keys[i] as string, value as Buffer);
    }
    const wishes: ColdWish[] = [];
    for (const cell of cells) {
      const of = marks.get(blockKeyOf(this.#facts, cell));
      const at = placeOf(this.#facts, cell) * MARK_BYTES;
      const mark = of === undefined || of.length < at + MARK_BYTES ? 0 : of.readUInt32BE(at);
      if (mark > 0) wishes.push({ cell, mark });
    }
    return wishes;
  }
}

const markOf = (hash: string): number =>
  createHash('sha1').update(hash).digest().readUInt32BE(0) || 1;

/** All that Redis would say of its head. */
export function headFields({ head, seq, hash, tick }: ColdCell): Map<string, Buffer> {
  const fields = new Map([...head].map(([name, value]) => [name, Buffer.from(value)]));
  for (const [name, value] of Object.entries({ seq, hash, tick })) {
    fields.set(name, Buffer.from(String(value)));
  }
  return fields;
}
