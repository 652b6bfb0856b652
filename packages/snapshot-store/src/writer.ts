/**
 * Takes a snapshot as it is captured, cell by cell, in any order and some of them again. It is
 * nobody's until `finish` has found it whole; what a worker that died left behind is used by the next.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseholdError } from '@leasehold/kernel';
import type pg from 'pg';
import { lost, type Target } from './blobs.ts';
import type { CapturedCell, CapturedFlight, SnapshotFacts, SnapshotTotals } from './captured.ts';
import { type CellLimits, checkCell, checkPlace, putCells } from './cell-batch.ts';
import { type Database, inTransaction, rowsOf } from './database.ts';
import { checkFacts, gridOf, schemasOf, sridOf } from './facts.ts';
import { putFlights } from './flight-batch.ts';
import { collectGarbage } from './garbage.ts';
import { Pace, sipBytes } from './pace.ts';

/** One fills the other's waits; the server's part of the work is about as long as this one's. */
const LANES = 2;
/** Bounds what is in memory: of each lane as much, and one cell more. */
const BATCH_CELLS_MAX = 64;
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** Each is one more partition to look into. */
const BATCHES_MAX = 2;
/** Indexes of fewer rows than this are made in no time. */
const SPLIT_ROWS = 100_000;
/** Against the hour after which a silent worker counts as dead. */
const TOUCH_MS = 5_000;

export type WriteOptions = {
  /**
   * Bytes of rows a second, so that whoever shares the machine is left some: in small batches, one at a
   * time, and with one process of the server. Without it as fast as it goes.
   */
  readonly bytesPerSecond?: number;
  /** Receives how many cells are stored, those captured anew included. */
  readonly progress?: (cells: number) => void;
  /** Aborted: `put` and `putFlights` throw its reason, also while they keep to the rate. */
  readonly signal?: AbortSignal;
};

export type Finished = SnapshotTotals & {
  /** S1: over all cells, as `get` and `verify` tell it. */
  readonly hash: string;
};

type Captured<T> = AsyncIterable<T> | Iterable<T>;

/** What one cell has to store. */
type Piece<T> = {
  readonly layer: number;
  readonly cell: number;
  readonly bytes: number;
  readonly item: T;
};

export class SnapshotWriter {
  readonly #db: Database;
  readonly #options: WriteOptions;
  readonly #target: Target;
  readonly #limits: CellLimits;
  readonly #batches: Promise<number>[] = [];
  readonly #pace: Pace | undefined;
  #rows = 0;
  #turn = 0;
  #ordinal = 0;
  #stored = 0;
  #touchedMs = performance.now();

