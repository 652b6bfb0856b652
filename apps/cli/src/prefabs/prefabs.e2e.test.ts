/**
 * Goal: the templates of a world follow a git repository: planned, applied, gone back from, and the
 * living asked to follow. Method: the commands as a user types them, on a repository of the test's own.
 */
import { rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { TestRepository } from '@leasehold/prefabs/repository-fixture';
import { decodeRequest } from '@leasehold/protocol';
import { useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { User } from '../command-fixture.ts';
import { grazing, MODULE, manifestOf } from './pasture-fixture.ts';

const at = useRedis();
let user: User;
let folder = '';
let repository: TestRepository;

beforeAll(async () => {
  user = await User.open({ REDIS_URL: at.url });
});
afterAll(() => user.close());

beforeEach(async () => {
  folder = await user.folder('pasture', { 'world.yaml': manifestOf(at.world), 'world.ts': MODULE });
  repository = await TestRepository.create(folder);
});

type Said = {
  readonly descendants: readonly {
    readonly ids: readonly number[];
    readonly areas: readonly { readonly count: number }[];
  }[];
  readonly prefabs: readonly object[];
};

async function prefabs(...args: readonly string[]) {
  const [command = '', ...rest] = args;
  const { code, report, fault } = await user.json(['prefabs', command, folder, ...rest]);
  return { ...(report as unknown as Said), code, fault };
}

/** What was posted to the inboxes of the world's cells. */
async function posts() {
  const keys = await at.redis.keys(`{${at.world}.*}:*:inbox:*`);
  const bodies: ReturnType<typeof decodeRequest>[] = [];
  for (const key of keys) {
    for (const [, fields] of await at.redis.xrangeBuffer(key, '-', '+')) {
      bodies.push(decodeRequest(fields.at(-1) as Buffer));
    }
  }
  return bodies;
}

test('a commit is planned, applied to the living where they are still as it was, and gone back from', async () => {
  await user.json(['world', 'create', folder]);
  const first = await repository.commit({ 'prefabs/sheep.yaml': grazing(1, 3) });
  const added = { name: 'sheep', kind: 'added', fields: [] };
  expect(await prefabs('plan')).toMatchObject({
    code: 2,
    from: '',
    to: first,
    differences: [added],
  });
  expect(await prefabs('apply')).toMatchObject({ code: 0, to: first, live: null });
  expect(await prefabs('plan')).toMatchObject({ code: 0, differences: [] });
  expect(await prefabs('rollback')).toMatchObject({ code: 2, fault: { code: 'PREFAB_UNKNOWN' } });

  const second = await repository.commit({
    'prefabs/sheep.yaml': grazing(2, 4),
    'prefabs/wild/cow.json': '{"components": {"grazing": {}}}',
  });
  const planned = await prefabs('plan');
  expect(planned).toMatchObject({
    code: 2,
    differences: [
      { name: 'cow', kind: 'added' },
      {
        name: 'sheep',
        kind: 'changed',
        fields: [
          { field: 'grazing.hunger', was: 3, is: 4 },
          { field: 'grazing.speed', was: 1, is: 2 },
        ],
      },
    ],
    descendants: [{ prefab: 'sheep', count: 40 }],
  });
  const { ids = [], areas = [] } = planned.descendants[0] ?? {};
  expect(new Set(ids).size).toBe(40);
  expect(areas.reduce((sum, { count }) => sum + count, 0)).toBe(40);
  expect(await posts()).toEqual([]);

  const all = { patches: 40, posted: 40, kept: 0, unknown: 0 };
  expect(await prefabs('apply', '--live')).toMatchObject({ code: 0, to: second, live: all });
  // The cells have not ticked since: asked again, nothing is posted twice.
  expect(await prefabs('apply', '--live')).toMatchObject({ code: 0, live: all });
  const asked = await posts();
  expect(asked).toHaveLength(40);
  const hungry = asked.filter((request) => {
    if (request.kind !== 'patch') throw new Error(`${request.kind} is no patch`);
    const { grazing: given, prefab } = request.set;
    expect([given?.['speed'], prefab]).toEqual([2, { version: second }]);
    return given?.['hunger'] === 4;
  });
  expect(hungry).toHaveLength(30);

  expect(await prefabs('list')).toMatchObject({ code: 0, commit: second, isApplied: true });
  expect(await prefabs('rollback')).toMatchObject({ code: 0, from: second, to: first });
  const { prefabs: shown } = await prefabs('list');
  expect(shown).toMatchObject([
    { name: 'sheep', components: { grazing: { speed: 1, hunger: 3 } } },
  ]);
  const record = (await user.json(['world', 'show', at.world])).report as unknown;
  expect(record).toMatchObject({ prefabs: { versions: [{ commit: first, names: ['sheep'] }] } });
});

test('a prefab that does not fit the world is refused with file, line and field, and nothing changes', async () => {
  const first = await repository.commit({ 'prefabs/sheep.yaml': grazing(1, 3) });
  expect((await prefabs('apply')).code).toBe(0);
  await repository.commit({ 'prefabs/sheep.yaml': grazing(1, 300) });
  const { code, fault } = await prefabs('apply');
  expect([code, fault.code, fault.field]).toEqual([
    2,
    'PREFAB_INVALID',
    'components.grazing.hunger',
  ]);
  expect(fault.message).toMatch(/prefabs\/sheep\.yaml, line 3: .*300 is no u8/);
  expect(await prefabs('plan')).toMatchObject({ code: 1, fault: { code: 'PREFAB_INVALID' } });
  expect(await prefabs('plan', '--commit', first.slice(0, 10))).toMatchObject({ code: 0 });
});

test('a module that the prefabs do not fit any more is applied, with a warning of them', async () => {
  await repository.commit({ 'prefabs/sheep.yaml': grazing(1, 3) });
  await user.json(['world', 'create', folder]);
  expect((await prefabs('apply')).code).toBe(0);
  const renamed = MODULE.replace('hunger: u8', 'appetite: u8')
    .replace("'grazing', 1", "'grazing', 2")
    .replace('speed: 1, hunger', 'speed: 1, appetite: hunger');
  await writeFile(`${folder}/world.ts`, renamed);
  const { code, stderr } = await user.json(['world', 'apply', folder]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/do not fit: .*components\.grazing\.hunger: is no field of grazing/);
});

test('a world without a repository, or that does not say where it is, is told so', async () => {
  rmSync(`${folder}/.git`, { recursive: true });
  expect(await prefabs('plan')).toMatchObject({
    code: 1,
    fault: { code: 'REPOSITORY_UNREADABLE' },
  });
  const manifest = manifestOf(at.world).replace(/prefabs:.*\n/, '');
  folder = await user.folder('bare', { 'world.yaml': manifest, 'world.ts': MODULE });
  expect(await prefabs('list')).toMatchObject({ code: 2, fault: { field: 'prefabs' } });
});

test('watching tells each commit once, with its fault if it has one, and applies it', async () => {
  await repository.commit({ 'prefabs/sheep.yaml': grazing(1, 3) });
  const args = ['prefabs', 'watch', folder, '--apply', '--seconds', '8', '--json'];
  const watching = user.leasehold(args);
  await expect.poll(() => watching.stdout, { timeout: 6_000 }).toContain('isApplied');
  await repository.commit({ 'prefabs/sheep.yaml': grazing(1, 300) });
  await expect.poll(() => watching.stdout, { timeout: 4_000 }).toContain('PREFAB_INVALID');
  const third = await repository.commit({ 'prefabs/sheep.yaml': grazing(1, 5) });
  expect((await watching.exited).code).toBe(0);
  const lines = watching.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(lines).toHaveLength(3);
  expect(lines.at(-1)).toMatchObject({ to: third, isApplied: true });
  expect(await prefabs('list')).toMatchObject({ commit: third });
});
