/** A small world of three layers on the twin store, each with pods of its own, for tests. */
import { createRandom, type Log } from '@leasehold/kernel';
import {
  channelKind,
  decodeRows,
  entryHash,
  layerOfAddress,
  SEED_EPOCH,
  StateHash,
  type Store,
  type Table,
} from '@leasehold/protocol';
import { component, event, f64, type Simulation, simulation, system, u32 } from '@leasehold/sdk';
import { compile, type Engine } from '@leasehold/sdk/engine';
import { Grid, type SpaceSpec } from '@leasehold/spatial';
import { ManualClock, openTwinAdmin, openTwinStore, twinServer } from '@leasehold/twin-store';
import { Pod } from './pod.ts';

export const LAYERS = {
  motion: ['position', 'velocity'],
  metabolism: ['energy', 'purse'],
  reproduction: ['litter'],
} as const;
export type LayerName = keyof typeof LAYERS;
export const NAMES = Object.keys(LAYERS) as LayerName[];

const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Velocity = component('velocity', 1, { x: f64, y: f64 });
const Energy = component('energy', 1, { n: f64 });
/** What it was paid, by whomever. */
const Purse = component('purse', 1, { coins: u32 });
/** How many it bore, and how many coins it has paid. */
const Litter = component('litter', 1, { borne: u32, paid: u32 });

const Spent = event('spent', 1, { n: f64 });
const Pay = event('pay', 1, { coins: u32 });

/** Those with lower ids never die: what is paid among them is never lost. */
export const isImmortal = (id: number): boolean => id % 4 === 0;

/** Everything that could go wrong between layers, until a tick; from then on it only moves. */
export const herd: Simulation = simulation({
  components: [Position, Velocity, Energy, Purse, Litter],
  params: { until: 1_000_000 },
  systems: [
    system({
      name: 'wander',
      writes: { position: Position, velocity: Velocity },
      optional: { energy: Energy },
      neighbours: { radius: 6, reads: { velocity: Velocity, energy: Energy } },
      each({ position, velocity, energy }, ctx) {
        let x = velocity.x;
        let y = velocity.y;
        for (const other of ctx.neighbours) {
          x += other.velocity.x * 0.1 + other.dx * 0.001 * other.energy.n;
          y += other.velocity.y * 0.1 - other.dy * 0.001 * other.energy.n;
        }
        const length = Math.hypot(x, y) || 1;
        velocity.x = x / length;
        velocity.y = y / length;
        const pace = 1.2 + Math.min(1, Math.max(0, energy?.n ?? 0)) * 0.3;
        position.x += velocity.x * pace;
        position.y += velocity.y * pace;
      },
    }),
    system({
      name: 'burn',
      writes: { energy: Energy },
      reads: { velocity: Velocity },
      params: { until: 1_000_000 },
      each({ energy, velocity }, ctx) {
        energy.n += ctx.random.between(-0.06, 0.06) - Math.abs(velocity.x) * 0.002;
        const isDue = ctx.tick < ctx.params.until && !isImmortal(ctx.id);
        if (isDue && ctx.random.chance(0.01)) ctx.despawn();
      },
    }),
    system({
      name: 'spend',
      on: { spent: Spent },
      after: ['burn'],
      writes: { energy: Energy },
      each({ energy, spent }) {
        energy.n -= spent.n;
      },
    }),
    system({
      name: 'earn',
      on: { pay: Pay },
      writes: { purse: Purse },
      each({ purse, pay }) {
        purse.coins += pay.coins;
      },
    }),
    system({
      name: 'breed',
      writes: { litter: Litter },
      reads: { position: Position, energy: Energy },
      neighbours: { radius: 8, reads: { energy: Energy } },
      params: { until: 1_000_000 },
      emits: [Spent, Pay],
      each({ litter, position, energy }, ctx) {
        if (ctx.tick >= ctx.params.until) return;
        if (energy.n > 0 && ctx.random.chance(0.012)) {
          litter.borne += 1;
          ctx.spawn(
            Position({ x: position.x + ctx.random.between(-4, 4), y: position.y }),
            Velocity({ x: ctx.random.between(-1, 1), y: 0.5 }),
            ...[Energy({ n: 0.4 }), Purse(), Litter()],
          );
          ctx.emit(ctx.id, Spent({ n: 0.4 }));
        }
        if (!isImmortal(ctx.id)) return;
        for (const other of ctx.neighbours) {
          if (!isImmortal(other.id) || !ctx.random.chance(0.2)) continue;
          litter.paid += 1;
          ctx.emit(other.id, Pay({ coins: 1 }));
        }
      },
    }),
  ],
  seed({ random, spawn }) {
    for (let i = 0; i < 120; i++) {
      spawn(
        Position({ x: random.between(0, 80), y: random.between(0, 80) }),
        Velocity({ x: random.between(-1, 1), y: random.between(-1, 1) }),
        ...[Energy({ n: random.between(0, 1) }), Purse(), Litter()],
      );
    }
  },
});

