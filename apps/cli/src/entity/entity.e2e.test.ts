/**
 * Goal: what a person does to single entities, as it is typed: made, found, changed, sent an event,
 * ended. Method: a small world with its API, in a folder and a home of the test's own.
 */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, type Spawned } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { User } from '../command-fixture.ts';
import { isPortFree } from '../ports.ts';
import { childrenOf } from '../processes-fixture.ts';

const COURIERS = fileURLToPath(new URL('../../../../examples/couriers', import.meta.url));
const START_MS = 60_000;
const NOWHERE = '4294999999';

let user: User;
let run: Spawned;
let api: URL;

beforeAll(async () => {
  user = await User.open({ REDIS_URL: '' });
  const folder = join(user.home, 'few-couriers');
  await cp(COURIERS, folder, { recursive: true });
  const manifest = join(folder, 'world.yaml');
  const text = (await readFile(manifest, 'utf8'))
    .replace('couriers: 1000', 'couriers: 40\n  untilTick: 0\n  speed: 0')
    .replaceAll('800', '200');
  await writeFile(manifest, text);
  run = user.leasehold(['run', folder, '--pods', '1', '--lifecycle', '1']);
  const said = await eventually(() => /^api {2}(\S+)( .*)?$/m.exec(run.stderr), START_MS);
  api = new URL(said?.[1] ?? '');
  expect(said?.[2]).toContain(`described at ${api.origin}/`);
});
afterAll(() => user.close());

async function typed(...args: readonly string[]) {
  const command = user.leasehold(args, { LEASEHOLD_API: api.origin });
  const { code } = await command.exited;
  return { code, stdout: command.stdout, stderr: command.stderr };
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered
async function asked(...args: readonly string[]): Promise<{ code: number | null; said: any }> {
  const { code, stdout } = await typed(...args, '--json');
  return { code, said: JSON.parse(stdout) };
}

test('an entity is made, read, changed, found, sent an event, and ended', async () => {
  const place = ['--component', 'position={"x":1,"y":2}'];
  const parts = ['--component', 'got', '--component', 'ways', '--component', 'heading={"x":1}'];
  const made = await asked('entity', 'create', ...place, ...parts, '--wait');
  expect(made).toMatchObject({ code: 0, said: { world: 'couriers', state: 'applied' } });
  const [id] = made.said.entities as number[];
  const entity = String(id);

  const read = await typed('entity', 'get', entity);
  expect(read.code).toBe(0);
  expect(read.stdout).toMatch(new RegExp(`^entity ${id} of couriers, cell 0, tick \\d+\n`));
  expect(read.stdout).toMatch(/^ {2}position\.x +1$/m);
  expect(read.stdout).not.toContain('\u001b');

  const change = ['--set', 'position.x=3', '--remove', 'heading', '--wait'];
  const changed = await typed('entity', 'patch', entity, ...change);
  expect(changed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^changed \d+ at tick/) });

  const box = ['--box', '0,0,50,50', '--components', 'position', '--limit', '20'];
  const found = await typed('entity', 'query', ...box, '--where', 'position.x = 3');
  expect(found.code).toBe(0);
  expect(found.stdout).toMatch(
    new RegExp(`^ +id +cell +position\\.x +position\\.y\n +${id} +0 +3 +2\n +1 entity of couriers`),
  );
  const near = await asked('entity', 'query', '--near', '3,2', '--limit', '1', '--with', 'got');
  expect(near.said.entities).toMatchObject([
    { id, distance: 0, components: { position: { x: 3 } } },
  ]);

  const sent = await typed('event', 'send', entity, 'note', '--payload', '{"n":1}', '--wait');
  expect(sent).toMatchObject({ code: 0, stdout: expect.stringContaining('note has reached') });
  const got = await asked('entity', 'get', entity, '--components', 'got');
  expect(got.said.components).toEqual({ got: { from: { 0: 1 }, total: 1, faults: 0 } });

  const ended = await typed('entity', 'delete', entity, '--wait');
  expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^deleted \d+ at tick/) });
  const gone = await asked('entity', 'get', entity);
  expect(gone).toMatchObject({ code: 1, said: { error: { code: 'ENTITY_UNKNOWN', field: 'id' } } });
});

test('more than one page comes as one, and how many there are besides is said', async () => {
  const all = await asked('entity', 'query', '--limit', '10000', '--components', 'got');
  expect(all.said).toMatchObject({ world: 'couriers', hasMore: false });
  expect(all.said.entities).toHaveLength(40);
  const some = await typed('entity', 'query', '--limit', '5');
  expect(some.stdout).toMatch(/5 entities of couriers at tick \d+, and there are more: --limit/);
});

