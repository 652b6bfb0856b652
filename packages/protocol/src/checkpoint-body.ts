/** A checkpoint: the whole state of a cell at one log position. */
import { ByteReader, ByteWriter } from './bytes.ts';
import { migrate } from './evolution.ts';
import { bodySchema, readHeader, type SchemaSource, writeHeader } from './header.ts';
import { readIds, readRowPayload, writeIds, writeRowPayload } from './rows.ts';
import type { SchemaResolver } from './schema.ts';
import type { Table } from './table.ts';

const scratch = new ByteWriter();

/**
 * All rows of the table at the end of `tick`; `idCounter` is the last id counter the cell gave out.
 * Change marks are not part of it. Throws `SPATIAL_NOT_FINITE`, `FIELD_KIND_MISMATCH` or
 * `LIMIT_EXCEEDED`.
 */
export function encodeCheckpoint(
  table: Table,
  { tick, idCounter }: { readonly tick: number; readonly idCounter: number },
): Uint8Array {
  const writer = scratch.reset();
  writeHeader(writer, table.schema, 'checkpoint');
  writer.varint(tick).varint(idCounter);
  writeIds(writer, table);
  writeRowPayload(writer, table);
  return writer.finish();
}

/** Reads what `encodeCheckpoint` wrote; schemas and errors as in `decodeRows`. */
export function decodeCheckpoint(
  bytes: Uint8Array,
  source: SchemaSource,
  older?: SchemaResolver,
): { readonly tick: number; readonly idCounter: number; readonly table: Table } {
  const reader = new ByteReader(bytes, 'checkpoint');
  const schema = bodySchema(readHeader(reader, 'checkpoint'), source, older);
  const tick = reader.varint();
  const idCounter = reader.varint();
  const rows = readRowPayload(reader, schema, readIds(reader));
  reader.end();
  const table = typeof source === 'function' ? rows : migrate(rows, source);
  return { tick, idCounter, table };
}

/** What can be said of a checkpoint without its schema. Throws `BODY_MALFORMED`. */
export function inspectCheckpoint(bytes: Uint8Array): {
  readonly schemaHash: string;
  readonly tick: number;
  readonly idCounter: number;
  /** Ascending. */
  readonly ids: number[];
} {
  const reader = new ByteReader(bytes, 'checkpoint');
  const schemaHash = readHeader(reader, 'checkpoint');
  const tick = reader.varint();
  const idCounter = reader.varint();
  const ids = reader.ids('ids');
  reader.section();
  reader.end();
  return { schemaHash, tick, idCounter, ids };
}
