/**
 * The registry of a fleet: a row per world in PostgreSQL. Whoever changes a row holds a lock that
 * belongs to its connection, so it ends with its process, whatever machine that ran on.
 */
import { hostname } from 'node:os';
import { checkName, LeaseholdError } from '@leasehold/kernel';
import { type Registry, type RegistryDesk, registryOn } from '@leasehold/protocol';
import pg from 'pg';
import { databaseFault, openClient, withClient } from './connection.ts';
import { readPage, worldNames, writePage } from './world-rows.ts';

/** Seeding a world of a million cells takes minutes. */
const LOCK_MS_MAX = 15 * 60_000;

/** By SQLSTATE. */
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * A machine that is gone says no goodbye: without these the server would keep its lock for hours.
 * And whoever seeds says nothing to it for minutes.
 */
const SETTINGS = {
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  idle_session_timeout: '0',
};

export type PostgresRegistryOptions = {
  /** How long one waits for another that seeds the same world. */
  readonly lockMsMax?: number;
};

/**
 * The registry of a migrated database. Each call has a connection of its own, because it is asked
 * when a process starts and seldom later; so there is nothing to close. Calls throw what
 * `databaseFault` makes of failures, and `WORLD_NOT_READY` when another process seeds the same
 * world for too long.
 */
export function postgresRegistry(
  databaseUrl: string,
  { lockMsMax = LOCK_MS_MAX }: PostgresRegistryOptions = {},
): Registry {
  const applicationName = `leasehold registry ${process.pid}@${hostname()}`;
  return registryOn({
    worlds: () => withClient(databaseUrl, worldNames, { applicationName }),
    async read(world) {
      checkName('world', world);
      return withClient(databaseUrl, (client) => readPage(client, world), { applicationName });
    },
    async locked(world, work) {
      checkName('world', world);
      const client = await openClient(databaseUrl, { applicationName, statementMsMax: 0 });
      const asked = async <T>(answer: Promise<T>): Promise<T> => {
        try {
          return await answer;
        } catch (error) {
          throw databaseFault(error, databaseUrl);
        }
      };
      const desk: RegistryDesk = {
        read: () => asked(readPage(client, world)),
        // L2: on the connection that has the lock, so that who lost it changes nothing.
        write: (page) => asked(writePage(client, world, page)),
      };
      try {
        await asked(lock(client, world, lockMsMax));
        return await work(desk);
      } finally {
        await client.end().catch(() => {});
      }
    },
    now: () => new Date().toISOString(),
  });
}

async function lock(client: pg.Client, world: string, lockMsMax: number): Promise<void> {
  for (const [name, value] of Object.entries({ ...SETTINGS, lock_timeout: String(lockMsMax) })) {
    await client.query('select set_config($1, $2, false)', [name, value]);
  }
  try {
    await client.query(
      "select pg_advisory_lock(hashtextextended('leasehold.world.' || $1::text, 0))",
      [world],
    );
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== LOCK_NOT_AVAILABLE) throw error;
    const holder = await holderOf(client, world);
    throw new LeaseholdError('WORLD_NOT_READY', `${holder} is still seeding ${world}`, {
      field: 'world',
      value: world,
      remedy: 'Wait for it, or end it; what it began is then resumed.',
    });
  }
}

/** Who has the lock: its process and machine, as its connection says. */
async function holderOf(client: pg.Client, world: string): Promise<string> {
  const { rows } = await client.query<{ holder: string }>(
    `select a.application_name as holder
       from pg_locks l join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.granted and a.datname = current_database()
        and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended('leasehold.world.' || $1::text, 0)`,
    [world],
  );
  return rows[0]?.holder ?? 'another process';
}
