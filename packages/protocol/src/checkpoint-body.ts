/** A checkpoint: the whole state of a cell at one log position. */
import { ByteReader, ByteWriter } from './bytes.ts';
import { isEphemeral } from './durability.ts';
import { migrate } from './evolution.ts';
import { bodySchema, readHeader, type SchemaSource, writeHeader } from './header.ts';
import { readIds, readRowPayload, writeIds, writeRowPayload } from './rows.ts';
import type { SchemaResolver } from './schema.ts';
import type { Table } from './table.ts';

const scratch = new ByteWriter();

export type CheckpointParts = {
  readonly tick: number;
  readonly idCounter: number;
  readonly isWhole?: boolean;
};

/**
 * All rows of the table at the end of `tick`; `idCounter` is the last id counter the cell gave out.
 * Change marks are not part of it, nor are, unless `isWhole`, values of ephemeral components.
 * Throws `SPATIAL_NOT_FINITE`, `FIELD_KIND_MISMATCH` or `LIMIT_EXCEEDED`.
 */
export function encodeCheckpoint(
  table: Table,
  { tick, idCounter, isWhole }: CheckpointParts,
): Uint8Array {
  const writer = scratch.reset();
  writeHeader(writer, table.schema, 'checkpoint');
  writer.varint(tick).varint(idCounter);
  writeIds(writer, table);
  writeRowPayload(writer, table, isWhole !== true);
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
  const rows = readRowPayload(reader, schema, readIds(reader), true);
  reader.end();
  const table = typeof source === 'function' ? rows : migrate(rows, source);
  return { tick, idCounter, table };
}

/** The same rows at another tick and id counter; needs no schema. Throws `BODY_MALFORMED`. */
export function rebaseCheckpoint(
  bytes: Uint8Array,
  { tick, idCounter }: Pick<CheckpointParts, 'tick' | 'idCounter'>,
): Uint8Array {
  const reader = new ByteReader(bytes, 'checkpoint');
  readHeader(reader, 'checkpoint');
  const headerBytes = bytes.length - reader.remaining;
  reader.varint();
  reader.varint();
  const writer = scratch.reset();
  writer.raw(bytes.subarray(0, headerBytes)).varint(tick).varint(idCounter);
  return writer.raw(bytes.subarray(bytes.length - reader.remaining)).finish();
}

/** The rows as a checkpoint gives them back: ephemeral components at their initial values. */
export function storedPart(table: Table): Table {
  const { components } = table.schema;
  if (!components.some(isEphemeral)) return table;
  const stored = table.pick(Array.from({ length: table.count }, (_, row) => row));
  for (const [c, component] of components.entries()) if (isEphemeral(component)) stored.reset(c);
  return stored;
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
