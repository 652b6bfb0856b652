/**
 * Goal: at rest every view equals the authority's state in its area (V1), and meanwhile nobody who
 * lives vanishes from a view, whatever happens to pods, store and clients. Method: pods, hub and
 * clients on the twin store under a seeded schedule of kills, stalls and slow readers.
 */
import { createRandom } from '@leasehold/kernel';
import { openPods } from '@leasehold/pod/pods-fixture';
import { decodeRows, type Head, inspectCommit, type Region, type Table } from '@leasehold/protocol';
import type { Area } from '@leasehold/protocol/view';
import { AreaShape, type AreaSpec } from '@leasehold/spatial';
import { openTwinPlanStore } from '@leasehold/twin-store';
import { expect, test } from 'vitest';
import { TestClient } from './client-fixture.ts';
import { openHub, type Pods } from './hub-fixture.ts';

/** Of the positions' fixed point, and a little for the arithmetic. */
const HALF_STEP = 0.005 + 1e-9;
const AREAS: readonly AreaSpec[] = [
  { kind: 'world' },
  { kind: 'box', minX: 13, minY: 21.5, maxX: 55, maxY: 47 },
  { kind: 'box', minX: 70, minY: 60, maxX: 12, maxY: 20 },
  { kind: 'circle', x: 5, y: 40, radius: 17 },
  {
    kind: 'polygon',
    points: [
      [10, 10],
      [45, 18],
      [30, 45],
    ],
  },
];

type Place = { readonly x: number; readonly y: number; readonly cell: number };

/** Every living row of the world, those on their way between cells included; from the store. */
async function authority({ watcher, engine, grid }: Pods): Promise<Map<number, Place>> {
  const cells = [...Array(grid.cells).keys()];
  const images = await watcher.load(cells.map((cell) => ({ cell })));
  const heads = new Map((await watcher.heads(cells)).map((head, cell) => [cell, head as Head]));
  const places = new Map<number, Place>();
  const { component = 0, x = 0, y = 1 } = engine.spatial ?? {};
  const count = (table: Table, cell: number): void => {
    const columns = table.columns[component] ?? [];
    for (let row = 0; row < table.count; row++) {
      const at = { x: Number(columns[x]?.[row]), y: Number(columns[y]?.[row]), cell };
      places.set(table.ids[row] as number, at);
    }
  };
  for (const image of images) {
    const state = engine.createCell(image.cell);
    state.restore(image);
    count(state.table, image.cell);
    for (const { seq, to, body } of await watcher.channel(image.cell, 0)) {
      if (seq <= (heads.get(to)?.cursors.get(image.cell) ?? 0)) continue;
      count(decodeRows(body, engine.schema).rows, image.cell);
    }
  }
  return places;
}

/** Whoever left a view of the whole world must have died. */
class Witness {
  readonly left = new Set<number>();
  #seen = new Set<number>();
  #isLive = false;

