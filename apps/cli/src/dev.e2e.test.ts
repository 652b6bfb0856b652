/** `leasehold dev`: a changed module takes effect while the world goes on; a broken one does not. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, useRedis } from '@leasehold/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { FLOCKING, User } from './command-fixture.ts';

type PodRecord = { readonly pod: string; readonly report: Readonly<Record<string, number>> };

const at = useRedis();

test('dev replaces pods one by one with a changed module and keeps the state, and refuses a broken one', async () => {
  const user = await User.open({ REDIS_URL: at.url });
  onTestFinished(() => user.close());
  // Outside this repository, where a user's world is.
  const folder = join(user.home, 'my-flock');
  await cp(FLOCKING, folder, { recursive: true });
  const file = join(folder, 'world.ts');
  const module = await readFile(file, 'utf8');

  const pods = async (): Promise<PodRecord[]> =>
    (await at.redis.hvals('{flocking.1}:pods')).map((json) => JSON.parse(json) as PodRecord);
  const names = async (): Promise<string> => (await pods()).map(({ pod }) => pod.at(-1)).join('');
  const tick = async (): Promise<number> =>
    Math.max(0, ...(await pods()).map(({ report }) => report['tick'] ?? 0));

  const dev = user.leasehold(['dev', folder, '--pods', '2', '--json']);
  await eventually(async () => (await tick()) > 20, 60_000);
  expect([...(await names())].sort()).toEqual(['1', '2']);

  await writeFile(file, module.replace('export default', 'export defalt'));
  await eventually(() => dev.stderr.includes('not reloaded: '), 30_000);
  expect(dev.stderr).toMatch(/world\.ts.*(MODULE_INVALID)/s);
  const tickOfBroken = await tick();
  await eventually(async () => (await tick()) > tickOfBroken + 20, 30_000);
  expect([...(await names())].sort()).toEqual(['1', '2']);

  // Birds are born from now on: the report at the end shows whose code has run.
  const bearing = module.replace(
    'each({ position, heading }, { params, dtS }) {',
    `each({ position, heading }, { params, dtS, random, spawn }) {
      const { x, y } = position;
      if (random.float() < 0.0005) spawn(Position({ x, y }), Heading());`,
  );
  expect(bearing).not.toBe(module);
  await writeFile(file, bearing);
  await eventually(async () => [...(await names())].sort().join('') === '34', 60_000);
  // A pod that holds nothing yet reports no tick.
  await eventually(async () => (await tick()) > tickOfBroken, 30_000);
  const tickOfReload = await tick();
  await eventually(async () => (await tick()) > tickOfReload + 20, 30_000);

  dev.kill('SIGINT');
  const { code, report } = await user.ended(dev);
  expect(report).toMatchObject({ lost: 0, duplicated: 0, violations: [], frozenCells: 0 });
  expect(report.created).toBeGreaterThan(0);
  expect(report.entitiesEnd).toBe(2_000 + report.created);
  // Nobody took a cell: each was handed over.
  expect(report.takeovers.filter(({ cause }) => !/handover|released/.test(cause))).toEqual([]);
  expect([code, report.reasons]).toEqual([0, []]);
}, 180_000);
