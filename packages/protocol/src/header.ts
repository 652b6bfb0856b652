/**
 * The first ten bytes of every body: format version, schema hash, kind. Raise `FORMAT_VERSION` when
 * any layout changes, and keep reading the version before; the README keeps the history.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { ByteReader, ByteWriter } from './bytes.ts';
import type { LayerSchema, SchemaResolver } from './schema.ts';

/** What this build writes, and the newest it reads. Also the `version` of log entries. */
export const FORMAT_VERSION = 1;

/** Most rows of a cell, and of one body: far above what a body of 1 MB can carry with positions. */
export const ROWS_MAX = 131_072;

export const KIND = { commit: 1, checkpoint: 2, rows: 3, mail: 4, outbox: 5 } as const;
export type BodyKind = keyof typeof KIND;

/** PERF: every commit of every cell names its schema, and making the digits took longer than the rest. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * What a decoder reads into: a schema, into which rows of older ones are migrated, or a resolver,
 * and then everything stays in the schema it was written in.
 */
export type SchemaSource = LayerSchema | SchemaResolver;

export function writeHeader(writer: ByteWriter, schema: LayerSchema, kind: BodyKind): void {
  writer.u8(FORMAT_VERSION);
  for (let i = 0; i < 16; i += 2) writer.u8(Number.parseInt(schema.hash.slice(i, i + 2), 16));
  writer.u8(KIND[kind]);
}

/** The schema hash, sixteen hex digits. */
export function readHeader(reader: ByteReader, kind: BodyKind): string {
  const version = reader.u8();
  if (version > FORMAT_VERSION) {
    throw reader.fault(`a newer build wrote it, in format ${version}; this one reads 1`);
  }
  if (version !== FORMAT_VERSION) throw reader.fault(`format ${version} does not exist`);
  let hash = '';
  for (let i = 0; i < 8; i++) hash += HEX[reader.u8()] as string;
  const found = reader.u8();
  if (found !== KIND[kind]) throw reader.fault(`it is of kind ${found}, not ${KIND[kind]}`);
  return hash;
}

/** The schema a body was written in. `older` is asked for what `source` is not. */
export function bodySchema(
  hash: string,
  source: SchemaSource,
  older: SchemaResolver | undefined,
): LayerSchema {
  if (typeof source !== 'function' && source.hash === hash) return source;
  const schema = typeof source === 'function' ? source(hash) : older?.(hash);
  if (schema !== undefined) return schema;
  throw new LeaseholdError(
    'SCHEMA_INCOMPATIBLE',
    `stored state was written with schema ${hash}, which is not known here`,
    {
      field: 'schema',
      value: hash,
      remedy: 'Run the module that wrote the world, or start afresh with --fresh.',
    },
  );
}