const HERD = {
  simulation: herd,
  layers: LAYERS,
  space: { kind: 'torus', width: 80, height: 80, cell: 10 },
} as const;

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Another world than the herd, of layers with the same names. */
export type LayeredWorld = {
  readonly simulation: Simulation;
  readonly layers: Readonly<Record<string, readonly string[]>>;
  readonly space: SpaceSpec;
  readonly params: Readonly<Record<string, unknown>>;
};

type Options = {
  readonly mode: 'realtime' | 'lockstep';
  readonly world?: LayeredWorld;
  readonly endTick?: number;
  /** Nobody is born, dies or pays from this tick on. */
  readonly until?: number;
  readonly replicas?: number;
  /** Cells sleep with somebody in them. */
  readonly stillMs?: number;
  readonly log?: Log;
  /** A world that was restored on a server that is there, as its next incarnation. */
  readonly restored?: {
    readonly server: ReturnType<typeof twinServer>;
    readonly clock: ManualClock;
    readonly baseTick: number;
  };
};

async function openWorld(options: Options) {
  const ownParams = { until: options.until ?? 1_000_000 };
  const { simulation, layers, space, params } = options.world ?? { ...HERD, params: ownParams };
  const grid = new Grid(space, { blockCells: 2, margin: 0.02 });
  const { restored } = options;
  const clock = restored?.clock ?? new ManualClock(1_000_000);
  const { replicas = 0 } = options;
  const server = restored?.server ?? twinServer({ grid, graceMs: 500, clock, replicas });
  const at = { world: 'w', incarnation: restored === undefined ? 1 : 2, layers: NAMES };
  const compiled = (layer: LayerName): Engine =>
    compile(simulation, { layer, grid, seed: 7, tickHz: 20, params, layers });
  for (const layer of restored === undefined ? NAMES : []) {
    const admin = openTwinAdmin(server, { ...at, layer });
    await admin.createBlocks();
    const seeds = await compiled(layer).seed();
    const cells = [...seeds].map(([cell, { body, idCounter }]) => {
      return { cell, body, idCounter, hash: entryHash('', 1, SEED_EPOCH, 0, body) };
    });
    const replies = await admin.createCells(cells);
    if (replies.some(({ tag }) => tag !== 'OK')) throw new Error(JSON.stringify(replies));
  }
  const store = (layer: LayerName, pod: string): Store =>
    openTwinStore(server, { ...at, layer, pod });
  const watchers = new Map(NAMES.map((layer) => [layer, store(layer, `watcher-${layer}`)]));
  await watchers.get('motion')?.setClock({
    ...{ mode: options.mode, rateHz: 20, baseTick: restored?.baseTick ?? 0, isPaused: false },
    endTick: options.endTick ?? 0,
  });
  return { grid, clock, server, compiled, store, watchers };
}

export type Tables = ReadonlyMap<LayerName, readonly Table[]>;

