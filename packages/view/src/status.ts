/**
 * What people want to know beside the map: which pods there are, who holds which cell and who is to,
 * what happened, what time it is. Read from the store a few times a second while anybody wants it.
 */
import type { Clock, Log } from '@leasehold/kernel';
import type {
  FeedEntry,
  Head,
  LayerSchema,
  PlanStore,
  PodRecord,
  Store,
} from '@leasehold/protocol';
import {
  encodeHoldersPart,
  encodeJsonPart,
  encodeTimePart,
  type WorldTime,
} from '@leasehold/protocol/view';
import type { Grid } from '@leasehold/spatial';
import type { Following } from './following.ts';
import { countKinds, kindsOf } from './kinds.ts';
import type { PlanWatch } from './plan-watch.ts';
import { PlanTeller } from './status-plan.ts';
import type { Viewer } from './viewer.ts';

const LOOK_MS = 100;
const PODS_MS = 500;
const TIME_MS = 1_000;
const SWEEP_MS = 1_000;
/** Holders of larger worlds are told for the cells that are followed alone. */
const SWEEP_CELLS_MAX = 4_096;
const HEADS_PER_CALL_MAX = 1_024;
/** What a newcomer is told of the past. */
const FEED_KEPT_MAX = 50;

export type StatusParts = {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly grid: Grid;
  readonly schema: LayerSchema;
  readonly following: Following;
  readonly plans: PlanWatch;
  readonly planStore?: PlanStore | undefined;
  readonly viewers: ReadonlySet<Viewer>;
};

export class StatusReader {
  readonly #parts: StatusParts;
  readonly #stop = new AbortController();
  readonly #plan: PlanTeller;
  readonly #kinds: ReturnType<typeof kindsOf>;
  readonly #holders: Uint16Array;
  readonly #nonces: string[];
  #names: string[] = [];
  #pods: readonly PodRecord[] = [];
  #connected: ReadonlySet<string> = new Set();
  #time: WorldTime | undefined;
  /** In the whole world; undefined before all of it has been read. */
  #entities: number | undefined;
  #feed: FeedEntry[] = [];
  #feedAfter = '0';
  #holdersPart: Uint8Array | undefined;
  #statusPart: Uint8Array | undefined;
  #podsAtMs = Number.NEGATIVE_INFINITY;
  #timeAtMs = Number.NEGATIVE_INFINITY;
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  #isStale = true;
  #looking: Promise<void> | undefined;

  constructor(parts: StatusParts) {
    this.#parts = parts;
    const { planStore: store, plans: watch, clock, grid } = parts;
    this.#plan = new PlanTeller({ store, watch, clock, grid, tell: (part) => this.#tell(part) });
    this.#kinds = kindsOf(parts.schema);
    this.#holders = new Uint16Array(parts.grid.cells);
    this.#nonces = new Array<string>(parts.grid.cells).fill('');
  }

  start(): void {
    this.#looking = this.#look();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#looking;
  }

