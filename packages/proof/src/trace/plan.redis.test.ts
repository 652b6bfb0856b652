/**
 * Plans on a real server whose clock jumps and whose calls fail, and on the twin beside it: the same
 * calls at the same time, and every answer compared.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from '@leasehold/kernel';
import { openLivePlanStore } from '@leasehold/live-store';
import type { Decision, Plan, PlanStore } from '@leasehold/protocol';
import { Grid } from '@leasehold/spatial';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ProofServers, startServers } from '../model/servers.ts';
import { openPlanLane, type PlanLane } from './plan-lane.ts';

const SEEDS = [1, 7, 42, 1_337];
const STEPS = 1_000;
const NAMES = ['a', 'b', 'c'] as const;
/** Answers that must have been given often, or the traces have not been everywhere. */
const ANSWERS = [
  ...['lead LEADING', 'lead FOLLOWING', 'write OK', 'write DEPOSED', 'write BEHIND'],
  ...['resign', 'record', 'plan', 'journal', 'recorded'],
];

let servers: ProofServers;
beforeAll(async () => {
  servers = await startServers(false);
});
afterAll(() => servers.close());

const planOf = (version: number, atMs = 1): Plan => ({ version, atMs, regions: [], asleep: [] });
const MOVE: Decision = {
  ...{ kind: 'move', cause: 'b is empty', regions: [1], cells: 32 },
  ...{ before: { a: 31.5 }, expected: { a: 16 } },
};

type Call = { readonly kind: string; readonly run: (store: PlanStore) => Promise<unknown> };

function draw(random: Random, version: number): Call | { readonly ms: number } {
  const dice = random.float();
  const name = NAMES[random.below(NAMES.length)] as string;
  if (dice < 0.2) return { ms: random.chance(0.1) ? -random.below(5_000) : random.below(150) };
  if (dice < 0.45) {
    const ttlMs = [50, 300, 2_000][random.below(3)] as number;
    return { kind: 'lead', run: (store) => store.lead(name, ttlMs) };
  }
  if (dice < 0.5) return { kind: 'resign', run: (store) => store.resign(name) };
  if (dice < 0.75) {
    const off = random.chance(0.5) ? 1 : random.below(4);
    const plan = planOf(Math.max(1, version + off), 1 + random.below(2));
    const decisions = Array.from({ length: random.below(3) }, () => MOVE);
    return { kind: 'write', run: (store) => store.writePlan(name, plan, decisions) };
  }
  if (dice < 0.85) {
    const sample = { atMs: random.below(1_000), pods: [] };
    return { kind: 'record', run: (store) => store.recordLoads(name, sample) };
  }
  if (dice < 0.9) return { kind: 'plan', run: (store) => store.plan() };
  if (dice < 0.95) return { kind: 'recorded', run: (store) => store.recordedLoads(0) };
  // Ids are of the real clock on one side.
  const unnamed = async (store: PlanStore) =>
    (await store.journal('', 5_000)).map(({ id: _, ...entry }) => entry);
  return { kind: 'journal', run: unnamed };
}

test.each(SEEDS)('P1 P2 P3 the twin answers as the real server does (seed %i)', async (seed) => {
  const lane = await openPlanLane(servers.urls[0] as string);
  const random = createRandom(seed);
  const answers = new Map<string, number>();
  let terms = { term: 0, leader: '' };
  for (let step = 0; step < STEPS; step++) {
    const pair = lane.pairs[random.below(2)] as PlanLane['pairs'][number];
    const drawn = draw(random, (await pair.twin.plan())?.version ?? 0);
    if ('ms' in drawn) {
      await lane.step(drawn.ms);
      continue;
    }
    const [live, twin] = await Promise.all([drawn.run(pair.live), drawn.run(pair.twin)]);
    expect(live, `seed ${seed} step ${step}: ${drawn.kind}`).toEqual(twin);
    const { tag, term } = (live ?? {}) as { readonly tag?: string; readonly term?: number };
    const answer = tag === undefined ? drawn.kind : `${drawn.kind} ${tag}`;
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
    if (term === undefined) continue;
    // P1: a term never falls, and is of one leader.
    const leader = String(await lane.redis.hget(lane.keys.leader, 'name'));
    expect(term).toBeGreaterThanOrEqual(terms.term);
    if (term === terms.term) expect(leader).toBe(terms.leader);
    terms = { term, leader };
  }
  await lane.close();
  expect(ANSWERS.filter((answer) => (answers.get(answer) ?? 0) < 10)).toEqual([]);
});

