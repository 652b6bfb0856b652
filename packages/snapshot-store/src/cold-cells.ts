/** Cells that sleep, in PostgreSQL: the only copy there is of them. */
import type { ColdCell, ColdStore, ColdWish } from '@leasehold/protocol';
import { cellOfAddress, layerOfAddress } from '@leasehold/protocol';
import { dropBeside } from './cold-drop.ts';
import { openPool } from './connection.ts';
import { type Database, inTransaction, rowsOf } from './database.ts';
import { migrate } from './migrate.ts';

/** Whoever waits for a cell waits for ticks: a server that takes longer is away. */
const STATEMENT_MS_MAX = 5_000;
/** One of them may forget rows meanwhile. */
const CONNECTIONS_MAX = 3;

export type ColdCellsOptions = {
  /** Of a database; its schema is brought up to date when it is first asked. */
  readonly url: string;
  readonly world: string;
  readonly incarnation: number;
  /** Of plain numbers. */
  readonly layer: string;
  /** All of the world, in the order of their numbers. */
  readonly layers: readonly string[];
  /** The world is in this incarnation: what sleeps of earlier ones is forgotten, beside all else. */
  readonly isCurrent?: boolean;
  /** Some of that could not be forgotten yet; it is tried again. */
  readonly onDropFault?: (error: Error) => void;
};

const PUT = `
insert into leasehold.cold_cell
  (world, incarnation, layer, cell, mark, seq, hash, tick, head, posted, geo, bytes)
select $1, $2, n.layer, n.cell, n.mark, n.seq, n.hash, n.tick, n.head,
       array(select jsonb_array_elements_text(n.posted)),
       array(select jsonb_array_elements_text(n.geo)),
       substring($3::bytea from n.start + 1 for n.length)
  from unnest($4::text[], $5::int[], $6::bigint[], $7::bigint[], $8::text[], $9::bigint[],
              $10::jsonb[], $11::jsonb[], $12::jsonb[], $13::int[], $14::int[])
       as n (layer, cell, mark, seq, hash, tick, head, posted, geo, start, length)
    on conflict (world, incarnation, layer, cell, mark) do update set
       seq = excluded.seq, hash = excluded.hash, tick = excluded.tick, head = excluded.head,
       posted = excluded.posted, geo = excluded.geo, bytes = excluded.bytes, slept_at = now()`;

const SWEEP = `
delete from leasehold.cold_cell c
 using unnest($3::text[], $4::int[], $5::bigint[]) as n (layer, cell, mark)
 where c.world = $1 and c.incarnation = $2 and c.layer = n.layer and c.cell = n.cell
   and c.mark <> n.mark and c.slept_at < now() - interval '1 hour'`;

const GET = `
select w.at, c.seq, c.hash, c.tick, c.head, c.posted, c.geo, c.bytes
  from unnest($3::text[], $4::int[], $5::bigint[]) with ordinality as w (layer, cell, mark, at)
  join leasehold.cold_cell c
    on c.world = $1 and c.incarnation = $2 and c.layer = w.layer and c.cell = w.cell
   and c.mark = w.mark`;

type Row = {
  readonly at: string;
  readonly seq: string;
  readonly hash: string;
  readonly tick: string;
  readonly head: Readonly<Record<string, string>>;
  readonly posted: readonly string[];
  readonly geo: readonly string[];
  readonly bytes: Buffer;
};

/**
 * Connects when it is first asked, and again after a failure: a world runs on while its database is
 * away. Calls throw what `openPool` and `migrate` throw, and what `databaseFault` makes of failures.
 */
export class ColdCells implements ColdStore {
  readonly #options: ColdCellsOptions;
  readonly #closing = new AbortController();
  #opening: Promise<Database> | undefined;
  #dropping: Promise<void> | undefined;

  constructor(options: ColdCellsOptions) {
    this.#options = options;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const opening = this.#opening;
    this.#opening = undefined;
    const db = await opening?.catch(() => undefined);
    await this.#dropping;
    await db?.pool.end();
  }

  #db(): Promise<Database> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<Database> {
    const { url, world, incarnation, isCurrent = false } = this.#options;
    const { onDropFault: onFault = () => undefined } = this.#options;
    await migrate(url);
    const pool = await openPool(url, {
      ...{ applicationName: 'leasehold cells', connectionsMax: CONNECTIONS_MAX },
      statementMsMax: STATEMENT_MS_MAX,
    });
    const db = { pool, url };
    // Nobody who leaves or wakes waits for it: there may be any number of rows.
    if (isCurrent) {
      const drop = { world, below: incarnation, signal: this.#closing.signal, onFault };
      this.#dropping ??= dropBeside(db, drop);
    }
    return db;
  }

  async put(cells: readonly ColdCell[]): Promise<void> {
    let start = 0;
    const starts = cells.map(({ checkpoint }) => {
      start += checkpoint.length;
      return start - checkpoint.length;
    });
    const [layers, numbers, marks] = this.#places(cells);
    const { world, incarnation } = this.#options;
    await inTransaction(await this.#db(), async (client) => {
      // E1: Redis forgets the cell next.
      await client.query('set local synchronous_commit = on');
      await client.query(PUT, [
        ...[world, incarnation, Buffer.concat(cells.map(({ checkpoint }) => checkpoint))],
        ...[layers, numbers, marks, cells.map(({ seq }) => seq), cells.map(({ hash }) => hash)],
        cells.map(({ tick }) => tick),
        cells.map(({ head }) => JSON.stringify(Object.fromEntries(head))),
        cells.map(({ posted }) => JSON.stringify(posted)),
        cells.map(({ geo }) => JSON.stringify(geo)),
        ...[starts, cells.map(({ checkpoint }) => checkpoint.length)],
      ]);
      await client.query(SWEEP, [world, incarnation, layers, numbers, marks]);
    });
  }

  async get(wishes: readonly ColdWish[]): Promise<(ColdCell | undefined)[]> {
    const { world, incarnation } = this.#options;
    const values = [world, incarnation, ...this.#places(wishes)];
    const rows = await rowsOf<Row>(await this.#db(), GET, values);
    const found: (ColdCell | undefined)[] = wishes.map(() => undefined);
    for (const { at, seq, hash, tick, head, posted, geo, bytes } of rows) {
      const { cell, mark } = wishes[Number(at) - 1] as ColdWish;
      found[Number(at) - 1] = {
        ...{ cell, mark, seq: Number(seq), hash, tick: Number(tick), posted, geo },
        head: new Map(Object.entries(head)),
        checkpoint: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      };
    }
    return found;
  }

  #places(wishes: readonly ColdWish[]): [string[], number[], number[]] {
    const { layer, layers } = this.#options;
    const names = wishes.map(({ cell }) => layers[layerOfAddress(cell)] ?? layer);
    return [names, wishes.map(({ cell }) => cellOfAddress(cell)), wishes.map(({ mark }) => mark)];
  }
}
