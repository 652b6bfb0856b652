/**
 * What the benchmark `tick` lets run against each other: the same three ticks with the sdk, by hand
 * over typed arrays, and with bitECS as its documentation writes it. All mark what changed, field
 * by field and row by row, because that is what a commit is made of.
 */
import { Random } from '@leasehold/kernel';
import { encodeCommit, settle, Table } from '@leasehold/protocol';
import { component, f64, type Simulation, simulation, system, u32 } from '@leasehold/sdk';
import { type CellState, compile, type Engine } from '@leasehold/sdk/engine';
import { Grid } from '@leasehold/spatial';
import { addComponent, addEntity, createWorld, query, removeEntity, type World } from 'bitecs';

export const ENTITIES = 100_000;
const SIDE = 5;
const CELL = 200;
export const EXTENT = SIDE * CELL;
const DT_S = 0.05;
/** So that 8 others are in reach. */
export const RADIUS = 5;
/** So that one in a hundred dies in every tick, and is replaced. */
export const LIFETIME = 100;

/** Milliseconds that one tick took. */
export type Tick = () => number;

const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Velocity = component('velocity', 1, { x: f64, y: f64 });
const Crowd = component('crowd', 1, { x: f64, y: f64 });
const Life = component('life', 1, { endsAt: u32 });

/** Places and velocities: the same for all contenders. Nobody comes near a border in a run. */
export function seeds() {
  const random = new Random().key(1, 0, 0, 0);
  return Array.from({ length: ENTITIES }, (_, i) => {
    const cell = i % (SIDE * SIDE);
    return {
      x: (cell % SIDE) * CELL + random.between(0.1, 0.9) * CELL,
      y: Math.floor(cell / SIDE) * CELL + random.between(0.1, 0.9) * CELL,
      vx: random.between(-0.1, 0.1),
      vy: random.between(-0.1, 0.1),
      endsAt: 1 + (i % LIFETIME),
    };
  });
}

export type Seeds = ReturnType<typeof seeds>;

const drift = system({
  name: 'drift',
  reads: { velocity: Velocity },
  writes: { position: Position },
  each({ position, velocity }, { dtS }) {
    position.x += velocity.x * dtS;
    position.y += velocity.y * dtS;
  },
});

const crowd = system({
  name: 'crowd',
  writes: { crowd: Crowd },
  neighbours: { radius: RADIUS },
  each({ crowd: mean }, { neighbours, tick }) {
    let x = 0;
    let y = 0;
    for (const { dx, dy } of neighbours) {
      x += dx;
      y += dy;
    }
    // Another sign in each tick, so that each tick changes every row.
    const sign = (tick & 1) === 0 ? 1 : -1;
    mean.x = sign * x;
    mean.y = sign * y;
  },
});

const turnover = system({
  name: 'turnover',
  reads: { life: Life, position: Position },
  each({ life, position }, { tick, spawn, despawn }) {
    if (life.endsAt > tick) return;
    const { x, y } = position;
    despawn();
    spawn(Position({ x, y }), Life({ endsAt: tick + LIFETIME }));
  },
});

/** Opens a world of the sdk, all of its cells in this process. */
async function open(declared: Simulation): Promise<{ engine: Engine; cells: CellState[] }> {
  const grid = new Grid({ kind: 'torus', width: EXTENT, height: EXTENT, cell: CELL });
  const options = { layer: 'main', grid, seed: 1, tickHz: 1 / DT_S, params: {} };
  const engine = compile(declared, { ...options, time: () => performance.now() });
  const cells = [...(await engine.seed())].map(([cell, { body }]) => {
    const state = engine.createCell(cell);
    const entry = { seq: 1, version: 1, epoch: '1', prevHash: '', hash: '', tick: 0, body };
    state.restore({ cell, entries: [entry] });
    return state;
  });
  return { engine, cells };
}

function step(cells: readonly CellState[]): void {
  const tick = (cells[0]?.tick ?? 0) + 1;
  const byNumber = new Map(cells.map((state) => [state.cell, state]));
  const view = (cell: number) => byNumber.get(cell)?.view(tick - 1);
  for (const state of cells) state.step({ tick, outSeq: 0, arrivals: [], view });
}

/** Ticks of the sdk: what its systems took, or with `isWhole` the tick with all that a commit is. */
export async function sdkTick(kind: keyof typeof SIMULATIONS, from: Seeds, isWhole: boolean) {
  const { engine, cells } = await open(SIMULATIONS[kind](from));
  const total = () => engine.systemMs.reduce((sum, ms) => sum + ms, 0);
  const tick: Tick = () => {
    const startedMs = performance.now();
    const before = total();
    step(cells);
    return isWhole ? performance.now() - startedMs : total() - before;
  };
  return { tick, cells };
}

