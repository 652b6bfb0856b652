/**
 * The store goes back in time. Without replicas what it lost is gone in every cell, and
 * said; with replicas the living heal it. Either way nothing is in two places or in none.
 */
import { createRandom } from '@leasehold/kernel';
import { inspectCommit } from '@leasehold/protocol';
import { expect, test } from 'vitest';
import { openPods } from './pods-fixture.ts';

type World = Awaited<ReturnType<typeof openPods>>;

async function calmHash() {
  const calm = await openPods({ mode: 'lockstep', endTick: 60 });
  await calm.start('pod-0');
  await calm.until(60);
  const { hash } = await calm.census();
  await calm.close();
  return hash;
}

test.each([
  [1, 0],
  [3, 0],
  [3, 1],
])('T1 lockstep survives a store that goes back: %i pods, %i replicas', async (count, replicas) => {
  const hash = await calmHash();
  const world = await openPods({ mode: 'lockstep', endTick: 60 });
  world.server.replicas = replicas;
  world.server.replicaLagMs = replicas === 0 ? 0 : 40;
  for (let i = 0; i < count; i++) await world.start(`pod-${i}`);
  for (const tick of [10, 20, 30]) {
    await world.until(tick, 1);
    const snapshot = world.server.snapshot();
    if (replicas === 0) await world.until(tick + 3, 1);
    else await world.clock.advance(35);
    world.server.rollback(snapshot);
  }
  await world.until(60, 25, 800);
  const census = await world.census();
  await world.close();
  expect(census.twice).toEqual([]);
  expect(census.hash).toBe(hash);
});

/** Alive by births less deaths of the surviving logs, which must be whole. */
async function alive(world: World): Promise<Set<number>> {
  const born = new Set<number>();
  const dead = new Set<number>();
  const cells = [...Array(world.grid.cells).keys()];
  for (const image of await world.watcher.load(cells.map((cell) => ({ cell, beforeTick: 1 })))) {
    expect(image.checkpoint, 'the log was trimmed: this test runs too long').toBe(undefined);
    for (const { body } of image.entries) {
      const { births, deaths } = inspectCommit(body);
      for (const id of births) {
        expect(born.has(id), `id ${id} was born twice`).toBe(false);
        born.add(id);
      }
      for (const id of deaths) dead.add(id);
    }
  }
  return new Set([...born].filter((id) => !dead.has(id)));
}

const cases = [0, 1].flatMap((replicas) =>
  [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => [replicas, seed] as const),
);
test.each(cases)(
  'E1 E2 realtime: the store goes back (%i replicas, seed %i)',
  async (replicas, seed) => {
    const random = createRandom(seed);
    const world = await openPods({ mode: 'realtime', seed });
    world.server.replicas = replicas;
    world.server.replicaLagMs = replicas === 0 ? 0 : 60;
    for (let i = 0; i < 3; i++) void world.start(`pod-${i}`);
    await world.clock.advance(700);
    for (let n = 0; n < 3; n++) {
      await world.clock.advance(200 + random.below(50));
      const snapshot = world.server.snapshot();
      await world.clock.advance(replicas === 0 ? 20 + random.below(200) : random.below(58));
      world.server.rollback(snapshot);
      await world.clock.advance(200);
    }
    await world.clock.advance(500);
    await world.close();
    const survivors = await alive(world);
    const census = await world.census();
    expect(census.twice).toEqual([]);
    expect(census.entities).toBe(survivors.size);
  },
);

test.each([
  [1, 1],
  [1, 2],
  [1, 3],
  [1, 4],
  [1, 5],
  [1, 6],
  [0, 1],
  [0, 2],
])('E1 E2 the store goes back while cells move (%i replicas, seed %i)', async (replicas, seed) => {
  const random = createRandom(seed);
  const world = await openPods({ mode: 'realtime', seed });
  const { server, watcher, clock } = world;
  const cells = [...Array(world.grid.cells).keys()];
  server.replicas = replicas;
  server.replicaLagMs = replicas === 0 ? 0 : 60;
  void world.start('pod-0');
  await clock.advance(300);
  for (let n = 1; n <= 2; n++) {
    void world.start(`pod-${n}`);
    for (let i = 0; i < 2; i++) {
      await clock.advance(80 + random.below(200));
      const snapshot = server.snapshot();
      await clock.advance(random.below(58));
      const before = await watcher.heads(cells);
      server.rollback(snapshot);
      await clock.advance(200);
      if (replicas > 0) expect(await lostOf(world, before)).toEqual([]);
    }
  }
  await clock.advance(500);
  await world.close();
  const survivors = await alive(world);
  const census = await world.census();
  expect(census.twice).toEqual([]);
  expect(census.entities).toBe(survivors.size);
});

