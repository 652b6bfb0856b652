/** What the commands tell of plans that a real authority made, on a real server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { POLICIES } from '@leasehold/plan';
import type { Plan } from '@leasehold/protocol';
import { eventually, useRedis } from '@leasehold/testkit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { GRID, openOutput, openPlannedWorld } from '../authority-fixture.ts';
import type { WorldFlags } from '../known-world.ts';
import type { Output } from '../output.ts';
import { order, pods } from '../pods/pods.ts';
import { explain } from './explain.ts';
import { history } from './history.ts';
import { show } from './show.ts';
import { wake } from './wake.ts';
import { whatIf } from './what-if.ts';

const WAIT_MS = 15_000;
const TWO_LOOKS_MS = 600;
const at = useRedis();
let planned: Awaited<ReturnType<typeof openPlannedWorld>>;

beforeEach(async () => {
  vi.stubEnv('REDIS_URL', at.url);
  planned = await openPlannedWorld(at);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await planned.close();
});

type Command = (flags: WorldFlags, output: Output) => Promise<number>;

/** What it prints, and what it says with `--json`. */
async function said(command: Command, flags: WorldFlags = planned.flags) {
  const [forPeople, forPrograms] = [openOutput(false), openOutput(true)];
  const code = await command(flags, forPeople.output);
  expect(await command(flags, forPrograms.output)).toBe(code);
  return { code, text: forPeople.text.out, json: JSON.parse(forPrograms.text.out) };
}

const historyOf: Command = (flags, output) =>
  history({ ...flags, sinceMs: undefined, count: 20, isFollowing: false }, output);

const whatIfOf: Command = (flags, output) =>
  whatIf({ ...flags, policies: [...POLICIES.values()], sinceMs: 3_600_000 }, output);

/** Cells of the western or eastern half. */
const half = (isWest: boolean): number[] =>
  [...Array(GRID.cells).keys()].filter((cell) => cell % GRID.columns < 6 === isWest);

/** Two pods that share a plan. */
async function shared(): Promise<Plan> {
  await planned.pod('pod-a', 0.5, half(true));
  await planned.pod('pod-b', 0.25, half(false));
  planned.startAuthority();
  return (await eventually(async () => {
    const plan = await planned.plans.plan();
    return new Set(plan?.regions.map(({ pod }) => pod)).size === 2 ? plan : undefined;
  }, WAIT_MS)) as Plan;
}

