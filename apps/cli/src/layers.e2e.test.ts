/**
 * Goal: the commands do the right thing with a world of several layers, wherever pods and components
 * are. Method: a run of three layers with an API, and what a person types beside it.
 */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, type Spawned } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { User } from './command-fixture.ts';

const MODULE = fileURLToPath(
  new URL('../../lifecycle/src/layered-world-fixture.ts', import.meta.url),
);
const START_MS = 60_000;
const MANIFEST = `world: lamps
module: world.ts
space: { kind: torus, width: 200, height: 100, cell: 25 }
blockCells: 2
layers:
  light: [lamp]
  ways: [place, drift]
  fuel: [oil]
`;

let user: User;
let run: Spawned;
let folder: string;
let api: string;

beforeAll(async () => {
  user = await User.open({ REDIS_URL: '' });
  folder = await user.folder('lamps', { 'world.yaml': MANIFEST });
  await cp(MODULE, join(folder, 'world.ts'));
  run = user.leasehold(['run', folder, '--pods', '2', '--lifecycle', '1', '--json']);
  const said = await eventually(() => /^(?:· )?api {2}(\S+)/m.exec(run.stderr), START_MS);
  api = said?.[1] ?? '';
});
afterAll(() => user.close());

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered
async function asked(...args: readonly string[]): Promise<any> {
  const { code, report, fault } = await user.json(args, { LEASEHOLD_API: api });
  return { ...report, code, fault };
}

type Listed = { readonly pod: string; readonly layer: string; readonly state: string };
const podsOf = async (layer: string): Promise<string[]> => {
  const { pods } = (await asked('pods')) as { readonly pods: readonly Listed[] };
  const its = pods.filter((each) => each.layer === layer && each.state === 'ready');
  return its.map(({ pod }) => pod);
};

async function edit(file: string, from: string, to: string): Promise<void> {
  const path = join(folder, file);
  const text = await readFile(path, 'utf8');
  expect(text).toContain(from);
  await writeFile(path, text.replace(from, to));
}

test('an entity has components of all layers, and an event does its work in two', async () => {
  const parts = ['place={"x":1,"y":2}', 'drift', 'lamp', 'oil={"drops":9}'];
  const given = parts.flatMap((part) => ['--component', part]);
  const made = await asked('entity', 'create', ...given, '--wait');
  const id = String(made.entities[0]);
  expect(await asked('entity', 'get', id)).toMatchObject({
    components: { place: { x: 1, y: 2 }, lamp: { strikes: 0 }, oil: { drops: 9 } },
    ticks: { ways: expect.any(Number), light: expect.any(Number), fuel: expect.any(Number) },
  });
  const sets = ['place.y=3', 'lamp.strikes=1', 'oil.drops=8'].flatMap((each) => ['--set', each]);
  expect((await asked('entity', 'patch', id, ...sets, '--wait')).code).toBe(0);
  expect(
    (await asked('event', 'send', id, 'strike', '--payload', '{"times":2}', '--wait')).code,
  ).toBe(0);
  await eventually(async () => {
    const { components } = await asked('entity', 'get', id);
    return components.lamp.strikes === 3 && components.oil.drops === 6;
  });
  const where = ['--where', 'oil.drops = 6', '--where', 'lamp.strikes = 3'];
  const found = await asked('entity', 'query', '--near', '1,3', '--limit', '1', ...where);
  expect(found.entities).toMatchObject([{ id: made.entities[0], distance: 0 }]);
  expect((await asked('entity', 'delete', id, '--wait')).code).toBe(0);
  expect(await asked('entity', 'get', id)).toMatchObject({ fault: { code: 'ENTITY_UNKNOWN' } });
});

test('pods of every layer are listed, and one is drained in whichever it is', async () => {
  const { pods, layers } = await asked('pods');
  expect(pods).toHaveLength(6);
  expect(layers.map(({ layer }: { layer: string }) => layer)).toEqual(['ways', 'light', 'fuel']);
  const [first = ''] = await podsOf('fuel');
  expect(await asked('cordon', first)).toMatchObject({ code: 0, layer: 'fuel' });
  expect(await asked('drain', first)).toMatchObject({ code: 0, layer: 'fuel', end: 'gone' });
  expect(await podsOf('fuel')).toHaveLength(1);
  const shown = await asked('world', 'show', 'lamps');
  expect(shown.layers).toEqual(['ways', 'light', 'fuel']);
  expect(shown.pods.map(({ layer }: Listed) => layer).sort()).toEqual([
    'fuel',
    'light',
    'light',
    'ways',
    'ways',
  ]);
  expect((await asked('world', 'list')).worlds).toMatchObject([{ pods: 5 }]);
});

test('a plan is of the layer that is named, and by itself of the one with the positions', async () => {
  expect(await asked('plan', 'show')).toMatchObject({ code: 0, layer: 'ways', plan: null });
  expect(await asked('plan', 'show', '--layer', 'fuel')).toMatchObject({ code: 0, layer: 'fuel' });
  const wrong = await asked('plan', 'history', '--layer', 'nope');
  expect(wrong).toMatchObject({ code: 2, fault: { field: '--layer', value: 'nope' } });
  expect(wrong.fault.remedy).toContain('light');
});

test('a component of any layer changes with its pods; layers themselves stay', async () => {
  expect(await asked('world', 'diff', folder)).toMatchObject({ code: 0, changes: [] });
  await edit('world.yaml', '  light: [lamp]\n', '');
  await edit('world.yaml', '  fuel: [oil]\n', '  fuel: [oil]\n  light: [lamp]\n');
  const moved = await asked('world', 'apply', folder);
  expect(moved).toMatchObject({ code: 2, fault: { code: 'WORLD_MISMATCH', field: 'layers' } });
  await writeFile(join(folder, 'world.yaml'), MANIFEST);

  await edit('world.ts', "component('oil', 1, {", "component('oil', 2, { grade: i32(4),");
  const differs = await asked('world', 'diff', folder);
  expect(differs.changes.map(({ field }: { field: string }) => field)).toEqual(['module', 'oil']);
  expect(differs.olderPods).toHaveLength(5);
  expect(await asked('world', 'upgrade', folder)).toMatchObject({ code: 0, olderPods: [] });
  // Who crosses a border is in no cell.
  await eventually(async () => {
    const where = ['--box', '0,90,200,100', '--where', 'oil.grade = 4'];
    return (await asked('entity', 'query', ...where)).entities.length === 20;
  });
  expect(await asked('world', 'pause')).toMatchObject({ code: 0, isPaused: true });
  expect(await asked('world', 'resume')).toMatchObject({ code: 0, isPaused: false });
  run.kill('SIGINT');
  const { code, report } = await user.ended(run);
  expect(report).toMatchObject({ lost: 0, duplicated: 0, violations: [], reasons: [] });
  expect(code).toBe(0);
}, 120_000);
