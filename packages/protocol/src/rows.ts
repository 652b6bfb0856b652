/**
 * Whole rows: ids first, readable without the schema, then a section with masks and columns.
 * Births, checkpoints and channel entries are made of this.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { isEphemeral } from './durability.ts';
import { ROWS_MAX } from './header.ts';
import type { Column, ComponentSchema, FieldSchema, LayerSchema } from './schema.ts';
import { Table } from './table.ts';
import { readValues, writeValues } from './values.ts';

let chosen = new Uint32Array(256);

/** Throws `LIMIT_EXCEEDED` when a body would hold more rows than any reader accepts. */
export function checkRowCount(count: number): void {
  if (count <= ROWS_MAX) return;
  throw new LeaseholdError('LIMIT_EXCEEDED', `${count} entities in one cell; ${ROWS_MAX} fit`, {
    field: 'entities per cell',
    value: String(count),
    remedy: 'Make the cells of the world smaller, so that fewer entities share one.',
  });
}

export function writeIds(writer: ByteWriter, table: Table): void {
  checkRowCount(table.count);
  writer.ids(table.ids, table.count);
}

/** Added to the form of the masks: columns of ephemeral components are left out. */
const OMITTING = 2;

/**
 * Masks and columns of all rows, as a section of known length. `omits`: without columns of ephemeral
 * components.
 */
export function writeRowPayload(writer: ByteWriter, table: Table, omits = false): void {
  const isOmitting = omits && table.schema.components.some(isEphemeral);
  const start = writer.beginSection();
  if (table.count > 0) {
    writeMasks(writer, table, isOmitting ? OMITTING : 0);
    table.schema.components.forEach((component, c) => {
      const rows = rowsWith(table, c);
      if (rows === 0 || (isOmitting && isEphemeral(component))) return;
      const choice = {
        count: rows,
        rows: rows === table.count ? undefined : chosen,
        ids: table.ids,
      };
      component.fields.forEach((field, f) => {
        writeValues(writer, component, field, table.columns[c]?.[f] as Column, choice);
      });
    });
  }
  writer.endSection(start);
}

/** One mask if all rows have the same, else each row's. */
function writeMasks(writer: ByteWriter, { masks, count }: Table, omitting: number): void {
  const first = masks[0] as number;
  let isUniform = true;
  for (let row = 1; row < count; row++) isUniform &&= masks[row] === first;
  writer.u8((isUniform ? 0 : 1) + omitting);
  for (let row = 0; row < (isUniform ? 1 : count); row++) writer.varint(masks[row] as number);
}

/** Lists the rows that have the component in `chosen`; answers how many. */
function rowsWith({ masks, count }: Table, component: number): number {
  if (chosen.length < count) chosen = new Uint32Array(count * 2);
  let found = 0;
  for (let row = 0; row < count; row++) {
    chosen[found] = row;
    found += ((masks[row] as number) >>> component) & 1;
  }
  return found;
}

export function readIds(reader: ByteReader): Float64Array {
  const ids = reader.idColumn('ids');
  if (ids.length > ROWS_MAX) throw reader.fault(`${ids.length} rows are more than ${ROWS_MAX}`);
  return ids;
}

/**
 * The section that belongs to these ids, as a table of the schema it was written in. What was left
 * out, where `mayOmit`, is at its initial values.
 */
export function readRowPayload(
  outer: ByteReader,
  schema: LayerSchema,
  ids: Float64Array,
  mayOmit = false,
): Table {
  const reader = outer.section();
  const count = ids.length;
  if (count === 0) {
    reader.end();
    return new Table(schema, 1);
  }
  const isOmitting = reader.peek() >= OMITTING;
  if (isOmitting && !(mayOmit && schema.components.some(isEphemeral))) {
    throw reader.fault('it leaves out columns that must be there');
  }
  const masks = readMasks(reader, schema, count);
  // Everything is read before the table is made: its memory depends on the schema, not on the
  // bytes.
  const parts = schema.components.map((component, c) =>
    isOmitting && isEphemeral(component) ? [] : readComponent(reader, component, c, masks),
  );
  reader.end();
  const table = new Table(schema, count);
  table.count = count;
  table.ids.set(ids);
  table.masks.set(masks);
  parts.forEach((columns, c) => {
    const into = table.columns[c] as Column[];
    columns.forEach((column, f) => {
      if (column.length === count) into[f] = column;
      else scatterPresent(into[f] as Column, column, masks, c);
    });
  });
  return table;
}

function readMasks(reader: ByteReader, schema: LayerSchema, count: number): Uint32Array {
  const form = reader.u8();
  if (form > OMITTING + 1) throw reader.fault(`${form} is no form of masks`);
  const kind = form % OMITTING;
  if (kind === 1) reader.fits(count, 1, 'masks');
  const masks = new Uint32Array(count);
  let differ = false;
  for (let row = 0; row < (kind === 0 ? 1 : count); row++) {
    masks[row] = readMask(reader, schema);
    differ ||= masks[row] !== masks[0];
  }
  if (kind === 0) masks.fill(masks[0] as number);
  else if (!differ) throw reader.fault('equal masks are not in their shortest form');
  return masks;
}

/** A mask, none of whose bits is beyond the schema's components. */
export function readMask(reader: ByteReader, schema: LayerSchema): number {
  const mask = reader.varint();
  if (mask >= 2 ** schema.components.length) throw reader.fault(`mask ${mask} is out of range`);
  return mask;
}

function readComponent(
  reader: ByteReader,
  component: ComponentSchema,
  c: number,
  masks: Uint32Array,
): Column[] {
  let present = 0;
  for (let row = 0; row < masks.length; row++) present += ((masks[row] as number) >>> c) & 1;
  if (present === 0) return [];
  return component.fields.map((field: FieldSchema) =>
    readValues(reader, component, field, present),
  );
}

function scatterPresent(into: Column, values: Column, masks: Uint32Array, c: number): void {
  let at = 0;
  for (let row = 0; row < masks.length; row++) {
    if ((((masks[row] as number) >>> c) & 1) === 1) (into as unknown[])[row] = values[at++];
  }
}
