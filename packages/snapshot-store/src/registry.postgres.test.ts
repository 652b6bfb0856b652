/** The registry on PostgreSQL: the rules of a registry, and what a lock of a connection promises. */
import { describeRegistry } from '@leasehold/protocol/registry-suite';
import { spawnNode, usePostgres } from '@leasehold/testkit';
import { expect, test } from 'vitest';
import { migrate } from './migrate.ts';
import { postgresRegistry } from './registry-postgres.ts';

const at = usePostgres({ prepare: migrate });
const fixture = new URL('./registry-seeder-fixture.ts', import.meta.url).pathname;
const facts = { schemaHash: 's', manifestHash: 'm' };

describeRegistry(
  'PostgreSQL',
  () => postgresRegistry(at.databaseUrl),
  () => 'w',
);

const seeder = (world: string) =>
  spawnNode([fixture, world], { env: { DATABASE_URL: at.databaseUrl } });

test('a seeder that is killed leaves its incarnation to the ones that wait', async () => {
  const first = seeder('killed');
  await first.waitFor((line) => line['event'] === 'begin');
  const registry = postgresRegistry(at.databaseUrl);
  const others = [1, 2, 3].map(() => registry.seed('killed', facts, async () => ({})));
  expect(await registry.read('killed')).toMatchObject({ state: 'seeding', incarnation: 1 });
  first.kill('SIGKILL');
  const ready = await Promise.all(others);
  expect(ready.map(({ incarnation }) => incarnation)).toEqual([1, 1, 1]);
  expect(await registry.leftovers('killed')).toEqual([]);
  await first.exited;
});

test('L2 a seeder whose lock was lost cannot make its world ready', async () => {
  const registry = postgresRegistry(at.databaseUrl);
  const lost = registry.seed('lost', facts, async () => {
    await at.pool.query(
      `select pg_terminate_backend(a.pid)
         from pg_locks l join pg_stat_activity a using (pid)
        where l.locktype = 'advisory' and a.datname = current_database()`,
    );
    return {};
  });
  await expect(lost).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
  expect(await registry.read('lost')).toMatchObject({ state: 'seeding', incarnation: 1 });
});

test('a world that stays taken names who has it; another world is free', async () => {
  const registry = postgresRegistry(at.databaseUrl);
  const impatient = postgresRegistry(at.databaseUrl, { lockMsMax: 50 });
  await registry.seed('taken', facts, async () => {
    await expect(impatient.forget('taken')).rejects.toMatchObject({
      code: 'WORLD_NOT_READY',
      message: expect.stringContaining(` ${process.pid}@`),
    });
    await impatient.forget('free');
    return {};
  });
});

test('what the work throws is thrown as it is, also when it sounds like a lost connection', async () => {
  const registry = postgresRegistry(at.databaseUrl);
  const error = new Error('Connection is closed.');
  const work = () => Promise.reject(error);
  await expect(registry.seed('other', facts, work)).rejects.toBe(error);
});