const SIMULATIONS = {
  drift: (from: Seeds) =>
    simulation({
      ...{ components: [Position, Velocity], systems: [drift] },
      seed({ spawn }) {
        for (const { x, y, vx, vy } of from) spawn(Position({ x, y }), Velocity({ x: vx, y: vy }));
      },
    }),
  crowd: (from: Seeds) =>
    simulation({
      ...{ components: [Position, Crowd], systems: [crowd] },
      seed({ spawn }) {
        for (const { x, y } of from) spawn(Position({ x, y }), Crowd());
      },
    }),
  turnover: (from: Seeds) =>
    simulation({
      ...{ components: [Position, Life], systems: [turnover] },
      seed({ spawn }) {
        for (const { x, y, endsAt } of from) spawn(Position({ x, y }), Life({ endsAt }));
      },
    }),
};

const timed = (work: () => void): number => {
  const startedMs = performance.now();
  work();
  return performance.now() - startedMs;
};

const column = (from: Seeds, of: (seed: Seeds[number]) => number) =>
  Float64Array.from(from, (seed) => of(seed));

/** The same cells as the sdk's, each with arrays of its own. */
export function handDrift(from: Seeds) {
  const cells = Array.from({ length: SIDE * SIDE }, (_, cell) => {
    const own = from.filter((_, i) => i % (SIDE * SIDE) === cell);
    return {
      x: column(own, (seed) => seed.x),
      y: column(own, (seed) => seed.y),
      vx: column(own, (seed) => seed.vx),
      vy: column(own, (seed) => seed.vy),
      dirty: new Uint32Array(own.length),
    };
  });
  const tick: Tick = () => {
    const ms = timed(() => cells.forEach(moveByHand));
    for (const { dirty } of cells) dirty.fill(0);
    return ms;
  };
  return { tick };
}

type Moved = Readonly<Record<'x' | 'y' | 'vx' | 'vy', Float64Array>> & {
  readonly dirty: Uint32Array;
};

function moveByHand({ x, y, vx, vy, dirty }: Moved): void {
  for (let i = 0; i < x.length; i++) {
    const atX = (x[i] as number) + (vx[i] as number) * DT_S;
    const atY = (y[i] as number) + (vy[i] as number) * DT_S;
    if (atX !== x[i]) {
      x[i] = atX;
      (dirty[i] as number) |= 1;
    }
    if (atY !== y[i]) {
      y[i] = atY;
      (dirty[i] as number) |= 2;
    }
  }
}

export function bitecsDrift(from: Seeds) {
  const size = from.length + 1;
  const Place = { x: new Float64Array(size), y: new Float64Array(size) };
  const Speed = { x: new Float64Array(size), y: new Float64Array(size) };
  const Changed = new Uint32Array(size);
  const world = createWorld({ components: { Place, Speed } });
  for (const { x, y, vx, vy } of from) {
    const eid = addEntity(world);
    addComponent(world, eid, Place);
    addComponent(world, eid, Speed);
    Place.x[eid] = x;
    Place.y[eid] = y;
    Speed.x[eid] = vx;
    Speed.y[eid] = vy;
  }
  const run = (): void => {
    for (const eid of query(world, [Place, Speed])) {
      const atX = (Place.x[eid] as number) + (Speed.x[eid] as number) * DT_S;
      const atY = (Place.y[eid] as number) + (Speed.y[eid] as number) * DT_S;
      if (atX !== Place.x[eid]) {
        Place.x[eid] = atX;
        (Changed[eid] as number) |= 1;
      }
      if (atY !== Place.y[eid]) {
        Place.y[eid] = atY;
        (Changed[eid] as number) |= 2;
      }
    }
  };
  const tick: Tick = () => {
    const ms = timed(run);
    Changed.fill(0);
    return ms;
  };
  return { tick };
}

const BINS = EXTENT / RADIUS;

/** Everybody sorted into squares of the radius, for those who look around. */
class Bins {
  readonly start = new Uint32Array(BINS * BINS + 1);
  readonly members = new Uint32Array(ENTITIES);

  fill(x: Float64Array, y: Float64Array, who: ArrayLike<number>): void {
    const { start, members } = this;
    const binOf = (i: number) =>
      Math.floor((y[i] as number) / RADIUS) * BINS + Math.floor((x[i] as number) / RADIUS);
    start.fill(0);
    for (let n = 0; n < who.length; n++) (start[binOf(who[n] as number) + 1] as number)++;
    for (let b = 0; b < BINS * BINS; b++) (start[b + 1] as number) += start[b] as number;
    for (let n = who.length - 1; n >= 0; n--) {
      const i = who[n] as number;
      // Counts down from the end of the bin to its start, which is where it must be in the end.
      const end = --(start[binOf(i) + 1] as number);
      members[end] = i;
    }
    start.copyWithin(0, 1);
    start[BINS * BINS] = who.length;
  }
}

const across = (delta: number): number =>
  delta >= EXTENT / 2 ? delta - EXTENT : delta < -EXTENT / 2 ? delta + EXTENT : delta;

type Pair = { readonly x: Float64Array; readonly y: Float64Array };

