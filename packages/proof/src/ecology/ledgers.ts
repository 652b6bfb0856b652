/** What wolves, sheep and grass did, as their ledgers say it, and what must be true of it at rest. */
import type { Table } from '@leasehold/protocol';

export type Ledgers = {
  readonly births: number;
  readonly deaths: number;
  readonly asked: number;
  readonly fed: number;
  readonly missed: number;
  readonly back: number;
  readonly given: number;
};

/** Of all who are in the layer of metabolism. */
export function ledgersOf(tables: readonly Table[]): Ledgers {
  const sum = (field: string): number => sumOf(tables, field);
  return {
    ...{ births: sum('births'), deaths: sum('deaths'), asked: sum('asked'), fed: sum('fed') },
    ...{ missed: sum('missed'), back: sum('back'), given: sum('given') },
  };
}

function sumOf(tables: readonly Table[], field: string): number {
  let sum = 0;
  for (const { schema, columns, count } of tables) {
    const c = schema.components.findIndex(({ name }) => name === 'ledger');
    const f = schema.components[c]?.fields.findIndex(({ name }) => name === field) ?? -1;
    const column = columns[c]?.[f];
    for (let row = 0; row < count; row++) sum += Number(column?.[row] ?? 0);
  }
  return sum;
}

/**
 * E2 and M1, of so many at the start and now. A ledger counts a birth when it is paid for; `unpaid`:
 * payments that were refused aloud, of young that live all the same.
 */
export function ledgerFaults(
  ledgers: Ledgers,
  { seeded, alive, unpaid = 0 }: { seeded: number; alive: number; unpaid?: number },
): string[] {
  const { births, deaths, asked, fed, missed, back, given } = ledgers;
  return [
    ...(seeded + births + unpaid - deaths === alive
      ? []
      : [`E2: ${seeded} seeded, ${births + unpaid} born, ${deaths} dead, and ${alive} alive`]),
    ...(fed === given ? [] : [`M1: ${given} meals given, ${fed} had`]),
    ...(fed + missed + back === asked
      ? []
      : [`M1: ${asked} bites asked, ${fed} fed, ${missed} missed, ${back} came back`]),
  ];
}