/** The cells whose committed position is no longer in their history. */
async function lostOf(world: World, before: Awaited<ReturnType<World['watcher']['heads']>>) {
  const images = await world.watcher.load(before.map((_, cell) => ({ cell, beforeTick: 1 })));
  return before.flatMap((head, cell) => {
    if ('tag' in head) throw new Error(`cell ${cell}: ${head.tag}`);
    const entry = images[cell]?.entries.find(({ seq }) => seq === head.seq);
    return head.seq > 0 && entry?.hash !== head.hash ? [cell] : [];
  });
}

test('L5 a second failover is healed too, though its replica came after the first', async () => {
  const world = await openPods({ mode: 'realtime' });
  const cells = [...Array(world.grid.cells).keys()];
  world.server.replicas = 1;
  world.server.replicaLagMs = 60;
  for (let i = 0; i < 3; i++) void world.start(`pod-${i}`);
  await world.clock.advance(1_000);
  for (let n = 0; n < 2; n++) {
    const snapshot = world.server.snapshot();
    await world.clock.advance(55);
    const before = await world.watcher.heads(cells);
    // Nobody follows the promoted server yet.
    world.server.replicas = 0;
    world.server.rollback(snapshot);
    await world.clock.advance(400);
    expect(await lostOf(world, before)).toEqual([]);
    world.server.replicas = 1;
    await world.clock.advance(400);
  }
  await world.close();
});

test('L3 a failover after a cell was taken from its pod is healed, once the taking is proven', async () => {
  const world = await openPods({ mode: 'realtime' });
  const { server, watcher, clock, grid } = world;
  const cells = [...Array(grid.cells).keys()];
  server.replicas = 1;
  server.replicaLagMs = 60;
  for (let i = 0; i < 2; i++) void world.start(`pod-${i}`);
  await clock.advance(1_000);
  const heads = await watcher.heads(cells);
  const ofPod0 = heads.flatMap((head) =>
    'tag' in head || !head.nonce.startsWith('pod-0.') ? [] : [head],
  );
  const taken = ofPod0.slice(0, 1);
  expect(taken).toHaveLength(1);
  await watcher.revoke(taken);
  await clock.advance(3_500);
  const snapshot = server.snapshot();
  await clock.advance(55);
  const before = await watcher.heads(cells);
  server.rollback(snapshot);
  await clock.advance(400);
  expect(await lostOf(world, before)).toEqual([]);
  await world.close();
});

test('L5 who comes back last after an outage finds its cells, though their leases had run out', async () => {
  const world = await openPods({ mode: 'realtime' });
  const { server, watcher, clock, grid, pods } = world;
  const cells = [...Array(grid.cells).keys()];
  for (let i = 0; i < 3; i++) void world.start(`pod-${i}`);
  await clock.advance(4_000);
  const before = await watcher.heads(cells);
  for (const name of pods.keys()) server.disconnect(name);
  await clock.advance(2_500);
  server.rollback(server.snapshot());
  // So have the records of the pods, which they renew as they do their leases.
  for (const key of server.worldKeys()) server.world(key).pods.clear();
  for (const name of pods.keys()) {
    server.reconnect(name);
    await clock.advance(1_200);
  }
  await clock.advance(2_000);
  const after = await watcher.heads(cells);
  await world.close();
  const taken = after.filter((head, cell) => {
    const was = before[cell];
    if (was === undefined || 'tag' in was || 'tag' in head) return true;
    return was.nonce !== head.nonce;
  });
  expect(taken).toEqual([]);
});

test('L5 W1 what was handed over in the lost tail is let go again at once', async () => {
  const world = await openPods({ mode: 'realtime' });
  const { server, watcher, clock, grid } = world;
  const cells = [...Array(grid.cells).keys()];
  server.replicas = 1;
  server.replicaLagMs = 60;
  void world.start('pod-0');
  await clock.advance(1_000);
  void world.start('pod-1');
  let handedOver: readonly number[] = [];
  let snapshot = server.snapshot();
  for (let i = 0; i < 400 && handedOver.length === 0; i++) {
    snapshot = server.snapshot();
    await clock.advance(50);
    const heads = await watcher.heads(cells);
    handedOver = heads.flatMap((head) =>
      'tag' in head || !head.nonce.startsWith('pod-1.') ? [] : [head.cell],
    );
  }
  expect(handedOver).not.toEqual([]);
  const ticksAtLoss = Math.max(
    ...(await watcher.heads(handedOver)).map((head) => ('tag' in head ? 0 : head.tick)),
  );
  server.rollback(snapshot);
  // Far less than a lease: nobody had to wait for one to end.
  await clock.advance(800);
  const heads = await watcher.heads(handedOver);
  await world.close();
  for (const head of heads) expect('tag' in head ? '' : head.nonce).toMatch(/^pod-1\./);
  // Quiet cells do not commit.
  const tickMax = Math.max(...heads.map((head) => ('tag' in head ? 0 : head.tick)));
  expect(tickMax).toBeGreaterThan(ticksAtLoss + 10);
});

