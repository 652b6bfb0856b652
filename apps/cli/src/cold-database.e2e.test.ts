/** Cells that sleep in the private PostgreSQL of a home, which nobody names afterwards. */
import { chmod } from 'node:fs/promises';
import { type DatabaseServer, openDatabase } from '@leasehold/servers';
import { openPool } from '@leasehold/snapshot-store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { User } from './command-fixture.ts';
import { PROCESSION } from './procession-fixture.ts';

let user: User;

/** Made in the way of tests, which is faster. */
function database(): Promise<DatabaseServer> {
  const env = { ...process.env, DATABASE_URL: '' };
  return openDatabase({ home: user.home, purpose: 'test', env });
}

/** How many cells sleep in it. */
async function asleep(): Promise<number> {
  const server = await database();
  const pool = await openPool(server.databaseUrl);
  const { rows } = await pool.query('select count(*)::int as cells from leasehold.cold_cell');
  await pool.end();
  await server.close();
  return rows[0].cells;
}

beforeAll(async () => {
  user = await User.open({ REDIS_URL: '', IDLE_MS: '500' });
  await chmod(user.home, 0o711);
  await (await database()).close();
});
afterAll(() => user.close());

test('E1 a world is whole to whoever comes to its cells that sleep, and goes with them', async () => {
  const folder = await user.folder('procession', PROCESSION);
  const flags = ['--pods', '1', '--authorities', '1', '--seconds'];
  const api = ['--lifecycle', '1', '--snapshots'];
  const first = await user.json(['run', folder, ...flags, '8', ...api]);
  expect([first.code, first.report.reasons]).toEqual([0, []]);
  const { entitiesEnd } = first.report;

  const audited = user.leasehold(['audit', folder, '--seconds', '1']);
  expect(await audited.exited).toMatchObject({ code: 0 });
  expect(audited.stderr).toContain('cells of this world sleep in PostgreSQL');
  expect(audited.stdout).toContain(`${entitiesEnd} entities`);

  const again = await user.json(['run', folder, ...flags, '3']);
  expect([again.code, again.report]).toMatchObject([0, { continued: true, entitiesEnd }]);

  expect(await asleep()).toBeGreaterThan(0);
  const removed = await user.json(['world', 'delete', 'procession', '--yes']);
  expect([removed.code, removed.stderr]).toEqual([0, '']);
  expect(await asleep()).toBe(0);
});
