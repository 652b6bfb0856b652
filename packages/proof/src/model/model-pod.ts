/**
 * A pod without its loops: the parts that ship, each moved by hand, so that a history decides what
 * happens between any two of them.
 */
import { type Clock, ID_SKIP_ON_TAKEOVER, type Log } from '@leasehold/kernel';
import type { PodParts } from '@leasehold/pod';
import { Committer } from '@leasehold/pod/committer';
import { Halo } from '@leasehold/pod/halo';
import type { Holding } from '@leasehold/pod/holding';
import { Keeper } from '@leasehold/pod/keeper';
import { type Grant, type Loading, loadHoldings } from '@leasehold/pod/loader';
import { Rounds } from '@leasehold/pod/rounds';
import type { ChannelEntry, Store, WorldClock } from '@leasehold/protocol';
import type { Engine } from '@leasehold/sdk/engine';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
/** Cells are loaded from checkpoints, and logs are trimmed, within one history. */
const CHECKPOINT_EVERY = 4;
const LEASE_MS = 2_000;
/** More than a cell catches up one by one. */
const TICKS_PER_ROUND = 25;

export type ModelPodOptions = {
  readonly pod: string;
  readonly store: Store;
  readonly engine: Engine;
  readonly clock: Clock;
  /** The time of the world, which all pods share. */
  readonly world: { tick: number };
};

export class ModelPod {
  readonly pod: string;
  readonly holdings = new Map<number, Holding>();
  readonly #parts: PodParts;
  readonly #world: ModelPodOptions['world'];
  readonly #halo: Halo;
  readonly #committer: Committer;
  readonly #keeper: Keeper;
  readonly #rounds: Rounds;
  readonly #trims = new Map<number, number>();
  readonly #loading = new Map<number, Loading>();
  #nonces = 0;

  constructor({ pod, store, engine, clock, world }: ModelPodOptions) {
    this.pod = pod;
    this.#world = world;
    this.#parts = {
      ...{ pod, store, engine, clock, pid: 1, log: silent },
      settings: { leaseTtlMs: LEASE_MS, blocksMax: 10, indexResolution: 0, unreadMin: 0 },
      randomHex: () => String(this.#nonces),
      schemaOf: () => undefined,
    };
    this.#halo = new Halo(this.#parts, (entry) => this.#route(entry));
    this.#keeper = new Keeper(this.#parts, this.holdings, this.#loading);
    this.#committer = new Committer(this.#parts, {
      sent: (entry) => this.#route(entry),
      lost: (holding) => this.#lose(holding),
      unhealed: () => {
        for (const holding of this.holdings.values()) holding.needsReload = true;
      },
      leaving: () => {},
      waiting: () => {},
      settled: () => {},
      left: (holding) => this.#leave(holding),
    });
    this.#rounds = new Rounds(this.#parts, {
      holdings: this.holdings,
      halo: this.#halo,
      committer: this.#committer,
      trims: this.#trims,
      leaving: () => {},
      left: (holding) => this.#leave(holding),
      reload: (holdings) => this.#reload(holdings),
      recall: async () => {},
    });
  }

  /** Takes a cell, also from pods that it believes dead. True when it has it. */
  async claim(cell: number, dead: readonly string[]): Promise<boolean> {
    if (this.holdings.has(cell)) return false;
    const nonce = `${this.pod}.n${++this.#nonces}`;
    const [got] = await this.#parts.store.acquire([{ cell, nonce, ttlMs: LEASE_MS }], dead);
    if (got?.tag !== 'GRANTED') return false;
    await this.#load([got]);
    if (got.cause === 'revoked' || got.cause === 'expired') {
      const holding = this.holdings.get(cell) as Holding;
      holding.state.idCounter += ID_SKIP_ON_TAKEOVER;
    }
    this.#halo.sync(this.holdings);
    return true;
  }

  async #load(grants: readonly Grant[]): Promise<void> {
    const counts = { warmCells: 0, coldCells: 0 };
    const load = {
      ...{ counts, halo: this.#halo, holdings: this.holdings, loading: this.#loading },
      route: this.#route.bind(this),
    };
    for (const { claim } of grants) {
      this.#loading.set(claim.cell, { claim, early: [], renewedMs: 0, isLost: false });
    }
    try {
      for (const holding of await loadHoldings(this.#parts, grants, load)) {
        holding.checkpointEvery = CHECKPOINT_EVERY;
        for (const entry of this.#loading.get(holding.cell)?.early ?? []) holding.queue(entry);
        this.holdings.set(holding.cell, holding);
      }
    } finally {
      this.#loading.clear();
    }
  }

  /** Reads cells anew whose lease is still this pod's. */
  async #reload(holdings: readonly Holding[]): Promise<void> {
    const { store } = this.#parts;
    const heads = await store.heads(holdings.map(({ cell }) => cell));
    const grants: Grant[] = [];
    for (const [i, holding] of holdings.entries()) {
      const head = heads[i];
      if (head === undefined || 'tag' in head || head.nonce !== holding.claim.nonce) {
        this.#lose(holding);
        continue;
      }
      const times = { lastAtMs: 0, nowMs: 0 };
      const { claim } = holding;
      grants.push({ tag: 'GRANTED', claim, head, attempts: 1, cause: 'free', from: '', ...times });
    }
    await this.#load(grants);
    for (const { claim } of grants) {
      const fresh = this.holdings.get(claim.cell) as Holding;
      fresh.state.idCounter += ID_SKIP_ON_TAKEOVER;
      this.#trims.delete(claim.cell);
    }
  }

  /**
   * One round of the pod: every cell that it holds ticks once, and all of it is committed. The world has
   * gone on since any other's round, so far that each cell comes to its tick at once.
   */
  async run(): Promise<void> {
    this.#world.tick += TICKS_PER_ROUND;
    const world: WorldClock = {
      ...{ mode: 'realtime', rateHz: 1e-6, isPaused: false, endTick: 0 },
      baseMs: this.#parts.store.nowMs(),
      baseTick: this.#world.tick,
    };
    await this.#rounds.run(world);
  }

  async read(): Promise<void> {
    this.#halo.sync(this.holdings);
    await this.#halo.read(this.holdings, 0);
  }

  /** Looks after leases of quiet cells, and hears of those that are lost. */
  async renew(): Promise<void> {
    for (const holding of await this.#keeper.renew()) this.#lose(holding);
    this.#committer.prove();
  }

  learnTrims(): Promise<void> {
    return this.#keeper.learnTrims(this.#trims);
  }

  /** Cells that wait for a trim which the next commit takes with it. */
  get trims(): number {
    return this.#trims.size;
  }

  #route(entry: ChannelEntry): void {
    this.#loading.get(entry.to)?.early.push(entry);
    this.holdings.get(entry.to)?.queue(entry);
  }

  #lose(holding: Holding): void {
    if (this.holdings.get(holding.cell) !== holding) return;
    this.holdings.delete(holding.cell);
    this.#trims.delete(holding.cell);
    this.#committer.noteTaken();
  }

  #leave(holding: Holding): void {
    this.holdings.delete(holding.cell);
    this.#trims.delete(holding.cell);
    this.#halo.adopt(holding);
  }
}