test('E1 what a healed cell had sent reaches a neighbour that is taken over meanwhile', async () => {
  const world = await openPods({ mode: 'realtime', seed: 5 });
  const { server, watcher, clock, grid } = world;
  const others = [...Array(grid.cells).keys()].filter((cell) => cell % 2 === 0);
  server.replicas = 1;
  server.replicaLagMs = 1;
  void world.start('pod-0');
  await clock.advance(500);
  const heads = await watcher.heads(others);
  await watcher.revoke(heads.flatMap((head) => ('tag' in head ? [] : [head])));
  const requests = others.map((cell) => ({ cell, nonce: `watcher.${cell}`, ttlMs: 5_000 }));
  const claims = (await watcher.acquire(requests)).flatMap((reply) =>
    reply.tag === 'GRANTED' ? [reply.claim] : [],
  );
  expect(claims).toHaveLength(others.length);
  server.replicaLagMs = 400;
  const snapshot = server.snapshot();
  await clock.advance(380);
  server.rollback(snapshot);
  server.replicaLagMs = 1;
  // They come free, and are loaded while those held still append what is missing.
  await watcher.release(claims);
  await watcher.notify('pod-0', JSON.stringify({ left: others }));
  await clock.advance(500);
  await world.close();
  const survivors = await alive(world);
  const census = await world.census();
  expect(census.twice).toEqual([]);
  expect(census.entities).toBe(survivors.size);
});

/** What an heir by a new plan does: it asks for all cells, again and again. */
async function askForAll({ watcher, clock, grid }: World, ms: number): Promise<number[]> {
  const cells = [...Array(grid.cells).keys()];
  const taken: number[] = [];
  for (let n = 0; n * 50 < ms; n++) {
    const asked = cells.map((cell) => ({ cell, nonce: `watcher.${n}x${cell}`, ttlMs: 5_000 }));
    const replies = await watcher.acquire(asked);
    for (const [cell, { tag }] of replies.entries()) if (tag === 'GRANTED') taken.push(cell);
    await clock.advance(50);
  }
  return taken;
}

test('L5 cells that wait with their commit until others are healed stay', async () => {
  let isSlow = false;
  const world = await openPods({
    mode: 'realtime',
    wrap: (store) =>
      new Proxy(store, {
        get(_, name: keyof typeof store) {
          const of = store[name];
          if (typeof of !== 'function') return of;
          if (name !== 'commit') return of.bind(store);
          return async (...args: Parameters<typeof store.commit>) => {
            if (isSlow) await world.clock.sleep(150);
            return store.commit(...args);
          };
        },
      }),
  });
  const { server, clock } = world;
  server.replicas = 1;
  server.replicaLagMs = 1_200;
  void world.start('pod-0');
  await clock.advance(4_000);
  const snapshot = server.snapshot();
  await clock.advance(1_100);
  isSlow = true;
  server.rollback(snapshot);
  server.replicas = 0;
  const taken = await askForAll(world, 5_000);
  await world.close();
  expect(taken).toEqual([]);
});

test('L5 W1 a lease that was given back unread in the lost tail is given back again at once', async () => {
  let isFailing = true;
  const world = await openPods({
    mode: 'realtime',
    wrap: (store) =>
      new Proxy(store, {
        get(_, name: keyof typeof store) {
          const of = store[name];
          if (typeof of !== 'function') return of;
          if (name !== 'barrier' || !isFailing) return of.bind(store);
          return async () => {
            await world.clock.sleep(5);
            throw new Error('no replica has it');
          };
        },
      }),
  });
  const { server, watcher, clock, grid } = world;
  const cells = [...Array(grid.cells).keys()];
  const held = async () =>
    (await watcher.heads(cells)).flatMap((head) => ('tag' in head ? [] : head.nonce || []));
  server.replicas = 1;
  void world.start('pod-0');
  await clock.advance(30);
  const granted = await held();
  expect(granted).not.toEqual([]);
  const snapshot = server.snapshot();
  await clock.advance(800);
  expect(await held()).toEqual([]);
  server.rollback(snapshot);
  isFailing = false;
  // Far less than a lease: nobody had to wait for one to end.
  await clock.advance(200);
  const still = (await held()).filter((nonce) => granted.includes(nonce));
  await world.close();
  expect(still).toEqual([]);
});