test('an entity is followed until the time is over, or it is gone', async () => {
  const { said } = await asked('entity', 'create', '--component', 'position', '--wait');
  const id = String(said.entities[0]);
  const args = ['entity', 'watch', id, '--json'];
  const watching = user.leasehold(args, { LEASEHOLD_API: api.origin });
  expect(await watching.waitFor((line) => line['id'] === Number(id))).toMatchObject({ cell: 0 });
  await typed('entity', 'patch', id, '--set', 'position.y=7');
  await watching.waitFor(({ components }) => JSON.stringify(components).includes('"y":7'));
  await typed('entity', 'delete', id);
  expect(await watching.exited).toMatchObject({ code: 1 });
  expect(watching.stdout).toContain('ENTITY_UNKNOWN');
  const short = await typed('entity', 'watch', '1', '--seconds', '0.2');
  expect(short.code).toBe(0);
  expect(short.stdout).toMatch(/^(.*\S.*\n)+$/);
});

test('what is asked for without waiting is told with its request', async () => {
  const { code, stdout } = await typed('entity', 'create', '--component', 'position');
  expect(code).toBe(0);
  const [, ...command] =
    /^\d+ is to be created: leasehold (entity) (request) (\S+)$/m.exec(stdout) ?? [];
  await eventually(async () => (await typed(...command)).stdout.startsWith('applied at tick '));
  const twice = await asked('entity', 'create', '--component', 'position', '--wait');
  const once = await asked('entity', 'request', twice.said.request);
  expect(once).toMatchObject({ code: 0, said: { posts: 1, state: 'applied' } });
  const late = await asked('event', 'send', String(twice.said.entities[0]), 'shout');
  const refused = await eventually(async () => {
    const { code: exit, said } = await asked('entity', 'request', late.said.request);
    return exit === 1 ? said : undefined;
  });
  expect(refused?.error).toMatchObject({ code: 'VALUE_INVALID', field: 'request' });
});

test('letters that found nobody are listed; one that is unknown is exit code 1', async () => {
  const { code, stdout } = await typed('event', 'dead');
  expect([code, stdout]).toEqual([0, 'every letter of couriers has found somebody\n']);
  const replayed = await asked('event', 'replay', '1:2:3');
  expect(replayed).toMatchObject({ code: 1, said: { replayed: 0, unknown: ['1:2:3'] } });
});

test.each([
  [['entity', 'get', NOWHERE], 1, 'ENTITY_UNKNOWN', 'id'],
  [['entity', 'get', '1', '--world', 'nowhere'], 1, 'WORLD_UNKNOWN', 'world'],
  [['entity', 'get', 'one'], 2, 'SETTING_INVALID', 'ID'],
  [['entity', 'get', '1', '--api', 'ftp://x'], 2, 'SETTING_INVALID', '--api'],
  [['entity', 'get', '1', '--api', '127.0.0.1:1'], 2, 'API_UNREACHABLE', '--api'],
  [['entity', 'create'], 2, 'SETTING_INVALID', '--component'],
  [['entity', 'create', '--component', 'wings'], 1, 'COMPONENT_UNKNOWN', 'components.wings'],
  [['entity', 'patch', '1'], 2, 'SETTING_INVALID', '--set'],
  [['entity', 'patch', '1', '--set', 'position.x=far'], 1, 'VALUE_INVALID', 'set.position.x'],
  [['entity', 'query', '--box', '1,2'], 1, 'AREA_INVALID', 'box'],
  [['entity', 'query', '--where', 'x'], 2, 'SETTING_INVALID', '--where'],
  [['entity', 'request', 'mine'], 1, 'REQUEST_UNKNOWN', 'request'],
  [['event', 'send', NOWHERE, 'note', '--wait'], 1, 'ENTITY_UNKNOWN', 'id'],
  [['event', 'send', '1', 'shout', '--wait'], 1, 'VALUE_INVALID', 'request'],
] as const)('%o is exit code %i, %s', async (args, exit, code, field) => {
  const { code: ended, said } = await asked(...args);
  expect([ended, said.error.code, said.error.field]).toEqual([exit, code, field]);
  expect(said.error.remedy).toMatch(/\w/);
});

test('Ctrl-C ends the API with the world, and leaves no process and no port', async () => {
  const children = await childrenOf(run.pid);
  expect(children.length).toBeGreaterThanOrEqual(3);
  run.kill('SIGINT');
  expect(await run.exited).toEqual({ code: 0, signal: null });
  expect(run.stdout).toContain('0 lost, 0 duplicated');
  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  expect(children.filter(isAlive)).toEqual([]);
  expect(await isPortFree(Number(api.port))).toBe(true);
});
