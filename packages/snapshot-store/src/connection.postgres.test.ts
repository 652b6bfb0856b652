import { freePort, usePostgres } from '@leasehold/testkit';
import { expect, test } from 'vitest';
import { databaseFault, openPool, withClient } from './connection.ts';
import { migrate } from './migrate.ts';

const at = usePostgres();

/** The address of this file's database with something else in it. */
function changed(change: (url: URL) => void): string {
  const url = new URL(at.databaseUrl);
  change(url);
  return url.href;
}

async function faultOf(url: string): Promise<unknown> {
  const [one, other] = await Promise.allSettled([openPool(url), migrate(url)]);
  const faults = [one, other].map((end) => (end.status === 'rejected' ? end.reason : undefined));
  expect(faults[0]).toEqual(faults[1]);
  return faults[0];
}

test('a wrong password, a missing database and a closed port are told apart', async () => {
  const wrong = changed((url) => {
    url.password = 'hunter2';
  });
  const fault = await faultOf(wrong);
  expect(fault).toMatchObject({ code: 'DATABASE_AUTH', detail: { field: 'DATABASE_URL' } });
  expect(JSON.stringify(fault) + String(fault)).not.toContain('hunter2');
  expect(
    await faultOf(
      changed((url) => {
        url.pathname = '/nowhere';
      }),
    ),
  ).toMatchObject({ code: 'DATABASE_MISSING', message: expect.stringContaining('nowhere') });
  const port = await freePort();
  expect(
    await faultOf(
      changed((url) => {
        url.port = String(port);
      }),
    ),
  ).toMatchObject({
    code: 'DATABASE_UNREACHABLE',
    message: expect.stringContaining(`:${port}/`),
  });
});

test('what is no address of PostgreSQL is a wrong setting, and is not shown', async () => {
  for (const url of ['', 'nonsense', 'mysql://me:secret@host/db']) {
    await expect(openPool(url)).rejects.toMatchObject({ code: 'SETTING_INVALID' });
    await expect(openPool(url)).rejects.not.toThrow('secret');
  }
});

test('a connection says who asks, and a statement that takes too long is ended', async () => {
  const options = { applicationName: 'somebody', statementMsMax: 50 };
  const pool = await openPool(at.databaseUrl, options);
  const { rows } = await pool.query("select current_setting('application_name') as name");
  expect(rows).toEqual([{ name: 'somebody' }]);
  await expect(pool.query('select pg_sleep(5)')).rejects.toMatchObject({ code: '57014' });
  await pool.end();
});

test('a connection that the server ends is an unreachable database, a broken statement is not', async () => {
  const ended = withClient(at.databaseUrl, async (client) => {
    await client.query('select pg_terminate_backend(pg_backend_pid())');
  });
  await expect(ended).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
  const broken = withClient(at.databaseUrl, (client) => client.query('selekt'));
  await expect(broken).rejects.toMatchObject({ code: '42601' });
  expect(databaseFault('thrown', at.databaseUrl)).toBe('thrown');
});

test('a connection that the server ends between two statements fails its work, and not the process', async () => {
  const pool = await openPool(at.databaseUrl);
  try {
    const client = await pool.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const isEnded = new Promise((resolve) => client.once('end', resolve));
    await at.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    await isEnded;
    const late = await client.query('select 1').catch((error: unknown) => error);
    client.release(true);
    expect(databaseFault(late, at.databaseUrl)).toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  } finally {
    await pool.end();
  }
});

test('a user without the right, and a table that is not there, have their remedies', async () => {
  const role = `reader_${Math.random().toString(36).slice(2)}`;
  await at.pool.query(`create role ${role} login password 'pw'`);
  const url = changed((address) => {
    address.username = role;
    address.password = 'pw';
  });
  try {
    const query = withClient(url, (client) => client.query('select from leasehold.world'));
    await expect(query).rejects.toMatchObject({ code: 'DATABASE_TOO_OLD' });
    await expect(migrate(url)).rejects.toMatchObject({ code: 'DATABASE_REFUSED' });
    const bare = new URL(await at.more({ isBare: true }));
    const postgis = withClient(bare.href, async (client) => {
      await client.query(`set role ${role}`);
      await client.query('create extension postgis');
    });
    await expect(postgis).rejects.toMatchObject({
      code: 'POSTGIS_MISSING',
      detail: { remedy: expect.stringContaining('CREATE EXTENSION') },
    });
    // A name that no server has is answered as PostGIS is by one that was installed without it.
    const absent = withClient(bare.href, (client) => client.query('create extension postgis_none'));
    await expect(absent).rejects.toMatchObject({
      code: 'POSTGIS_MISSING',
      detail: { remedy: expect.stringContaining('apt-get install postgresql-<version>-postgis-3') },
    });
  } finally {
    await at.pool.query(`drop role ${role}`);
  }
});
