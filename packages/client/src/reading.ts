/** Rows as entities, values and columns, by the names that a world's components have. */
import type { CellRows, FieldKind, FieldValue } from '@leasehold/protocol/view';
import type { Held } from './roster.ts';
import type { CellColumns, Entity } from './types.ts';

/** The value as a user of the component writes it. */
function plain(kind: FieldKind, value: unknown): FieldValue {
  return kind === 'bool' ? value !== 0 : (value as FieldValue);
}

const hasBit = (mask: number | undefined, bit: number): boolean =>
  (((mask as number) >>> bit) & 1) === 1;

/** A copy of one row. */
export function entityAt(rows: CellRows, row: number): Entity {
  const components: Record<string, Record<string, FieldValue>> = {};
  rows.shape.components.forEach(({ name, fields }, c) => {
    if (!hasBit(rows.masks[row], c)) return;
    const values: Record<string, FieldValue> = {};
    fields.forEach(({ name: field, kind }, f) => {
      values[field] = plain(kind, rows.columns[c]?.[f]?.[row]);
    });
    components[name] = values;
  });
  return { id: rows.ids[row] as number, cell: rows.cell, tick: rows.tick, components };
}

/** Indices of a field in the shape of these rows. */
function indexOf(rows: CellRows, component: string, field: string): readonly [number, number] {
  const c = rows.shape.components.findIndex(({ name }) => name === component);
  const f = rows.shape.components[c]?.fields.findIndex(({ name }) => name === field) ?? -1;
  return [c, f];
}

/** Everybody who counts in these cells and has the component. */
export function* valuesOf(
  cells: Iterable<Held>,
  component: string,
  field: string,
): IterableIterator<readonly [number, FieldValue]> {
  for (const { rows, slots } of cells) {
    const [c, f] = indexOf(rows, component, field);
    const column = rows.columns[c]?.[f];
    const kind = rows.shape.components[c]?.fields[f]?.kind;
    if (column === undefined || kind === undefined) continue;
    for (let row = 0; row < rows.count; row++) {
      if ((slots[row] as number) < 0 || !hasBit(rows.masks[row], c)) continue;
      yield [rows.ids[row] as number, plain(kind, column[row])];
    }
  }
}

export function cellColumns(rows: CellRows): CellColumns {
  const { cell, tick, count, ids } = rows;
  return {
    cell,
    tick,
    count,
    ids,
    column: (component, field) => {
      const [c, f] = indexOf(rows, component, field);
      return rows.columns[c]?.[f] as ArrayLike<FieldValue> | undefined;
    },
    has: (row, component) => {
      const c = rows.shape.components.findIndex(({ name }) => name === component);
      return c >= 0 && row < rows.count && hasBit(rows.masks[row], c);
    },
  };
}
