/** Cells may sleep in the private PostgreSQL of the home, which nobody names: then it is opened. */
import { hasCode } from '@leasehold/kernel';
import { type DatabaseServer, hasPrivatePostgres, openDatabase } from '@leasehold/servers';
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
