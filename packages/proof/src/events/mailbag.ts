/** What was written and read in the world of couriers, from the store alone. */
import type { Store } from '@leasehold/protocol';
import type { Engine } from '@leasehold/sdk/engine';
import { tablesOf } from '../stored-tables.ts';

export type Mailbag = {
  readonly sent: number;
  readonly got: number;
  readonly back: number;
  /** Letters that were repeated, left out or out of order. */
  readonly faults: number;
  /** Letters that took so many ticks, from 1 on; the last: more than 8. */
  readonly ways: readonly number[];
  readonly dead: number;
  /** Those, by why they were refused. */
  readonly reasons: Readonly<Record<string, number>>;
};

/** Those in flight between cells are counted, too. */
export async function mailCount(store: Store, engine: Engine): Promise<Mailbag> {
  const sums = new Map<string, number>();
  for (const table of await tablesOf(store, engine)) {
    for (const [c, { name, fields }] of table.schema.components.entries()) {
      for (const [f, field] of fields.entries()) {
        const column = table.columns[c]?.[f];
        if (field.kind !== 'u32' || column === undefined) continue;
        const key = `${name}.${field.name}`;
        let sum = sums.get(key) ?? 0;
        for (let row = 0; row < table.count; row++) sum += Number(column[row]);
        sums.set(key, sum);
      }
    }
  }
  const dead = await store.deadLetters(10_000);
  const reasons: Record<string, number> = {};
  for (const { reason } of dead) reasons[reason] = (reasons[reason] ?? 0) + 1;
  const sum = (key: string): number => sums.get(key) ?? 0;
  const ticks = ['t1', 't2', 't3', 't4', 't5', 't6', 't7', 't8', 'later'];
  return {
    sent: sum('sent.total'),
    got: sum('got.total'),
    back: sum('sent.back'),
    faults: sum('got.faults'),
    ways: ticks.map((name) => sum(`ways.${name}`)),
    dead: dead.length,
    reasons,
  };
}
