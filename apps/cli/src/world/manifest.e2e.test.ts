/**
 * Goal: a world is made, changed and forgotten by its folder, and what cannot change is refused before
 * anything is. Method: the commands as a user types them, on a small world of the test's own.
 */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { FLOCKING, User } from '../command-fixture.ts';

const WAIT_MS = 30_000;
const at = useRedis();
let user: User;
let folder = '';

beforeAll(async () => {
  user = await User.open({ REDIS_URL: at.url });
});
afterAll(() => user.close());

beforeEach(async () => {
  folder = await user.folder('flock', {});
  for (const file of ['world.ts', 'world.yaml']) await cp(join(FLOCKING, file), join(folder, file));
  await edit('world.yaml', (text) => text.replace('world: flocking', `world: ${at.world}`));
});

async function edit(file: string, change: (text: string) => string): Promise<void> {
  const path = join(folder, file);
  const text = await readFile(path, 'utf8');
  const changed = change(text);
  expect(changed).not.toBe(text);
  await writeFile(path, changed);
}

type Said = {
  readonly changes: readonly { readonly field: string; readonly effect: string }[];
  readonly isNew: boolean;
  readonly incarnation: number | null;
  readonly olderPods: readonly string[];
  readonly worlds: readonly { readonly world: string }[];
};

async function said(...args: readonly string[]) {
  const { code, report, fault } = await user.json(['world', ...args]);
  return { ...(report as unknown as Said), code, fault };
}

const fields = ({ changes }: Said): string[] => changes.map(({ field }) => field);

test('a world is created, differs, is applied, refuses what it cannot become, and is deleted', async () => {
  expect(await said('diff', folder)).toMatchObject({ code: 2, isNew: true, incarnation: null });
  expect(await said('create', folder)).toMatchObject({ code: 0, incarnation: 1, entities: 2_000 });
  expect(await said('create', folder)).toMatchObject({ code: 2, fault: { code: 'WORLD_EXISTS' } });
  expect(await said('diff', folder)).toMatchObject({ code: 0, changes: [] });

  await edit('world.yaml', (text) =>
    text.replace('sight: 5', 'sight: 4').replace('z: 20', 'z: 10'),
  );
  const before = await said('show', at.world);
  const differs = await said('diff', folder);
  expect([differs.code, fields(differs)]).toEqual([2, ['tickHz', 'params.sight']]);
  expect(await said('show', at.world)).toEqual(before);
  expect(await said('apply', folder)).toMatchObject({ code: 0, isChanged: true });
  expect(await said('apply', folder)).toMatchObject({ code: 0, isChanged: false });
  expect(await said('diff', folder)).toMatchObject({ code: 0, changes: [] });
  const shown = await said('show', at.world);
  expect(shown).toMatchObject({ applied: { manifest: { tickHz: 10, params: { sight: 4 } } } });

  await edit('world.yaml', (text) =>
    text.replace('width: 200', 'width: 400').replace('d: 1', 'd: 2'),
  );
  await edit('world.ts', (text) => text.replace("component('heading', 1", "component('course', 1"));
  const refused = await said('diff', folder);
  expect(refused.code).toBe(1);
  const effects = refused.changes.filter(({ effect }) => effect === 'refused');
  expect(effects.map(({ field }) => field)).toEqual(['space.width', 'seed', 'heading']);
  const { code, fault } = await said('apply', folder);
  expect([code, fault.code, fault.field]).toEqual([2, 'WORLD_MISMATCH', 'space.width']);
  expect(fault.message).toMatch(/space\.width: 200 → 400.*\n.*seed: 1 → 2.*\n.*heading: /);
  expect(await said('show', at.world)).toEqual(shown);

  const unsure = await said('delete', at.world);
  expect(unsure).toMatchObject({ code: 2, fault: { field: '--yes' } });
  expect(await said('delete', at.world, '--yes')).toMatchObject({ code: 0, incarnations: [1] });
  expect(await at.redis.keys(`*${at.world}*`)).toEqual([]);
  expect(await said('show', at.world)).toMatchObject({ fault: { code: 'WORLD_NOT_READY' } });
  expect(await said('create', folder)).toMatchObject({ code: 0, incarnation: 2 });
});

test('a folder that is wrong is no difference', async () => {
  await edit('world.yaml', (text) => text.replace('tickHz: 20', 'tickHz: fast'));
  expect(await said('diff', folder)).toMatchObject({ code: 1, fault: { field: 'tickHz' } });
});

test('a component that its stored values cannot become is refused before a pod restarts', async () => {
  expect((await said('create', folder)).code).toBe(0);
  await edit('world.ts', (text) => text.replace("component('heading', 1", "component('course', 1"));
  const { code, fault } = await said('upgrade', folder);
  expect([code, fault.code, fault.field]).toEqual([2, 'SCHEMA_INCOMPATIBLE', 'heading']);
  // A pod that somebody starts all the same ends by itself, before it takes a cell.
  const pod = user.pod({ WORLD_FOLDER: folder, REDIS_URL: at.url });
  expect((await pod.exited).code).not.toBe(0);
  expect(pod.stdout + pod.stderr).toMatch(/SCHEMA_INCOMPATIBLE/);
});

test('the pods of a run come to run changed components one by one, and nothing is lost', async () => {
  const run = user.leasehold(['run', folder, '--pods', '2', '--json']);
  onTestFinished(() => void run.kill('SIGKILL'));
  await eventually(async () => {
    const { worlds } = await said('list');
    return worlds.some((one) => one.world === at.world && 'tick' in one && Number(one.tick) > 5);
  }, WAIT_MS);
  await edit('world.yaml', (text) => text.replace('sight: 5', 'sight: 4'));
  await edit('world.ts', (text) =>
    text.replace("component('heading', 1, {", "component('heading', 2, { weight: f64,"),
  );
  const { olderPods } = await said('diff', folder);
  expect(olderPods).toHaveLength(2);
  const running = await said('delete', at.world, '--yes');
  expect(running).toMatchObject({ code: 2, fault: { code: 'WORLD_RUNS' } });
  expect(await said('upgrade', folder)).toMatchObject({ code: 0, olderPods: [] });
  const after = await said('diff', folder);
  expect(after).toMatchObject({ code: 0, changes: [], olderPods: [] });
  run.kill('SIGINT');
  const { code, report } = await user.ended(run);
  expect(report).toMatchObject({ lost: 0, duplicated: 0, violations: [], reasons: [] });
  expect(code).toBe(0);
}, 90_000);
