import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import './postgres-setup.ts';
import { connectionsTo, createDatabase, dropDatabase } from './databases.ts';
import { eventually } from './eventually.ts';

export type TestPostgres = {
  /** The address of a database of this file's own, with PostGIS. */
  readonly databaseUrl: string;
  /** Connections of the test's own, to look and to meddle. */
  readonly pool: pg.Pool;
  /** Makes one more database, with PostGIS unless it shall be `bare`, and returns its address. */
  more(options?: { readonly isBare?: boolean }): Promise<string>;
};

export type UsePostgresOptions = {
  /** Called once with the address of the new database, to put tables into it. */
  readonly prepare?: (databaseUrl: string) => Promise<unknown>;
};

/** Whoever ends a connection does not wait until the server has seen it. */
const CLOSED_MS_MAX = 2_000;

/**
 * A database for the tests of one file (or one `describe`), dropped at the end. Read its fields
 * inside tests and hooks only. The file fails if a connection to it is left open.
 */
export function usePostgres(options: UsePostgresOptions = {}): TestPostgres {
  const at: { -readonly [K in keyof TestPostgres]?: TestPostgres[K] } = {};
  const names: string[] = [];

  at.more = async ({ isBare = false } = {}) => {
    const name = `t${randomBytes(6).toString('hex')}`;
    names.push(name);
    const template = isBare ? 'template0' : inject('databaseTemplate');
    return createDatabase(inject('databaseUrl'), name, template);
  };
  const { more } = at;

  beforeAll(async () => {
    at.databaseUrl = await more();
    await options.prepare?.(at.databaseUrl);
    at.pool = new pg.Pool({ connectionString: at.databaseUrl, max: 4 });
    at.pool.on('error', () => {});
  });

  afterAll(async () => {
    const server = inject('databaseUrl');
    try {
      await at.pool?.end();
      await eventually(async () => {
        const left = await connectionsTo(server, names);
        if (left.length > 0) throw new Error(`connections left open:\n${left.join('\n')}`);
        return true;
      }, CLOSED_MS_MAX);
    } finally {
      for (const name of names) await dropDatabase(server, name);
    }
  });

  return at as TestPostgres;
}