  look = (client: TestClient): void => {
    if ((client.views.get(1)?.live ?? 0) > 0) this.#isLive = true;
    const now = new Set(client.ids());
    if (this.#isLive) for (const id of this.#seen) if (!now.has(id)) this.left.add(id);
    this.#seen = now;
  };
}

async function deathsOf(world: Pods, known: Set<number>): Promise<void> {
  const cells = [...Array(world.grid.cells).keys()];
  const images = await world.watcher.load(cells.map((cell) => ({ cell, beforeTick: 1 })));
  for (const { entries } of images) {
    for (const { body } of entries) for (const id of inspectCommit(body).deaths) known.add(id);
  }
}

/** One on the way belongs to the cell it left, and so to the views that see that cell. */
function expectEqual(
  world: Pods,
  client: TestClient,
  area: AreaSpec,
  truth: ReadonlyMap<number, Place>,
): void {
  const shape = new AreaShape(world.grid, area);
  const inside = [...truth].filter(
    ([, { x, y, cell }]) => shape.cells.includes(cell) && shape.contains(x, y),
  );
  expect(client.ids()).toEqual(inside.map(([id]) => id).sort((a, b) => a - b));
  const xs = client.values('position', 'x');
  const ys = client.values('position', 'y');
  for (const [id, { x, y }] of inside) {
    expect(Math.abs(Number(xs.get(id)) - x)).toBeLessThanOrEqual(HALF_STEP);
    expect(Math.abs(Number(ys.get(id)) - y)).toBeLessThanOrEqual(HALF_STEP);
  }
}

test.each([1, 2, 3, 4])(
  'V1 at rest every view equals the authority, and nobody who lived was missed (seed %i)',
  async (seed) => {
    const random = createRandom(seed);
    const world = await openPods({ mode: 'realtime', seed });
    const { clock } = world;
    let born = 0;
    const start = () => void world.start(`pod-${born++}`);
    for (let i = 0; i < 3; i++) start();
    await clock.advance(1_500);
    const hub = openHub(world);
    const at = { schema: world.engine.schema, grid: world.grid };
    const clients = AREAS.map((area) => {
      const client = new TestClient(hub, at).hello().subscribe(1, area as Area);
      return { area, client };
    });
    const slow = new TestClient(hub, at).hello().subscribe(1, { kind: 'world' });
    const rare = new TestClient(hub, at).hello().subscribe(1, { kind: 'world' }, { rateHz: 4 });
    const witness = new Witness();
    (clients[0] as { client: TestClient }).client.onFrame = witness.look;
    const dead = new Set<number>();
    for (let step = 0; step < 12; step++) {
      const dice = random.below(5);
      const names = [...world.pods.keys()];
      const name = names[random.below(names.length)] as string;
      if (dice <= 1 && names.length > 1) {
        world.kill(name);
        start();
      }
      if (dice === 2) slow.isReading = false;
      if (dice === 3) {
        slow.isReading = true;
        slow.read();
      }
      for (let i = 0; i < 3; i++) {
        await clock.advance(500);
        await deathsOf(world, dead);
      }
    }
    const time = await world.watcher.clock();
    if (time === undefined) throw new Error('the world has no clock');
    await world.watcher.setClock({ ...time, isPaused: true });
    slow.isReading = true;
    slow.read();
    for (let i = 0; i < 4; i++) {
      await clock.advance(500);
      await deathsOf(world, dead);
    }
    const truth = await authority(world);
    for (const { client, area } of clients) expectEqual(world, client, area, truth);
    expectEqual(world, slow, { kind: 'world' }, truth);
    expectEqual(world, rare, { kind: 'world' }, truth);
    expect([...witness.left].filter((id) => !dead.has(id))).toEqual([]);
    expect(witness.left.size).toBeGreaterThan(0);
    for (const { client } of clients) expect(client.breaks).toBe(0);
    expect(slow.breaks).toBe(0);
    expect(rare.frames).toBeLessThan((clients[0] as { client: TestClient }).client.frames / 2);
    const stop = hub.stop();
    await clock.advance(5_000);
    await stop;
    await world.close();
  },
);

/** Writes the first plan by hand: views of the western half are slowed, of the eastern not. */
async function slowWest({ server }: Pods): Promise<void> {
  const store = openTwinPlanStore(server, { world: 'w', incarnation: 1, layer: 'main', name: 'o' });
  const half = (id: number): Region => ({
    ...{ id, pod: 'pod-0', standby: '', edges: [] },
    ...(id === 1 ? { relief: 'slow-views' } : {}),
    rect: { column: id === 1 ? 0 : 4, row: 0, columns: 4, rows: 8 },
  });
  await store.lead('o', 60_000);
  const plan = { version: 1, atMs: 0, regions: [half(1), half(2)], asleep: [] };
  expect(await store.writePlan('o', plan, [])).toEqual({ tag: 'OK' });
}

test.each([1, 2])(
  'V1 cells whose views are slowed are told a quarter as often, and everybody is seen once (seed %i)',
  async (seed) => {
    const world = await openPods({ mode: 'realtime', seed });
    const { clock, grid } = world;
    await slowWest(world);
    for (let i = 0; i < 2; i++) void world.start(`pod-${i}`);
    await clock.advance(1_500);
    const hub = openHub(world);
    const at = { schema: world.engine.schema, grid };
    const [all, east] = [0, 1].map(() => new TestClient(hub, at)) as [TestClient, TestClient];
    const area: AreaSpec = { kind: 'box', minX: 22.5, minY: 13, maxX: 57, maxY: 66 };
    const witness = new Witness();
    const twice = new Set<number>();
    /** By cell: when somebody who stayed in it was seen to have moved. */
    const told = new Map<number, { xs: Map<number, unknown>; atMs: number[] }>();
    const updatesOf = (isWest: boolean): number[][] =>
      [...told].filter(([cell]) => cell % 8 < 4 === isWest).map(([, { atMs }]) => atMs);
    const gaps = (isWest: boolean): number[] =>
      updatesOf(isWest).flatMap((times) => times.slice(1).map((ms, i) => ms - (times[i] ?? 0)));
    await clock.advance(1_000);
    all.onFrame = (client) => {
      witness.look(client);
      const ids = client.ids();
      for (const [i, id] of ids.entries()) if (ids[i + 1] === id) twice.add(id);
      for (const [cell, { ids: of, count, columns }] of client.views.get(1)?.cells ?? []) {
        const xs = new Map(
          [...of.subarray(0, count)].map((id, row) => [id, columns[0]?.[0]?.[row]]),
        );
        const last = told.get(cell);
        const isMoved = [...xs].some(([id, x]) => last?.xs.has(id) && last.xs.get(id) !== x);
        told.set(cell, { xs, atMs: [...(last?.atMs ?? []), ...(isMoved ? [clock.nowMs()] : [])] });
      }
    };
    all.hello().subscribe(1, { kind: 'world' });
    east.hello().subscribe(1, area as Area);
    const dead = new Set<number>();
    for (let i = 0; i < 20; i++) {
      await clock.advance(500);
      if (i === 10) world.kill('pod-1');
      await deathsOf(world, dead);
    }
    const time = await world.watcher.clock();
    if (time === undefined) throw new Error('the world has no clock');
    await world.watcher.setClock({ ...time, isPaused: true });
    await clock.advance(1_000);
    await deathsOf(world, dead);
    const truth = await authority(world);
    expectEqual(world, all, { kind: 'world' }, truth);
    expectEqual(world, east, area, truth);
    expect(all.breaks + east.breaks).toBe(0);
    expect([...twice]).toEqual([]);
    expect([...witness.left].filter((id) => !dead.has(id))).toEqual([]);
    expect(witness.left.size).toBeGreaterThan(0);
    // Four ticks are 200 ms; a round that comes a little early is the right one.
    expect(Math.min(...gaps(true))).toBeGreaterThanOrEqual(190);
    expect(Math.min(...gaps(false))).toBeLessThanOrEqual(75);
    const [west, rest] = [updatesOf(true), updatesOf(false)].map((each) => each.flat().length);
    expect(west).toBeLessThan(Number(rest) / 2.5);
    expect(west).toBeGreaterThan(100);
    expect(hub.following.slow.coalesced).toBeGreaterThan(Number(west));
    const stop = hub.stop();
    await clock.advance(5_000);
    await stop;
    await world.close();
  },
);

const times = [0, 1].flatMap((replicas) => [1, 2, 3].map((seed) => [replicas, seed] as const));
test.each(times)(
  'V1 a store that goes back takes every view with it, and they say so (%i replicas, seed %i)',
  async (replicas, seed) => {
    const random = createRandom(seed);
    const world = await openPods({ mode: 'realtime', seed });
    const { clock, server } = world;
    server.replicas = replicas;
    server.replicaLagMs = replicas === 0 ? 0 : 60;
    for (let i = 0; i < 3; i++) void world.start(`pod-${i}`);
    await clock.advance(1_500);
    const hub = openHub(world);
    const at = { schema: world.engine.schema, grid: world.grid };
    const clients = AREAS.map((area) => {
      const client = new TestClient(hub, at).hello().subscribe(1, area as Area);
      return { area, client };
    });
    for (let n = 0; n < 3; n++) {
      await clock.advance(400 + random.below(300));
      const snapshot = server.snapshot();
      await clock.advance(replicas === 0 ? 20 + random.below(200) : random.below(58));
      server.rollback(snapshot);
    }
    await clock.advance(1_000);
    const time = await world.watcher.clock();
    if (time === undefined) throw new Error('the world has no clock');
    await world.watcher.setClock({ ...time, isPaused: true });
    await clock.advance(3_000);
    const truth = await authority(world);
    for (const { client, area } of clients) {
      expectEqual(world, client, area, truth);
      expect(client.breaks).toBe(0);
    }
    if (replicas === 0) expect(hub.following.resyncs).toBeGreaterThan(0);
    const stop = hub.stop();
    await clock.advance(5_000);
    await stop;
    await world.close();
  },
);
