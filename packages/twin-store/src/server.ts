/**
 * A "Redis" in memory: worlds, their cells and their pods, and the faults that a test can make
 * happen. Owns all state; stores and admins opened on it are connections. Reads no clock of the
 * machine and no dice, so a run with the same calls is the same run.
 */
import { assert, type Clock } from '@leasehold/kernel';
import type {
  FeedEntry,
  LifeStore,
  PlanStore,
  PodRecord,
  Store,
  WorldClock,
} from '@leasehold/protocol';
import { type CellRecord, type Moment, newCell } from './cell.ts';
import type { TwinDefect } from './defects.ts';
import { type LifeRecord, newLifeRecord } from './lives.ts';
import { ManualClock } from './manual-clock.ts';
import { newPlanRecord, type PlanRecord } from './plans.ts';

/** What the twin needs to know of a grid; `Grid` of `@leasehold/spatial` fits. */
export type TwinGrid = {
  readonly cells: number;
  readonly blocks: number;
  blockOf(cell: number): number;
};

export type TwinOptions = {
  readonly grid: TwinGrid;
  /** How long a suspect holder has to clear itself, and an heir to come. Default 500. */
  readonly graceMs?: number;
  /** Default: a `ManualClock`. One without `sleep` makes `poll` answer at once. */
  readonly clock?: Clock | { nowMs(): number };
  /** Store time at clock 0, in ms. The default makes epochs as long as real ones. */
  readonly epochMs?: number;
  /** Replicas that a barrier waits for, and how long each takes. */
  readonly replicas?: number;
  readonly replicaLagMs?: number;
  /** Hears of every call with an answer for each item, in the instant in which it is done. */
  readonly witness?: Witness;
  /** Rules that this server breaks on purpose, so that a proof can be seen to notice. */
  readonly defects?: readonly TwinDefect[];
};

/** What was done on behalf of a pod: the items of one call, and the answer to each. */
export type Witness = (call: {
  readonly pod: string;
  readonly name: CallName;
  readonly items: readonly unknown[];
  readonly replies: readonly unknown[];
}) => void;

export type WorldRecord = {
  readonly blocks: Map<number, { isSealed: boolean }>;
  /** By layer, then cell. */
  readonly layers: Map<string, Map<number, CellRecord>>;
  readonly schemas: Map<string, string>;
  readonly pods: Map<string, PodRecord>;
  /** By layer. */
  readonly plans: Map<string, PlanRecord>;
  /** By layer. */
  readonly lives: Map<string, LifeRecord>;
  clock: WorldClock | undefined;
  /** A cut that somebody reads. */
  pin: { readonly tick: number; readonly untilMs: number } | undefined;
  feed: { readonly id: number; readonly entry: FeedEntry }[];
  feedId: number;
};

/** What `rollback` goes back to. Opaque; holds no connection. */
export type TwinSnapshot = { readonly worlds: Map<string, WorldRecord> };

/** A connection, as the server sees it. */
export type Connection = {
  pod: string;
  world: string;
  isCut: boolean;
  hear: ((message: string) => void) | undefined;
  /** Of the pod that is announced on it: it is written again when the server has lost it. */
  record: PodRecord | undefined;
  /** Store time of the moment when the unbroken connection to this run began. */
  sinceMs: number;
  runId: string;
  /** Ends waits when the connection is cut or closed. */
  interrupt: AbortController;
};

/** The name of a call, for faults that hit only some. */
export type CallName = keyof Store | keyof PlanStore | keyof LifeStore;

type Fault = { left: number; readonly only: CallName | undefined };

export type TwinServer = ReturnType<typeof twinServer>;

/** An empty server. See `README.md` for its faults. */
export function twinServer(options: TwinOptions) {
  return new Server(options);
}

class Server {
  readonly grid: TwinGrid;
  readonly graceMs: number;
  readonly clock: Clock | { nowMs(): number };
  replicas: number;
  replicaLagMs: number;
  /** Whether pods are told of posts; what is told may be lost. */
  tellsPosted = true;
  readonly witness: Witness | undefined;
  readonly defects: ReadonlySet<TwinDefect>;
  #worlds = new Map<string, WorldRecord>();
  #connections = new Set<Connection>();
  #waiters = new Set<() => void>();
  #epochMs: number;
  #runs = 1;
  #stalledUntilMs = 0;
  #lostReplies: Fault[] = [];
  #lostRequests: Fault[] = [];
  #refusal: string | undefined;
  #calls = 0;
  #version = 0;

