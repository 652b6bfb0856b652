/**
 * The neighbouring cells that others hold, and those of other layers: read-only copies kept by following
 * their logs, and what their channels send to the cells held here. Everything it learns is behind the store's barrier.
 */
import { type Clock, LeaseholdError, type Log } from '@leasehold/kernel';
import type { CellImage, ChannelEntry, FollowCursor, FollowNews, Store } from '@leasehold/protocol';
import type { CellState, CellView, Engine } from '@leasehold/sdk/engine';
import type { Holding } from './holding.ts';
import { expectRun } from './loader.ts';
import type { PodParts } from './settings.ts';
import { Slices } from './slices.ts';
import { Sources } from './sources.ts';

type Ghost = {
  /** Its number, or its address in another layer. */
  readonly cell: number;
  /** Undefined until it has been read, and when it has to be read again. */
  state: CellState | undefined;
  seq: number;
  hash: string;
  outSeq: number;
  /** A held cell reads it; the others may come here one day. */
  isNear: boolean;
  /** The last `sync` that wanted it. */
  wantedIn: number;
  /** Not read before this time. */
  retryAtMs: number;
  /** When it had to be read again, and how long that waited. */
  resyncedAtMs: number;
  pauseMs: number;
};

const FRESH = {
  ...{ state: undefined, seq: 0, hash: '', outSeq: 0, isNear: false, wantedIn: 0 },
  ...{ retryAtMs: 0, resyncedAtMs: Number.NEGATIVE_INFINITY, pauseMs: 0 },
};

/** A cell that a newer module writes cannot be followed until this pod is replaced, too. */
const RETRY_MS = 2_000;
/** Two resyncs of a cell that come sooner after each other have one cause. */
const STEADY_MS = 1_000;
const PAUSE_MIN_MS = 20;
/** Cells that are read together: their images are in memory at once. */
const LOAD_CELLS_MAX = 256;
/** Of those that no held cell reads, so many are read before all are polled again. */
const FAR_CELLS_PER_READ_MAX = 1_024;

export class Halo {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #engine: Engine;
  readonly sources: Sources;
  readonly #log: Log;
  readonly #route: (entry: ChannelEntry) => void;
  readonly #ghosts = new Map<number, Ghost>();
  #syncs = 0;
  resyncs = 0;
  /** Lockstep: neighbours need the view of one tick, not of the latest there is. */
  isExact = false;

  /** `route` takes every channel entry, before the tick that wrote it can be seen here (T1). */
  constructor(parts: PodParts, route: (entry: ChannelEntry) => void) {
    this.#route = route;
    this.sources = new Sources(parts);
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#engine = parts.engine;
    this.#log = parts.log;
  }

  get size(): number {
    return this.#ghosts.size;
  }

  view(cell: number, tick: number): CellView | undefined {
    return this.#ghosts.get(cell)?.state?.view(tick);
  }

