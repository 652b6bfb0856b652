/**
 * Brings the schema `leasehold` of a database up to this version of the product. Migrations are
 * plain SQL, only ever added, and each is whole or absent.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LeaseholdError } from '@leasehold/kernel';
import { runner } from 'node-pg-migrate';
import type pg from 'pg';
import { shownUrl, withClient } from './connection.ts';

const FOLDER = fileURLToPath(new URL('../../../db/schema/migrations', import.meta.url));
const SCHEMA = 'leasehold';
const LEDGER = 'migration';
/** Only one migrates a database at a time; any number that nobody else uses for this. */
const LOCK = 5_120_301_927;

export type MigrateOptions = {
  /** Receives progress for people, one line at a time. */
  readonly log?: (line: string) => void;
  /** Migrates no further than to this many migrations; all by default. */
  readonly upTo?: number;
};

/**
 * Applies what is missing, all of it or nothing, and returns the names of what was. Whoever comes
 * while another migrates waits and finds it done. Throws `DATABASE_TOO_NEW` when the database knows
 * migrations that this version does not, `POSTGIS_MISSING`, and what `withClient` throws.
 */
export function migrate(databaseUrl: string, options: MigrateOptions = {}): Promise<string[]> {
  const { log = () => {}, upTo } = options;
  const known = migrationNames();
  return withClient(
    databaseUrl,
    async (client) => {
      // Taken before anything is looked at: what is applied meanwhile must be seen.
      await client.query('select pg_advisory_lock($1)', [LOCK]);
      const applied = await appliedMigrations(client);
      refuseNewer(databaseUrl, applied, known);
      const count = (upTo ?? known.length) - applied.length;
      if (count <= 0) return [];
      const spaces = [SCHEMA, await postgisSchema(client)];
      const run = await runner({
        dbClient: client,
        dir: FOLDER,
        direction: 'up',
        count,
        schema: [...new Set(spaces)],
        createSchema: true,
        migrationsSchema: SCHEMA,
        migrationsTable: LEDGER,
        noLock: true,
        singleTransaction: true,
        logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      });
      const names = run.map(({ name }) => name);
      log(`Migrated the database ${shownUrl(databaseUrl)}: ${names.join(', ')}.`);
      return names;
    },
    // An index on a big table takes what it takes, and so does waiting for another migrator.
    { statementMsMax: 0, applicationName: 'leasehold migrate' },
  );
}

/** The names of all migrations of this version, in order. */
export function migrationNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort();
}

async function appliedMigrations(client: pg.Client): Promise<string[]> {
  const ledger = `${SCHEMA}.${LEDGER}`;
  const found = await client.query('select to_regclass($1) is not null as found', [ledger]);
  if (found.rows[0]?.found !== true) return [];
  const { rows } = await client.query<{ name: string }>(
    'select name from leasehold.migration order by name',
  );
  return rows.map(({ name }) => name);
}

/** Where the types of PostGIS are, if it is there already; else where it is going to be. */
async function postgisSchema(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    "select extnamespace::regnamespace::text as name from pg_extension where extname = 'postgis'",
  );
  return rows[0]?.name ?? 'public';
}

function refuseNewer(databaseUrl: string, applied: readonly string[], known: string[]): void {
  const unknown = applied.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const value = shownUrl(databaseUrl);
  const message = `the database ${value} has migrations of a newer version: ${unknown.join(', ')}`;
  throw new LeaseholdError('DATABASE_TOO_NEW', message, {
    field: 'DATABASE_URL',
    value,
    remedy: 'Use the version of the product that migrated it, or another database.',
  });
}