test('P1 a clock that is set back keeps a lead for no longer than its own term', async () => {
  const lane = await openPlanLane(servers.urls[0] as string);
  const [{ live: a }, { live: b }] = lane.pairs as [PlanLane['pairs'][0], PlanLane['pairs'][0]];
  expect(await a.lead('a', 2_000)).toMatchObject({ tag: 'LEADING', term: 1 });
  await lane.step(-3_600_000);
  expect(await a.writePlan('a', planOf(1), [])).toEqual({ tag: 'OK' });
  expect(await b.lead('b', 2_000)).toMatchObject({ tag: 'FOLLOWING', retryInMs: 2_000 });
  await lane.step(1_500);
  expect(await b.lead('b', 2_000)).toMatchObject({ tag: 'FOLLOWING', retryInMs: 500 });
  await lane.step(500);
  expect(await b.lead('b', 2_000)).toMatchObject({ tag: 'LEADING', term: 2 });
  await lane.close();
});

test('P1 a clock that is set forward ends a lead, and never lets two write', async () => {
  const lane = await openPlanLane(servers.urls[0] as string);
  const [{ live: a }, { live: b }] = lane.pairs as [PlanLane['pairs'][0], PlanLane['pairs'][0]];
  await a.lead('a', 2_000);
  await lane.step(3_600_000);
  expect(await a.writePlan('a', planOf(1), [MOVE])).toEqual({ tag: 'DEPOSED', leader: '' });
  expect(await b.lead('b', 2_000)).toMatchObject({ tag: 'LEADING', term: 2 });
  await lane.step(-3_600_000);
  expect(await a.writePlan('a', planOf(1), [MOVE])).toEqual({ tag: 'DEPOSED', leader: 'b' });
  expect(await a.lead('a', 2_000)).toMatchObject({ tag: 'FOLLOWING', leader: 'b' });
  expect(await b.writePlan('b', planOf(1), [MOVE])).toEqual({ tag: 'OK' });
  await lane.close();
});

test('P3 a plan that fails at any of its calls is whole or absent', async () => {
  const lane = await openPlanLane(servers.urls[0] as string);
  const [{ live }] = lane.pairs as [PlanLane['pairs'][0]];
  await live.lead('a', 60_000);
  await live.writePlan('a', planOf(1), [MOVE]);
  const state = async () => ({ plan: await live.plan(), journal: await live.journal('', 100) });
  for (const decisions of [[MOVE, MOVE], []]) {
    let failures = 0;
    let before = await state();
    for (let k = 1; k <= 10; k++) {
      const next = planOf((before.plan?.version ?? 0) + 1, k);
      await lane.failNext(k);
      const reply = await live.writePlan('a', next, decisions).catch((error: unknown) => error);
      const after = await state();
      if (reply instanceof Error) {
        failures++;
        expect(reply).toMatchObject({ code: 'REDIS_REFUSED' });
        expect(after).toEqual(before);
      } else {
        expect(reply).toEqual({ tag: 'OK' });
        expect(after.plan).toEqual(next);
        expect(after.journal).toHaveLength(before.journal.length + decisions.length);
      }
      before = after;
    }
    // Who leads, the plan, the length of the journal, and the first write.
    expect(failures).toBe(4);
  }
  await lane.close();
});

test('in a cluster all of a plan is in one slot, and every node tells of it', async () => {
  const cluster = await startServers(true);
  const nodes = cluster.urls.map((url) => new Redis(url));
  const grid = new Grid({ kind: 'plane', width: 400, height: 100, cell: 100 });
  const facts = { world: 'plans', incarnation: 1, layer: 'main', grid };
  const heard = nodes.map(() => 0);
  for (const [i, node] of nodes.entries()) {
    node.on('message', () => {
      heard[i] = (heard[i] as number) + 1;
    });
    await node.subscribe('{plans.1}:planned:main');
  }
  const stores = await Promise.all(cluster.urls.map((url) => openLivePlanStore({ ...facts, url })));
  const leads = await Promise.allSettled(stores.map((plans) => plans.lead('a', 60_000)));
  // The others do not have the slot.
  const owners = stores.filter((_, i) => leads[i]?.status === 'fulfilled');
  expect(owners).toHaveLength(1);
  const plans = owners[0] as PlanStore;
  await plans.recordLoads('a', { atMs: 1, pods: [] });
  expect(await plans.writePlan('a', planOf(1), [MOVE, MOVE])).toEqual({ tag: 'OK' });
  expect(await plans.journal('', 10)).toHaveLength(2);
  expect(await plans.recordedLoads(0)).toHaveLength(1);
  expect(await plans.loads()).toEqual(await plans.orders());
  // What is published is lost until the nodes have found each other, and is a hint anyway.
  for (let version = 2; version < 200 && heard.some((times) => times === 0); version++) {
    expect(await plans.writePlan('a', planOf(version), [])).toEqual({ tag: 'OK' });
    await sleep(50);
  }
  expect(heard.every((times) => times > 0)).toBe(true);
  await Promise.all(stores.map((of) => of.close()));
  for (const node of nodes) node.disconnect();
  await cluster.close();
}, 60_000);