  /** Nothing that was read before counts any more. */
  forget(): void {
    for (const ghost of this.#ghosts.values()) ghost.state = undefined;
  }

  /** A held neighbour needs a view that is not there: the cell is read from further back. */
  lack(cell: number, tick: number): void {
    const ghost = this.#ghosts.get(cell);
    if (ghost?.state !== undefined && ghost.state.tick >= tick) ghost.state = undefined;
  }

  latestView(cell: number): CellView | undefined {
    return this.#ghosts.get(cell)?.state?.latestView();
  }

  /** The last tick known of a neighbour; −1 when nothing is known yet. */
  tickOf(cell: number): number {
    return this.#ghosts.get(cell)?.state?.tick ?? -1;
  }

  /** A neighbour that was quiet for two ticks has nobody in flight any more. */
  age(tick: number): void {
    for (const { state } of this.#ghosts.values()) {
      if (state?.hasInFlight === true && state.tick < tick - 1) state.refresh(state.tick);
    }
  }

  /**
   * Follows exactly the neighbours of the held cells, and those of `others`, that are not held
   * themselves, and what both read of other layers.
   */
  sync(holdings: ReadonlyMap<number, Holding>, others: Iterable<number> = []): void {
    // PERF: with each turn, and with tens of thousands of cells: what stays costs no memory.
    this.#syncs++;
    for (const cell of others) {
      if (holdings.has(cell)) continue;
      this.#want(cell, false);
      for (const address of this.sources.foreign(cell)) this.#want(address, false);
    }
    for (const cell of holdings.keys()) {
      for (const other of this.#engine.grid.neighbours(cell)) {
        if (!holdings.has(other)) this.#want(other, true);
      }
      for (const address of this.sources.foreign(cell)) this.#want(address, true);
    }
    for (const [cell, { wantedIn }] of this.#ghosts) {
      if (wantedIn !== this.#syncs) this.#ghosts.delete(cell);
    }
  }

  #want(cell: number, isNear: boolean): void {
    const ghost = this.#ghosts.get(cell);
    if (ghost === undefined) {
      this.#ghosts.set(cell, { ...FRESH, cell, isNear, wantedIn: this.#syncs });
      return;
    }
    ghost.isNear = isNear;
    ghost.wantedIn = this.#syncs;
  }

  /** A cell that has just been handed to another pod is followed from where it was left. */
  adopt(holding: Holding): void {
    const { cell, state, seq, hash, outSeq } = holding;
    this.#ghosts.set(cell, {
      ...FRESH,
      ...{ cell, state, seq, hash, outSeq },
    });
  }

  /** The state of a followed cell, if it stands exactly at the given position (hot takeover). */
  surrender(cell: number, seq: number, hash: string): CellState | undefined {
    const ghost = this.#ghosts.get(cell);
    if (ghost?.state === undefined || ghost.seq !== seq || ghost.hash !== hash) return undefined;
    return this.#isWhole(ghost.state) ? ghost.state : undefined;
  }

  /** Whether a followed cell can be surrendered; `isQuiet`: whether it is followed at all. */
  isReady(cell: number, isQuiet: boolean): boolean {
    const state = this.#ghosts.get(cell)?.state;
    return state !== undefined && (isQuiet || this.#isWhole(state));
  }

  /** Neighbours may still need the tick before the last, those in flight at it included. */
  #isWhole(state: CellState): boolean {
    if (state.view(state.tick) === undefined) return false;
    return !this.isExact || state.view(state.tick - 1) !== undefined;
  }

  /** Where a followed cell has been read up to; undefined: it is not followed yet. */
  position(cell: number): Required<FollowCursor> | undefined {
    const ghost = this.#ghosts.get(cell);
    if (ghost?.state === undefined) return undefined;
    const { seq, hash, outSeq } = ghost;
    return { cell, seq, hash, outSeq };
  }

  /**
   * One round: loads what is not loaded, then polls and routes what is new. False when no cell can be
   * polled yet: then nothing has been waited for.
   */
  async read(holdings: ReadonlyMap<number, Holding>, blockMs: number): Promise<boolean> {
    const cold = this.#coldNow();
    for (let i = 0; i < cold.length; i += LOAD_CELLS_MAX) {
      // Meanwhile it may have come here, or be followed no more.
      const part = cold.slice(i, i + LOAD_CELLS_MAX).filter((ghost) => this.#isCold(ghost));
      if (part.length > 0) await this.#load(part, holdings);
    }
    const cursors: FollowCursor[] = [];
    for (const ghost of this.#ghosts.values()) {
      const { cell, seq, hash, outSeq } = ghost;
      if (ghost.state !== undefined) cursors.push({ cell, seq, hash, outSeq });
    }
    if (cursors.length === 0) return false;
    for (const news of await this.#store.poll(cursors, blockMs)) this.take(news);
    return true;
  }

  /** What is to be read now. PERF: the cells of others may be tens of thousands. */
  #coldNow(): Ghost[] {
    const now = this.#clock.nowMs();
    const near: Ghost[] = [];
    const far: Ghost[] = [];
    for (const ghost of this.#ghosts.values()) {
      if (ghost.state !== undefined || ghost.retryAtMs > now) continue;
      if (ghost.isNear) near.push(ghost);
      else if (far.length < FAR_CELLS_PER_READ_MAX) far.push(ghost);
    }
    return [...near, ...far];
  }

  #isCold(ghost: Ghost): boolean {
    return ghost.state === undefined && this.#ghosts.get(ghost.cell) === ghost;
  }

  /** Takes in what a poll has told; of cells that are not followed, nothing. */
  take(news: FollowNews): void {
    const ghost = this.#ghosts.get(news.cell);
    if (ghost?.state === undefined) return;
    if (news.resync) {
      this.resyncs++;
      this.#log.warn({ cell: news.cell, seq: ghost.seq }, 'followed cell must be read again');
      this.#readAgain(ghost);
      return;
    }
    for (const entry of news.out) {
      ghost.outSeq = Math.max(ghost.outSeq, entry.seq);
      this.#route(entry);
    }
    for (const entry of news.entries) {
      // A poll that was under way while the cell was adopted or surrendered repeats what is known.
      if (entry.seq !== ghost.seq + 1) continue;
      try {
        ghost.state.apply(entry);
      } catch (error) {
        this.#giveUp(ghost, error);
        return;
      }
      ghost.seq = entry.seq;
      ghost.hash = entry.hash;
    }
  }

  /** At once; one that must be read again and again waits longer each time. */
  #readAgain(ghost: Ghost): void {
    const nowMs = this.#clock.nowMs();
    const isSteady = nowMs - ghost.resyncedAtMs > STEADY_MS + ghost.pauseMs;
    ghost.pauseMs = isSteady ? 0 : Math.min(RETRY_MS, ghost.pauseMs * 2 + PAUSE_MIN_MS);
    ghost.resyncedAtMs = nowMs;
    ghost.retryAtMs = nowMs + ghost.pauseMs;
    ghost.state = undefined;
  }

  /** One followed cell that cannot be understood keeps no other from being followed. */
  #giveUp(ghost: Ghost, error: unknown): void {
    ghost.state = undefined;
    ghost.retryAtMs = this.#clock.nowMs() + RETRY_MS;
    this.#log.error({ cell: ghost.cell, err: error }, 'a followed cell cannot be understood');
  }

  async #load(cold: readonly Ghost[], holdings: ReadonlyMap<number, Holding>): Promise<void> {
    const { runId } = this.#store.status();
    const requests = cold.map(({ cell }) => {
      // The view of the oldest held neighbour's tick must come out of the entries, so that those
      // in flight at that tick are in it: the checkpoint must be older.
      let beforeTick = Number.POSITIVE_INFINITY;
      for (const other of this.sources.readersOf(cell)) {
        const holding = holdings.get(other);
        if (holding !== undefined) beforeTick = Math.min(beforeTick, holding.state.tick);
      }
      return Number.isFinite(beforeTick) ? { cell, beforeTick } : { cell };
    });
    const images = await this.#images(cold, requests);
    // Read after the logs, so it has whatever the ticks in them have sent.
    const channels = await Promise.all(
      cold.map(({ cell }) => this.#store.channel(cell, this.#outSeqKnown(cell, holdings))),
    );
    await this.#store.barrier();
    const slices = new Slices(this.#clock);
    for (const [i, image] of images.entries()) {
      await slices.rest();
      expectRun(this.#store, runId);
      const ghost = cold[i] as Ghost;
      if (image === undefined) continue;
      const state = this.sources.createCell(ghost.cell);
      try {
        state.restore(image);
      } catch (error) {
        this.#giveUp(ghost, error);
        continue;
      }
      const last = image.entries.at(-1) ?? image.checkpoint;
      ghost.seq = last?.seq ?? 0;
      ghost.hash = last?.hash ?? '';
      for (const entry of channels[i] as ChannelEntry[]) this.#route(entry);
      ghost.outSeq = channels[i]?.at(-1)?.seq ?? this.#outSeqKnown(ghost.cell, holdings);
      ghost.state = state;
    }
  }

  async #images(
    cold: readonly Ghost[],
    requests: readonly { readonly cell: number }[],
  ): Promise<(CellImage | undefined)[]> {
    try {
      return await this.#store.load(requests);
    } catch (error) {
      if (!(error instanceof LeaseholdError)) throw error;
    }
    const images: (CellImage | undefined)[] = [];
    for (const [i, request] of requests.entries()) {
      try {
        images.push(...(await this.#store.load([request])));
      } catch (error) {
        if (!(error instanceof LeaseholdError)) throw error;
        this.#giveUp(cold[i] as Ghost, error);
        images.push(undefined);
      }
    }
    return images;
  }

  /** What every held neighbour has queued of this cell's channel; reading on from there is safe. */
  #outSeqKnown(cell: number, holdings: ReadonlyMap<number, Holding>): number {
    let known = Number.POSITIVE_INFINITY;
    for (const other of this.sources.readersOf(cell)) {
      const holding = holdings.get(other);
      if (holding !== undefined) known = Math.min(known, holding.queued.get(cell) ?? 0);
    }
    return Number.isFinite(known) ? known : 0;
  }
}
