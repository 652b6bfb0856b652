/**
 * Reads snapshots back, exactly as they were captured. Every cell is compared with its hashes before
 * anybody gets it.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { CapturedCell, CapturedFlight, SnapshotFacts, SnapshotTotals } from './captured.ts';
import { type Database, rowsOf } from './database.ts';
import { cellDigest, flightDigest, sha256 } from './digest.ts';
import { checkFormat } from './facts.ts';
import { decodeFlight } from './flight.ts';

/** A snapshot as lists tell it. */
export type SnapshotSummary = {
  readonly id: string;
  readonly world: string;
  readonly incarnation: number;
  readonly tick: number;
  readonly state: 'taking' | 'complete';
  readonly takenAtMs: number;
  readonly createdBy: string;
  readonly layers: readonly string[];
  /** Absent while it is being taken. */
  readonly totals?: SnapshotTotals & { readonly hash: string };
};

/** A cell and layer may be a megabyte; as many are in memory, once as they came and once decoded. */
const CELLS_PER_READ = 32;
/** As many as help whoever mistyped one. */
const KNOWN_SHOWN_MAX = 10;

type SummaryRow = {
  id: string;
  world: string;
  incarnation: string;
  tick: string;
  state: 'taking' | 'complete';
  taken_at: Date;
  created_by: string;
  layers: string[];
  cells: string | null;
  entities: string;
  in_flight: string;
  hash: string;
};

/** Newest first; of one world, or of all. */
export async function listSnapshots(db: Database, world?: string): Promise<SnapshotSummary[]> {
  const rows = await rowsOf<SummaryRow>(
    db,
    `select * from history.snapshots
      where $1::text is null or world = $1 order by taken_at desc, id`,
    [world ?? null],
  );
  return rows.map(summaryOf);
}

/** Throws `SNAPSHOT_UNKNOWN`. */
export async function getSnapshot(db: Database, id: string): Promise<SnapshotSummary> {
  const [row] = await rowsOf<SummaryRow>(db, 'select * from history.snapshots where id = $1', [id]);
  return row === undefined ? throwUnknown(db, id) : summaryOf(row);
}

function summaryOf(row: SummaryRow): SnapshotSummary {
  const { id, world, state, layers, hash } = row;
  const totals = {
    cells: Number(row.cells),
    entities: Number(row.entities),
    inFlight: Number(row.in_flight),
    hash,
  };
  return {
    ...{ id, world, state, layers },
    incarnation: Number(row.incarnation),
    tick: Number(row.tick),
    takenAtMs: row.taken_at.getTime(),
    createdBy: row.created_by,
    ...(state === 'complete' && { totals }),
  };
}

/** A snapshot that is whole, and that this build can read. */
export type Opened = {
  readonly number: number;
  readonly facts: SnapshotFacts;
  readonly hash: string;
  readonly totals: SnapshotTotals;
};

type OpenedRow = SummaryRow & { number: number; facts: SnapshotFacts };

/** Throws `SNAPSHOT_UNKNOWN`, `SNAPSHOT_INCOMPLETE` or `SNAPSHOT_TOO_NEW`. */
export async function openSnapshot(db: Database, id: string): Promise<Opened> {
  const [row] = await rowsOf<OpenedRow>(
    db,
    `select number, facts, state, cells, entities, in_flight, encode(hash, 'hex') as hash
       from leasehold.snapshot where id = $1`,
    [id],
  );
  if (row === undefined) return throwUnknown(db, id);
  if (row.state === 'taking') {
    throw new LeaseholdError('SNAPSHOT_INCOMPLETE', `snapshot ${id} is being taken`, {
      field: 'snapshot',
      value: id,
      remedy: 'Wait until it is complete, or take it again under the same id if its job has died.',
    });
  }
  checkFormat(row.facts);
  const totals = {
    cells: Number(row.cells),
    entities: Number(row.entities),
    inFlight: Number(row.in_flight),
  };
  return { number: row.number, facts: row.facts, hash: row.hash, totals };
}

async function throwUnknown(db: Database, id: string): Promise<never> {
  const rows = await rowsOf<{ id: string }>(
    db,
    'select id from leasehold.snapshot order by taken_at desc limit $1',
    [KNOWN_SHOWN_MAX],
  );
  const known = rows.map((row) => row.id).join(', ');
  throw new LeaseholdError('SNAPSHOT_UNKNOWN', `there is no snapshot ${id}`, {
    field: 'snapshot',
    value: id,
    remedy: known === '' ? 'None was taken yet.' : `Name one that is there; the newest: ${known}.`,
  });
}

export type CellRow = {
  layer: number;
  cell: number;
  seq: string;
  hash: string;
  tick: string;
  id_counter: string;
  asked: string;
  out_seq: string;
  cursors: [number, number][];
  count: number;
  digest: Buffer;
  sha256: Buffer | null;
  bytes: Buffer | null;
};

