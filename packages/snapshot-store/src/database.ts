/** Statements of this package: what fails is told as a fault of the database, whole or not at all. */
import type pg from 'pg';
import { databaseFault } from './connection.ts';

export type Database = { readonly pool: pg.Pool; readonly url: string };

/** Writers hold it shared while they name blobs; whoever deletes blobs that nobody names, alone. */
export const BLOBS_LOCK = 7_041_776_231;

export async function rowsOf<Row extends pg.QueryResultRow>(
  { pool, url }: Database,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  try {
    return (await pool.query<Row>(text, [...values])).rows;
  } catch (error) {
    throw databaseFault(error, url);
  }
}

/** All that `work` does, or nothing of it. */
export async function inTransaction<T>(
  { pool, url }: Database,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw databaseFault(error, url);
  });
  let isBroken = false;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    // A connection that cannot even roll back is of no use to the next one.
    await client.query('rollback').catch(() => {
      isBroken = true;
    });
    throw databaseFault(error, url);
  } finally {
    client.release(isBroken);
  }
}

/**
 * Rows of a statement, some at a time, as of one moment. The connection is given back when the
 * caller stops.
 */
export async function* cursorOf<Row extends pg.QueryResultRow>(
  { pool, url }: Database,
  text: string,
  values: readonly unknown[],
): AsyncGenerator<Row> {
  const client = await pool.connect().catch((error: unknown) => {
    throw databaseFault(error, url);
  });
  let isBroken = true;
  try {
    await client.query('begin read only');
    await client.query(`declare found no scroll cursor for ${text}`, [...values]);
    for (;;) {
      const { rows } = await client.query<Row>(FETCH);
      yield* rows;
      if (rows.length === 0) break;
    }
    isBroken = false;
  } catch (error) {
    throw databaseFault(error, url);
  } finally {
    await client.query('rollback').then(
      () => {
        isBroken = false;
      },
      () => {
        isBroken = true;
      },
    );
    client.release(isBroken);
  }
}

/** As many as make the way to the server and back short against the work. */
const FETCH = 'fetch 1000 from found';
