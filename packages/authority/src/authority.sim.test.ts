/**
 * Goal: pods follow a plan that follows the load; whatever happens to authorities, nobody stops
 * ticking and nobody is lost. Method: pods and authorities on the twin store; a tick costs what the
 * entities of a cell are said to cost, as virtual time measures nothing.
 */
import { type Policy, regionsByLoad, validatePlan } from '@leasehold/plan';
import { openPods, wanderers } from '@leasehold/pod/pods-fixture';
import { encodeRequest, type Plan } from '@leasehold/protocol';
import { simulation } from '@leasehold/sdk';
import { expect, test } from 'vitest';
import type { Authority } from './authority.ts';
import { type Cost, closed, openAuthority, settled, type World } from './authority-fixture.ts';

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);
const reported = ({ pods }: World, of: string): number =>
  sum([...pods.values()].map((pod) => pod.report()[of] ?? 0));

/** Takeovers of the feed since `after`, by cause. */
async function takeovers(world: World, after: string) {
  const { entries } = await world.watcher.readFeed(after);
  return entries
    .filter(({ kind }) => kind === 'takeover')
    .map(({ facts }) => ({ cause: String(facts['cause']), gapTicks: Number(facts['gapTicks']) }));
}

test('pods hold what the plan gives them, and every cell is held by one', async () => {
  const world = await settled(['pod-a', 'pod-b', 'pod-c']);
  const { authority, store } = openAuthority(world, 'one');
  const cellsOf = (plan: Plan | undefined, name: string): number => {
    const own = plan?.regions.filter(({ pod }) => pod === name) ?? [];
    return sum(own.map(({ rect }) => rect.columns * rect.rows));
  };
  await world.clock.advance(20_000);
  // Just now it may have changed.
  let plan = await store.plan();
  const isFollowed = (): boolean =>
    [...world.pods].every(([name, pod]) => pod.report()['cells'] === cellsOf(plan, name));
  for (let look = 0; look < 20 && !isFollowed(); look++) {
    await world.clock.advance(100);
    plan = await store.plan();
  }
  const pods = [...world.pods.keys()].map((pod) => ({ pod, state: 'ready' as const }));
  expect(plan && validatePlan(plan, world.grid, pods)).toEqual([]);
  expect(reported(world, 'cells')).toBe(world.grid.cells);
  expect(isFollowed()).toBe(true);
  const { twice } = await world.census();
  const journal = await store.journal('', 1_000);
  await closed(world, [authority]);
  expect(twice).toEqual([]);
  expect(journal.length).toBeGreaterThan(0);
  for (const { cause, version } of journal) {
    expect(cause).toMatch(/\.$/);
    expect(version).toBeLessThanOrEqual(plan?.version ?? 0);
  }
});

test('planned moves miss no tick, and nothing is read for them', async () => {
  const world = await settled(['pod-a', 'pod-b', 'pod-c']);
  const { authority } = openAuthority(world, 'one');
  // Those who take what they have not followed have done so.
  await world.clock.advance(16_000);
  const { id } = await world.watcher.readFeed('0');
  const cold = reported(world, 'coldCells');
  void world.start('pod-d');
  await world.clock.advance(20_000);
  const cells = world.pods.get('pod-d')?.report()['cells'] ?? 0;
  const moved = await takeovers(world, id);
  const coldAfter = reported(world, 'coldCells');
  await closed(world, [authority]);
  expect(cells).toBeGreaterThan(4);
  expect(coldAfter).toBe(cold);
  expect(new Set(moved.map(({ cause }) => cause))).toEqual(new Set(['handover']));
  expect(Math.max(...moved.map(({ gapTicks }) => gapTicks))).toBe(0);
});

