/** Cells that sleep in the private PostgreSQL of a home, which nobody names afterwards. */
import { chmod } from 'node:fs/promises';
import { openDatabase } from '@leasehold/servers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { User } from './command-fixture.ts';
import { PEOPLE, PROCESSION } from './procession-fixture.ts';

let user: User;

beforeAll(async () => {
  user = await User.open({ REDIS_URL: '', IDLE_MS: '500' });
  await chmod(user.home, 0o711);
  // Made in the way of tests, which is faster.
  const env = { ...process.env, DATABASE_URL: '' };
  await (await openDatabase({ home: user.home, purpose: 'test', env })).close();
});
afterAll(() => user.close());

test('E1 a world is whole to whoever comes to its cells that sleep, and knows the home', async () => {
  const folder = await user.folder('procession', PROCESSION);
  const flags = ['--pods', '1', '--authorities', '1', '--seconds', '8'];
  const first = await user.json(['run', folder, ...flags, '--lifecycle', '1', '--snapshots']);
  expect([first.code, first.report.reasons]).toEqual([0, []]);

  const audited = user.leasehold(['audit', folder, '--seconds', '1']);
  expect(await audited.exited).toMatchObject({ code: 0 });
  expect(audited.stderr).toContain('cells of this world sleep in PostgreSQL');
  expect(audited.stdout).toContain(`${PEOPLE} entities`);

  const again = await user.json(['run', folder, ...flags]);
  expect([again.code, again.report]).toMatchObject([0, { continued: true, entitiesEnd: PEOPLE }]);
});