  constructor(options: TwinOptions) {
    this.grid = options.grid;
    this.graceMs = options.graceMs ?? 500;
    this.clock = options.clock ?? new ManualClock();
    this.replicas = options.replicas ?? 0;
    this.replicaLagMs = options.replicaLagMs ?? 0;
    this.witness = options.witness;
    this.defects = new Set(options.defects);
    this.#epochMs = options.epochMs ?? 1_800_000_000_000;
  }

  // ---- time ----

  /** The server's wall clock in whole ms. */
  nowMs(): number {
    return Math.floor(this.#epochMs + this.clock.nowMs());
  }

  moment(): Moment {
    const nowMs = this.nowMs();
    return { nowMs, nowUs: BigInt(nowMs) * 1_000n, graceMs: this.graceMs, defects: this.defects };
  }

  /** Moves the given clock; only for one that can be told, as the default can. */
  async advance(ms: number): Promise<void> {
    assert(this.clock instanceof ManualClock, 'the clock was given and is not a ManualClock');
    await this.clock.advance(ms);
  }

  /** How many calls have reached the server. */
  get calls(): number {
    return this.#calls;
  }

  get runId(): string {
    return `twin-${this.#runs}`;
  }

  // ---- faults ----

  /** The next `count` calls are done and their replies lost. */
  dropReplies(count: number, only?: CallName): void {
    this.#lostReplies.push({ left: count, only });
  }

  /** The next `count` calls are lost on their way. */
  dropRequests(count: number, only?: CallName): void {
    this.#lostRequests.push({ left: count, only });
  }

  /** First writes are refused with this message, as by OOM or NOREPLICAS, until called without. */
  refuseWrites(message?: string): void {
    this.#refusal = message;
  }

  /** Every call waits this long, then all go on in the order they came. */
  stall(ms: number): void {
    assert('sleep' in this.clock, 'a stall needs a clock that can sleep');
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.clock.nowMs() + ms);
  }

  /** The server's wall clock is set forward, or back. */
  stepClock(ms: number): void {
    this.#epochMs += ms;
  }

  /** A dead process: its subscriptions and connections are gone, its calls reach nobody. */
  disconnect(pod: string): void {
    for (const connection of this.#connections) {
      if (connection.pod === pod) this.#cut(connection);
    }
  }

  /** The pod's connections are made anew; subscriptions that it had are back. */
  reconnect(pod: string): void {
    for (const connection of this.#connections) {
      if (connection.pod === pod) this.#join(connection);
    }
  }

  snapshot(): TwinSnapshot {
    return { worlds: structuredClone(this.#worlds) };
  }

  /** A failover: a server of another run, as of the snapshot; everybody connects anew. */
  rollback(snapshot: TwinSnapshot): void {
    this.#worlds = structuredClone(snapshot.worlds);
    this.#runs += 1;
    for (const connection of this.#connections) {
      if (connection.isCut) continue;
      this.#cut(connection);
      this.#join(connection);
    }
    this.wake();
  }

  /** The server came back empty. */
  lose(): void {
    this.rollback({ worlds: new Map() });
  }

  // ---- what connections use ----

  connect(pod: string, world: string): Connection {
    const connection: Connection = {
      pod,
      world,
      isCut: false,
      hear: undefined,
      record: undefined,
      sinceMs: 0,
      runId: '',
      interrupt: new AbortController(),
    };
    this.#connections.add(connection);
    this.#join(connection);
    return connection;
  }

  leave(connection: Connection): void {
    this.#cut(connection);
    this.#connections.delete(connection);
  }

  #join(connection: Connection): void {
    connection.isCut = false;
    connection.runId = this.runId;
    connection.sinceMs = this.clock.nowMs();
    connection.interrupt = new AbortController();
  }

  #cut(connection: Connection): void {
    connection.isCut = true;
    connection.interrupt.abort();
  }

