/** The store of snapshots: what others of the product see of it. */
import { createReadStream } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { CapturedCell, CapturedFlight, SnapshotFacts, SnapshotTotals } from './captured.ts';
import { ColdCells, type ColdCellsOptions } from './cold-cells.ts';
import { openPool } from './connection.ts';
import type { Database } from './database.ts';
import { differences, type EntityDifference } from './diff.ts';
import {
  countEntities,
  type EntitiesQuery,
  type NearEntity,
  type NearQuery,
  nearEntities,
  readEntities,
  type SnapshotCounts,
  type SnapshotEntity,
} from './entities.ts';
import { exportGeoJson, exportSnapshot, writeFileOf } from './export-file.ts';
import { type ImportOptions, importSnapshot } from './import-file.ts';
import { migrate } from './migrate.ts';
import { type Pruned, type PruneOptions, pruneSnapshots, removeSnapshot } from './prune.ts';
import {
  getSnapshot,
  listSnapshots,
  openSnapshot,
  readCells,
  readFlights,
  type SnapshotSummary,
  verifySnapshot,
} from './reader.ts';
import { type CellsQuery, layerBytes, readSomeCells, type SomeCells } from './some-cells.ts';
import { type Finished, SnapshotWriter, type WriteOptions } from './writer.ts';

export type OpenSnapshotStoreOptions = {
  /** Of a database with PostGIS; its schema is brought up to date. */
  readonly url: string;
  readonly log?: (line: string) => void;
};

/** Close it. Throws what `openPool` and `migrate` throw. */
export async function openSnapshotStore(options: OpenSnapshotStoreOptions): Promise<SnapshotStore> {
  const { url, log } = options;
  await migrate(url, log === undefined ? {} : { log });
  // An index over a million entities, or a question over all of them, takes what it takes.
  const pool = await openPool(url, { statementMsMax: 0, applicationName: 'leasehold snapshots' });
  return new SnapshotStore({ pool, url });
}

/** Every method may throw what `databaseFault` makes of what the database says. */
export class SnapshotStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async close(): Promise<void> {
    await this.#db.pool.end();
  }

  /** Cells that sleep in the same database, of one world. Close it. */
  coldCells(of: Omit<ColdCellsOptions, 'url'>): ColdCells {
    return new ColdCells({ ...of, url: this.#db.url });
  }

  /** Throws `SNAPSHOT_EXISTS`, `NAME_INVALID`, `SNAPSHOT_INVALID` or `SNAPSHOT_TOO_NEW`. */
  begin(facts: SnapshotFacts, options: WriteOptions = {}): Promise<SnapshotWriter> {
    return SnapshotWriter.begin(this.#db, facts, options);
  }

  /** Newest first, those being taken among them. */
  list(world?: string): Promise<SnapshotSummary[]> {
    return listSnapshots(this.#db, world);
  }

  /** Throws `SNAPSHOT_UNKNOWN`, naming those that are there. */
  get(id: string): Promise<SnapshotSummary> {
    return getSnapshot(this.#db, id);
  }

  /** Throws `SNAPSHOT_UNKNOWN`, `SNAPSHOT_INCOMPLETE` or `SNAPSHOT_TOO_NEW`, as all that follow. */
  async facts(id: string): Promise<SnapshotFacts> {
    return (await openSnapshot(this.#db, id)).facts;
  }

  /** By layer, then by cell. Throws `SNAPSHOT_CORRUPT`, naming both. */
  cells(id: string): AsyncGenerator<CapturedCell> {
    return readCells(this.#db, id);
  }

  /** What was on its way; in the same order, and only where there was something. */
  flights(id: string): AsyncGenerator<CapturedFlight> {
    return readFlights(this.#db, id);
  }

  /** Some cells of one layer, and what was on its way from them. Throws as `cells`. */
  someCells(id: string, query: CellsQuery): Promise<SomeCells> {
    return readSomeCells(this.#db, id, query);
  }

  /** What the rows of a layer take, before anybody reads them. */
  layerBytes(id: string, layer: string): Promise<number> {
    return layerBytes(this.#db, id, layer);
  }

  /** Reads all of it; throws as `cells`. */
  verify(id: string): Promise<SnapshotTotals & { readonly hash: string }> {
    return verifySnapshot(this.#db, id);
  }

  /** A page, ascending by id. Throws `AREA_INVALID`. */
  entities(id: string, query: EntitiesQuery = {}): Promise<SnapshotEntity[]> {
    return readEntities(this.#db, id, query);
  }

  /** Nearest first. */
  near(id: string, query: NearQuery): Promise<NearEntity[]> {
    return nearEntities(this.#db, id, query);
  }

  counts(id: string): Promise<SnapshotCounts> {
    return countEntities(this.#db, id);
  }

  /** What is in `to` and was not in `from`, and the other way round; ascending by id. */
  diff(from: string, to: string): AsyncGenerator<EntityDifference> {
    return differences(this.#db, from, to);
  }

  /** Throws `SETTING_INVALID` when nothing is to be kept. */
  prune(options: PruneOptions): Promise<Pruned> {
    return pruneSnapshots(this.#db, options);
  }

  remove(id: string): Promise<void> {
    return removeSnapshot(this.#db, id);
  }

  export(id: string, into: Writable): Promise<void> {
    return exportSnapshot(this.#db, id, into);
  }

  /** Compressed if its name ends in `.gz`. */
  exportFile(id: string, path: string): Promise<void> {
    return writeFileOf(path, (into) => exportSnapshot(this.#db, id, into));
  }

  exportGeoJson(id: string, into: Writable): Promise<void> {
    return exportGeoJson(this.#db, id, into);
  }

  /** As `exportFile`. */
  exportGeoJsonFile(id: string, path: string): Promise<void> {
    return writeFileOf(path, (into) => exportGeoJson(this.#db, id, into));
  }

  /** Throws `FILE_INVALID` or `SNAPSHOT_TOO_NEW`, naming the line; then nothing is kept. */
  import(from: Readable, options: ImportOptions = {}): Promise<Finished & { readonly id: string }> {
    return importSnapshot(this.#db, from, options);
  }

  importFile(path: string, options: ImportOptions = {}): Promise<Finished & { id: string }> {
    return importSnapshot(this.#db, createReadStream(path), options);
  }
}
