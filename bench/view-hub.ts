/**
 * A living world and a gateway's hub in one process: pods and hub have clocks of their own, so that
 * a tick is made first and then, by itself and measured, told to every client.
 */
import type { Log } from '@leasehold/kernel';
import { Pod } from '@leasehold/pod';
import {
  entryHash,
  type FollowCursor,
  type FollowNews,
  SEED_EPOCH,
  type Store,
} from '@leasehold/protocol';
import {
  type Area,
  CellRows,
  FrameReader,
  PART,
  peekCell,
  readCells,
  VIEW_PROTOCOL,
  type ViewShape,
  viewShape,
} from '@leasehold/protocol/view';
import { compile, type Engine } from '@leasehold/sdk/engine';
import { Grid } from '@leasehold/spatial';
import { ManualClock, openTwinAdmin, openTwinStore, twinServer } from '@leasehold/twin-store';
import { type Peer, ViewHub } from '@leasehold/view';
import world from './view-world.ts';

export const CELL = 100;
const AT = { world: 'bench', incarnation: 1, layer: 'main' } as const;
const FACTS = { gateway: 'g', ...AT, tickHz: 20, mode: 'realtime', canKill: false } as const;
const POD = { leaseTtlMs: 60_000, blocksMax: 10_000, indexResolution: 1_000, startingPods: 1 };
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
const TICK_MS = 50;
const SETTLE_MS = 3_000;

export type Box = Area & { readonly kind: 'box' };

/** Counts what it is handed; decodes it if told to. */
export class HubClient implements Peer {
  readonly queuedBytes = 0;
  readonly cells: Map<number, CellRows> | undefined;
  bytes = 0;
  readonly #grid: Grid;
  readonly #shape: ViewShape;

  constructor(grid: Grid, shape: ViewShape, isDecoding: boolean) {
    this.#grid = grid;
    this.#shape = shape;
    this.cells = isDecoding ? new Map() : undefined;
  }

  send(frame: Uint8Array, done: () => void): void {
    this.bytes += frame.length;
    if (this.cells !== undefined) this.#decode(frame, this.cells);
    done();
  }

  close(_: number, reason: string): void {
    if (reason !== 'GATEWAY_CLOSING') throw new Error(`a client was sent away: ${reason}`);
  }

  #decode(frame: Uint8Array, cells: Map<number, CellRows>): void {
    const reader = new FrameReader(frame);
    for (let part = reader.next(); part !== undefined; part = reader.next()) {
      const { kind, body } = part;
      if (kind === PART.gone) for (const cell of readCells(body)) cells.delete(cell);
      if (kind !== PART.state && kind !== PART.delta) continue;
      const cell = peekCell(body);
      const { centreX, centreY } = {
        centreX: this.#grid.centreX(cell),
        centreY: this.#grid.centreY(cell),
      };
      const rows = cells.get(cell) ?? new CellRows(this.#shape, cell, centreX, centreY);
      cells.set(cell, rows);
      if (kind === PART.state) rows.applyState(body);
      else if (rows.applyDelta(body) === undefined) throw new Error('a delta does not follow');
    }
  }
}

/** What a store's polls bring, tick by tick, so that many ticks are told one right after another. */
class Tape {
  /** The store, whose polls are this tape's. */
  readonly store: Store;
  readonly #source: Store;
  readonly #cursors = new Map<number, FollowCursor>();
  readonly #ticks: (readonly FollowNews[])[] = [];
  #isReleased = false;
  #wake: () => void = () => {};

