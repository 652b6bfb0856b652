/** A small living world in a twin store: everybody wanders, meets, crosses borders, bears and dies. */
import {
  decodeRows,
  entryHash,
  SEED_EPOCH,
  StateHash,
  type Store,
  type Table,
} from '@leasehold/protocol';
import { component, f64, type Simulation, simulation, system, u32 } from '@leasehold/sdk';
import { compile, type Engine } from '@leasehold/sdk/engine';
import { Grid } from '@leasehold/spatial';
import {
  type CellRecord,
  openTwinAdmin,
  openTwinStore,
  type TwinDefect,
  type TwinServer,
  twinServer,
} from '@leasehold/twin-store';
import { Ledger, type Place } from './ledger.ts';
import { letterSystems, Reader, readOf, Writer } from './letters.ts';
import type { VirtualTime } from './virtual-time.ts';

export const WORLD = { world: 'w', incarnation: 1, layer: 'main' } as const;
export const TICK_HZ = 10;
const CELL = 10;
/** Grace of the twin in ms; that of the real store. */
const GRACE_MS = 500;

const Position = component(
  'position',
  1,
  { x: f64, y: f64 },
  { spatial: ['x', 'y'], steps: { x: 0.01, y: 0.01 } },
);
/** Of what is not told in each tick, or not stored, a death leaves a trace in realtime only (T1). */
const Velocity = component('velocity', 1, { x: f64, y: f64 }, { durability: { every: 3 } });
const Mood = component('mood', 1, { met: u32 }, { durability: 'ephemeral' });

const wander = system({
  name: 'wander',
  writes: { position: Position, velocity: Velocity, mood: Mood },
  neighbours: { radius: 6, reads: { velocity: Velocity } },
  each({ position, velocity, mood }, ctx) {
    let x = velocity.x;
    let y = velocity.y;
    for (const other of ctx.neighbours) {
      mood.met++;
      x += other.velocity.x * 0.1 + other.dx * 0.01;
      y += other.velocity.y * 0.1 - other.dy * 0.01;
    }
    const length = Math.hypot(x, y) || 1;
    velocity.x = x / length;
    velocity.y = y / length;
    position.x += velocity.x * 1.5;
    position.y += velocity.y * 1.5;
    const isBearing = ctx.random.chance(0.012);
    if (ctx.random.chance(0.01)) ctx.despawn();
    else if (isBearing) {
      const at = { x: position.x, y: position.y };
      ctx.spawn(
        Position(at),
        Velocity({ x: -velocity.y, y: velocity.x }),
        Mood(),
        Writer(),
        Reader(),
      );
    }
  },
});

/** How large the world is, who lives in it, and how it runs. */
export type WorldOptions = {
  readonly mode: 'realtime' | 'lockstep';
  readonly seed: number;
  readonly columns: number;
  readonly rows: number;
  readonly entities: number;
  /** Lockstep ends here. */
  readonly endTick: number;
};

function wanderers({ entities, columns, rows, mode }: WorldOptions): Simulation {
  return simulation({
    components: [Position, Velocity, Mood, Writer, Reader],
    systems: [wander, ...letterSystems(Position, mode === 'realtime')],
    seed({ random, spawn }) {
      for (let i = 0; i < entities; i++) {
        spawn(
          Position({ x: random.between(0, columns * CELL), y: random.between(0, rows * CELL) }),
          Velocity({ x: random.between(-1, 1), y: random.between(-1, 1) }),
          Mood(),
          Writer(),
          Reader(),
        );
      }
    },
  });
}

export type SimWorld = {
  readonly options: WorldOptions;
  readonly grid: Grid;
  readonly server: TwinServer;
  readonly ledger: Ledger;
  readonly engine: Engine;
  /** An engine of one process: pods share no memory. */
  readonly compiled: () => Engine;
  readonly open: (pod: string) => Store;
  /** A connection that no fault touches. */
  readonly watcher: Store;
};

