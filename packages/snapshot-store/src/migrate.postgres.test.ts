import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findPostgres } from '@leasehold/servers';
import { usePostgres } from '@leasehold/testkit';
import { expect, test } from 'vitest';
import { withClient } from './connection.ts';
import { migrate, migrationNames } from './migrate.ts';

const at = usePostgres();
const SCHEMA = fileURLToPath(new URL('../../../db/schema/', import.meta.url));

/** Everything that migrations make, as lines. */
function shapeOf(databaseUrl: string): Promise<unknown[]> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query(
      `select table_name, column_name, data_type, is_nullable, column_default
         from information_schema.columns where table_schema = 'leasehold' order by 1, 2`,
    );
    return rows;
  });
}

test('it makes everything in an empty database, and then nothing more', async () => {
  const bare = await at.more({ isBare: true });
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  expect(await migrate(bare, { log })).toEqual(migrationNames());
  expect(await migrate(bare, { log })).toEqual([]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain(new URL(bare).password);
  expect(await shapeOf(bare)).toContainEqual(
    expect.objectContaining({ table_name: 'world', column_name: 'last_incarnation' }),
  );
});

test('from each earlier version it comes to the same', async () => {
  await migrate(at.databaseUrl);
  const whole = await shapeOf(at.databaseUrl);
  const names = migrationNames();
  for (let upTo = 1; upTo < names.length; upTo++) {
    const earlier = await at.more();
    expect(await migrate(earlier, { upTo })).toEqual(names.slice(0, upTo));
    expect(await migrate(earlier)).toEqual(names.slice(upTo));
    expect(await shapeOf(earlier)).toEqual(whole);
  }
});

test('a migration that fails takes those before it back', async () => {
  await migrate(at.databaseUrl);
  const first = await at.more();
  await migrate(first, { upTo: 1 });
  const tables = async (url: string): Promise<string[]> =>
    withClient(url, async (client) => {
      const { rows } = await client.query<{ name: string }>(
        "select tablename as name from pg_tables where schemaname = 'leasehold' order by 1",
      );
      return rows.map(({ name }) => name);
    });
  const ofFirst = await tables(first);
  const [later] = (await tables(at.databaseUrl)).filter((name) => !ofFirst.includes(name));
  const url = await at.more();
  await withClient(url, async (client) => {
    await client.query('create schema leasehold');
    await client.query(`create table leasehold.${later} ()`);
  });
  await expect(migrate(url)).rejects.toThrow('already exists');
  expect(await tables(url)).toEqual(['migration', later].toSorted());
});

test('of many who migrate at once one does it, and all succeed', async () => {
  const url = await at.more();
  const all = await Promise.all([1, 2, 3, 4].map(() => migrate(url)));
  expect(all.filter((names) => names.length > 0)).toEqual([migrationNames()]);
});

test('a database of a newer version is refused and left as it is', async () => {
  const url = await at.more();
  await migrate(url, { upTo: 1 });
  await withClient(url, (client) =>
    client.query("insert into leasehold.migration (name, run_on) values ('9999_later', now())"),
  );
  await expect(migrate(url)).rejects.toMatchObject({
    code: 'DATABASE_TOO_NEW',
    message: expect.stringContaining('9999_later'),
    detail: { field: 'DATABASE_URL' },
  });
  const { length } = await withClient(url, async (client) => {
    return (await client.query('select from leasehold.migration')).rows;
  });
  expect(length).toBe(2);
});

test('each migration says whether code of before keeps working, and they are numbered', () => {
  const files = readdirSync(join(SCHEMA, 'migrations'));
  expect(files.toSorted()).toEqual(migrationNames().map((name) => `${name}.sql`));
  for (const [index, file] of files.toSorted().entries()) {
    expect(file).toMatch(new RegExp(`^${String(index + 1).padStart(4, '0')}_[a-z_]+\\.sql$`));
    const [first] = readFileSync(join(SCHEMA, 'migrations', file), 'utf8').split('\n');
    expect(first, file).toMatch(/^--! (additive|breaking)$/);
  }
});

const programs = await findPostgres(process.env['PATH'] ?? '', []);

// `npx vitest run --project postgres packages/snapshot-store/src/migrate -u` writes it anew.
test.skipIf(programs === undefined)('schema.sql is what the migrations make', async () => {
  await migrate(at.databaseUrl);
  const dump = promisify(execFile)(join(programs?.folder ?? '', 'pg_dump'), [
    ...['--schema-only', '--no-owner', '--no-privileges', '--schema', 'leasehold'],
    ...['--dbname', at.databaseUrl],
  ]);
  await expect(schemaOf((await dump).stdout)).toMatchFileSnapshot(join(SCHEMA, 'schema.sql'));
});

/** Without what differs between versions of pg_dump: its settings, marks and comments. */
function schemaOf(dump: string): string {
  const kept = dump
    .split('\n')
    .filter((line) => !/^(--|SET |SELECT pg_catalog\.set_config|\\(un)?restrict)/.test(line));
  const text = kept.join('\n').replaceAll(/\n{3,}/g, '\n\n');
  return `-- What the migrations make. Generated: a test compares it with them.\n\n${text.trim()}\n`;
}
