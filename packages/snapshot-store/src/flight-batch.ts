/** What was on its way from and to some cells, put into the database in one transaction. */
import { inspectRows, layerOfAddress } from '@leasehold/protocol';
import type pg from 'pg';
import { holdSnapshot, storedBlobs, type Target } from './blobs.ts';
import type { CapturedFlight } from './captured.ts';
import { invalid } from './cell-batch.ts';
import { flightDigest, sha256 } from './digest.ts';
import type { BlobBody } from './entity-rows.ts';
import { encodeFlight } from './flight.ts';

type Part = {
  readonly source: number;
  readonly cell: number;
  readonly part: number;
  readonly layer: number;
  readonly count: number;
  readonly body: BlobBody;
};

const CELLS_THERE = `
select g.layer, g.cell
  from unnest($2::int[], $3::int[]) as g (layer, cell)
  left join leasehold.snapshot_cell c
    on c.snapshot = $1 and c.layer = g.layer and c.cell = g.cell
 where c.cell is null`;

const FLIGHTS_PUT = `
insert into leasehold.snapshot_flight (snapshot, layer, cell, in_flight, bytes, digest)
select $1, g.layer, g.cell, g."inFlight", substring($3::bytea from g.start + 1 for g.length),
       decode(g.digest, 'hex')
  from json_to_recordset($2::json)
       as g (layer int, cell int, "inFlight" int, start int, length int, digest text)
    on conflict (snapshot, layer, cell) do update
   set in_flight = excluded.in_flight, bytes = excluded.bytes, digest = excluded.digest`;

const PARTS_CLEAR = `
delete from leasehold.snapshot_part p
 using unnest($2::int[], $3::int[]) as g (layer, cell)
 where p.snapshot = $1 and p.source = g.layer and p.cell = g.cell and p.part > 0`;

const PARTS_PUT = `
insert into leasehold.snapshot_part (snapshot, source, cell, part, layer, blob)
select $1, g.source, g.cell, g.part, g.layer, g.blob
  from json_to_recordset($2::json)
       as g (source int, cell int, part int, layer int, blob bigint)`;

/**
 * No cell is twice in a batch. Throws `SNAPSHOT_LOST`; `SNAPSHOT_INVALID` for a cell that was not put;
 * `LIMIT_EXCEEDED`, and what the decoders throw.
 */
export async function putFlights(
  client: pg.PoolClient,
  target: Target,
  batch: readonly CapturedFlight[],
): Promise<void> {
  await holdSnapshot(client, target);
  const { number } = target;
  const places = [batch.map(({ layer }) => layer), batch.map(({ cell }) => cell)];
  const absent = await client.query<CapturedFlight>(CELLS_THERE, [number, ...places]);
  const [first] = absent.rows;
  if (first !== undefined) throw invalid(first, target, 'has something in flight and no rows');
  const parts = batch.map(partsOf);
  const all = parts.flat();
  const bodies = all.map(({ body }) => body);
  const blobs = await storedBlobs(client, target, bodies);
  const encoded = batch.map(encodeFlight);
  let end = 0;
  const given = batch.map(({ layer, cell }, i) => {
    const bytes = encoded[i] as Uint8Array;
    end += bytes.length;
    const place = { layer, cell, start: end - bytes.length, length: bytes.length };
    const digest = flightDigest(place, bytes).toString('hex');
    return { ...place, digest, inFlight: rowsInFlight(parts[i] as Part[]) };
  });
  await client.query(FLIGHTS_PUT, [number, JSON.stringify(given), Buffer.concat(encoded)]);
  await client.query(PARTS_CLEAR, [number, ...places]);
  const lines = all.map(({ body: _, count, ...part }, i) => ({ ...part, blob: blobs[i] }));
  await client.query(PARTS_PUT, [number, JSON.stringify(lines)]);
}

/** Entries with rows; each is of the layer that it is for, and written in that layer's schema. */
function partsOf({ layer: source, cell, channel }: CapturedFlight): Part[] {
  return channel.flatMap(({ to, body: bytes }, i) => {
    const count = inspectRows(bytes).ids.length;
    if (count === 0) return [];
    const layer = layerOfAddress(to) === -1 ? source : layerOfAddress(to);
    const body: BlobBody = { kind: 'entry', bytes, sha256: sha256(bytes) };
    return [{ source, cell, part: i + 1, layer, count, body }];
  });
}

/** Entries for other layers tell those of births, so they are nobody on the way. */
const rowsInFlight = (parts: readonly Part[]): number =>
  parts.reduce((sum, { source, layer, count }) => sum + (layer === source ? count : 0), 0);