  /** The way of a call to the server. False: the call was lost on its way. */
  async reach(connection: Connection, name: CallName): Promise<boolean> {
    await Promise.resolve();
    const signal = connection.interrupt.signal;
    while ('sleep' in this.clock && !signal.aborted) {
      const restMs = this.#stalledUntilMs - this.clock.nowMs();
      if (restMs <= 0) break;
      await this.clock.sleep(restMs, signal);
    }
    if (signal.aborted || connection.isCut) return false;
    if (hits(this.#lostRequests, name)) return false;
    this.#calls += 1;
    return true;
  }

  /** The way back. False: the reply was lost. */
  answers(name: CallName): boolean {
    return !hits(this.#lostReplies, name);
  }

  get refusal(): string | undefined {
    return this.#refusal;
  }

  world(key: string): WorldRecord {
    let world = this.#worlds.get(key);
    if (world === undefined) {
      world = {
        blocks: new Map(),
        layers: new Map(),
        schemas: new Map(),
        pods: new Map(),
        plans: new Map(),
        lives: new Map(),
        clock: undefined,
        pin: undefined,
        feed: [],
        feedId: 0,
      };
      this.#worlds.set(key, world);
    }
    return world;
  }

  worldKeys(): string[] {
    return [...this.#worlds.keys()];
  }

  forget(key: string): void {
    this.#worlds.delete(key);
  }

  /** The record of a cell in a present block, made if it is the first time anybody asks. */
  cell(key: string, layer: string, number: number): CellRecord {
    const { layers } = this.world(key);
    const cells = layers.get(layer) ?? new Map<number, CellRecord>();
    layers.set(layer, cells);
    const cell = cells.get(number) ?? newCell();
    cells.set(number, cell);
    return cell;
  }

  plan(key: string, layer: string): PlanRecord {
    const { plans } = this.world(key);
    const plan = plans.get(layer) ?? newPlanRecord();
    plans.set(layer, plan);
    return plan;
  }

  /** How many dead letters a layer has. */
  letterCount(world: string, incarnation: number, layer: string): number {
    return this.life(worldKey(world, incarnation), layer).letters.size;
  }

  life(key: string, layer: string): LifeRecord {
    const { lives } = this.world(key);
    const life = lives.get(layer) ?? newLifeRecord();
    lives.set(layer, life);
    return life;
  }

  listeners(world: string, pod: string): Connection[] {
    return [...this.#connections].filter(
      (other) => other.world === world && other.pod === pod && other.hear && !other.isCut,
    );
  }

  /** The records of announced pods on open connections, as their beats would write them. */
  announced(world: string): PodRecord[] {
    const found: PodRecord[] = [];
    for (const { world: of, record, hear, isCut } of this.#connections) {
      if (of === world && record !== undefined && hear && !isCut) found.push(record);
    }
    return found;
  }

  /** Wakes every poll that waits for an entry. */
  wake(): void {
    this.#version += 1;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter();
  }

  /** Rises with every write that a poll may wait for. */
  get version(): number {
    return this.#version;
  }

  /** Resolves on a write after `version`, after `ms`, or when the connection ends. */
  async change(version: number, ms: number, signal: AbortSignal): Promise<void> {
    if (!('sleep' in this.clock) || version !== this.#version || signal.aborted) return;
    const timer = new AbortController();
    const stop = () => timer.abort();
    signal.addEventListener('abort', stop, { once: true });
    this.#waiters.add(stop);
    await this.clock.sleep(ms, timer.signal);
    this.#waiters.delete(stop);
    signal.removeEventListener('abort', stop);
  }

  // ---- for tests and auditors ----

  /** The records of one (world, incarnation, layer), as they are: read, never write. */
  cells(world: string, incarnation: number, layer: string): ReadonlyMap<number, CellRecord> {
    const record = this.#worlds.get(worldKey(world, incarnation));
    return record?.layers.get(layer) ?? new Map<number, CellRecord>();
  }
}

export function worldKey(world: string, incarnation: number): string {
  return `${world}.${incarnation}`;
}

function hits(faults: Fault[], name: CallName): boolean {
  const fault = faults.find((other) => other.only === undefined || other.only === name);
  if (fault === undefined) return false;
  fault.left -= 1;
  if (fault.left <= 0) faults.splice(faults.indexOf(fault), 1);
  return true;
}
