/**
 * The gateway without its network: follows what its clients look at and tells each of them what it
 * has not seen. One round = one poll applied, published and sent; between rounds nothing changes,
 * so whatever is encoded in between is of one moment.
 */
import { type Clock, LeaseholdError, type Log, Signal } from '@leasehold/kernel';
import type { LayerSchema, PlanStore, SchemaResolver, Store } from '@leasehold/protocol';
import { type Area, encodeJsonPart, type Selection } from '@leasehold/protocol/view';
import { AreaShape, type AreaSpec, type Grid } from '@leasehold/spatial';
import { type FollowedCell, Following } from './following.ts';
import { InterestTeller } from './interest-teller.ts';
import { VIEW_LIMITS, type ViewLimits, WARM_CELLS_MAX } from './limits.ts';
import type { CellKit } from './live-cell.ts';
import type { NearestQuery } from './nearest.ts';
import { Past, type PastSource, SETTLED } from './past.ts';
import { PlanWatch } from './plan-watch.ts';
import { type Found, Search } from './search.ts';
import { slowCellsOf } from './slow-cells.ts';
import { StatusReader } from './status.ts';
import type { Subscription, Target } from './subscription.ts';
import { type Peer, Viewer } from './viewer.ts';
import { welcomeOf } from './welcome.ts';

export type ViewFacts = {
  readonly gateway: string;
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  readonly tickHz: number;
  readonly mode: 'realtime' | 'lockstep';
  /** Whether pods can be killed through this gateway. */
  readonly canKill: boolean;
};

export type HubParts = {
  readonly store: Store;
  /** Where loads and the journal are read; without it the plan is told without them. */
  readonly planStore?: PlanStore;
  /** With the `step` of its fields, as the module declares them. */
  readonly schema: LayerSchema;
  readonly grid: Grid;
  /** Indices of the component and fields that say where an entity is. */
  readonly spatial?: CellKit['spatial'];
  readonly clock: Clock;
  readonly log: Log;
  readonly older?: SchemaResolver;
  readonly limits?: Partial<ViewLimits>;
  /**
   * Whether every cell is followed from the start, so that clients of a gateway that died are live
   * here at once. Worlds of more than `WARM_CELLS_MAX` cells are followed when asked for.
   */
  readonly isWarm?: boolean;
  /** Where snapshots are read; without it there is only now. */
  readonly past?: PastSource;
  readonly facts: ViewFacts;
};

/** Totals since the start; `polls` and the two times in ms. */
export type HubCounts = {
  rounds: number;
  frames: number;
  bytes: number;
  updates: number;
  coalesced: number;
  resyncs: number;
  pollMs: number;
  applyMs: number;
  sendMs: number;
};

/** How long a poll waits in the store for the first news. */
const BLOCK_MS = 100;
/** News of one tick come within a few milliseconds of each other: one frame tells them all. */
const GATHER_MS = 4;
const FAULT_PAUSE_MS = 100;
/** How late something is found that falls due without anything happening. */
const LOOK_MS = 100;
/** Looking for an entity may read the whole world. */
const SEEK_PAUSE_MS = 1_000;
/** Why an entity is looked for no longer. */
const FINAL: readonly string[] = ['ENTITY_UNKNOWN', 'AREA_INVALID', 'LIMIT_EXCEEDED'];
const SWEEP_MS = 1_000;
/** Rounds are at least this part of a tick apart, so that a client gets one frame a tick. */
const ROUND_TICKS = 0.5;
const ROUND_MS_MAX = 40;

export class ViewHub {
  readonly limits: ViewLimits;
  readonly facts: ViewFacts;
  readonly schema: LayerSchema;
  readonly grid: Grid;
  readonly log: Log;
  readonly following: Following;
  readonly past: Past;
  /** Who is to hold what. */
  readonly plans: PlanWatch;
  readonly status: StatusReader;
  readonly viewers = new Set<Viewer>();
  readonly drops = new Map<string, number>();
  readonly counts: HubCounts = {
    rounds: 0,
    frames: 0,
    bytes: 0,
    updates: 0,
    coalesced: 0,
    resyncs: 0,
    pollMs: 0,
    applyMs: 0,
    sendMs: 0,
  };
  /** The first part that a client gets. */
  readonly welcome: Uint8Array;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #search: Search;
  readonly #isWarm: boolean;
  readonly #interest: InterestTeller | undefined;
  readonly #flush: Signal;
  /** Clients for whom something waits between rounds. */
  readonly #due = new Set<Viewer>();
  #round = 1;
  #isStopped = false;
  #isReady = false;
  #sweptAtMs = 0;
  #loops: Promise<unknown> | undefined;

