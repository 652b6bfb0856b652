/** A small world on the twin store, with pods that can be killed, frozen and drained, for tests. */
import { createRandom, type Log } from '@leasehold/kernel';
import {
  decodeRows,
  entryHash,
  SEED_EPOCH,
  StateHash,
  type Store,
  type Table,
} from '@leasehold/protocol';
import { component, f64, type Simulation, simulation, system } from '@leasehold/sdk';
import { compile, type Engine } from '@leasehold/sdk/engine';
import { Grid } from '@leasehold/spatial';
import { ManualClock, openTwinAdmin, openTwinStore, twinServer } from '@leasehold/twin-store';
import { Pod } from './pod.ts';

export { counters, walkers } from './counters-fixture.ts';

const WORLD = { world: 'w', incarnation: 1, layer: 'main' } as const;

/** Viewers see positions to a hundredth. */
const Position = component(
  'position',
  1,
  { x: f64, y: f64 },
  { spatial: ['x', 'y'], steps: { x: 0.01, y: 0.01 } },
);
const Velocity = component('velocity', 1, { x: f64, y: f64 });
/** Followed, never stored. */
const Aim = component('aim', 1, { x: f64 }, { durability: 'ephemeral' });

/** Crosses borders, looks at neighbours, gives birth and dies: everything that could go wrong. */
export const wanderers: Simulation = simulation({
  components: [Position, Velocity],
  systems: [
    system({
      name: 'wander',
      writes: { position: Position, velocity: Velocity },
      neighbours: { radius: 6, reads: { velocity: Velocity } },
      each({ position, velocity }, ctx) {
        let x = velocity.x;
        let y = velocity.y;
        for (const other of ctx.neighbours) {
          x += other.velocity.x * 0.1 + other.dx * 0.01;
          y += other.velocity.y * 0.1 - other.dy * 0.01;
        }
        const length = Math.hypot(x, y) || 1;
        velocity.x = x / length;
        velocity.y = y / length;
        position.x += velocity.x * 1.5;
        position.y += velocity.y * 1.5;
        const isBearing = ctx.random.chance(0.01);
        if (ctx.random.chance(0.01)) ctx.despawn();
        else if (isBearing) {
          ctx.spawn(
            Position({ x: position.x, y: position.y }),
            Velocity({ x: -velocity.y, y: velocity.x }),
          );
        }
      },
    }),
  ],
  seed({ random, spawn }) {
    for (let i = 0; i < 120; i++) {
      spawn(
        Position({ x: random.between(0, 80), y: random.between(0, 80) }),
        Velocity({ x: random.between(-1, 1), y: random.between(-1, 1) }),
      );
    }
  },
});

/**
 * All of them in one cell; who is given a velocity moves, and from `restless` on all do by themselves, in
 * each `every`-th tick.
 */
export const statues = (restless = Number.POSITIVE_INFINITY, every = 1): Simulation =>
  simulation({
    components: [Position, Velocity, Aim],
    systems: [
      system({
        name: 'move',
        reads: { velocity: Velocity },
        writes: { position: Position },
        each({ position, velocity }, { tick }) {
          position.x +=
            velocity.x + (tick >= restless && (tick - restless) % every === 0 ? 0.001 : 0);
          position.y += velocity.y;
        },
      }),
    ],
    seed({ spawn }) {
      for (let i = 0; i < 120; i++) spawn(Position({ x: 5, y: 5 }), Velocity(), Aim());
    },
  });

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

type Options = {
  readonly mode: 'realtime' | 'lockstep';
  readonly endTick?: number;
  readonly seed?: number;
  readonly simulation?: Simulation;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly log?: Log;
  /** Cells sleep with somebody in them, and leave in one checkpoint, for a cold store that takes none. */
  readonly stillMs?: number;
  /** How long a call takes, there and back; what pods say to each other takes half of it. */
  readonly roundTripMs?: number;
  /** What a pod is given instead of its store. */
  readonly wrap?: (store: Store, pod: string) => Store;
};

const coolNone = async (cells: readonly number[]) =>
  cells.map(() => ({ tag: 'BUSY' as const, why: 'it takes none' }));

/** The same store, further away. What a call does is done halfway. */
function distant(store: Store, clock: ManualClock, roundTripMs: number): Store {
  const way = () => clock.sleep(roundTripMs / 2);
  const distantly =
    (call: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]) => {
      await way();
      const reply = await call.apply(store, args);
      await way();
      return reply;
    };
  return new Proxy(store, {
    get(_, name: keyof Store) {
      const of = store[name];
      if (typeof of !== 'function') return of;
      if (name === 'nowMs' || name === 'status' || name === 'close') return of.bind(store);
      // As on a real server, where nothing is sent for it.
      if (name === 'barrier' && store.status().replicas === 0) return of.bind(store);
      return distantly(of as (...args: unknown[]) => Promise<unknown>);
    },
  });
}