test('a pod that drains leaves all in order, to those who have followed it', async () => {
  const world = await settled(['pod-a', 'pod-b', 'pod-c', 'pod-d']);
  const { authority } = openAuthority(world, 'one');
  await world.clock.advance(15_000);
  const { id } = await world.watcher.readFeed('0');
  const drained = world.pods.get('pod-b')?.drain(5_000);
  await world.clock.advance(5_000);
  const isDrained = await drained;
  world.kill('pod-b');
  await world.clock.advance(10_000);
  const moved = await takeovers(world, id);
  const held = reported(world, 'cells');
  const { twice } = await world.census();
  await closed(world, [authority]);
  expect(isDrained).toBe(true);
  expect(held).toBe(world.grid.cells);
  expect(new Set(moved.map(({ cause }) => cause))).toEqual(new Set(['handover']));
  expect(twice).toEqual([]);
});

test('the standby of a dead pod has its regions at once, and reads nothing', async () => {
  const world = await settled(['pod-a', 'pod-b', 'pod-c']);
  const { authority, store } = openAuthority(world, 'one');
  await world.clock.advance(15_000);
  const plan = await store.plan();
  const left = world.pods.get('pod-b')?.report()['cells'] ?? 0;
  const standbys = plan?.regions.filter(({ pod }) => pod === 'pod-b').map((each) => each.standby);
  world.kill('pod-b');
  const before = { cold: reported(world, 'coldCells'), warm: reported(world, 'warmCells') };
  // Seen missing, looked at once more, taken.
  await world.clock.advance(150);
  const held = reported(world, 'cells');
  const after = { cold: reported(world, 'coldCells'), warm: reported(world, 'warmCells') };
  await closed(world, [authority]);
  expect(standbys?.every((standby) => ['pod-a', 'pod-c'].includes(standby))).toBe(true);
  expect(left).toBeGreaterThan(4);
  expect(held).toBe(world.grid.cells);
  expect(after.cold).toBe(before.cold);
  expect(after.warm - before.warm).toBeGreaterThan(left / 2);
});

test('leaders that die one after the other while pods come and go change nothing for the tick', async () => {
  const world = await settled(['pod-a', 'pod-b']);
  const open: ReturnType<typeof openAuthority>[] = [openAuthority(world, 'a0')];
  const terms = new Set<number>();
  for (let i = 1; i <= 20; i++) {
    open.push(openAuthority(world, `a${i}`));
    if (i % 5 === 1) void world.start(`pod-${i}`);
    if (i % 5 === 3) world.kill(`pod-${i - 2}`);
    await world.clock.advance(700);
    // SIGKILL: it neither resigns nor says another word.
    world.server.disconnect(`a${i - 1}`);
    const dead = open[i - 1];
    void dead?.authority.stop().catch(() => undefined);
    await world.clock.advance(2_000);
    const { isLeading, term } = open[i]?.authority.status ?? {};
    expect(isLeading).toBe(true);
    terms.add(term ?? 0);
  }
  await world.clock.advance(10_000);
  const held = reported(world, 'cells');
  const { twice, tick } = await world.census();
  const behind = Math.max(
    ...[...world.pods.values()].map((pod) => pod.report()['behindTicks'] ?? 0),
  );
  await closed(world, [open.at(-1)?.authority as Authority]);
  expect(terms.size).toBe(20);
  expect(held).toBe(world.grid.cells);
  expect(twice).toEqual([]);
  expect(tick).toBeGreaterThan(1_200);
  expect(behind).toBeLessThanOrEqual(1);
});

test('an idle cell is held by nobody until something comes to it, and what comes is not lost', async () => {
  const world = await settled(['pod-a', 'pod-b']);
  const { authority, store } = openAuthority(world, 'one', { idleMs: 500 });
  let asleepMost = 0;
  let heldLeast = Number.POSITIVE_INFINITY;
  let lost = 0;
  const { entities: living } = await world.census();
  for (let i = 0; i < 60; i++) {
    await world.clock.advance(1_000);
    const { asleep = [] } = (await store.plan()) ?? {};
    asleepMost = Math.max(asleepMost, sum(asleep.map(([, count]) => count)));
    heldLeast = Math.min(heldLeast, reported(world, 'cells'));
    const { entities, twice } = await world.census();
    expect(twice).toEqual([]);
    if (entities === 0) lost++;
  }
  const kinds = new Set((await store.journal('', 1_000)).map(({ kind }) => kind));
  const stuck = await undelivered(world);
  await closed(world, [authority]);
  expect(living).toBeGreaterThan(50);
  expect(lost).toBe(0);
  expect(asleepMost).toBeGreaterThan(0);
  expect(heldLeast).toBeLessThan(world.grid.cells);
  expect(kinds).toContain('sleep');
  expect(kinds).toContain('wake');
  expect(stuck).toEqual([]);
});

