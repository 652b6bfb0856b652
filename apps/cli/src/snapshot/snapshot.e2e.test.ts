/**
 * Goal: snapshots keep what Redis loses, and what cannot be done is refused with its remedy. Method: the
 * commands as a user types them, on a real Redis that is emptied and a real PostGIS under the home.
 */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDatabase } from '@leasehold/servers';
import { useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { User } from '../command-fixture.ts';

const at = useRedis();
let user: User;
let folder = '';
let database: Awaited<ReturnType<typeof openDatabase>>;

const MANIFEST = `world: drift
module: world.ts
space: {kind: plane, width: 40, height: 40, cell: 10}
`;

const MODULE = `
import { component, f64, simulation, system } from '@leasehold/sdk';
const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
export default simulation({
  components: [Position],
  systems: [system({ name: 'drift', writes: { position: Position },
    each({ position }) { position.y += 0.001; } })],
  seed({ spawn }) {
    for (let x = 5; x < 40; x += 10) spawn(Position({ x, y: 5 }));
  },
});
`;

beforeAll(async () => {
  user = await User.open({ REDIS_URL: at.url });
  await chmod(user.home, 0o711);
  folder = await user.folder('drift', { 'world.yaml': MANIFEST, 'world.ts': MODULE });
  // Held open, so that no command starts one of its own.
  database = await openDatabase({
    home: user.home,
    purpose: 'test',
    env: { ...process.env, DATABASE_URL: '' },
  });
});
afterAll(async () => {
  await database.close();
  await user.close();
});

type Said = Readonly<Record<string, unknown>>;

async function snapshot(...args: readonly string[]) {
  const { code, report, fault } = await user.json(['snapshot', ...args]);
  return { code, said: report as unknown as Said, fault };
}

test('S1 a Redis that lost everything is refused by a run, and one command brings the world back', async () => {
  expect((await user.json(['run', folder, '--seconds', '0.5'])).code).toBe(0);
  const taken = await snapshot('create', '--world', 'drift', '--id', 'before');
  expect(taken).toMatchObject({ code: 0, said: { id: 'before', entities: 4 } });
  const tick = Number(taken.said['tick']);

  await at.redis.flushall();
  const refused = await user.json(['run', folder, '--seconds', '0.5']);
  expect(refused).toMatchObject({ code: 2, fault: { code: 'INCARNATION_MISMATCH' } });
  expect(refused.fault.remedy).toContain('leasehold snapshot restore ID --yes');
  expect(await at.redis.keys('*:block')).toEqual([]);

  const unsure = await snapshot('restore', 'before');
  expect(unsure).toMatchObject({ code: 2, fault: { field: '--yes' } });
  expect(await at.redis.keys('*:block')).toEqual([]);
  const restored = await snapshot('restore', 'before', '--yes');
  expect(restored).toMatchObject({ code: 0, said: { world: 'drift', tick, entities: 4 } });
  const { ageS, ticksLostAtMost } = restored.said;
  expect(ticksLostAtMost).toBe(Number(ageS) * 20);

  const { code, report } = await user.json(['run', folder, '--seconds', '0.5']);
  expect([code, report]).toMatchObject([0, { continued: true, entitiesEnd: 4, lost: 0 }]);
});

test('what is no snapshot, and a database that lets nobody in, are refused with their remedies', async () => {
  const file = join(user.home, 'notes.txt');
  await writeFile(file, 'nothing to see\n');
  const url = new URL(database.databaseUrl);
  url.password = 'guess';
  const [unknown, noExport, stranger] = await Promise.all([
    snapshot('restore', 'nobody', '--yes'),
    snapshot('import', file),
    user.json(['snapshot', 'list'], { DATABASE_URL: url.href }),
  ]);
  expect(unknown).toMatchObject({ code: 2, fault: { code: 'SNAPSHOT_UNKNOWN', value: 'nobody' } });
  expect(noExport).toMatchObject({ code: 2, fault: { code: 'FILE_INVALID', value: 'line 1' } });
  expect(stranger).toMatchObject({ code: 2, fault: { code: 'DATABASE_AUTH' } });
  expect(JSON.stringify(stranger)).not.toContain('guess');
});
