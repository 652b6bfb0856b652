/**
 * The order in which a PostgreSQL with PostGIS is looked for. Each step is said, and each refusal
 * has its reason.
 */
import { LeaseholdError } from '@leasehold/kernel';
import { readDatabaseSettings } from './config.ts';
import { madeBy } from './launch-postgres.ts';
import { findOrInstallPostgres } from './postgres-install.ts';
import { joinPrivatePostgres, openPrivatePostgres, prepare } from './private-postgres.ts';

export type DatabaseOptions = {
  /** Where a private server keeps its data: `<home>/postgres`. */
  readonly home: string;
  /** Receives progress for people, one line at a time. */
  readonly log?: (line: string) => void;
  /** A test's data may be lost with the machine, and is written so much faster. */
  readonly purpose?: 'run' | 'test';
  readonly env?: NodeJS.ProcessEnv;
};

export type DatabaseServer = {
  /** With its password: never to be logged. */
  readonly databaseUrl: string;
  /** `given` by DATABASE_URL, or `private` under the home. */
  readonly kind: 'given' | 'private';
  /** Ends what this call started, unless others use it. Closing again does nothing. */
  close(): Promise<void>;
};

/**
 * Finds, starts or installs a PostgreSQL with PostGIS. Throws `SERVER_MISSING` with every reason
 * when there is none to be had, `SETTING_INVALID` for a bad DATABASE_URL or a home that the
 * server's account cannot enter, and `DATABASE_UNREACHABLE` when a private server does not start.
 */
export async function openDatabase(options: DatabaseOptions): Promise<DatabaseServer> {
  const { home, env, log = () => {}, purpose } = options;
  const settings = readDatabaseSettings(env);
  if (settings.databaseUrl !== '') {
    log('Using the PostgreSQL of DATABASE_URL.');
    return { databaseUrl: settings.databaseUrl, kind: 'given', close: async () => {} };
  }
  const running = await joinPrivatePostgres(home);
  if (running !== undefined) {
    log(`Using the PostgreSQL that already runs under ${home}.`);
    return { databaseUrl: running.databaseUrl, kind: 'private', close: running.close };
  }
  const reasons: string[] = [];
  const wish = { wanted: madeBy(prepare(home)) };
  const programs = await findOrInstallPostgres(wish, { settings, log, reasons });
  if (programs === undefined) throw missing(reasons);
  const server = await openPrivatePostgres(home, programs, purpose === 'test');
  log(`${server.reused ? 'Using' : 'Started'} a private PostgreSQL under ${home}.`);
  return { databaseUrl: server.databaseUrl, kind: 'private', close: server.close };
}

function missing(reasons: readonly string[]): LeaseholdError {
  const message = `no PostgreSQL with PostGIS: ${[...new Set(reasons)].join('; ')}`;
  return new LeaseholdError('SERVER_MISSING', message, {
    field: 'DATABASE_URL',
    value: '',
    remedy:
      'Install PostgreSQL 14 or newer with PostGIS 3 (Debian, Ubuntu: sudo apt-get install ' +
      'postgresql postgresql-<version>-postgis-3; macOS: brew install postgresql postgis), or set ' +
      'DATABASE_URL to a running one.',
  });
}
