/**
 * A channel entry that carries the whole rows of entities that leave a cell for another. Those that
 * carry letters are in `letters.ts`.
 */
import { ByteReader, ByteWriter } from './bytes.ts';
import { migrate } from './evolution.ts';
import { bodySchema, readHeader, type SchemaSource, writeHeader } from './header.ts';
import { channelKind } from './letters.ts';
import { readIds, readRowPayload, writeIds, writeRowPayload } from './rows.ts';
import type { SchemaResolver } from './schema.ts';
import { Table } from './table.ts';

const scratch = new ByteWriter();

/**
 * All rows of the table, as they left their cell at the end of `tick`. Throws `SPATIAL_NOT_FINITE`,
 * `FIELD_KIND_MISMATCH` or `LIMIT_EXCEEDED`.
 */
export function encodeRows(table: Table, tick: number): Uint8Array {
  const writer = scratch.reset();
  writeHeader(writer, table.schema, 'rows');
  writer.varint(tick);
  writeIds(writer, table);
  writeRowPayload(writer, table);
  return writer.finish();
}

/**
 * Reads what `encodeRows` wrote; an entry that carries letters has no rows. With a schema as `source`, rows of an older one are migrated into
 * it (`older` knows that one); with a resolver they stay in theirs. Throws `BODY_MALFORMED` or
 * `SCHEMA_INCOMPATIBLE`.
 */
export function decodeRows(
  bytes: Uint8Array,
  source: SchemaSource,
  older?: SchemaResolver,
): { readonly tick: number; readonly rows: Table } {
  const reader = new ByteReader(bytes, 'channel');
  const kind = channelKind(bytes);
  const schema = bodySchema(readHeader(reader, kind), source, older);
  if (kind !== 'rows') {
    return { tick: 0, rows: new Table(typeof source === 'function' ? schema : source, 1) };
  }
  const tick = reader.varint();
  const rows = readRowPayload(reader, schema, readIds(reader));
  reader.end();
  return { tick, rows: typeof source === 'function' ? rows : migrate(rows, source) };
}

/**
 * What can be said of a channel entry without its schema; letters move nobody. Throws
 * `BODY_MALFORMED`.
 */
export function inspectRows(bytes: Uint8Array): {
  readonly schemaHash: string;
  readonly tick: number;
  /** Ascending. */
  readonly ids: number[];
} {
  const reader = new ByteReader(bytes, 'channel');
  const kind = channelKind(bytes);
  const schemaHash = readHeader(reader, kind);
  if (kind !== 'rows') return { schemaHash, tick: 0, ids: [] };
  const tick = reader.varint();
  const ids = reader.ids('ids');
  reader.section();
  reader.end();
  return { schemaHash, tick, ids };
}