  constructor(source: Store) {
    this.#source = source;
    const poll = (_: readonly FollowCursor[], blockMs: number) => this.#poll(blockMs);
    this.store = new Proxy(source, {
      get(target, name) {
        if (name === 'poll') return poll;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  async begin(cells: number): Promise<void> {
    for (const head of await this.#source.heads([...Array(cells).keys()])) {
      if ('seq' in head) this.#cursors.set(head.cell, head);
    }
  }

  async record(): Promise<void> {
    const cursors = [...this.#cursors.values()].map(({ cell, seq, hash }) => ({ cell, seq, hash }));
    const news = await this.#source.poll(cursors, 0);
    for (const { cell, entries } of news) {
      const last = entries.at(-1);
      if (last !== undefined) this.#cursors.set(cell, { cell, seq: last.seq, hash: last.hash });
    }
    this.#ticks.push(news);
  }

  /** The next poll that waits brings the next tick. */
  release(): void {
    this.#isReleased = true;
    this.#wake();
  }

  async #poll(blockMs: number): Promise<FollowNews[]> {
    if (blockMs === 0) return [];
    if (!this.#isReleased) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
    this.#isReleased = false;
    return [...(this.#ticks.shift() ?? [])];
  }
}

export type Size = { readonly columns: number; readonly rows: number; readonly gliders: number };

/** Ids and places of all entities, aligned, in no order. */
export type Places = { readonly ids: number[]; readonly xs: number[]; readonly ys: number[] };

export async function openHubWorld({ columns, rows, gliders }: Size) {
  const space = { kind: 'torus', width: columns * CELL, height: rows * CELL, cell: CELL } as const;
  const grid = new Grid(space, { blockCells: 5 });
  const podClock = new ManualClock(1_000_000);
  const server = twinServer({ grid, clock: podClock });
  const compiled = (): Engine =>
    compile(world, { layer: 'main', grid, seed: 1, tickHz: 20, params: { gliders } });
  const engine = compiled();
  await seed(engine, openTwinAdmin(server, AT));
  const store = openTwinStore(server, { ...AT, pod: 'gateway' });
  const clock = { mode: 'realtime', rateHz: 20, baseTick: 0, endTick: 0 } as const;
  await store.setClock({ ...clock, isPaused: false });
  const pod = new Pod({
    ...{ pod: 'pod', pid: 1, engine: compiled(), clock: podClock, log: silent },
    ...{ store: openTwinStore(server, { ...AT, pod: 'pod' }), settings: POD },
    ...{ randomHex: () => '00000001', schemaOf: () => undefined },
  });
  await pod.start();
  await podClock.advance(SETTLE_MS);
  const { schema, spatial } = engine;
  const told = await openTold(store, engine, grid);
  // It takes in every tick and has nobody to tell: what the other does besides is telling.
  const deaf = await openTold(store, engine, grid);
  const { hub } = told;
  const tick = async (): Promise<void> => {
    await podClock.advance(TICK_MS);
    await told.tape.record();
    await deaf.tape.record();
  };
  for (let i = 0; i < SETTLE_MS / TICK_MS; i++) {
    await tick();
    await told.tell();
    await deaf.tell();
  }
  const shape = viewShape(schema.components);
  return {
    ...{ grid, hub },
    /** A client with one area; the first frames come with the next ticks. */
    join(area: Area, isDecoding = false): HubClient {
      const client = new HubClient(grid, shape, isDecoding);
      const viewer = hub.join(client);
      viewer.hear(JSON.stringify({ type: 'hello', protocol: VIEW_PROTOCOL, world: '' }));
      viewer.hear(JSON.stringify({ type: 'subscribe', id: 1, area }));
      return client;
    },
    /** The next tick is simulated and stored; the hub has not looked at it yet. */
    tick,
    /** The hub takes the first tick that it has not seen, and tells its clients. */
    tell: told.tell,
    /** Another hub takes the first tick that it has not seen; it has no client. */
    takeIn: deaf.tell,
    places(): Places {
      const places: Places = { ids: [], xs: [], ys: [] };
      for (const { live } of hub.following.cells.values()) {
        const { rows } = live;
        const { component = 0, x = 0, y = 1 } = spatial ?? {};
        for (let row = 0; row < rows.count; row++) {
          places.ids.push(rows.ids[row] as number);
          places.xs.push(Number(rows.columns[component]?.[x]?.[row]));
          places.ys.push(Number(rows.columns[component]?.[y]?.[row]));
        }
      }
      return places;
    },
    async close(): Promise<void> {
      const stops = [hub.stop(), deaf.hub.stop(), pod.stop()];
      for (let i = 0; i < SETTLE_MS / TICK_MS; i++) {
        await podClock.advance(TICK_MS);
        await told.tell();
        await deaf.tell();
      }
      await Promise.all(stops);
    },
  };
}

/** A hub that follows every cell, tick by tick as it is told to. */
async function openTold(store: Store, { schema, spatial }: Engine, grid: Grid) {
  const tape = new Tape(store);
  await tape.begin(grid.cells);
  const clock = new ManualClock();
  const hub = new ViewHub({
    ...{ store: tape.store, schema, grid, clock, log: silent, facts: FACTS, isWarm: true },
    ...(spatial === undefined ? {} : { spatial }),
  });
  hub.start();
  return {
    ...{ hub, tape },
    tell(): Promise<void> {
      tape.release();
      return clock.advance(TICK_MS);
    },
  };
}

async function seed(engine: Engine, admin: ReturnType<typeof openTwinAdmin>): Promise<void> {
  await admin.createBlocks();
  const seeds = await engine.seed();
  const replies = await admin.createCells(
    [...seeds].map(([cell, { body, idCounter }]) => ({
      ...{ cell, body, idCounter },
      hash: entryHash('', 1, SEED_EPOCH, 0, body),
    })),
  );
  if (replies.some(({ tag }) => tag !== 'OK')) throw new Error('the world cannot be seeded');
}
