/** What sleeps in PostgreSQL of a world that is forgotten: it goes with the world, or it is said. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { ColdCells } from '@leasehold/snapshot-store';
import { freePort, usePostgres, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FLOCKING, User } from '../command-fixture.ts';

const at = useRedis();
const postgres = usePostgres();
let user: User;
let folder = '';

beforeAll(async () => {
  user = await User.open({ REDIS_URL: at.url });
  folder = await user.folder('flock', {});
  for (const file of ['world.ts', 'world.yaml']) await cp(join(FLOCKING, file), join(folder, file));
});
afterAll(() => user.close());

/** One row of a world. */
async function sleeps(world: string, incarnation: number): Promise<void> {
  const place = { world, incarnation, layer: 'main', layers: ['main'] };
  const cold = new ColdCells({ url: postgres.databaseUrl, ...place });
  const head = new Map<string, string>();
  const state = { mark: 1, seq: 1, hash: 'a', tick: 1, head, checkpoint: new Uint8Array(4) };
  await cold.put([{ cell: 0, ...state, posted: [], geo: [] }]);
  await cold.close();
}

async function asleep(): Promise<string[]> {
  const { rows } = await postgres.pool.query(
    `select world || ' ' || incarnation as of from leasehold.cold_cell order by world, incarnation`,
  );
  return rows.map(({ of }) => of);
}

test('a world that is forgotten leaves no cell behind in PostgreSQL', async () => {
  expect((await user.json(['world', 'create', folder])).code).toBe(0);
  await sleeps('flocking', 1);
  // One that somebody seeds meanwhile, and another world.
  await sleeps('flocking', 2);
  await sleeps('flocks', 1);
  const remove = ['world', 'delete', 'flocking', '--yes'];
  const done = await user.json(remove, { SNAPSHOTS_URL: postgres.databaseUrl });
  expect([done.code, done.stderr]).toEqual([0, '']);
  expect(await asleep()).toEqual(['flocking 2', 'flocks 1']);
});

test('a world is forgotten while PostgreSQL is away, and what stays there is said', async () => {
  expect((await user.json(['world', 'create', folder])).code).toBe(0);
  const away = `postgres://user:hunter2@127.0.0.1:${await freePort()}/worlds`;
  const remove = ['world', 'delete', 'flocking', '--yes'];
  const { code, report, stderr } = await user.json(remove, { SNAPSHOTS_URL: away });
  expect([code, report]).toMatchObject([0, { world: 'flocking', incarnations: [2] }]);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).toMatch(
    /stays there until a world of that name runs again: .*DATABASE_UNREACHABLE/,
  );
  expect(stderr).not.toContain('hunter2');
  // Nothing ever slept where no table is.
  expect((await user.json(['world', 'create', folder])).code).toBe(0);
  await postgres.pool.query('drop table leasehold.cold_cell');
  const none = await user.json(remove, { SNAPSHOTS_URL: postgres.databaseUrl });
  expect([none.code, none.stderr]).toEqual([0, '']);
});
