/** What viewers are told of the plan, of loads and of the journal. On the twin store. */
import type { Decision, Plan, Region } from '@leasehold/protocol';
import { FrameReader, FrameWriter, PART, readJsonPart, readPlan } from '@leasehold/protocol/view';
import { ManualClock, openTwinPlanStore, openTwinStore, twinServer } from '@leasehold/twin-store';
import { expect, test } from 'vitest';
import { PlanWatch } from './plan-watch.ts';
import { PlanTeller } from './status-plan.ts';

const AT = { world: 'w', incarnation: 1, layer: 'main' };
const grid = { columns: 4, rows: 2, cells: 8 };
const silent = { debug() {}, info() {}, warn() {}, error() {} };

const region = (id: number, column: number, columns = 2): Region => ({
  ...{ id, rect: { column, row: 0, columns, rows: 2 }, pod: `pod-${id}`, standby: '' },
  edges: [],
});
const decision = (cause: string, regions = [1], before = {}): Decision => ({
  ...{ kind: 'move', cause, regions, cells: 1, before, expected: { b: 2 } },
});

/** A world of eight cells, and what a teller of it says. */
async function open() {
  const clock = new ManualClock(1_000_000);
  const server = twinServer({ grid: { cells: 8, blocks: 1, blockOf: () => 0 }, clock });
  const store = openTwinPlanStore(server, AT);
  await store.lead('a', 60_000);
  const watch = new PlanWatch({ store, clock, log: silent });
  watch.start();
  const told: Uint8Array[] = [];
  const tell = (part: Uint8Array) => void told.push(part);
  const teller = new PlanTeller({ store, watch, clock, grid, tell });
  const look = async (ms = 600) => {
    await clock.advance(ms);
    await teller.look();
    return read(told.splice(0));
  };
  let version = 0;
  const write = (regions: readonly Region[], decisions: readonly Decision[] = []) => {
    const plan: Plan = { version: ++version, atMs: 5, regions, asleep: [[7, 1]] };
    return store.writePlan('a', plan, decisions);
  };
  return { clock, server, watch, teller, look, write };
}

/** As a client has it. */
function read(parts: readonly Uint8Array[]) {
  const reader = new FrameReader(
    parts.reduce((frame, part) => frame.part(part), new FrameWriter().begin(0, 0)).finish(),
  );
  const plans: ReturnType<typeof readPlan>[] = [];
  const journal: Readonly<Record<string, unknown>>[] = [];
  for (let part = reader.next(); part !== undefined; part = reader.next()) {
    if (part.kind === PART.plan) plans.push(readPlan(part.body, grid));
    if (part.kind === PART.journal) journal.push(readJsonPart(part.body));
  }
  return { plans, journal, causes: journal.map(({ cause }) => cause) };
}

test('that there is no plan is told once, and a plan with what its regions cost as often as pods say', async () => {
  const { look, write, server, teller } = await open();
  expect((await look()).plans).toEqual([
    { version: 0, atMs: 0, regionCount: 0, regions: [], asleep: [] },
  ]);
  expect((await look()).plans).toEqual([]);
  const pod = openTwinStore(server, { ...AT, pod: 'pod-1' });
  await pod.announce('pod-1', 1, () => {});
  await pod.reportLoad([
    { cell: 0, tickMs: 1.5, entities: 10 },
    { cell: 5, tickMs: 0.5, entities: 20 },
    { cell: 6, tickMs: 4, entities: 5 },
    { cell: 99, tickMs: 1e12, entities: Number.NaN },
  ]);
  // The third is of a larger grid.
  await write([region(1, 0), region(2, 2), region(3, 2, 3)]);
  const { plans } = await look(1_100);
  expect(plans).toHaveLength(1);
  expect(plans[0]).toMatchObject({
    ...{ version: 1, atMs: 5, regionCount: 3, asleep: [[7, 1]] },
    regions: [
      { ...region(1, 0), tickMs: 2, entities: 30 },
      { ...region(2, 2), tickMs: 4, entities: 5 },
    ],
  });
  expect((await look(300)).plans).toEqual([]);
  await pod.reportLoad([{ cell: 6, tickMs: 8, entities: 5 }]);
  const [, second] = (await look(800)).plans[0]?.regions ?? [];
  // As the authority sees it: what is new counts gradually.
  expect([second?.tickMs ?? 0, 8 - (second?.tickMs ?? 8)].every((ms) => ms > 1)).toBe(true);
  expect(read(teller.parts).plans[0]?.version).toBe(1);
  server.lose();
  expect((await look()).plans.map(({ version }) => version)).toEqual([0]);
});

test('a newcomer is told the last fifty decisions, and everybody each new one once', async () => {
  const { look, write, teller } = await open();
  const decisions = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => decision(`cause ${from + i}`));
  await write([], decisions(0, 70));
  const first = await look();
  expect([first.causes.length, first.causes[0], first.causes.at(-1)]).toEqual([
    ...[50, 'cause 20', 'cause 69'],
  ]);
  expect((await look()).causes).toEqual([]);
  await write([], decisions(70, 2));
  expect((await look()).causes).toEqual(['cause 70', 'cause 71']);
  expect(read(teller.parts).causes).toHaveLength(50);
  expect(read(teller.parts).causes.at(-1)).toBe('cause 71');
});

test('what was decided hours ago is found, and of what is huge so much that it can be sent', async () => {
  const { look, write, clock } = await open();
  const many = Array.from({ length: 900 }, (_, i) => i);
  const loads = Object.fromEntries(many.map((i) => [`pod-${i}`, i]));
  await write([], [decision('long ago', many, loads)]);
  await clock.advance(3 * 3_600_000);
  const [entry] = (await look()).journal;
  expect(entry).toMatchObject({ kind: 'move', cause: 'long ago', version: 1, expected: {} });
  expect(entry?.['regions']).toEqual(many.slice(0, 32));
  expect(Object.keys(entry?.['before'] as object)).toContain('pod-899');
  expect(Object.keys(entry?.['before'] as object)).toHaveLength(8);
});

test('long causes are cut, and what waits for a newcomer stays below its limit', async () => {
  const { look, write, teller } = await open();
  const regions = Array.from({ length: 32 }, (_, i) => 1e9 + i);
  const pods = Object.fromEntries(regions.map((i) => [`pod-of-a-long-name-${i}`, 1]));
  const huge = decision('because '.repeat(500), regions, pods);
  const decisions = Array.from({ length: 40 }, () => huge);
  await write([], decisions);
  const { causes } = await look();
  expect(String(causes[0]).length).toBeLessThan(310);
  const bytes = teller.parts.reduce((sum, part) => sum + part.length, 0);
  expect(bytes).toBeLessThan(25 * 1024);
  expect(causes.length).toBe(read(teller.parts).causes.length);
  expect(causes.length).toBeGreaterThan(15);
});
