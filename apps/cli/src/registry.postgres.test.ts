import { usePostgres } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { User } from './command-fixture.ts';

const at = usePostgres();
let user: User;

beforeAll(async () => {
  user = await User.open({});
});
afterAll(() => user.close());

test('a command asks the registry of DATABASE_URL, which it migrates first', async () => {
  const { report } = await user.json(['world', 'list'], { DATABASE_URL: at.databaseUrl });
  expect(report).toMatchObject({ worlds: [] });
  const { rows } = await at.pool.query('select count(*)::int as worlds from leasehold.world');
  expect(rows).toEqual([{ worlds: 0 }]);
});

test('a wrong password is told without being shown', async () => {
  const url = new URL(at.databaseUrl);
  url.password = 'hunter2';
  const ended = await user.json(['world', 'list'], { DATABASE_URL: url.href });
  expect(ended.fault).toMatchObject({ code: 'DATABASE_AUTH', field: 'DATABASE_URL' });
  expect(JSON.stringify(ended)).not.toContain('hunter2');
});
