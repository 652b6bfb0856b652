/** Some cells of one layer of a snapshot, for whoever looks at a part of it. */
import { LeaseholdError } from '@leasehold/kernel';
import type { CapturedCell, CapturedFlight } from './captured.ts';
import { type Database, rowsOf } from './database.ts';
import {
  type CellRow,
  checkedCell,
  checkedFlight,
  type FlightRow,
  type Opened,
  openSnapshot,
} from './reader.ts';

export type CellsQuery = {
  /** Name of a layer of the snapshot. */
  readonly layer: string;
  readonly cells: readonly number[];
};

export type SomeCells = {
  /** Those of the cells that were captured, ascending. */
  readonly cells: readonly CapturedCell[];
  /** What was on its way from and to them, where there was something. */
  readonly flights: readonly CapturedFlight[];
};

const CELLS = `
select c.layer, c.cell, c.seq, c.hash, c.tick, c.id_counter, c.asked, c.out_seq, c.cursors, c.count,
       c.digest, b.sha256, b.bytes
  from leasehold.snapshot_cell c
  left join leasehold.snapshot_part p
    on p.snapshot = c.snapshot and p.source = c.layer and p.cell = c.cell and p.part = 0
  left join leasehold.blob b on b.number = p.blob
 where c.snapshot = $1 and c.layer = $2 and c.cell = any($3::int[])
 order by c.cell`;

const FLIGHTS = `
select layer, cell, bytes, digest
  from leasehold.snapshot_flight
 where snapshot = $1 and layer = $2 and cell = any($3::int[])
 order by cell`;

/** Errors: those of `openSnapshot`, `SNAPSHOT_CORRUPT`, and `SNAPSHOT_INVALID` for another layer. */
export async function readSomeCells(
  db: Database,
  id: string,
  { layer, cells }: CellsQuery,
): Promise<SomeCells> {
  const opened = await openSnapshot(db, id);
  const { number, facts } = opened;
  const values = [number, layerOf(id, opened, layer), cells];
  const [found, flights] = await Promise.all([
    rowsOf<CellRow>(db, CELLS, values),
    rowsOf<FlightRow>(db, FLIGHTS, values),
  ]);
  return {
    cells: found.map((row) => checkedCell(row, { id, facts })),
    flights: flights.map((row) => checkedFlight(row, { id, facts })),
  };
}

const BYTES = `
select coalesce(sum(octet_length(b.bytes)), 0) as bytes
  from leasehold.snapshot_part p
  join leasehold.blob b on b.number = p.blob
 where p.snapshot = $1 and p.source = $2 and p.part = 0`;

/** Bytes of all rows of a layer: what whoever keeps them needs at least. Errors as `readSomeCells`. */
export async function layerBytes(db: Database, id: string, layer: string): Promise<number> {
  const opened = await openSnapshot(db, id);
  const values = [opened.number, layerOf(id, opened, layer)];
  const [row] = await rowsOf<{ bytes: string }>(db, BYTES, values);
  return Number(row?.bytes ?? 0);
}

function layerOf(id: string, { facts }: Opened, name: string): number {
  const index = facts.layers.findIndex(({ layer }) => layer === name);
  if (index >= 0) return index;
  throw new LeaseholdError('SNAPSHOT_INVALID', `snapshot ${id} has no layer ${name}`, {
    field: 'layer',
    value: name,
    remedy: `Its layers are ${facts.layers.map(({ layer }) => layer).join(', ')}.`,
  });
}