/** The stored world, seeded, its clock set; nobody holds any of it yet. */
async function openWorld(options: Options) {
  const grid = new Grid(
    { kind: 'torus', width: 80, height: 80, cell: 10 },
    { blockCells: 2, margin: 0.02 },
  );
  const clock = new ManualClock(1_000_000);
  const server = twinServer({ grid, graceMs: 500, clock });
  const admin = openTwinAdmin(server, WORLD);
  const compiled = (): Engine =>
    compile(options.simulation ?? wanderers, {
      layer: 'main',
      grid,
      seed: options.seed ?? 7,
      tickHz: 20,
      params: options.params ?? {},
    });
  const engine = compiled();
  await admin.createBlocks();
  const seeds = await engine.seed();
  const replies = await admin.createCells(
    [...seeds].map(([cell, { body, idCounter }]) => ({
      cell,
      body,
      idCounter,
      hash: entryHash('', 1, SEED_EPOCH, 0, body),
    })),
  );
  if (replies.some(({ tag }) => tag !== 'OK')) throw new Error(JSON.stringify(replies));
  const watcher = openTwinStore(server, { ...WORLD, pod: 'watcher' });
  await watcher.setClock({
    mode: options.mode,
    rateHz: 20,
    baseTick: 0,
    isPaused: false,
    endTick: options.endTick ?? 0,
  });
  return { grid, clock, server, engine, compiled, watcher };
}

type World = Awaited<ReturnType<typeof openWorld>>;

/** Entities, ids seen twice, and the state's hash, read from the store alone. */
async function census({ grid, engine, watcher }: World) {
  const hash = new StateHash();
  const seen = new Map<number, number>();
  let tick = 0;
  const cells = [...Array(grid.cells).keys()];
  const heads = await watcher.heads(cells);
  const images = await watcher.load(cells.map((cell) => ({ cell })));
  const cursors = new Map<number, ReadonlyMap<number, number>>();
  for (const head of heads) if (!('tag' in head)) cursors.set(head.cell, head.cursors);
  const count = (table: Table) => {
    hash.add(table);
    for (const id of table.ids.subarray(0, table.count)) seen.set(id, (seen.get(id) ?? 0) + 1);
  };
  for (const image of images) {
    const state = engine.createCell(image.cell);
    state.restore(image);
    tick = Math.max(tick, state.tick);
    count(state.table);
    for (const entry of await watcher.channel(image.cell, 0)) {
      if (entry.seq <= (cursors.get(entry.to)?.get(entry.from) ?? 0)) continue;
      count(decodeRows(entry.body, engine.schema).rows);
    }
  }
  const twice = [...seen].filter(([, n]) => n > 1).map(([id]) => id);
  return { entities: seen.size, twice, hash: hash.hex(tick), tick };
}

export async function openPods(options: Options) {
  const world = await openWorld(options);
  const { grid, clock, server, engine, compiled, watcher } = world;
  const random = createRandom(99);
  const pods = new Map<string, Pod>();
  const ended = new Map<string, boolean>();
  return {
    ...{ grid, clock, server, engine, pods, watcher },
    /** Pods that were ordered to end and did, each with whether all it had was handed over. */
    ended,
    /** `startingPods`: how many are started together. */
    async start(name: string, startingPods = 1): Promise<Pod> {
      const near: Store = openTwinStore(server, { ...WORLD, pod: name });
      const { roundTripMs = 0, wrap = (whole: Store) => whole } = options;
      const store = wrap(roundTripMs === 0 ? near : distant(near, clock, roundTripMs), name);
      const pod = new Pod({
        pod: name,
        pid: pods.size + 1,
        store,
        engine: compiled(),
        clock,
        log: options.log ?? silent,
        settings: {
          ...{ leaseTtlMs: 2_000, blocksMax: 1_000, indexResolution: 0.5, startingPods },
          ...(options.stillMs === undefined ? {} : { stillMs: options.stillMs }),
        },
        randomHex: () => random.next().toString(16).padStart(8, '0'),
        schemaOf: () => undefined,
        ...(options.stillMs === undefined ? {} : { cool: coolNone }),
        onDrainOrder: () => void end(),
      });
      const end = async (): Promise<void> => {
        ended.set(name, await pod.drain(5_000));
        await pod.stop();
        pods.delete(name);
        await near.close();
      };
      pods.set(name, pod);
      await pod.start();
      return pod;
    },
    /** As SIGKILL: the connection is gone, and the process with it. */
    kill(name: string): void {
      server.disconnect(name);
      const pod = pods.get(name);
      pods.delete(name);
      void pod?.stop();
    },
    census: () => census(world),
    /** Moves time until every cell has ticked up to `tick`. */
    async until(tick: number, stepMs = 25, stepsMax = 4_000): Promise<void> {
      for (let i = 0; i < stepsMax; i++) {
        await clock.advance(stepMs);
        const heads = await watcher.heads([...Array(grid.cells).keys()]);
        if (heads.every((head) => 'tag' in head || head.tick >= tick)) return;
      }
      throw new Error(`not every cell reached tick ${tick}`);
    },
    async close(): Promise<void> {
      const stops = [...pods.values()].map((pod) => pod.stop());
      await clock.advance(5_000);
      await Promise.all(stops);
    },
  };
}