  constructor(parts: HubParts) {
    const { store, planStore, schema, grid, spatial, clock, log, older } = parts;
    this.limits = { ...VIEW_LIMITS, ...parts.limits };
    this.facts = parts.facts;
    this.schema = schema;
    this.grid = grid;
    this.log = log;
    this.#store = store;
    this.#clock = clock;
    this.#isWarm = parts.isWarm ?? false;
    this.#flush = new Signal(clock);
    const centre = (cell: number) => ({ x: grid.centreX(cell), y: grid.centreY(cell) });
    const kit = { schema, older, spatial, centre };
    const { tickHz } = parts.facts;
    const { limits } = this;
    this.following = new Following({
      ...{ store, clock, log, kit, grid, tickHz, cellsMax: limits.followedCellsMax },
      onLoaded: (cells) => this.#publish(cells),
    });
    this.past = new Past({
      ...{ source: parts.past, clock, log, kit, grid, tickHz, limits },
      onLoaded: (following, cells) => this.#publishPast(following, cells),
    });
    const { following, viewers } = this;
    const plans = new PlanWatch({ store, clock, log });
    this.plans = plans;
    plans.onChange((plan) => following.slow.follow(slowCellsOf(plan, grid)));
    this.status = new StatusReader({
      ...{ store, planStore, clock, log, grid, schema, following, plans, viewers },
    });
    this.#interest =
      planStore &&
      new InterestTeller({
        ...{ store: planStore, clock, log },
        name: parts.facts.gateway,
        looking: () => this.#looking(),
      });
    this.#search = new Search({ store, grid, clock, following, spatial, limits: this.limits });
    this.welcome = encodeJsonPart('welcome', welcomeOf(parts, this.limits));
  }

  start(): void {
    const isWarm = this.#isWarm && this.grid.cells <= WARM_CELLS_MAX;
    for (let cell = 0; isWarm && cell < this.grid.cells; cell++) this.following.want(cell);
    this.following.start();
    this.plans.start();
    this.status.start();
    this.#interest?.start();
    this.#loops = Promise.all([this.#pollLoop(), this.#flushLoop()]);
  }