  /** Somebody has said hello. */
  time(viewer: Viewer): void {
    if (this.#time === undefined) return;
    viewer.post(encodeTimePart({ ...this.#time, nowMs: this.#parts.store.nowMs() }));
  }

  /** Somebody wants to know everything. */
  greet(viewer: Viewer): void {
    if (this.#holdersPart !== undefined) viewer.post(this.#holdersPart);
    if (this.#statusPart !== undefined) viewer.post(this.#statusPart);
    for (const entry of this.#feed) viewer.post(encodeJsonPart('feed', entry));
    for (const part of this.#plan.parts) viewer.post(part);
  }

  /** A cell changed hands, as its log tells: holders are read again at once. */
  suspect(): void {
    this.#isStale = true;
  }

  async #look(): Promise<void> {
    const { clock, log } = this.#parts;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#once(clock.nowMs());
      } catch (error) {
        log.debug({ err: error }, 'status cannot be read now');
      }
      await clock.sleep(LOOK_MS, this.#stop.signal);
    }
  }

  async #once(nowMs: number): Promise<void> {
    const { store, viewers } = this.#parts;
    if (nowMs - this.#timeAtMs >= TIME_MS) await this.#readTime(nowMs);
    const isWanted = [...viewers].some(({ wantsStatus }) => wantsStatus);
    if (!isWanted && this.#holdersPart !== undefined) return;
    if (nowMs - this.#podsAtMs >= PODS_MS) await this.#readPods(nowMs);
    const connected = await store.connected(this.#pods.map(({ pod }) => pod));
    const isSame =
      connected.size === this.#connected.size &&
      [...connected].every((pod) => this.#connected.has(pod));
    this.#connected = connected;
    if (!isSame) this.#isStale = true;
    await this.#readFeed();
    if (this.#isStale || nowMs - this.#sweptAtMs >= SWEEP_MS) {
      this.#isStale = false;
      this.#sweptAtMs = nowMs;
      if ((await this.#readHolders()) || !isSame || this.#holdersPart === undefined) {
        this.#tellHolders();
      }
    }
    if (isWanted) await this.#plan.look();
  }

  #tell(part: Uint8Array, isForAll = false): void {
    for (const viewer of this.#parts.viewers) {
      if (viewer.isGreeted && (viewer.wantsStatus || isForAll)) viewer.post(part);
    }
  }

  async #readTime(nowMs: number): Promise<void> {
    const { store } = this.#parts;
    const clock = await store.clock();
    this.#timeAtMs = nowMs;
    if (clock === undefined) return;
    this.#time = {
      nowMs: store.nowMs(),
      baseMs: clock.baseMs,
      baseTick: clock.baseTick,
      rateHz: clock.rateHz,
      isPaused: clock.isPaused,
      isLockstep: clock.mode === 'lockstep',
    };
    this.#tell(encodeTimePart(this.#time), true);
  }

  async #readPods(nowMs: number): Promise<void> {
    this.#podsAtMs = nowMs;
    this.#pods = await this.#parts.store.pods();
    for (const { pod } of this.#pods) if (!this.#names.includes(pod)) this.#names.push(pod);
    const pods = this.#pods.map(({ pod, pid, state, report }) => {
      return { pod, pid, isConnected: this.#connected.has(pod), state, report };
    });
    const { tick } = this.#parts.following;
    this.#entities = this.#counted() ?? this.#entities;
    const entities = this.#entities ?? this.#reported();
    const kinds =
      this.#entities === undefined || this.#kinds.length === 0
        ? {}
        : { kinds: countKinds(this.#kinds, this.#parts.following) };
    this.#statusPart = encodeJsonPart('status', { tick, entities, ...kinds, pods });
    this.#tell(this.#statusPart);
  }

  /**
   * All there are, where every cell is followed: what pods report lacks those of a pod that has just
   * died. Undefined while some are being read again.
   */
  #counted(): number | undefined {
    const { grid, following } = this.#parts;
    if (following.cells.size < grid.cells) {
      this.#entities = undefined;
      return undefined;
    }
    let count = 0;
    for (const { live } of following.cells.values()) {
      if (!live.isReady) return undefined;
      // With who is between two cells, whom a cell's own table lacks.
      count += live.rows.count;
    }
    return count;
  }

  #reported(): number {
    return this.#pods
      .filter(({ pod }) => this.#connected.has(pod))
      .reduce((sum, { report }) => sum + (report['entities'] ?? 0), 0);
  }

  async #readFeed(): Promise<void> {
    const isFirst = this.#feedAfter === '0';
    const { id, entries } = await this.#parts.store.readFeed(this.#feedAfter);
    this.#feedAfter = id;
    if (entries.length === 0) return;
    this.#feed = [...this.#feed, ...entries].slice(-FEED_KEPT_MAX);
    if (entries.some(({ kind }) => kind === 'takeover')) this.#isStale = true;
    const told = isFirst ? this.#feed : entries;
    for (const entry of told) this.#tell(encodeJsonPart('feed', entry));
  }

  /** Answers whether anybody holds other cells than before. */
  async #readHolders(): Promise<boolean> {
    const { grid, following, store } = this.#parts;
    const cells =
      grid.cells <= SWEEP_CELLS_MAX
        ? Array.from({ length: grid.cells }, (_, cell) => cell)
        : [...following.cells.keys()];
    let isNews = false;
    for (let from = 0; from < cells.length; from += HEADS_PER_CALL_MAX) {
      const some = cells.slice(from, from + HEADS_PER_CALL_MAX);
      for (const [i, head] of (await store.heads(some)).entries()) {
        if (this.#note(some[i] as number, head)) isNews = true;
      }
    }
    return isNews;
  }

  #note(cell: number, head: Head | object): boolean {
    const nonce = 'nonce' in head ? String(head.nonce) : '';
    if (this.#nonces[cell] === nonce) return false;
    this.#nonces[cell] = nonce;
    const pod = nonce.slice(0, nonce.lastIndexOf('.') === -1 ? 0 : nonce.lastIndexOf('.'));
    if (pod !== '' && !this.#names.includes(pod)) this.#names.push(pod);
    this.#holders[cell] = pod === '' ? 0 : this.#names.indexOf(pod) + 1;
    return true;
  }

  /** Names of pods long gone are dropped, and numbers of the others change with that. */
  #tellHolders(): void {
    const held = new Set(this.#holders);
    const pods = this.#names.filter((pod, i) => {
      return held.has(i + 1) || this.#pods.some((record) => record.pod === pod);
    });
    const numbers = this.#names.map((pod) => pods.indexOf(pod) + 1);
    for (const [cell, holder] of this.#holders.entries()) {
      if (holder > 0) this.#holders[cell] = numbers[holder - 1] as number;
    }
    this.#names = pods;
    const gone = pods.map((pod) => !this.#connected.has(pod));
    this.#holdersPart = encodeHoldersPart({ pods, gone, cells: this.#holders });
    this.#tell(this.#holdersPart);
  }
}
