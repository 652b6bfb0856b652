/**
 * What a commit does to a table: the same on the side that wrote it (`settle`) and on every side
 * that follows (`applyCommit`), so that both hold identical rows afterwards.
 */
import { assert, LeaseholdError } from '@leasehold/kernel';
import type { CommitBody, CommitParts, Departure } from './commit.ts';
import type { RowSet } from './row-set.ts';
import type { Column, Slab } from './schema.ts';
import type { Table } from './table.ts';

/**
 * What the writer does after `encodeCommit`: merges births, removes deaths, calls `onView` with the
 * cell as others see it at the end of the tick (entities in flight included, marks still set),
 * removes departures and clears the marks.
 */
export function settle(
  table: Table,
  parts: Pick<CommitParts, 'births' | 'deaths' | 'departures'>,
  onView?: (table: Table) => void,
): void {
  const fault = settled(table, parts, onView);
  assert(fault === undefined, `a tick is consistent with its table: ${fault}`);
}

/** As `settle`, but answers what does not fit. */
function settled(
  table: Table,
  { births, deaths, departures }: Pick<CommitParts, 'births' | 'deaths' | 'departures'>,
  onView: ((table: Table) => void) | undefined,
): string | undefined {
  if (!table.mergeDistinct(births)) return 'a newborn is here already';
  if (table.remove(deaths) !== deaths.length) return 'one who died is not here';
  onView?.(table);
  const leaving = leavingIds(departures);
  if (leaving === undefined) return 'one entity leaves for two cells';
  if (table.remove(leaving) !== leaving.length) return 'one who leaves is not here';
  table.clearDirty();
  return undefined;
}

/** All departing ids, ascending; `undefined` if one is there twice. */
function leavingIds(
  departures: readonly Departure[],
): readonly number[] | Float64Array | undefined {
  const only = departures[0];
  if (only === undefined) return [];
  if (departures.length === 1) return only.ids;
  const all = Float64Array.from(departures.flatMap(({ ids }) => ids)).sort();
  for (let i = 1; i < all.length; i++) if (all[i] === all[i - 1]) return undefined;
  return all;
}

/**
 * Follows one commit: merges arrivals, applies changes, then does as `settle`. `onView` as there.
 *
 * Throws `BODY_MALFORMED` when the commit does not fit the table, which means that the table is not
 * the state the commit extends; the table is then spoilt and must be loaded again.
 */
export function applyCommit(table: Table, body: CommitBody, onView?: (table: Table) => void): void {
  assert(body.schema.hash === table.schema.hash, 'a commit is applied in the schema of its table');
  for (const rows of body.arrivalRows) {
    if (!table.mergeDistinct(rows)) throw misfit(body, 'one who arrives is here already');
  }
  if (table.count !== body.rowCount) {
    throw misfit(body, `it is about ${body.rowCount} rows, but the cell has ${table.count}`);
  }
  if (!applyChanges(table, body)) {
    throw misfit(body, 'it changes a component of an entity that lacks it');
  }
  const fault = settled(table, body, onView);
  if (fault !== undefined) throw misfit(body, fault);
}

function misfit({ tick }: CommitBody, what: string): LeaseholdError {
  return new LeaseholdError(
    'BODY_MALFORMED',
    `the commit of tick ${tick} does not fit its cell: ${what}`,
    {
      field: 'commit body',
      value: `tick ${tick}`,
      remedy: 'Load the cell again; if that fails too, run `leasehold audit` on the world.',
    },
  );
}

/** Masks and fields, marked; answers false if a row lacks a component it is told to change. */
export function applyChanges(table: Table, { masks, changes }: CommitBody): boolean {
  for (let i = 0; i < (masks?.set.count ?? 0); i++) {
    const row = masks?.set.isAll === true ? i : (masks?.set.rows[i] as number);
    table.setMask(row, masks?.values[i] as number);
  }
  for (const { component, field, set, values } of changes) {
    if (!markPresent(table, component, 1 << field, set)) return false;
    const column = (table.columns[component] as Column[])[field] as Column;
    if (!set.isAll) scatter(column, values, set.rows);
    else if (Array.isArray(column))
      for (const [i, value] of values.entries()) column[i] = value as never;
    else column.set(values as Slab);
  }
  return true;
}

/** Marks the rows as the writer did; answers false if one of them lacks the component. */
function markPresent(table: Table, component: number, bit: number, set: RowSet): boolean {
  const { masks } = table;
  const marks = table.dirty[component] as Uint32Array;
  const { rows, count } = set;
  let present = 1;
  if (set.isAll) {
    for (let row = 0; row < count; row++) {
      present &= (masks[row] as number) >>> component;
      marks[row] = (marks[row] as number) | bit;
    }
  } else {
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      present &= (masks[row] as number) >>> component;
      marks[row] = (marks[row] as number) | bit;
    }
  }
  return present === 1;
}

function scatter(column: Column, values: Column, rows: Uint32Array): void {
  // PERF: one loop for all kinds would be megamorphic; the two common kinds have their own.
  if (column instanceof Float64Array) scatterF64(column, values as Float64Array, rows);
  else if (column instanceof Float32Array) scatterF32(column, values as Float32Array, rows);
  else for (let i = 0; i < rows.length; i++) (column as unknown[])[rows[i] as number] = values[i];
}

function scatterF64(column: Float64Array, values: Float64Array, rows: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) column[rows[i] as number] = values[i] as number;
}

function scatterF32(column: Float32Array, values: Float32Array, rows: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) column[rows[i] as number] = values[i] as number;
}