test('pods, plan, history and every region are told as the store has them', async () => {
  await shared();
  await eventually(async () => (await planned.plans.recordedLoads(0)).length > 3, WAIT_MS);
  await planned.stopAuthority();
  const plan = (await planned.plans.plan()) as Plan;

  const listed = await said(pods);
  expect(listed.code).toBe(0);
  expect(listed.json).toMatchObject({ world: at.world, layer: 'main', tickBudgetMs: 50 });
  expect(listed.json.plan).toBe(plan.version);
  expect(listed.json.pods).toHaveLength(2);
  expect(listed.json.pods[0]).toMatchObject({ pod: 'pod-a', cells: 36, entities: 108, pid: 101 });
  expect(listed.json.pods[0].utilization).toBeCloseTo(18 / 50);
  expect(listed.text).toMatch(/pod-a +ready +- +36 +108 +18\.00 +36 % +\d +\d +- +101/);

  const shown = await said(show);
  expect(shown.json.plan).toMatchObject({ version: plan.version, asleep: [] });
  const ids = plan.regions.map(({ id }) => id);
  expect(shown.json.plan.regions.map(({ id }: { id: number }) => id)).toEqual(ids);
  const picture = shown.text.split('\n').slice(1, 1 + GRID.rows);
  for (const line of picture) expect(line).toMatch(/^ {2}[AB][ |]([AB][ |]){10}[AB]$/);
  expect(shown.text).toContain('A pod-a, B pod-b');

  const told = await said(historyOf);
  const journal = await planned.plans.journal('', 1_000);
  expect(told.json.entries).toEqual(journal.slice(-20));
  for (const { cause } of journal.slice(-20)) expect(told.text).toContain(cause);

  for (const region of plan.regions) {
    const { json, text } = await said((flags, output) => explain(region.id, flags, output));
    expect(json.region).toMatchObject(region);
    expect(json.entries).toEqual(journal.filter(({ regions }) => regions.includes(region.id)));
    expect(json.entries.length).toBeGreaterThan(0);
    expect(text).toContain(`held by     ${region.pod}`);
    expect(text).toContain(`standby     ${region.standby}`);
    for (const { side, region: other } of region.edges) {
      expect(text).toMatch(new RegExp(`${side} +region ${other} `));
    }
  }
  await expect(said((flags, output) => explain(9_999, flags, output))).rejects.toMatchObject({
    code: 'REGION_UNKNOWN',
  });

  const replayed = await said(whatIfOf);
  const names = replayed.json.policies.map(({ policy }: { policy: string }) => policy);
  expect(names).toEqual(['in force', ...POLICIES.keys()]);
  for (const figures of replayed.json.policies) {
    expect(figures.imbalance.mean).toBeGreaterThanOrEqual(1);
    expect(figures.borderLength).toBeGreaterThan(0);
    expect(figures.cellsMovedPerMinute).toBeGreaterThanOrEqual(0);
    expect(replayed.text).toContain(figures.policy);
  }
  // They hold what they are said to carry, whatever is planned: twice the load on one of two.
  expect(replayed.json.policies[0].imbalance.mean).toBeCloseTo(18 / 13.5, 1);
}, 60_000);

test('what is done for a hot cell is shown, and explained', async () => {
  const { columns, rows } = GRID;
  const rect = { column: 0, row: 0, columns, rows };
  const hot = { relief: 'overloaded', dilation: 4 } as const;
  const region = { id: 1, rect, pod: 'pod-a', standby: '', ...hot, edges: [] };
  await planned.plans.lead('one', 5_000);
  const plan: Plan = { version: 1, atMs: 0, regions: [region], asleep: [] };
  expect(await planned.plans.writePlan('one', plan, [])).toEqual({ tag: 'OK' });
  const shown = await said(show);
  expect(shown.json.plan.regions[0]).toMatchObject(hot);
  expect(shown.text).toMatch(/pod-a .*OVERLOADED, time at 1\/4/);
  const told = await said((flags, output) => explain(1, flags, output));
  expect(told.json.region).toMatchObject(hot);
  expect(told.text).toContain('relief      OVERLOADED, time at 1/4');
});

test('an order to stay awake is kept until it ends or is taken back, and viewers are shown', async () => {
  const area = { kind: 'box', minX: 1, minY: 1, maxX: 29, maxY: 9 } as const;
  const waking =
    (forMs: number): Command =>
    (flags, output) =>
      wake({ ...flags, area, forMs, name: 'order-harbour' }, output);
  const ordered = await said(waking(60_000));
  expect(ordered).toMatchObject({ code: 0, json: { cells: 3, plan: 0, name: 'order-harbour' } });
  expect(ordered.text).toContain('there is no plan');
  const kept = (await planned.plans.interests()).get('order-harbour');
  expect(kept).toMatchObject({ kind: 'order', runs: [[0, 3, 0]] });
  expect(kept?.untilMs).toBe(ordered.json.untilMs);
  expect((await said(waking(0))).text).toContain('keeps nothing awake any more');
  expect((await planned.plans.interests()).size).toBe(0);

  const untilMs = planned.plans.nowMs() + 60_000;
  await planned.plans.putInterest('gateway', { kind: 'view', untilMs, runs: [[0, 2, 7]] });
  await shared();
  const { json, text } = await said(show);
  const viewers = json.plan.regions.map((region: { viewers: number }) => region.viewers);
  expect(Math.max(...viewers)).toBe(7);
  expect(text).toMatch(/entities +viewers/);
  expect((await said(waking(60_000))).text).toMatch(/3 cells stay awake until/);
  await expect(
    said((flags, out) =>
      wake({ ...flags, area: { kind: 'around', entity: 1, radius: 2 }, forMs: 1, name: 'x' }, out),
    ),
  ).rejects.toMatchObject({ code: 'AREA_INVALID', detail: { field: '--area' } });
}, 30_000);

