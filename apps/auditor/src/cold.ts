/**
 * Cells that sleep outside Redis, as the auditor finds them: the mark that their block keeps is read by
 * itself, and must be that of the state in the cold store.
 */
import { createHash } from 'node:crypto';
import { LeaseholdError } from '@leasehold/kernel';
import type { ColdCell, ColdStore, ColdWish } from '@leasehold/protocol';
import { blockKeyOf, placeOf, type WorldFacts } from './keys.ts';

const MARK_BYTES = 4;

export type HeadFields = ReadonlyMap<string, Buffer>;
/** What blocks say of their cells that sleep, by key. */
export type Marks = ReadonlyMap<string, Buffer | null>;

export class ColdReading {
  /** Where a block keeps the marks of its cells. */
  readonly field: string;
  readonly #facts: WorldFacts;
  readonly #store: ColdStore | undefined;
  /** What has one mark never changes: of each only the first look costs anything. */
  readonly #heads = new Map<number, { readonly mark: number; readonly fields: HeadFields }>();

  constructor(facts: WorldFacts, store: ColdStore | undefined) {
    this.#facts = facts;
    this.#store = store;
    this.field = `cold:${facts.layer}`;
  }

  blockKeysOf(cells: readonly number[]): string[] {
    return [...new Set(cells.map((cell) => blockKeyOf(this.#facts, cell)))];
  }

  /**
   * Those of these cells, none of which is in Redis, that sleep; nothing is kept of the others. Throws
   * `CELL_COLD` without a cold store, `CELL_LOST` where it does not have one of them in its state.
   */
  async read(cells: readonly number[], marks: Marks): Promise<ReadonlyMap<number, ColdCell>> {
    const wishes = this.#wishes(cells, marks);
    const [first] = wishes;
    if (first === undefined) return new Map();
    if (this.#store === undefined) throw noStore(first.cell);
    const found = new Map<number, ColdCell>();
    for (const [i, cold] of (await this.#store.get(wishes)).entries()) {
      const { cell, mark } = wishes[i] as ColdWish;
      if (cold === undefined || markOf(cold) !== mark) throw lost(cell);
      found.set(cell, cold);
      this.#heads.set(cell, { mark, fields: headFields(cold) });
    }
    return found;
  }

  /** As `read`, of their heads alone. */
  async heads(cells: readonly number[], marks: Marks): Promise<ReadonlyMap<number, HeadFields>> {
    const wishes = this.#wishes(cells, marks);
    const unknown = wishes.filter(({ cell, mark }) => this.#heads.get(cell)?.mark !== mark);
    await this.read(
      unknown.map(({ cell }) => cell),
      marks,
    );
    return new Map(
      wishes.map(({ cell }) => [cell, this.#heads.get(cell)?.fields as HeadFields] as const),
    );
  }

  #wishes(cells: readonly number[], marks: Marks): ColdWish[] {
    const wishes: ColdWish[] = [];
    for (const cell of cells) {
      const of = marks.get(blockKeyOf(this.#facts, cell)) ?? undefined;
      const at = placeOf(this.#facts, cell) * MARK_BYTES;
      const mark = of === undefined || of.length < at + MARK_BYTES ? 0 : of.readUInt32BE(at);
      if (mark > 0) wishes.push({ cell, mark });
    }
    return wishes;
  }
}

/** Of all that may change: of its log, and of what changes without a commit. */
function markOf({ hash, head }: Pick<ColdCell, 'hash' | 'head'>): number {
  const [epoch, asked, posts] = ['epoch', 'asked', 'posts'].map((name) => head.get(name) ?? '0');
  const state = `${hash} ${epoch} ${asked} ${posts}`;
  return createHash('sha1').update(state).digest().readUInt32BE(0) || 1;
}

/** All that Redis would say of its head. */
export function headFields({ head, seq, hash, tick }: ColdCell): HeadFields {
  const fields = new Map([...head].map(([name, value]) => [name, Buffer.from(value)]));
  for (const [name, value] of Object.entries({ seq, hash, tick })) {
    fields.set(name, Buffer.from(String(value)));
  }
  return fields;
}

function noStore(cell: number): LeaseholdError {
  return new LeaseholdError('CELL_COLD', `cell ${cell} sleeps in PostgreSQL, which is not named`, {
    field: 'SNAPSHOTS_URL',
    value: '',
    remedy: 'Set SNAPSHOTS_URL or DATABASE_URL to the database that the pods of this world have.',
  });
}

function lost(cell: number): LeaseholdError {
  return new LeaseholdError('CELL_LOST', `cell ${cell} slept, and PostgreSQL does not have it`, {
    field: 'cell',
    value: String(cell),
    remedy:
      'Is it the database that the pods of this world have? Else restore a snapshot of the world.',
  });
}