/** Rows that have left a cell of the layer for another that has not taken them in. */
async function inFlight(store: Store, cell: number, { schema }: Engine): Promise<Table[]> {
  const tables: Table[] = [];
  for (const { from, to, seq, body } of await store.channel(cell, 0)) {
    if (channelKind(body) !== 'rows' || layerOfAddress(to) !== -1) continue;
    const [head] = await store.heads([to]);
    if (head === undefined || 'tag' in head || seq <= (head.cursors.get(from) ?? 0)) continue;
    tables.push(decodeRows(body, schema).rows);
  }
  return tables;
}

export async function openLayers(options: Options) {
  const { grid, clock, server, compiled, store, watchers } = await openWorld(options);
  const random = createRandom(99);
  const still = options.stillMs === undefined ? {} : { stillMs: options.stillMs };
  const pods = new Map<string, Pod>();
  const all = [...Array(grid.cells).keys()];
  return {
    ...{ grid, clock, server, pods, watchers, compiled },
    async start(layer: LayerName, name: string): Promise<void> {
      const pod = new Pod({
        ...{ pod: name, pid: pods.size + 1, clock, log: options.log ?? silent },
        ...{ store: store(layer, name), engine: compiled(layer) },
        settings: { leaseTtlMs: 2_000, blocksMax: 1_000, indexResolution: 0, ...still },
        randomHex: () => random.next().toString(16).padStart(8, '0'),
        schemaOf: () => undefined,
      });
      pods.set(name, pod);
      await pod.start();
    },
    /** As SIGKILL. */
    kill(name: string): void {
      server.disconnect(name);
      const pod = pods.get(name);
      pods.delete(name);
      void pod?.stop();
    },
    /** All cells of all layers, read from the store alone. */
    async cells(): Promise<Tables> {
      const tables = new Map<LayerName, Table[]>();
      for (const layer of NAMES) {
        const engine = compiled(layer);
        const watcher = watchers.get(layer) as Store;
        const found: Table[] = [];
        for (const image of await watcher.load(all.map((cell) => ({ cell })))) {
          const state = engine.createCell(image.cell);
          state.restore(image);
          found.push(state.table, ...(await inFlight(watcher, image.cell, engine)));
        }
        tables.set(layer, found);
      }
      return tables;
    },
    /** As `until`, in realtime: cells in which nothing happens have no tick to show. */
    async pass(ticks: number): Promise<void> {
      for (let i = 0; i < ticks; i++) await clock.advance(50);
    },
    /** Moves time until every cell of every layer has ticked up to `tick`. */
    async until(tick: number, stepMs = 25, stepsMax = 6_000): Promise<void> {
      const late = async (): Promise<boolean> => {
        for (const watcher of watchers.values()) {
          const heads = await watcher.heads(all);
          if (!heads.every((head) => 'tag' in head || head.tick >= tick)) return true;
        }
        return false;
      };
      for (let i = 0; i < stepsMax; i++) {
        await clock.advance(stepMs);
        if (!(await late())) return;
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

/** What a layer says of all entities: their ids, and the hash of all its cells at a tick. */
export function censusOf(tables: readonly Table[], tick: number) {
  const hash = new StateHash();
  const ids: number[] = [];
  for (const table of tables) {
    hash.add(table);
    for (const id of table.ids.subarray(0, table.count)) ids.push(id);
  }
  return { ids: ids.sort((a, b) => a - b), hash: hash.hex(tick) };
}

/** The sum of a field over all rows of all cells. */
export function sumOf(tables: readonly Table[], name: string, field: string): number {
  let sum = 0;
  for (const table of tables) {
    const c = table.schema.components.findIndex((each) => each.name === name);
    const f = table.schema.components[c]?.fields.findIndex((each) => each.name === field) ?? -1;
    for (let row = 0; row < table.count; row++) sum += Number(table.columns[c]?.[f]?.[row] ?? 0);
  }
  return sum;
}