const CELLS = `
select c.layer, c.cell, c.seq, c.hash, c.tick, c.id_counter, c.asked, c.out_seq, c.cursors, c.count,
       c.digest, b.sha256, b.bytes
  from leasehold.snapshot_cell c
  left join leasehold.snapshot_part p
    on p.snapshot = c.snapshot and p.source = c.layer and p.cell = c.cell and p.part = 0
  left join leasehold.blob b on b.number = p.blob
 where c.snapshot = $1 and (c.layer, c.cell) > ($2::int, $3::int)
 order by c.layer, c.cell
 limit $4`;

/**
 * By layer, then by cell. Throws `SNAPSHOT_CORRUPT` naming layer and cell, or, at the end, when there
 * are not as many as were taken; and what `openSnapshot` throws.
 */
export async function* readCells(db: Database, id: string): AsyncGenerator<CapturedCell> {
  const { number, facts, totals } = await openSnapshot(db, id);
  let count = 0;
  for await (const row of pagesOf<CellRow>(db, CELLS, number)) {
    count++;
    yield checkedCell(row, { id, facts });
  }
  if (count === totals.cells) return;
  throw corrupt(id, `${totals.cells} were taken, and ${count} are there`, 'all cells');
}

async function* pagesOf<Row extends { layer: number; cell: number }>(
  db: Database,
  text: string,
  number: number,
): AsyncGenerator<Row> {
  let [layer, cell] = [0, -1];
  for (;;) {
    const rows = await rowsOf<Row>(db, text, [number, layer, cell, CELLS_PER_READ]);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) return;
    ({ layer, cell } = last);
  }
}

type Known = { readonly id: string; readonly facts: SnapshotFacts };

function placeOf({ layer, cell }: { layer: number; cell: number }, { facts }: Known): string {
  return `layer ${facts.layers[layer]?.layer}, cell ${cell}`;
}

/** Throws `SNAPSHOT_CORRUPT`, naming layer and cell. */
export function checkedCell(row: CellRow, known: Known): CapturedCell {
  const at = placeOf(row, known);
  const { bytes, sha256: expected } = row;
  if (bytes === null || expected === null) throw corrupt(known.id, 'its rows are gone', at);
  if (!sha256(bytes).equals(expected)) {
    throw corrupt(known.id, 'its rows are not those of its hash', at);
  }
  const position = {
    ...{ layer: row.layer, cell: row.cell, seq: Number(row.seq), hash: row.hash },
    tick: Number(row.tick),
    idCounter: Number(row.id_counter),
    asked: Number(row.asked),
    outSeq: Number(row.out_seq),
    cursors: row.cursors,
    count: row.count,
  };
  if (!cellDigest(position, expected).equals(row.digest)) {
    throw corrupt(known.id, 'its position is not that of its hash', at);
  }
  return { ...position, rows: bytes };
}

export type FlightRow = { layer: number; cell: number; bytes: Buffer; digest: Buffer };

const FLIGHTS = `
select layer, cell, bytes, digest
  from leasehold.snapshot_flight
 where snapshot = $1 and (layer, cell) > ($2::int, $3::int)
 order by layer, cell
 limit $4`;

/** What was on its way, by layer, then by cell; most cells have nothing. Throws as `readCells`. */
export async function* readFlights(db: Database, id: string): AsyncGenerator<CapturedFlight> {
  const { number, facts } = await openSnapshot(db, id);
  for await (const row of pagesOf<FlightRow>(db, FLIGHTS, number)) {
    yield checkedFlight(row, { id, facts });
  }
}

/** As `checkedCell`. */
export function checkedFlight(row: FlightRow, known: Known): CapturedFlight {
  const { layer, cell, bytes, digest } = row;
  if (!flightDigest(row, bytes).equals(digest)) {
    const what = 'what it had sent is not that of its hash';
    throw corrupt(known.id, what, placeOf(row, known));
  }
  return { layer, cell, ...decodeFlight(bytes) };
}

function corrupt(id: string, what: string, at: string): LeaseholdError {
  return new LeaseholdError('SNAPSHOT_CORRUPT', `snapshot ${id}: ${at}: ${what}`, {
    field: 'snapshot',
    value: `${id}: ${at}`,
    remedy: 'Use another snapshot, or an export of this one; check the disk of the database.',
  });
}

const HASH = `
select encode(leasehold.snapshot_hash($1), 'hex') as hash`;

/**
 * Reads all of it. Answers what it was found to be. Throws as `readCells`, and `SNAPSHOT_CORRUPT` when
 * all is well by itself and is not what was taken.
 */
export async function verifySnapshot(
  db: Database,
  id: string,
): Promise<SnapshotTotals & { readonly hash: string }> {
  for await (const _ of readCells(db, id));
  for await (const _ of readFlights(db, id));
  const { number, totals, hash } = await openSnapshot(db, id);
  const [found] = await rowsOf<{ hash: string }>(db, HASH, [number]);
  if (found?.hash === hash) return { ...totals, hash };
  throw corrupt(id, 'cells or what they had sent are not those that were taken', 'all cells');
}