  /** Ends its loops. Clients are told that the gateway is closing. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const viewer of [...this.viewers]) viewer.drop('GATEWAY_CLOSING');
    this.#flush.wake();
    const { following, plans, status } = this;
    const stops = [following.stop(), this.past.stop(), plans.stop(), status.stop()];
    await Promise.all([...stops, this.#interest?.stop(), this.#loops]);
  }

  /** The cells of each subscription; one around an entity that was not found has none. */
  *#looking(): Iterable<Iterable<number>> {
    for (const { subscriptions } of this.viewers) {
      for (const { seats, past } of subscriptions.values()) {
        if (past === undefined) yield seats.keys();
      }
    }
  }

  /** Whether the store answered the last time it was asked. */
  get isReady(): boolean {
    return this.#isReady;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  storeMs(): number {
    return this.#store.nowMs();
  }

  /** A client connected. */
  join(peer: Peer): Viewer {
    const viewer = new Viewer(this, peer);
    this.viewers.add(viewer);
    return viewer;
  }

  leave(viewer: Viewer): void {
    this.viewers.delete(viewer);
    this.#due.delete(viewer);
  }

  countDrop(code: string): void {
    this.drops.set(code, (this.drops.get(code) ?? 0) + 1);
  }

  /** Something waits for this client. PERF: nobody else is looked at. */
  flushSoon(viewer: Viewer): void {
    this.#due.add(viewer);
    this.#flush.wake();
  }

  /**
   * Everything within an area; see `Found`. `asOf`: a snapshot instead of now. Errors: `AREA_INVALID`,
   * `LIMIT_EXCEEDED`, …; of a snapshot those of `Past`.
   */
  query(area: Area, selection: Selection, limit: number, asOf?: string): Promise<Found> {
    return this.#ask(asOf, (search) => search.query(area, selection, limit, this.schema));
  }

  /** The entities nearest to a point. Errors as `query`. */
  nearest(question: NearestQuery, selection: Selection, asOf?: string): Promise<Found> {
    return this.#ask(asOf, (search) => search.nearest(question, selection, this.schema));
  }

  /** One entity with its components. Throws `ENTITY_UNKNOWN`. */
  entity(id: number, selection: Selection, asOf?: string): Promise<Found> {
    return this.#ask(asOf, (search) => search.entity(id, selection, this.schema));
  }

  async #ask(asOf: string | undefined, ask: (search: Search) => Promise<Found>): Promise<Found> {
    return asOf === undefined ? ask(this.#search) : this.past.with(asOf, ask);
  }

  /** Puts a subscription on an area. One around an entity is on no cell until that was found. */
  place(subscription: Subscription, area: Area): void {
    if (area.kind === 'around') {
      // Checked now, so that a wrong radius is told at once.
      new AreaShape(this.grid, { kind: 'circle', x: 0, y: 0, radius: area.radius });
      return;
    }
    this.#placeOn(subscription, area);
  }

  #placeOn(subscription: Subscription, area: AreaSpec): void {
    const shape = new AreaShape(this.grid, area);
    const { areaCellsMax } = this.limits;
    if (shape.cells.length > areaCellsMax) {
      throw new LeaseholdError('LIMIT_EXCEEDED', `the area touches ${shape.cells.length} cells`, {
        field: 'areaCellsMax',
        value: String(shape.cells.length),
        remedy: `Ask for an area of at most ${areaCellsMax} cells.`,
      });
    }
    subscription.following.expectRoom(shape.cells);
    subscription.place(shape, ++this.#round);
  }

  /** Finds the entity that an area is around, and stays with it. */
  target(viewer: Viewer, subscription: Subscription, area: Area & { kind: 'around' }): void {
    const { entity, radius } = area;
    subscription.target = { entity, radius, x: Number.NaN, y: Number.NaN };
    void this.#seek(viewer, subscription, subscription.target);
  }

  async #seek(viewer: Viewer, subscription: Subscription, target: Target): Promise<void> {
    const isWanted = (): boolean =>
      subscription.target === target && !viewer.isGone && !this.#isStopped;
    while (isWanted()) {
      try {
        const search = subscription.past?.search ?? this.#search;
        const at = await search.place(target.entity);
        if (!isWanted()) return;
        this.#follow(subscription, target, at);
        this.flushSoon(viewer);
        return;
      } catch (error) {
        if (!isWanted()) return;
        if (error instanceof LeaseholdError && FINAL.includes(error.code)) {
          this.#giveUp(viewer, subscription, error);
          this.flushSoon(viewer);
          return;
        }
        // A store that cannot be read now says nothing about the entity.
        this.log.warn({ err: error, entity: target.entity }, 'an entity cannot be looked for now');
        await this.#clock.sleep(SEEK_PAUSE_MS);
      }
    }
  }

  #follow(subscription: Subscription, target: Target, at: { x: number; y: number }): void {
    this.#placeOn(subscription, { kind: 'circle', radius: target.radius, ...at });
    Object.assign(target, at);
  }

  /** Says why an area cannot stay around its entity; it stays where it was. */
  #giveUp(viewer: Viewer, subscription: Subscription, error: LeaseholdError): void {
    const { code, message, detail } = error;
    viewer.answer({ to: 'area', id: subscription.id, ok: false, code, message, ...detail });
    subscription.gone.push(...(subscription.held?.keys() ?? []));
    subscription.held = undefined;
    // An area that was never found is not live either: it waits for what its client does about it.
    if (subscription.seats.size > 0) subscription.target = undefined;
    else if (subscription.target !== undefined) subscription.target.x = Number.NaN;
  }

  async #pollLoop(): Promise<void> {
    const spacingMs = Math.min(ROUND_MS_MAX, (ROUND_TICKS * 1_000) / this.facts.tickHz);
    let roundAtMs = 0;
    while (!this.#isStopped) {
      try {
        const pauseMs = roundAtMs + spacingMs - this.#clock.nowMs();
        if (pauseMs > 0) await this.#clock.sleep(pauseMs);
        const news = await this.#poll(BLOCK_MS);
        if (news.length > 0) {
          roundAtMs = this.#clock.nowMs();
          await this.#clock.sleep(GATHER_MS);
          // What came meanwhile extends what was read: both are of this round.
          this.#take(news);
          this.#take(await this.#poll(0));
          this.#publish();
        }
        this.#isReady = true;
      } catch (error) {
        this.#isReady = false;
        this.log.debug({ err: error }, 'nothing can be followed now');
        await this.#clock.sleep(FAULT_PAUSE_MS);
      }
    }
  }

  async #poll(blockMs: number) {
    const { cursors } = this.following;
    if (cursors.length === 0) {
      if (blockMs > 0) await this.#clock.sleep(blockMs);
      // Nothing to follow: whether the store answers, and has the world, is asked by itself.
      const [head] = await this.#store.heads([0]);
      if (head !== undefined && 'tag' in head) throw new Error(`no world to follow: ${head.tag}`);
      return [];
    }
    const startMs = this.#clock.nowMs();
    const news = await this.#store.poll(cursors, blockMs);
    if (blockMs === 0) this.counts.pollMs += this.#clock.nowMs() - startMs;
    return news;
  }

  #changed = new Set<FollowedCell>();

  #take(news: Awaited<ReturnType<Store['poll']>>): void {
    const startMs = this.#clock.nowMs();
    const epochs = new Map(
      news.map(({ cell }) => [cell, this.following.cells.get(cell)?.live.epoch]),
    );
    for (const followed of this.following.take(news)) {
      this.#changed.add(followed);
      const { cell, epoch } = followed.live;
      if (epochs.get(cell) !== '' && epochs.get(cell) !== epoch) this.status.suspect();
    }
    this.counts.applyMs += this.#clock.nowMs() - startMs;
  }

  /** Publishes what changed, and tells everybody. */
  #publish(loaded: readonly FollowedCell[] = []): void {
    const startMs = this.#clock.nowMs();
    const round = ++this.#round;
    for (const followed of loaded) this.#changed.add(followed);
    this.following.arena.clear();
    for (const followed of this.following.cells.values()) {
      const { live } = followed;
      const isOpen = live.hasTransits || live.hasWaits;
      if (!live.isReady || !(this.#changed.has(followed) || isOpen)) continue;
      live.publish(round, this.following.othersOf(live.cell));
      this.following.update(followed, round);
    }
    this.#changed.clear();
    this.#retarget();
    this.counts.rounds++;
    this.counts.applyMs += this.#clock.nowMs() - startMs;
    this.#send();
  }

  /** Shows what was read of a snapshot. */
  #publishPast(following: Following, loaded: readonly FollowedCell[]): void {
    const round = ++this.#round;
    following.arena.clear();
    for (const followed of loaded) {
      followed.live.publish(round, SETTLED);
      following.update(followed, round);
    }
    this.#send();
  }

  /** Areas around entities go where those went. What goes wrong with one is told to its client. */
  #retarget(): void {
    for (const viewer of [...this.viewers]) {
      for (const subscription of viewer.subscriptions.values()) {
        const { target } = subscription;
        if (target === undefined || Number.isNaN(target.x)) continue;
        const at = subscription.find(target.entity);
        if (at === undefined) {
          // Dead, or further in one round than the area's cells reach.
          target.x = Number.NaN;
          void this.#seek(viewer, subscription, target);
        } else if (at.x !== target.x || at.y !== target.y) {
          this.#retargetTo(viewer, subscription, target, at);
        }
      }
    }
  }

  #retargetTo(
    viewer: Viewer,
    subscription: Subscription,
    target: Target,
    at: { x: number; y: number },
  ): void {
    const { isLive } = subscription;
    try {
      this.#follow(subscription, target, at);
      subscription.isLive = isLive;
    } catch (error) {
      if (!(error instanceof LeaseholdError)) throw error;
      this.#giveUp(viewer, subscription, error);
    }
  }

  #send(viewers: Iterable<Viewer> = this.viewers): void {
    const nowMs = this.#clock.nowMs();
    for (const viewer of [...viewers]) this.#serve(viewer, () => viewer.flush(nowMs));
    this.counts.sendMs += this.#clock.nowMs() - nowMs;
  }

  /** A defect that shows itself with one client costs that client its connection, and nobody else. */
  #serve(viewer: Viewer, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.log.error({ err: error }, 'a client could not be served');
      viewer.drop('VIEW_MESSAGE_INVALID');
    }
  }

  /** Between rounds: answers, areas that moved, queues that emptied, clients that are stuck. */
  async #flushLoop(): Promise<void> {
    let lookedAtMs = Number.NEGATIVE_INFINITY;
    while (!this.#isStopped) {
      await this.#flush.wait(LOOK_MS);
      const nowMs = this.#clock.nowMs();
      const due = [...this.#due];
      this.#due.clear();
      for (const viewer of due) this.#serve(viewer, () => viewer.settle(nowMs));
      this.#send(due);
      if (nowMs - lookedAtMs < LOOK_MS) continue;
      lookedAtMs = nowMs;
      this.#lookAtAll(nowMs);
    }
  }

  /** What falls due by time alone. */
  #lookAtAll(nowMs: number): void {
    const due = this.following.takeDue();
    if (due.length > 0) this.#publish(due);
    for (const viewer of [...this.viewers]) {
      this.#serve(viewer, () => viewer.settle(nowMs));
      if (viewer.isStuck(nowMs)) viewer.drop('READER_SLOW');
    }
    this.#send();
    if (nowMs - this.#sweptAtMs < SWEEP_MS) return;
    this.#sweptAtMs = nowMs;
    this.following.sweep();
    this.past.sweep();
  }
}
