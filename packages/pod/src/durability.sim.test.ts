/**
 * Goal: a crash costs what the class of a component says, and nothing else. Method: everybody counts
 * ticks in a component of each class; what was told when a pod died is read from the store.
 */
import type { Head } from '@leasehold/protocol';
import type { CellState } from '@leasehold/sdk/engine';
import { expect, test } from 'vitest';
import { burners, counters, EVERY } from './counters-fixture.ts';
import { openPods } from './pods-fixture.ts';

const END_TICK = 200;

type World = Awaited<ReturnType<typeof openPods>>;
type Counted = { [K in 'tick' | 'sure' | 'fuel' | 'heat' | 'aim']: number };

function counted({ table, tick }: CellState): Counted {
  const of = (name: string): number => {
    const c = table.schema.components.findIndex((known) => known.name === name);
    return Number(table.columns[c]?.[0]?.[0]);
  };
  return { tick, sure: of('sure'), fuel: of('fuel'), heat: of('heat'), aim: of('aim') };
}

/** What the store says of each cell: of checkpoint ⊕ log, nothing more. */
async function told(world: World): Promise<Map<number, Counted>> {
  const cells = [...Array(world.grid.cells).keys()];
  const images = await world.watcher.load(cells.map((cell) => ({ cell })));
  return new Map(
    images.map((image) => {
      const state = world.engine.createCell(image.cell);
      state.restore(image);
      return [image.cell, counted(state)];
    }),
  );
}

async function heldBy(world: World, pod: string): Promise<Set<number>> {
  const heads = await world.watcher.heads([...Array(world.grid.cells).keys()]);
  const held = heads.filter((head) => !('tag' in head) && head.nonce.split('.')[0] === pod);
  return new Set(held.map((head) => (head as Head).cell));
}

/** Three pods until they have ticked for some seconds, each cell at a place of its own in its turn. */
async function running(replicas = 0): Promise<World> {
  const world = await openPods({ mode: 'realtime', simulation: counters, endTick: END_TICK });
  world.server.replicas = replicas;
  for (const name of ['pod-a', 'pod-b', 'pod-c']) void world.start(name, 3);
  await world.until(90);
  return world;
}

test('a killed pod costs the changes of at most n ticks of what is told in each n-th, and of nothing else', async () => {
  const world = await running();
  const lost = await heldBy(world, 'pod-b');
  world.kill('pod-b');
  const before = await told(world);
  await world.until(END_TICK);
  await world.clock.advance(1_000);
  const after = await told(world);
  await world.close();
  const costs: number[] = [];
  for (const [cell, was] of before) {
    const is = after.get(cell) as Counted;
    const cost = is.sure - is.fuel;
    expect(is.sure - was.sure, `cell ${cell} missed ticks`).toBe(END_TICK - was.tick);
    if (!lost.has(cell)) {
      expect(cost, `cell ${cell} lost what it had`).toBe(0);
      expect(is.aim).toBe(is.sure);
      continue;
    }
    expect(cost, `cell ${cell} lost more than was not told`).toBe(was.sure - was.fuel);
    expect(is.sure - is.heat).toBe(was.sure - was.heat);
    // What is never stored starts anew.
    expect(is.aim).toBe(END_TICK - was.tick);
    costs.push(cost);
  }
  expect(lost.size).toBeGreaterThan(10);
  expect(Math.max(...costs)).toBeLessThanOrEqual(EVERY);
  expect(new Set(costs).size, 'cells take turns').toBeGreaterThan(EVERY / 2);
});

test.each([0, 1])(
  'a drained pod costs nothing but what is never stored, with %i replicas',
  async (replicas) => {
    const world = await running(replicas);
    const moved = await heldBy(world, 'pod-b');
    const pod = world.pods.get('pod-b');
    const draining = pod?.drain(5_000);
    await world.clock.advance(3_000);
    expect(await draining).toBe(true);
    await world.until(END_TICK);
    await world.clock.advance(1_000);
    const after = await told(world);
    await world.close();
    expect(moved.size).toBeGreaterThan(10);
    for (const [cell, is] of after) {
      expect([is.fuel, is.heat], `cell ${cell} lost what it had`).toEqual([is.sure, is.sure]);
      if (moved.has(cell)) expect(is.aim).toBeLessThan(is.sure);
      else expect(is.aim).toBe(is.sure);
    }
  },
);

