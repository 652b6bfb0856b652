import { describe, expect, test } from 'vitest';
import { connectionsTo, createDatabase, dropDatabase, withDatabase } from './databases.ts';
import { usePostgres } from './index.ts';

describe('a database per test file', () => {
  const seen: string[] = [];
  const at = usePostgres({ prepare: async (url) => seen.push(url) });
  const other = usePostgres();

  test('it has PostGIS, and what was prepared once', async () => {
    const { rows } = await at.pool.query('select st_x(st_point($1, 2)) as x', [7]);
    expect(rows).toEqual([{ x: 7 }]);
    expect(seen).toEqual([at.databaseUrl]);
  });

  test('nobody else sees what is in it', async () => {
    await at.pool.query('create table mine ()');
    const { rows } = await other.pool.query("select to_regclass('mine') as mine");
    expect(rows).toEqual([{ mine: null }]);
  });

  test('one more has PostGIS unless it shall be bare', async () => {
    const has = (url: string) =>
      withDatabase(url, async (client) => {
        const { rows } = await client.query("select 1 from pg_extension where extname = 'postgis'");
        return rows.length === 1;
      });
    expect(await has(await at.more())).toBe(true);
    expect(await has(await at.more({ isBare: true }))).toBe(false);
  });

  test('who is connected is told by name, and thrown out when it is dropped', async () => {
    const url = await createDatabase(at.databaseUrl, 'guests');
    const ended = withDatabase(`${url}?application_name=guest`, async (client) => {
      await client.query('select 1');
      expect(await connectionsTo(at.databaseUrl, ['guests'])).toMatchObject([
        expect.stringContaining(' guest '),
      ]);
      await dropDatabase(at.databaseUrl, 'guests');
      return client.query('select 1');
    });
    await expect(ended).rejects.toThrow();
    expect(await connectionsTo(at.databaseUrl, ['guests'])).toEqual([]);
  });
});
