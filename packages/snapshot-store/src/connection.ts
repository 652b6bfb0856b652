/**
 * Connections to PostgreSQL, and what their failures mean. Only the address is ever shown, never
 * its password.
 */
import { LeaseholdError } from '@leasehold/kernel';
import pg from 'pg';

/** Longer than a busy server needs to answer; shorter than anybody waits in silence. */
const CONNECT_MS_MAX = 5_000;
/** What a statement may take unless the caller knows that it takes longer. */
const STATEMENT_MS_MAX = 60_000;
/** Servers allow a hundred by default, and each process of a world has its own. */
const CONNECTIONS_MAX = 6;
/** A connection that nobody uses is given back to the server. */
const IDLE_MS_MAX = 10_000;

export type ConnectOptions = {
  /** Who asks, as the server's own list of connections shows it. */
  readonly applicationName?: string;
  /** What one statement may take; 0 for no limit. */
  readonly statementMsMax?: number;
  /** How many connections at once. */
  readonly connectionsMax?: number;
};

/**
 * A pool that has connected once. End it with `end()`. Throws `DATABASE_UNREACHABLE`,
 * `DATABASE_AUTH`, `DATABASE_MISSING` or `DATABASE_REFUSED`.
 */
export async function openPool(
  databaseUrl: string,
  options: ConnectOptions = {},
): Promise<pg.Pool> {
  const pool = new pg.Pool({
    ...clientConfig(databaseUrl, options),
    max: options.connectionsMax ?? CONNECTIONS_MAX,
    idleTimeoutMillis: IDLE_MS_MAX,
  });
  // A connection that breaks while nobody uses it is replaced when the next one asks; one that
  // breaks between two statements of a transaction fails the next of them.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  try {
    (await pool.connect()).release();
    return pool;
  } catch (error) {
    await pool.end();
    throw databaseFault(error, databaseUrl);
  }
}

/** One connection. End it with `end()`. Throws as `openPool` does. */
export async function openClient(
  databaseUrl: string,
  options: ConnectOptions = {},
): Promise<pg.Client> {
  const client = new pg.Client(clientConfig(databaseUrl, options));
  // The query that runs meanwhile, or the next one, hears of a broken connection.
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw databaseFault(error, databaseUrl);
  }
}

/**
 * Runs `work` on a connection of its own. It asks the database and nobody else: whatever fails is
 * thrown as `databaseFault`.
 */
export async function withClient<T>(
  databaseUrl: string,
  work: (client: pg.Client) => Promise<T>,
  options: ConnectOptions = {},
): Promise<T> {
  const client = await openClient(databaseUrl, options);
  try {
    return await work(client);
  } catch (error) {
    throw databaseFault(error, databaseUrl);
  } finally {
    await client.end().catch(() => {});
  }
}

function clientConfig(databaseUrl: string, options: ConnectOptions): pg.ClientConfig {
  if (!URL.canParse(databaseUrl) || !/^postgres(ql)?:$/.test(new URL(databaseUrl).protocol)) {
    throw new LeaseholdError('SETTING_INVALID', 'DATABASE_URL is not a PostgreSQL address', {
      field: 'DATABASE_URL',
      // What cannot be parsed may have a password anywhere.
      value: '',
      remedy: 'Write postgres://user:password@host:port/database.',
    });
  }
  return {
    connectionString: databaseUrl,
    application_name: options.applicationName ?? 'leasehold',
    connectionTimeoutMillis: CONNECT_MS_MAX,
    statement_timeout: options.statementMsMax ?? STATEMENT_MS_MAX,
    keepAlive: true,
  };
}

/** The address as it may be shown: without password, and without parameters that may hold one. */
export function shownUrl(databaseUrl: string): string {
  if (!URL.canParse(databaseUrl)) return '';
  const { protocol, username, host, pathname } = new URL(databaseUrl);
  return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`;
}

type Fault = readonly [code: LeaseholdError['code'], what: string, remedy: string];

const ENABLE = 'As a superuser of the database: CREATE EXTENSION postgis;';

/** By SQLSTATE, or the first two signs of it. */
const FAULTS: Readonly<Record<string, Fault>> = {
  '28': ['DATABASE_AUTH', 'refuses the user', 'Correct user and password in DATABASE_URL.'],
  '3D000': [
    'DATABASE_MISSING',
    'has no such database',
    'Create it with createdb, or name another.',
  ],
  '42501': ['DATABASE_REFUSED', 'forbids it', 'Give the user that DATABASE_URL names the right.'],
  '42P01': ['DATABASE_TOO_OLD', 'lacks a table', 'Migrate it: open it with this version once.'],
  '53': ['DATABASE_REFUSED', 'has no room', 'Free connections, disk or memory of the server.'],
  '57': ['DATABASE_UNREACHABLE', 'ended the connection', 'Try again when the server is up.'],
  '08': ['DATABASE_UNREACHABLE', 'broke the connection', 'Try again when the server is up.'],
};

/** What pg and the system say of a connection that is not there, or no longer. */
const UNREACHABLE =
  /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ETIMEDOUT|EPIPE|timeout|terminated|closed|not queryable/i;

/**
 * What a failure of the driver means, naming DATABASE_URL. A `LeaseholdError` is returned as it is,
 * and so is what nobody can act on, such as a broken statement.
 */
export function databaseFault(error: unknown, databaseUrl: string): unknown {
  if (error instanceof LeaseholdError || !(error instanceof Error)) return error;
  const state = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
  const fault = postgisFault(error, state) ?? FAULTS[state] ?? FAULTS[state.slice(0, 2)];
  if (fault !== undefined) return faultOf(fault, error, databaseUrl);
  if (state !== '') return error;
  const said = `${'code' in error ? error.code : ''} ${error.message}`;
  if (/password|SASL/i.test(said)) return faultOf(FAULTS['28'], error, databaseUrl);
  if (!UNREACHABLE.test(said) && !(error instanceof AggregateError)) return error;
  const remedy = 'Start the server, or correct host and port in DATABASE_URL.';
  return faultOf(['DATABASE_UNREACHABLE', 'does not answer', remedy], error, databaseUrl);
}

function postgisFault({ message }: Error, state: string): Fault | undefined {
  if (!/extension "?postgis|type "geometry" does not exist/i.test(message)) return undefined;
  if (state === '42501') return ['POSTGIS_MISSING', 'does not let this user create it', ENABLE];
  const install =
    'Install PostGIS on the server (Debian, Ubuntu: apt-get install postgresql-<version>-postgis-3).';
  return ['POSTGIS_MISSING', 'has no PostGIS', `${install} ${ENABLE}`];
}

function faultOf(fault: Fault | undefined, error: Error, databaseUrl: string): unknown {
  if (fault === undefined) return error;
  const [code, what, remedy] = fault;
  const value = shownUrl(databaseUrl);
  const reason = error.message === '' && 'code' in error ? error.code : error.message;
  return new LeaseholdError(
    code,
    `the PostgreSQL of DATABASE_URL (${value}) ${what}: ${reason}`,
    { field: 'DATABASE_URL', value, remedy },
    { cause: error },
  );
}
