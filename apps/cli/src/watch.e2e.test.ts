/** `leasehold watch` as a user runs it: beside a world that runs, and where there is none. */
import { eventually, freePort } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FLOCKING, User } from './command-fixture.ts';

let user: User;

beforeAll(async () => {
  user = await User.open({ REDIS_URL: '' });
});
afterAll(() => user.close());

test('it tells who is in an area, as they move, and ends with Ctrl-C or with the time', async () => {
  const port = String(await freePort());
  const args = [
    'run',
    FLOCKING,
    '--pods',
    '2',
    '--gateways',
    '1',
    '--port',
    port,
    '--seconds',
    '150',
  ];
  const run = user.leasehold(args);
  const gateway = ['--gateway', `http://127.0.0.1:${port}`];
  await eventually(async () => (await fetch(`http://127.0.0.1:${port}/ready`)).ok, 30_000);
  const world = user.leasehold(['watch', FLOCKING, ...gateway, '--json']);
  const live = await world.waitFor(({ type }) => type === 'state', 20_000);
  expect(live).toMatchObject({ state: 'live', world: 'flocking' });
  expect(Number(live['size'])).toBeGreaterThan(10);
  const update = await world.waitFor(({ type }) => type === 'update', 20_000);
  expect(update['entities']).toContainEqual(
    expect.objectContaining({ id: expect.any(Number), cell: expect.any(Number) }),
  );
  world.kill('SIGINT');
  expect(await world.exited).toEqual({ code: 0, signal: null });

  const lines = user.leasehold(['watch', 'flocking', ...gateway, '--seconds', '4']);
  expect(await lines.exited).toEqual({ code: 0, signal: null });
  expect(lines.stdout).toMatch(/live, tick \d+, \d+ entities, \d+ updates\/s, \d+ ms behind/);

  for (const [name, flags, code, field] of [
    ['drifting', [], 'WORLD_UNKNOWN', 'world'],
    ['flocking', ['--components', 'wings'], 'COMPONENT_UNKNOWN', 'components'],
    ['flocking', ['--area', 'around:9007199254740991,5'], 'ENTITY_UNKNOWN', 'id'],
  ] as const) {
    const { code: exit, fault } = await user.json(['watch', name, ...gateway, ...flags]);
    expect([exit, fault.code, fault.field]).toEqual([2, code, field]);
    expect(fault.remedy).toMatch(/\w/);
  }
  await run.stop();
});

test.each([
  [['flocking'], 'GATEWAY_UNREACHABLE', 'url'],
  [['flocking', '--area', 'box:1,2'], 'AREA_INVALID', '--area'],
  [['flocking', '--rate', '-1'], 'SETTING_INVALID', '--rate'],
  [['./nowhere'], 'WORLD_MISSING', 'WORLD_FOLDER'],
] as const)('watch %o is %s', async (args, code, field) => {
  const nobody = `ws://127.0.0.1:${await freePort()}/view`;
  const { code: exit, fault } = await user.json(['watch', ...args], { LEASEHOLD_GATEWAY: nobody });
  expect([exit, fault.code]).toEqual([2, code]);
  expect(fault.field).toContain(field);
});
