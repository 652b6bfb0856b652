/**
 * Content in the database: each body once, under its hash, and the entities in it a row each. What is
 * there already is neither sent nor decoded.
 */
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { LeaseholdError } from '@leasehold/kernel';
import type { SchemaResolver, Table } from '@leasehold/protocol';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { CopyFrames } from './copy-frames.ts';
import { BLOBS_LOCK } from './database.ts';
import { type BlobBody, type Place, tableOf, writeRows } from './entity-rows.ts';

/** Which snapshot is being written. */
export type Target = {
  readonly number: number;
  readonly id: string;
  readonly srid: number;
  readonly schemas: SchemaResolver;
  /** The batch that so many new rows go into; it is made when content is new for the first time. */
  readonly batchFor: (rows: number) => Promise<number>;
};

type Placed = { readonly table: Table; readonly place: Place };

const hexOf = ({ sha256 }: BlobBody): string => sha256.toString('hex');

/**
 * First in a transaction that names blobs. Throws `SNAPSHOT_LOST` when another worker began the
 * snapshot anew, or it was swept. Until it is on disk as a whole, nobody is told of it, so its parts
 * need not wait for the disk.
 */
export async function holdSnapshot(client: pg.PoolClient, { number, id }: Target): Promise<void> {
  await client.query('set local synchronous_commit = off');
  await client.query('select pg_advisory_xact_lock_shared($1)', [BLOBS_LOCK]);
  const { rowCount } = await client.query(
    "select from leasehold.snapshot where number = $1 and state = 'taking' for key share",
    [number],
  );
  if (rowCount !== 1) throw lost(id);
}

export function lost(id: string): LeaseholdError {
  return new LeaseholdError('SNAPSHOT_LOST', `snapshot ${id} is not being taken here any more`, {
    field: 'snapshot',
    value: id,
    remedy: 'Another worker began it anew, or it was removed: look which snapshots there are.',
  });
}

/** The numbers under which the database has these bodies, in their order; what is new is added. */
export async function storedBlobs(
  client: pg.PoolClient,
  target: Target,
  bodies: readonly BlobBody[],
): Promise<number[]> {
  const distinct = new Map(bodies.map((body) => [hexOf(body), body]));
  const known = await knownBlobs(client, target, [...distinct.values()]);
  const missing = [...distinct].flatMap(([hex, body]) => (known.has(hex) ? [] : [body]));
  if (missing.length > 0) await addBlobs(client, target, missing, known);
  return bodies.map((body) => known.get(hexOf(body)) as number);
}

/** Numbers of blobs by their hash. */
async function knownBlobs(
  client: pg.PoolClient,
  { srid }: Target,
  bodies: readonly BlobBody[],
): Promise<Map<string, number>> {
  const { rows } = await client.query<{ number: string; hex: string }>(
    `select number, encode(sha256, 'hex') as hex
       from leasehold.blob where srid = $1 and sha256 = any($2::bytea[])`,
    [srid, bodies.map(({ sha256: sha }) => sha)],
  );
  return new Map(rows.map(({ number, hex }) => [hex, Number(number)]));
}

const BLOBS_INSERT = `
insert into leasehold.blob (sha256, srid, batch, schema, count, bytes)
select n.sha, $1, $2, n.schema, n.count,
       case when n.length >= 0 then substring($3::bytea from n.start + 1 for n.length) end
  from unnest($4::bytea[], $5::text[], $6::int[], $7::int[], $8::int[])
       as n (sha, schema, count, start, length)
 -- Everybody takes them in one order, so that two who have the same wait for each other once.
 order by n.sha
    on conflict do nothing
returning number, encode(sha256, 'hex') as hex`;

/** Adds their numbers to `known`. */
async function addBlobs(
  client: pg.PoolClient,
  target: Target,
  missing: readonly BlobBody[],
  known: Map<string, number>,
): Promise<void> {
  const blobs = missing.map((body) => ({ body, table: tableOf(body, target.schemas) }));
  const batch = await target.batchFor(blobs.reduce((sum, { table }) => sum + table.count, 0));
  let start = 0;
  const starts = blobs.map(({ body }) => {
    if (body.kind === 'cell') start += body.bytes.length;
    return body.kind === 'cell' ? start - body.bytes.length : 0;
  });
  const stored = missing.filter(({ kind }) => kind === 'cell').map(({ bytes }) => bytes);
  const { rows } = await client.query<{ number: string; hex: string }>(BLOBS_INSERT, [
    target.srid,
    batch,
    Buffer.concat(stored),
    missing.map(({ sha256: sha }) => sha),
    blobs.map(({ table }) => table.schema.hash),
    blobs.map(({ table }) => table.count),
    starts,
    missing.map(({ kind, bytes }) => (kind === 'cell' ? bytes.length : -1)),
  ]);
  const added = new Map(rows.map(({ number, hex }) => [hex, Number(number)]));
  for (const [hex, number] of added) known.set(hex, number);
  const here = blobs.filter(({ body }) => added.has(hexOf(body)));
  // Somebody else has put the others meanwhile, and their entities with them.
  const theirs = missing.filter((body) => !added.has(hexOf(body)));
  if (theirs.length > 0) {
    for (const [hex, number] of await knownBlobs(client, target, theirs)) known.set(hex, number);
  }
  const placed = here.map(({ body, table }) => {
    return { table, place: { batch, blob: known.get(hexOf(body)) as number, srid: target.srid } };
  });
  await copyRows(client, placed);
}

const ROWS_COPY = `
copy leasehold.entity (batch, blob, id, geometry, prefab, components)
from stdin (format binary)`;

async function copyRows(client: pg.PoolClient, blobs: readonly Placed[]): Promise<void> {
  if (blobs.every(({ table }) => table.count === 0)) return;
  const copy = client.query(copyFrom(ROWS_COPY));
  const ended = finished(copy);
  // Whoever waits for room hears of the failure as well; both are the same one.
  ended.catch(() => {});
  const frames = new CopyFrames();
  const hand = async (): Promise<void> => {
    if (!copy.write(frames.take())) await Promise.race([once(copy, 'drain'), ended]);
  };
  try {
    for (const { table, place } of blobs) await writeRows(table, place, frames, hand);
    copy.end(frames.end());
    await ended;
  } catch (error) {
    copy.destroy();
    await ended.catch(() => {});
    throw error;
  }
}