/** A realtime world is loaded in a hurry, so its logs are short. */
const ENTRIES_MAX = 50;

test('V1 L3 whoever follows from the beginning has what who has just come has, also after a kill', async () => {
  const world = await openPods({ mode: 'realtime', simulation: counters, endTick: END_TICK });
  const cells = [...Array(world.grid.cells).keys()];
  const followers = cells.map((cell) => world.engine.createCell(cell));
  const next = cells.map(() => 1);
  let behind = 0;
  const follow = async (): Promise<void> => {
    const images = await world.watcher.load(cells.map((cell) => ({ cell, beforeTick: 1 })));
    for (const { cell, entries } of images) {
      for (const entry of entries) {
        if (entry.seq < (next[cell] as number)) continue;
        expect(entry.seq).toBe(next[cell]);
        next[cell] = entry.seq + 1;
        followers[cell]?.apply(entry);
      }
    }
  };
  for (const name of ['pod-a', 'pod-b', 'pod-c']) void world.start(name, 3);
  for (let i = 0; i < 30; i++) {
    if (i === 12) world.kill('pod-a');
    await world.clock.advance(500);
    await follow();
    // A checkpoint is what the log told: nothing of it is newer, and nothing that is kept older.
    for (const [cell, { aim, ...kept }] of await told(world)) {
      const { aim: shown, ...followed } = counted(followers[cell] as CellState);
      expect(followed, `cell ${cell}`).toEqual(kept);
      if (aim !== shown) behind++;
    }
  }
  const images = await world.watcher.load(cells.map((cell) => ({ cell })));
  for (const { checkpoint, entries } of images) {
    expect(checkpoint).toBeDefined();
    expect(entries.length).toBeLessThan(ENTRIES_MAX);
  }
  // Of what is in no checkpoint they differ until the tick behind it.
  expect(behind).toBeLessThan(cells.length);
  const loaded = await told(world);
  await world.close();
  for (const state of followers) {
    expect(state.tick).toBe(END_TICK);
    expect(counted(state), `cell ${state.cell}`).toEqual(loaded.get(state.cell));
  }
});

test('a cell in which nothing else changes commits in each n-th tick', async () => {
  const world = await openPods({ mode: 'realtime', simulation: burners });
  void world.start('pod-a');
  await world.until(50);
  const seqs = async (): Promise<number[]> => {
    const heads = await world.watcher.heads([...Array(world.grid.cells).keys()]);
    return heads.map((head) => ('tag' in head ? 0 : head.seq));
  };
  const before = await seqs();
  await world.clock.advance((EVERY * 5 * 1_000) / 20);
  const after = await seqs();
  await world.close();
  for (const [cell, seq] of after.entries()) {
    expect(seq - (before[cell] as number), `cell ${cell}`).toBeGreaterThanOrEqual(4);
    expect(seq - (before[cell] as number), `cell ${cell}`).toBeLessThanOrEqual(6);
  }
});

test('T1 in lockstep a killed pod costs nothing of any class, and every pod says that classes are not in force', async () => {
  const warnings: unknown[] = [];
  const log = { debug() {}, info() {}, error() {}, warn: (facts: unknown) => warnings.push(facts) };
  const options = { mode: 'lockstep', simulation: counters, endTick: 60, log } as const;
  const hashes: string[] = [];
  for (const isKilled of [false, true]) {
    const world = await openPods(options);
    for (const name of ['pod-a', 'pod-b', 'pod-c']) void world.start(name, 3);
    await world.until(20);
    if (isKilled) world.kill('pod-b');
    await world.until(60);
    hashes.push((await world.census()).hash);
    for (const is of (await told(world)).values()) expect(is).toMatchObject({ fuel: 60, aim: 60 });
    await world.close();
  }
  expect(hashes[1]).toBe(hashes[0]);
  const components = ['aim: ephemeral', `fuel: every ${EVERY} ticks`, 'heat: every 7 ticks'];
  expect(warnings).toContainEqual({ components });
});