  private constructor(db: Database, facts: SnapshotFacts, number: number, options: WriteOptions) {
    this.#db = db;
    this.#options = options;
    const { bytesPerSecond } = options;
    this.#pace = bytesPerSecond === undefined ? undefined : new Pace(bytesPerSecond);
    const { cells } = gridOf(facts);
    this.#limits = { id: facts.id, layers: facts.layers.length, cells };
    this.#target = {
      number,
      id: facts.id,
      srid: sridOf(facts.space),
      schemas: schemasOf(facts),
      batchFor: (rows) => this.#batchFor(rows),
    };
  }

  /**
   * A snapshot of this id that was begun and not finished starts over; its content stays and is not
   * written twice. Throws `SNAPSHOT_EXISTS`, and what `checkFacts` throws.
   */
  static async begin(
    db: Database,
    facts: SnapshotFacts,
    options: WriteOptions,
  ): Promise<SnapshotWriter> {
    checkFacts(facts);
    const grid = gridOf(facts);
    const number = await inTransaction(db, async (client) => {
      await client.query("delete from leasehold.snapshot where id = $1 and state = 'taking'", [
        facts.id,
      ]);
      const { id, world, incarnation, tick, layers, space } = facts;
      const { rows } = await client.query<{ number: number }>(BEGIN, [
        ...[id, world, incarnation, tick, JSON.stringify(facts)],
        ...[layers.map(({ layer }) => layer), sridOf(space), grid.columns, grid.rows],
      ]);
      return rows[0]?.number;
    });
    if (number === undefined) throw exists(facts.id);
    return new SnapshotWriter(db, facts, number, options);
  }

  /**
   * Stores the cells as they come; of a cell that comes again the later one counts. Not to be called
   * again before it has ended. Errors: `SNAPSHOT_INVALID`, `SNAPSHOT_LOST`, those of the decoders, of
   * the database and of whoever captures.
   */
  async put(cells: Captured<CapturedCell>): Promise<void> {
    const limits = this.#limits;
    const ordered = async function* (writer: SnapshotWriter) {
      for await (const cell of cells) {
        checkCell(cell, limits);
        const { layer, cell: number, rows } = cell;
        yield {
          layer,
          cell: number,
          bytes: rows.length,
          item: { cell, ordinal: ++writer.#ordinal },
        };
      }
    };
    await this.#store(ordered(this), putCells, (count) => {
      this.#stored += count;
      this.#options.progress?.(this.#stored);
    });
  }

  /**
   * What was on its way from and to cells that were put; a later flight of a cell counts. Errors as
   * `put`, and `LIMIT_EXCEEDED`.
   */
  async putFlights(flights: Captured<CapturedFlight>): Promise<void> {
    const limits = this.#limits;
    const checked = async function* () {
      for await (const item of flights) {
        checkPlace(item, limits);
        const { layer, cell, channel, posts } = item;
        let bytes = 0;
        for (const { body } of [...channel, ...posts]) bytes += body.length;
        yield { layer, cell, bytes, item };
      }
    };
    // One lane: nothing says which of two batches is the later.
    await this.#store(checked(), putFlights, () => {}, 1);
  }

  async #store<T>(
    source: AsyncIterable<Piece<T>>,
    put: (client: pg.PoolClient, target: Target, batch: readonly T[]) => Promise<void>,
    stored: (count: number) => void,
    laneCount = this.#pace === undefined ? LANES : 1,
  ): Promise<void> {
    const { bytesPerSecond } = this.#options;
    const most = bytesPerSecond === undefined ? BATCH_BYTES_MAX : sipBytes(bytesPerSecond);
    const batches = batchesOf(source, Math.min(BATCH_BYTES_MAX, most));
    let hasFailed = false;
    const lane = async (): Promise<void> => {
      try {
        for (;;) {
          const beganMs = performance.now();
          // Not `for await`: the lane that ends first must leave the others their batches.
          const { value: batch, done } = await batches.next();
          if (done === true || hasFailed) return;
          const items = batch.map(({ item }) => item);
          await inTransaction(this.#db, (client) => put(client, this.#target, items));
          stored(items.length);
          const bytes = batch.reduce((sum, piece) => sum + piece.bytes, 0);
          await this.#pause(this.#pace?.after(beganMs, bytes) ?? 0);
        }
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    };
    const ended = await Promise.allSettled(Array.from({ length: laneCount }, lane));
    // Whoever captures hears that nobody wants more.
    await batches.return(undefined);
    const failed = ended.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  /** Says that it lives, and waits. */
  async #pause(dueMs: number): Promise<void> {
    const { signal } = this.#options;
    do {
      const nowMs = performance.now();
      if (nowMs - this.#touchedMs > TOUCH_MS) {
        this.#touchedMs = nowMs;
        await rowsOf(this.#db, TOUCH, [this.#target.number]);
      }
      signal?.throwIfAborted();
      const waitMs = Math.min(dueMs - nowMs, TOUCH_MS);
      if (waitMs > 0) await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
    } while (dueMs > performance.now());
  }

  /** In turns, once they are many: so the server makes the indexes of both at once, if it may. */
  async #batchFor(rows: number): Promise<number> {
    this.#rows += rows;
    const isSplit = this.#pace === undefined && this.#rows > SPLIT_ROWS;
    const turn = isSplit ? ++this.#turn % BATCHES_MAX : 0;
    const open = async (): Promise<number> => {
      const [opened] = await rowsOf<{ batch: number }>(
        this.#db,
        'select leasehold.entity_batch_open($1) as batch',
        [this.#target.number],
      );
      return opened?.batch as number;
    };
    this.#batches[turn] ??= open();
    return this.#batches[turn];
  }

  /**
   * From now on it is a snapshot. `cells`: how many, of all layers, there must be; throws
   * `SNAPSHOT_INCOMPLETE` if there are not. Throws `SNAPSHOT_LOST`.
   */
  async finish({ cells: expected }: { readonly cells?: number } = {}): Promise<Finished> {
    const { number, id } = this.#target;
    const batches = await Promise.all(this.#batches);
    if (this.#pace === undefined) {
      await Promise.all(batches.map((batch) => sealBatch(this.#db, batch)));
    } else {
      for (const batch of batches) await sealBatch(this.#db, batch, true);
    }
    const finished = await inTransaction(this.#db, async (client) => {
      const { rows } = await client.query<TotalsRow>(FINISH, [number]);
      const [totals] = rows;
      if (totals === undefined) throw lost(id);
      const { cells, entities, in_flight: inFlight, hash } = totals;
      if (expected !== undefined && Number(cells) !== expected) {
        throw incomplete(id, Number(cells), expected);
      }
      const counts = { cells: Number(cells), entities: Number(entities) };
      return { ...counts, inFlight: Number(inFlight), hash };
    });
    await rowsOf(this.#db, ANALYZE);
    return finished;
  }

  /** Nothing stays of it. */
  async abort(): Promise<void> {
    await rowsOf(
      this.#db,
      "delete from leasehold.snapshot where number = $1 and state = 'taking'",
      [this.#target.number],
    );
    await collectGarbage(this.#db);
  }
}

type TotalsRow = { cells: string; entities: string; in_flight: string; hash: string };

/**
 * Makes the indexes of a batch, both at once: one is of the processor, the other mostly of the disk; or
 * gently, one after the other and by one process of the server.
 */
export async function sealBatch(db: Database, batch: number, isGentle = false): Promise<void> {
  const indexes = ['entity_batch_index_area', 'entity_batch_index_rest'].map(
    (name) => `select leasehold.${name}($1)`,
  );
  if (isGentle) {
    for (const text of indexes) {
      await inTransaction(db, async (client) => {
        await client.query('set local max_parallel_maintenance_workers = 0');
        await client.query(text, [batch]);
      });
    }
  } else {
    await Promise.all(indexes.map((text) => rowsOf(db, text, [batch])));
  }
  await rowsOf(db, 'update leasehold.entity_batch set is_sealed = true where batch = $1', [batch]);
}

/** No cell is twice in a batch. */
async function* batchesOf<T>(
  source: AsyncIterable<Piece<T>>,
  bytesMax: number,
): AsyncGenerator<Piece<T>[]> {
  let batch = new Map<string, Piece<T>>();
  let bytes = 0;
  for await (const piece of source) {
    batch.set(`${piece.layer} ${piece.cell}`, piece);
    bytes += piece.bytes;
    if (batch.size < BATCH_CELLS_MAX && bytes < bytesMax) continue;
    yield [...batch.values()];
    batch = new Map();
    bytes = 0;
  }
  if (batch.size > 0) yield [...batch.values()];
}

/** Whoever asks next would be answered by a plan for an empty table. */
const ANALYZE = 'analyze leasehold.snapshot, leasehold.snapshot_part, leasehold.snapshot_cell';

const BEGIN = `
insert into leasehold.snapshot
       (id, world, incarnation, tick, facts, layers, srid, grid_columns, grid_rows)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict (id) do nothing
returning number`;

const TOUCH = 'update leasehold.snapshot set touched_at = now() where number = $1';

const FINISH = `
update leasehold.snapshot s
   set state = 'complete', completed_at = now(), touched_at = now(),
       cells = c.cells, entities = c.entities + f.entities, in_flight = f.entities,
       hash = leasehold.snapshot_hash($1)
  from (select count(*) as cells, coalesce(sum(count) filter (where layer = 0), 0) as entities
          from leasehold.snapshot_cell where snapshot = $1) c,
       (select coalesce(sum(in_flight), 0) as entities
          from leasehold.snapshot_flight where snapshot = $1 and layer = 0) f
 where s.number = $1 and s.state = 'taking'
returning s.cells, s.entities, s.in_flight, encode(s.hash, 'hex') as hash`;

function exists(id: string): LeaseholdError {
  return new LeaseholdError('SNAPSHOT_EXISTS', `there is a snapshot ${id} already`, {
    field: 'snapshot',
    value: id,
    remedy: 'Choose another id, or remove that snapshot first.',
  });
}

function incomplete(id: string, cells: number, expected: number): LeaseholdError {
  const message = `snapshot ${id} has ${cells} cells of ${expected}`;
  return new LeaseholdError('SNAPSHOT_INCOMPLETE', message, {
    field: 'cells',
    value: String(cells),
    remedy: 'Take it again under the same id: what is stored is not written twice.',
  });
}