/** All are in one corner, and nothing moves. */
const still = simulation({
  ...wanderers,
  systems: [],
  seed: (world) => {
    const random = Object.create(world.random, { between: { value: () => 5 } });
    return wanderers.seed?.({ ...world, random });
  },
});

test.each([
  ['somebody looks at it', 'view'],
  ['it is ordered to', 'order'],
] as const)('an idle cell wakes when %s, and sleeps again', async (cause, kind) => {
  const world = await settled(['pod-a', 'pod-b'], still);
  const { authority, store } = openAuthority(world, 'one', { idleMs: 500 });
  const isHeld = async (cell: number): Promise<boolean> => {
    const [head] = await world.watcher.heads([cell]);
    return head !== undefined && !('tag' in head) && head.nonce !== '';
  };
  await world.clock.advance(6_000);
  const [[cell] = [-1]] = (await store.plan())?.asleep ?? [];
  expect(await isHeld(cell)).toBe(false);
  const untilMs = store.nowMs() + 5_000;
  await store.putInterest('somebody', { kind, untilMs, runs: [[cell, 1, 1]] });
  await world.clock.advance(3_000);
  const wasHeld = await isHeld(cell);
  await world.clock.advance(8_000);
  const isStill = await isHeld(cell);
  const journal = await store.journal('', 1_000);
  await closed(world, [authority]);
  expect(wasHeld).toBe(true);
  expect(isStill).toBe(false);
  const said =
    cause === 'it is ordered to' ? 'have been ordered to' : 'somebody looks at 1 of them';
  expect(journal.filter(({ cause: why }) => why.includes(said))).toHaveLength(1);
});

test.each([
  ['pods are told', false],
  ['nobody is told', true],
])('M1 what is posted to a cell that sleeps wakes it: %s', async (_, isDeaf) => {
  const world = await settled(['pod-a', 'pod-b'], still);
  const { authority, store } = openAuthority(world, 'one', { idleMs: 500 });
  await world.clock.advance(6_000);
  const [[cell] = [-1]] = (await store.plan())?.asleep ?? [];
  const id = 2 ** 52 + cell * 2 ** 32 + 1;
  const at = { x: world.grid.centreX(cell), y: world.grid.centreY(cell) };
  const components = { position: at, velocity: {} };
  const body = encodeRequest({ kind: 'create', entities: [{ id, components }] });
  const tell = world.server.tellsPosted;
  world.server.tellsPosted = !isDeaf;
  await world.watcher.post([{ cell, id: 'wake-up', body }]);
  world.server.tellsPosted = tell;
  await world.clock.advance(isDeaf ? 8_000 : 1_500);
  const [answer] = await world.watcher.answers(['wake-up']);
  await closed(world, [authority]);
  expect(answer).toMatchObject({ tag: 'APPLIED', cell });
});

/** Channel entries that their destination has not taken for three seconds. */
async function undelivered(world: World): Promise<string[]> {
  const records = world.server.cells('w', 1, 'main');
  const now = Math.max(...[...records.values()].map(({ tick }) => tick));
  return [...records].flatMap(([from, { out }]) =>
    out
      .filter(({ seq, to, tick }) => {
        return tick < now - 60 && seq > (records.get(to)?.cursors.get(from) ?? 0);
      })
      .map(({ to, seq }) => `${from} → ${to}: ${seq}`),
  );
}

