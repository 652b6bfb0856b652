/** Some captured cells, put into the database in one transaction: their content, then their positions. */
import { LeaseholdError } from '@leasehold/kernel';
import { inspectCheckpoint } from '@leasehold/protocol';
import type pg from 'pg';
import { holdSnapshot, storedBlobs, type Target } from './blobs.ts';
import type { CapturedCell } from './captured.ts';
import { cellDigest, sha256 } from './digest.ts';
import type { BlobBody } from './entity-rows.ts';

/** A later capture of a cell has a higher ordinal. */
export type OrderedCell = { readonly cell: CapturedCell; readonly ordinal: number };

const CELLS_PUT = `
insert into leasehold.snapshot_cell as kept
       (snapshot, layer, cell, ordinal, seq, hash, tick, id_counter, asked, out_seq, cursors, count,
        digest)
select $1, g.layer, g.cell, g.ordinal, g.seq, g.hash, g.tick, g."idCounter", g.asked, g."outSeq",
       g.cursors, g.count, decode(g.digest, 'hex')
  from json_to_recordset($2::json) as g (
       layer int, cell int, ordinal bigint, seq bigint, hash text, tick bigint, "idCounter" bigint,
       asked bigint, "outSeq" bigint, cursors jsonb, count int, digest text)
 order by g.layer, g.cell
    on conflict (snapshot, layer, cell) do update
   set ordinal = excluded.ordinal, seq = excluded.seq, hash = excluded.hash, tick = excluded.tick,
       id_counter = excluded.id_counter, asked = excluded.asked, out_seq = excluded.out_seq,
       cursors = excluded.cursors, count = excluded.count, digest = excluded.digest
 where excluded.ordinal > kept.ordinal
returning layer, cell`;

const PARTS_PUT = `
insert into leasehold.snapshot_part (snapshot, source, cell, part, layer, blob)
select $1, g.layer, g.cell, 0, g.layer, g.blob
  from unnest($2::int[], $3::int[], $4::bigint[]) as g (layer, cell, blob)
    on conflict (snapshot, source, cell, part) do update set blob = excluded.blob`;

const keyOf = ({ layer, cell }: Pick<CapturedCell, 'layer' | 'cell'>): string => `${layer} ${cell}`;

/** No cell is twice in a batch. Throws `SNAPSHOT_LOST`, and what the decoders throw. */
export async function putCells(
  client: pg.PoolClient,
  target: Target,
  batch: readonly OrderedCell[],
): Promise<void> {
  await holdSnapshot(client, target);
  const bodies = batch.map(({ cell: { rows } }): BlobBody => {
    return { kind: 'cell', bytes: rows, sha256: sha256(rows) };
  });
  const blobs = await storedBlobs(client, target, bodies);
  const given = batch.map(({ cell: { rows: _, ...position }, ordinal }, i) => {
    const digest = cellDigest(position, bodies[i]?.sha256 as Buffer).toString('hex');
    return { ...position, ordinal, digest };
  });
  type Place = { layer: number; cell: number };
  const { rows } = await client.query<Place>(CELLS_PUT, [target.number, JSON.stringify(given)]);
  const numbers = new Map(batch.map(({ cell }, i) => [keyOf(cell), blobs[i] as number]));
  await client.query(PARTS_PUT, [
    target.number,
    rows.map(({ layer }) => layer),
    rows.map(({ cell }) => cell),
    rows.map((place) => numbers.get(keyOf(place))),
  ]);
}

export type CellLimits = { readonly id: string; readonly layers: number; readonly cells: number };

/** Throws `SNAPSHOT_INVALID`: what was captured is not what it says. */
export function checkCell(cell: CapturedCell, limits: CellLimits): void {
  checkPlace(cell, limits);
  const { ids } = inspectCheckpoint(cell.rows);
  if (ids.length === cell.count) return;
  throw invalid(cell, limits, `has ${ids.length} rows, not ${cell.count}`);
}

type Placed = Pick<CapturedCell, 'layer' | 'cell'>;

/** Throws `SNAPSHOT_INVALID`. */
export function checkPlace({ layer, cell }: Placed, limits: CellLimits): void {
  const isLayer = Number.isInteger(layer) && layer >= 0 && layer < limits.layers;
  const isCell = Number.isInteger(cell) && cell >= 0 && cell < limits.cells;
  if (!isLayer || !isCell) throw invalid({ layer, cell }, limits, 'is not one of the world');
}

export function invalid({ layer, cell }: Placed, { id }: { id: string }, what: string) {
  const message = `snapshot ${id}: layer ${layer}, cell ${cell}: ${what}`;
  return new LeaseholdError('SNAPSHOT_INVALID', message, {
    field: 'cells',
    value: `${layer}/${cell}`,
    remedy: 'This is a defect of whatever captured it; report it with the log.',
  });
}