export type ServerOptions = {
  readonly time: VirtualTime;
  readonly clock: { nowMs(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> };
  readonly replicas: number;
  readonly replicaLagMs: number;
  readonly defects: readonly TwinDefect[];
};

/** Seeded, its clock set; nobody holds any of it yet. */
export async function openWorld(options: WorldOptions, at: ServerOptions): Promise<SimWorld> {
  const { columns, rows, seed } = options;
  const grid = new Grid(
    { kind: 'torus', width: columns * CELL, height: rows * CELL, cell: CELL },
    { blockCells: 2, margin: 0.02 },
  );
  const ledger = new Ledger(grid.cells, GRACE_MS);
  const { clock, replicas, replicaLagMs, defects } = at;
  const { witness } = ledger;
  const facts = { grid, graceMs: GRACE_MS, clock, witness, defects };
  const server = twinServer({ ...facts, replicas, replicaLagMs });
  const admin = openTwinAdmin(server, WORLD);
  const compiled = (): Engine =>
    compile(wanderers(options), { layer: 'main', grid, seed, tickHz: TICK_HZ, params: {} });
  const engine = compiled();
  await admin.createBlocks();
  const seeds = [...(await engine.seed())].map(([cell, { body, idCounter }]) => {
    const hash = entryHash('', 1, SEED_EPOCH, 0, body);
    ledger.seeded(cell, hash, body);
    return { cell, body, idCounter, hash };
  });
  await admin.createCells(seeds);
  const open = (pod: string): Store => openTwinStore(server, { ...WORLD, pod });
  const watcher = open('watcher');
  await watcher.setClock({
    ...{ mode: options.mode, rateHz: TICK_HZ, baseTick: 0, isPaused: false },
    endTick: options.mode === 'lockstep' ? options.endTick : 0,
  });
  return { options, grid, server, ledger, engine, compiled, open, watcher };
}

export type Being = {
  readonly x: number;
  readonly y: number;
  readonly cell: number;
  /** The cell that it is on its way to; its own otherwise. */
  readonly to: number;
};

type Spot = { readonly cell: number; readonly to: number; readonly place: Place };

export type Census = {
  readonly beings: ReadonlyMap<number, Being>;
  readonly hash: string;
  readonly tick: number;
  /** Letters that those who live have got. */
  readonly letters: number;
  /** Entities that are not where the ledger says, and letters that are not right. */
  readonly faults: readonly string[];
};

const counted = new WeakMap<SimWorld, { readonly version: number; readonly census: Census }>();

/** Everybody there is, read from the records of the store in one instant. */
export function census(world: SimWorld): Census {
  const { version } = world.ledger;
  let last = counted.get(world);
  // PERF: reading all logs anew takes milliseconds; a world at rest is read once.
  if (last?.version !== version) {
    last = { version, census: count(world) };
    counted.set(world, last);
  }
  return last.census;
}

function count({ server, engine, ledger }: SimWorld): Census {
  const records = server.cells(WORLD.world, WORLD.incarnation, WORLD.layer);
  const beings = new Map<number, Being>();
  const hash = new StateHash();
  const faults: string[] = [];
  let tick = 0;
  const read = { total: 0, again: 0, missing: 0 };
  const { component: of = 0, x = 0, y = 1 } = engine.spatial ?? {};
  const add = (table: Table, { cell, to, place }: Spot): void => {
    hash.add(table);
    const { total, again, missing } = readOf(table);
    read.total += total;
    read.again += again;
    read.missing += missing;
    const columns = table.columns[of] ?? [];
    for (let row = 0; row < table.count; row++) {
      const id = table.ids[row] as number;
      if (beings.has(id)) faults.push(`E1 ${id} is in two places, one of them ${place}`);
      const at = { x: Number(columns[x]?.[row]), y: Number(columns[y]?.[row]) };
      beings.set(id, { ...at, cell, to });
      const told = ledger.where.get(id);
      if (told !== place) faults.push(`E1 ${id} is at ${place}, its history says ${told}`);
    }
  };
  for (const [cell, record] of records) {
    const state = engine.createCell(cell);
    try {
      state.restore(imageOf(cell, record));
    } catch (error) {
      faults.push(`L3 cell ${cell} cannot be read: ${String(error)}`);
      continue;
    }
    tick = Math.max(tick, state.tick);
    add(state.table, { cell, to: cell, place: cell });
    for (const { seq, to, body } of record.out) {
      if (seq <= (records.get(to)?.cursors.get(cell) ?? 0)) continue;
      add(decodeRows(body, engine.schema).rows, { cell, to, place: `${cell}:${seq}` });
    }
    const { seq, hash: head } = ledger.pageOf(cell);
    const isSame = record.seq === seq && record.hash === head;
    if (!isSame) faults.push(`L3 cell ${cell} ends at ${record.seq}, its history at ${seq}`);
  }
  for (const id of ledger.where.keys()) {
    if (!beings.has(id)) faults.push(`E2 ${id} lives at ${ledger.where.get(id)} and is nowhere`);
  }
  if (read.again > 0) faults.push(`M1 ${read.again} letters came again, or behind a later one`);
  const dead = server.letterCount(WORLD.world, WORLD.incarnation, WORLD.layer);
  if (read.missing > dead) faults.push(`M1 ${read.missing} letters are missing, ${dead} are dead`);
  return { beings, hash: hash.hex(tick), tick, letters: read.total, faults };
}

function imageOf(cell: number, { checkpoints, log }: CellRecord) {
  const [a, b] = checkpoints;
  const checkpoint = (a?.seq ?? -1) > (b?.seq ?? -1) ? a : b;
  const from = checkpoint?.seq ?? 0;
  const entries = log.filter(({ seq }) => seq > from);
  return checkpoint === undefined ? { cell, entries } : { cell, checkpoint, entries };
}