test('a policy that throws leaves the plan as it is, and says why', async () => {
  const world = await settled(['pod-a', 'pod-b']);
  let isBroken = false;
  const moody: Policy = {
    name: 'moody',
    plan(input) {
      if (isBroken) throw new Error('no idea');
      return regionsByLoad.plan(input);
    },
  };
  const { authority, store } = openAuthority(world, 'one', {}, moody);
  await world.clock.advance(8_000);
  const before = await store.plan();
  isBroken = true;
  void world.start('pod-c');
  await world.clock.advance(5_000);
  const after = await store.plan();
  const { refused } = authority.status;
  isBroken = false;
  await world.clock.advance(15_000);
  const shared = world.pods.get('pod-c')?.report()['cells'];
  await closed(world, [authority]);
  expect(after).toEqual(before);
  expect(refused).toContain('no idea');
  expect(shared).toBeGreaterThan(4);
});

test('without a pod there is a plan for nobody, and the first that comes has all', async () => {
  const world = await openPods({ mode: 'realtime' });
  const { authority } = openAuthority(world, 'one');
  await world.clock.advance(3_000);
  void world.start('pod-a');
  await world.clock.advance(6_000);
  const cells = world.pods.get('pod-a')?.report()['cells'];
  await closed(world, [authority]);
  expect(cells).toBe(world.grid.cells);
});

test('a cell beyond a pod is dilated until it is carried, stays so, and is itself again later', async () => {
  const world = await settled(['pod-a', 'pod-b', 'pod-c']);
  const hot = 27;
  let hotMs = 72;
  // Noise of a tenth, as on a machine that does other things as well.
  let looks = 0;
  const cost: Cost = ({ cell, entities }) =>
    cell === hot
      ? { tickMs: hotMs * (1 + ((looks++ % 5) - 2) / 20), entities: 500 }
      : { tickMs: entities * 0.01 };
  const { authority, store } = openAuthority(world, 'one', {}, regionsByLoad, cost);
  const region = async () => {
    const plan = await store.plan();
    return plan?.regions.find(
      ({ rect: { column, row, columns, rows } }) =>
        column <= 3 && column + columns > 3 && row <= 3 && row + rows > 3,
    );
  };
  const reliefs = async (): Promise<string[]> =>
    (await store.journal('', 10_000))
      .filter(({ kind }) => kind === 'relief')
      .map(({ cause }) => cause);
  await world.clock.advance(30_000);
  const settledBy = (await reliefs()).length;
  const first = await region();
  const holder = world.pods.get(first?.pod ?? '')?.report();
  const { plans } = authority.status;
  await world.clock.advance(60_000);
  const calm = { reliefs: (await reliefs()).length, plans: authority.status.plans };
  hotMs = 1_000;
  await world.clock.advance(20_000);
  const worst = await region();
  hotMs = 1;
  // With the noise it comes back in two steps or in three.
  await world.clock.advance(40_000);
  const after = await region();
  const causes = await reliefs();
  const { entries } = await world.watcher.readFeed('0');
  const { twice } = await world.census();
  await closed(world, [authority]);
  expect(first).toMatchObject({ relief: 'dilated', dilation: 2 });
  expect(holder?.['dilation']).toBe(2);
  expect(holder?.['behindTicks']).toBeLessThanOrEqual(1);
  expect(settledBy).toBe(3);
  expect(calm).toEqual({ reliefs: settledBy, plans });
  expect(worst).toMatchObject({ relief: 'overloaded', dilation: 4 });
  expect(after?.relief).toBeUndefined();
  // Up by two or three steps, and back by as many and one.
  expect(causes.length - settledBy).toBeLessThanOrEqual(7);
  expect(twice).toEqual([]);
  expect(entries.filter(({ kind }) => kind === 'jump')).toEqual([]);
  const of = (kind: string, name: string) =>
    entries
      .filter((entry) => entry.kind === kind && entry.facts['cell'] === hot)
      .map(({ facts }) => facts[name]);
  // On its way back it may still be slower for a step or two.
  const dilations = of('dilation', 'dilation').filter(
    (dilation) => dilation === 1 || dilation === 4,
  );
  expect(dilations).toEqual([4, 1]);
  expect(of('overloaded', 'cell')).toHaveLength(1);
});
