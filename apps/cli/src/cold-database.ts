/** Cells may sleep in the private PostgreSQL of the home, which nobody names: then it is opened. */
import { hasCode, LeaseholdError } from '@leasehold/kernel';
import { type DatabaseServer, hasPrivatePostgres, openDatabase } from '@leasehold/servers';
import { dropColdCells, openPool } from '@leasehold/snapshot-store';
import type { Output } from './output.ts';
import { coldUrlOf } from './registry.ts';

/** The PostgreSQL of the home if that is what `fault` lacks; else `fault` is thrown. */
export async function databaseFor(
  fault: unknown,
  home: string,
  output: Output,
): Promise<DatabaseServer> {
  const isMissing = hasCode(fault, 'CELL_COLD') && coldUrlOf({}) === '';
  if (!isMissing || !hasPrivatePostgres(home)) throw fault;
  output.progress('cells of this world sleep in PostgreSQL');
  return openDatabase({ home, log: (line) => output.progress(line) });
}

/** `work` without a PostgreSQL of its own, and once more with that of the home if it comes to need it. */
export async function withColdCells<T>(
  home: string,
  output: Output,
  work: (snapshotsUrl: string) => Promise<T>,
): Promise<T> {
  let database: DatabaseServer | undefined;
  try {
    return await work('');
  } catch (error) {
    database = await databaseFor(error, home, output);
    return await work(database.databaseUrl);
  } finally {
    await database?.close();
  }
}

/**
 * Forgets what sleeps of incarnations below one of a world that is gone. Where PostgreSQL is away it
 * stays, which is said: nobody asks for it, and the pods of a later incarnation forget it.
 */
export async function forgetColdCells(
  { world, below }: { readonly world: string; readonly below: number },
  home: string,
  output: Output,
): Promise<void> {
  try {
    const url = coldUrlOf({});
    if (url !== '') return await dropAt(url, world, below);
    if (!hasPrivatePostgres(home)) return;
    const database = await openDatabase({ home, log: (line) => output.progress(line) });
    await dropAt(database.databaseUrl, world, below).finally(() => database.close());
  } catch (error) {
    if (!(error instanceof LeaseholdError)) throw error;
    output.warn(
      `what sleeps of ${world} in PostgreSQL stays there until a world of that name runs again: ` +
        `${error.message} (${error.code})`,
    );
  }
}

async function dropAt(url: string, world: string, below: number): Promise<void> {
  const pool = await openPool(url, { connectionsMax: 1 });
  try {
    await dropColdCells({ pool, url }, world, below);
  } catch (error) {
    // Nothing ever slept in a database that lacks the table.
    if (!hasCode(error, 'DATABASE_TOO_OLD')) throw error;
  } finally {
    await pool.end();
  }
}