test('without plan and load the commands say so', async () => {
  expect(await said(show)).toMatchObject({ code: 0, json: { plan: null } });
  expect((await said(historyOf)).text).toContain('no plan');
  expect(await said(whatIfOf)).toMatchObject({ code: 1, json: { samples: 0 } });
  expect(await said(pods)).toMatchObject({ code: 0, json: { plan: null, pods: [] } });
});

test('a pod is cordoned and uncordoned, hears of it, and one that is not there is POD_UNKNOWN', async () => {
  await planned.pod('pod-a', 1, [1]);
  const cordon: Command = (flags, output) => order('pod-a', 'cordon', flags, output);
  const uncordon: Command = (flags, output) => order('pod-a', '', flags, output);
  expect((await said(cordon)).json).toEqual({
    world: at.world,
    layer: 'main',
    pod: 'pod-a',
    order: 'cordon',
  });
  expect((await said(pods)).text).toMatch(/pod-a +ready +cordon /);
  await said(uncordon);
  expect((await said(pods)).json.pods[0].order).toBe('');
  const orders = (): string[] => planned.heard.map(({ message }) => message);
  await eventually(() => orders().includes('{"order":""}'));
  expect(orders()[0]).toBe('{"order":"cordon"}');
  await expect(said((flags, out) => order('pod-x', 'cordon', flags, out))).rejects.toMatchObject({
    code: 'POD_UNKNOWN',
    detail: { value: 'pod-x' },
  });
});

test('a history that is followed goes on with what is decided, line by line, until Ctrl-C', async () => {
  const { output, text } = openOutput(true);
  const options = { ...planned.flags, sinceMs: undefined, count: 20, isFollowing: true };
  const following = history(options, output);
  await shared();
  const lines = (): string[] => text.out.split('\n').filter((line) => line !== '');
  await eventually(() => lines().length > 0, WAIT_MS);
  await planned.stopAuthority();
  const journal = await planned.plans.journal('', 1_000);
  await eventually(() => lines().length === journal.length, WAIT_MS);
  // Nothing is told twice.
  await sleep(TWO_LOOKS_MS);
  process.emit('SIGINT');
  expect(await following).toBe(0);
  expect(lines().map((line) => JSON.parse(line))).toEqual(journal);
});

test('of several worlds the one that runs is meant, and what is not clear is refused', async () => {
  const { home } = planned.flags;
  const other = await openPlannedWorld({ url: at.url, world: `${at.world}-b`, home });
  const refusal = (world: string | undefined, place = home) =>
    said(pods, { world, home: place }).then(
      () => 'none',
      (error) => `${error.code} ${error.detail.field}`,
    );
  try {
    expect(await refusal(undefined)).toBe('SETTING_INVALID --world');
    await other.pod('pod-b', 1, [1]);
    expect((await said(pods)).json.world).toBe(`${at.world}-b`);
    await planned.pod('pod-a', 1, [1]);
    expect(await refusal(undefined)).toBe('SETTING_INVALID --world');
    expect((await said(pods, { world: at.world, home })).json.world).toBe(at.world);
    expect(await refusal('nowhere')).toBe('WORLD_NOT_READY world');
    expect(await refusal(undefined, `${home}-none`)).toBe('WORLD_NOT_READY world');
    expect(await refusal('./nowhere')).toBe('WORLD_MISSING WORLD_FOLDER');
  } finally {
    await other.close();
  }
});