/** Sums the ways to all others in reach, and marks whose sum changed. */
function lookAround(at: Pair, sum: Pair, dirty: Uint32Array, who: ArrayLike<number>, bins: Bins) {
  let sign = 1;
  return (): void => {
    bins.fill(at.x, at.y, who);
    const { start, members } = bins;
    sign = -sign;
    for (let n = 0; n < who.length; n++) {
      const i = who[n] as number;
      const x = at.x[i] as number;
      const y = at.y[i] as number;
      const column = Math.floor(x / RADIUS);
      const row = Math.floor(y / RADIUS);
      let sumX = 0;
      let sumY = 0;
      for (let up = -1; up <= 1; up++) {
        const line = ((row + up + BINS) % BINS) * BINS;
        for (let right = -1; right <= 1; right++) {
          const bin = line + ((column + right + BINS) % BINS);
          for (let m = start[bin] as number; m < (start[bin + 1] as number); m++) {
            const other = members[m] as number;
            const dx = across((at.x[other] as number) - x);
            const dy = across((at.y[other] as number) - y);
            if (other === i || dx * dx + dy * dy > RADIUS * RADIUS) continue;
            sumX += dx;
            sumY += dy;
          }
        }
      }
      if (sign * sumX !== sum.x[i]) {
        sum.x[i] = sign * sumX;
        (dirty[i] as number) |= 1;
      }
      if (sign * sumY !== sum.y[i]) {
        sum.y[i] = sign * sumY;
        (dirty[i] as number) |= 2;
      }
    }
  };
}

export function handCrowd(from: Seeds) {
  const at = { x: column(from, (seed) => seed.x), y: column(from, (seed) => seed.y) };
  const sum = { x: new Float64Array(from.length), y: new Float64Array(from.length) };
  const dirty = new Uint32Array(from.length);
  const run = lookAround(at, sum, dirty, Uint32Array.from(from.keys()), new Bins());
  const tick: Tick = () => {
    const ms = timed(run);
    dirty.fill(0);
    return ms;
  };
  return { tick, sum };
}

/** BitECS has no search of its own: what is by hand above stands on its query and its arrays. */
export function bitecsCrowd(from: Seeds) {
  const size = from.length + 1;
  const Place = { x: new Float64Array(size), y: new Float64Array(size) };
  const Sum = { x: new Float64Array(size), y: new Float64Array(size) };
  const Changed = new Uint32Array(size);
  const world = createWorld({ components: { Place, Sum } });
  for (const { x, y } of from) {
    const eid = addEntity(world);
    addComponent(world, eid, Place);
    addComponent(world, eid, Sum);
    Place.x[eid] = x;
    Place.y[eid] = y;
  }
  const bins = new Bins();
  const run = lookAround(Place, Sum, Changed, query(world, [Place, Sum]), bins);
  const tick: Tick = () => {
    const ms = timed(run);
    Changed.fill(0);
    return ms;
  };
  return { tick };
}

/** Typed-array loops on the same tables, with the same bytes in the end. */
export function handTurnover(of: readonly CellState[]) {
  const cells = of.map(({ table, idCounter }) => {
    const own = new Table(table.schema);
    own.merge(table.pick(Array.from({ length: table.count }, (_, row) => row)));
    return { own, idCounter, births: new Table(table.schema), first: table.ids[0] as number };
  });
  let now = 0;
  const run = (): Uint8Array[] => {
    now++;
    return cells.map((cell) => {
      const { own, births, first } = cell;
      // Components stand in the order of their names.
      const [lives, places] = own.columns as [Uint32Array[], Float64Array[]];
      const ends = lives[0] as Uint32Array;
      const deaths: number[] = [];
      births.clear();
      for (let row = 0; row < own.count; row++) {
        if ((ends[row] as number) > now) continue;
        deaths.push(own.ids[row] as number);
        const born = births.append(first + cell.idCounter++, 3);
        for (const f of [0, 1]) {
          (births.columns[1]?.[f] as Float64Array)[born] = places[f]?.[row] as number;
        }
        (births.columns[0]?.[0] as Uint32Array)[born] = now + LIFETIME;
      }
      const { idCounter } = cell;
      const parts = { tick: now, idCounter, births, deaths, arrivals: [], departures: [] };
      const body = encodeCommit(own, parts);
      settle(own, parts);
      return body;
    });
  };
  const tick: Tick = () => timed(run);
  return { tick, run };
}

/** What is born and dies is only listed; nothing is encoded. */
export function bitecsTurnover(from: Seeds) {
  const Place = { x: [] as number[], y: [] as number[] };
  const Until = { endsAt: [] as number[] };
  const world: World = createWorld({ components: { Place, Until } });
  const bear = (x: number, y: number, endsAt: number): number => {
    const eid = addEntity(world);
    addComponent(world, eid, Place);
    addComponent(world, eid, Until);
    Place.x[eid] = x;
    Place.y[eid] = y;
    Until.endsAt[eid] = endsAt;
    return eid;
  };
  for (const { x, y, endsAt } of from) bear(x, y, endsAt);
  let now = 0;
  const run = (): void => {
    now++;
    const dead: number[] = [];
    for (const eid of query(world, [Place, Until])) {
      if ((Until.endsAt[eid] as number) <= now) dead.push(eid);
    }
    const born: number[] = [];
    for (const eid of dead) {
      born.push(bear(Place.x[eid] as number, Place.y[eid] as number, now + LIFETIME));
      removeEntity(world, eid);
    }
  };
  return { tick: (): number => timed(run) };
}
