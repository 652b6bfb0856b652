/**
 * One round: which cells are due, their tick, and the commit of all of them in one round trip.
 *
 *   realtime  every cell runs towards the tick that the world's clock asks for
 *   lockstep  a cell runs tick t when all its neighbours have settled tick t − 1 (T1)
 */
import { ID_SKIP_ON_TAKEOVER, LeaseholdError } from '@leasehold/kernel';
import { addressOf, dueAtMs, tickAt, type WorldClock } from '@leasehold/protocol';
import type { CellView } from '@leasehold/sdk/engine';
import { type Committer, isSending } from './committer.ts';
import type { Halo } from './halo.ts';
import type { Draft, Holding } from './holding.ts';
import type { Grant } from './loader.ts';
import { Quantiles } from './quantiles.ts';
import { dueAfter, dueBy } from './reliefs.ts';
import {
  ATTEMPTS_MAX,
  CATCH_UP_TICKS_MAX,
  CHECKPOINT_ENTRIES_MIN,
  type PodParts,
  TICK_FAILURES_MAX,
} from './settings.ts';
import { Takeovers } from './takeovers.ts';
import { TickCosts } from './tick-costs.ts';

/** A cell that is to leave does so within this part of a tick after it has ticked, … */
const LEAVING_PART_MAX = 0.5;
/** … unless it has waited for that so long. */
const LEAVING_TICKS_MAX = 4;
const RETRY_MS = 10;
const IDLE_MS = 20;
/** What everybody else of the pod waits for at most while cells tick. */
const SLICE_MS = 20;

export type RoundParts = {
  readonly holdings: ReadonlyMap<number, Holding>;
  readonly halo: Halo;
  readonly committer: Committer;
  /** Channel positions that may be dropped with the next commit, by cell. */
  readonly trims: Map<number, number>;
  /** The call that leaves cells to an heir has been sent. */
  readonly leaving: (cells: readonly number[], heir: string) => void;
  readonly left: (holding: Holding) => void;
  readonly reload: (holdings: readonly Holding[]) => Promise<void>;
  /** Takes back, to end them, leases that the store names this pod's though it gave them up. */
  readonly recall: () => Promise<void>;
};

/** The tick that all cells run towards in this round. */
type Moment = { readonly world: WorldClock; readonly target: number };

export class Rounds {
  readonly tickMs = new Quantiles();
  readonly commitMs = new Quantiles();
  readonly counts = {
    ...{ ticks: 0, cellTicks: 0, births: 0, deaths: 0, crossings: 0, jumps: 0 },
    // Of cells in which something is, in realtime: late when the next was due before it began.
    ...{ dueTicks: 0, lateTicks: 0 },
  };
  readonly costs = new TickCosts();
  readonly takeovers: Takeovers;
  /** After the last round some cell was still behind the time of the world. */
  isLate = false;
  readonly #parts: PodParts;
  readonly #round: RoundParts;
  readonly #order: Holding[] = [];

  constructor(parts: PodParts, round: RoundParts) {
    this.#parts = parts;
    this.#round = round;
    this.takeovers = new Takeovers(parts);
  }

  /** A freshly loaded cell takes its place in time. */
  enter(holding: Holding, grant: Grant, world: WorldClock): void {
    const { state } = holding;
    if (state.table.count > 0 && grant.attempts >= ATTEMPTS_MAX) {
      void this.#freeze(holding, `no commit in ${grant.attempts} acquisitions`);
    }
    if (world.mode !== 'realtime') return;
    state.takeOver();
    holding.checkpointEvery = CHECKPOINT_ENTRIES_MIN / 2;
    // A lost tail may have shown some of the next ids to others; they are not used again.
    if (grant.cause === 'revoked' || grant.cause === 'expired')
      state.idCounter += ID_SKIP_ON_TAKEOVER;
    // Ticks up to the former holder's last call changed nothing, or they would be in the log. Where
    // nobody is none does: what slept has nothing to make up for.
    const now = tickAt(world, grant.nowMs);
    const isEmpty = state.table.count === 0;
    const lived = (isEmpty ? now : Math.min(tickAt(world, grant.lastAtMs), now)) - 1;
    if (lived > state.tick) state.refresh(lived);
    holding.settledTick = state.tick;
  }

  /** Runs one round. Returns how long the next one may wait, in milliseconds. */
  async run(world: WorldClock): Promise<number> {
    if (this.#round.committer.isNewRun) await this.meetRun();
    const broken = [...this.#round.holdings.values()].filter(({ needsReload }) => needsReload);
    if (broken.length > 0) await this.#round.reload(broken);
    const target = world.mode === 'realtime' ? this.#target(world) : Number.POSITIVE_INFINITY;
    const stepped = await this.#stepDue(world, target);
    const isUnsettled = await this.#commit();
    await this.#letGo(world, target);
    this.isLate = world.mode === 'realtime' && !world.isPaused && this.#isBehind(target);
    if (isUnsettled) return RETRY_MS;
    if (stepped > 0 && world.mode === 'lockstep') return 0;
    if (world.mode === 'lockstep' || world.isPaused) return IDLE_MS;
    // A round that sent nothing has awaited nothing: sockets and timers must get their turn.
    if (this.isLate) return stepped > 0 ? 0 : 1;
    const waitMs = dueAtMs(world, target + 1) - this.#parts.store.nowMs();
    return Math.min(1_000, Math.max(1, waitMs));
  }

  /** Another server answers: what is held, or was, is compared with what that one has. */
  async meetRun(): Promise<void> {
    const { committer, holdings, halo, trims, reload, recall } = this.#round;
    trims.clear();
    await recall();
    const isVoid = await committer.meetRun([...holdings.values()]);
    if (!isVoid) return;
    await reload([...holdings.values()]);
    // After the reload: where to read a neighbour's channel from is taken from what is held.
    halo.forget();
  }

  #target(world: WorldClock): number {
    const target = tickAt(world, this.#parts.store.nowMs());
    return world.endTick > 0 ? Math.min(target, world.endTick) : target;
  }

  #isBehind(target: number): boolean {
    for (const { state, isFrozen } of this.#round.holdings.values()) {
      if (!isFrozen && state.tick < target) return true;
    }
    return false;
  }

  /**
   * Ticks every due cell once. Cells whose last holder died on them go alone, one a round. In realtime
   * a long round is cut into slices: leases, handovers and what others send get their turn in between.
   */
  async #stepDue(world: WorldClock, target: number): Promise<number> {
    const order = this.#order;
    order.length = 0;
    let isolated: Holding | undefined;
    for (const holding of this.#round.holdings.values()) {
      if (!this.#isDue(holding, world, target)) continue;
      if (holding.dilation > 1 && this.#passes(holding, world, target)) continue;
      if (holding.isIsolated && holding.state.table.count > 0) isolated ??= holding;
      else order.push(holding);
    }
    if (isolated !== undefined) {
      order.length = 0;
      order.push(isolated);
      isolated.isIsolated = false;
    }
    // Who is due was decided above for all of them: a tick never opens the way for another.
    const moment = { world, target };
    let spentMs = 0;
    for (let next = 0; next < order.length; ) {
      const startedMs = this.#parts.clock.nowMs();
      next = this.#stepSlice(order, next, moment);
      spentMs += this.#parts.clock.nowMs() - startedMs;
      if (next < order.length) await this.#parts.clock.sleep(0);
    }
    if (order.length > 0) {
      this.counts.ticks++;
      this.counts.cellTicks += order.length;
      this.tickMs.add(spentMs);
    }
    return order.length;
  }

  /** As many as there is time for, one at least. Returns where the next slice begins. */
  #stepSlice(order: readonly Holding[], first: number, { world, target }: Moment): number {
    const { clock, cpuMs = () => clock.nowMs() } = this.#parts;
    const startedMs = clock.nowMs();
    const cpuStartedMs = cpuMs();
    // In lockstep nobody is in a hurry, and what a tick reads must not change under it (T1).
    const { sliceMs = SLICE_MS } = this.#parts.settings;
    const untilMs = world.mode === 'realtime' ? startedMs + sliceMs : Number.POSITIVE_INFINITY;
    let beganMs = startedMs;
    let next = first;
    for (; next < order.length && (next === first || beganMs < untilMs); next++) {
      const holding = order[next] as Holding;
      holding.spentMs = 0;
      // It may have been lost while others had their turn.
      const isHere = this.#round.holdings.get(holding.cell) === holding;
      if (!isHere || holding.needsReload) continue;
      this.#step(holding, world, target);
      const endedMs = clock.nowMs();
      holding.spentMs = endedMs - beganMs;
      beganMs = endedMs;
    }
    // PERF: reading the processor's time costs microseconds, so it is read once a slice: what others
    // took of the processor meanwhile is taken off each cell in proportion.
    const share = Math.min(1, (cpuMs() - cpuStartedMs) / (beganMs - startedMs || 1));
    this.costs.note(order, { first, next, share, rateHz: world.rateHz });
    return next;
  }

  #isDue(holding: Holding, world: WorldClock, target: number): boolean {
    if (isSending(holding) || holding.isFrozen || holding.needsReload) return false;
    if (world.isPaused || this.#isParting(holding)) return false;
    const { tick } = holding.state;
    if (world.mode === 'realtime') return tick < target;
    if (world.endTick > 0 && tick >= world.endTick) return false;
    for (const other of this.#parts.engine.grid.neighbours(holding.cell)) {
      const held = this.#round.holdings.get(other);
      const known = held === undefined ? this.#round.halo.tickOf(other) : held.settledTick;
      if (known < tick) return false;
      if (this.#viewOf(other, tick, true) === undefined) {
        this.#round.halo.lack(other, tick);
        return false;
      }
    }
    return this.#knowsOthers(holding.cell, tick);
  }

  /** Whether all is known of the other layers that a cell reads at a tick. */
  #knowsOthers(cell: number, tick: number): boolean {
    const { halo } = this.#round;
    for (const address of halo.sources.foreign(cell)) {
      if (halo.tickOf(address) < tick) return false;
      if (!halo.sources.reads(address) || halo.view(address, tick) !== undefined) continue;
      halo.lack(address, tick);
      return false;
    }
    return true;
  }

  /**
   * A dilated cell lets the ticks between its own go by: it keeps up with the world, so that
   * neighbours, channels and handovers go on, and nothing happens in it.
   */
  #passes(holding: Holding, { mode, endTick }: WorldClock, target: number): boolean {
    const { state, dilation } = holding;
    if (mode !== 'realtime' || dueAfter(state.tick, dilation, endTick) <= target) return false;
    holding.passedTicks += target - state.tick;
    state.refresh(target);
    this.#unchanged(holding);
    return true;
  }

  #viewOf(cell: number, tick: number, isExact: boolean): CellView | undefined {
    const held = this.#round.holdings.get(cell);
    if (held !== undefined) {
      return held.state.view(tick) ?? (isExact ? undefined : held.state.latestView());
    }
    const { halo } = this.#round;
    return halo.view(cell, tick) ?? (isExact ? undefined : halo.latestView(cell));
  }

  #step(holding: Holding, world: WorldClock, target: number): void {
    const { state } = holding;
    const isLockstep = world.mode === 'lockstep';
    const { endTick } = world;
    const dilation = isLockstep ? 1 : holding.dilation;
    holding.cutTick = world.cutTick;
    let tick = dueAfter(state.tick, dilation, endTick);
    let missed = 0;
    if (!isLockstep && target - state.tick > CATCH_UP_TICKS_MAX) {
      const due = dueBy(target, dilation, endTick);
      missed = due - tick;
      tick = due;
    }
    // S1: a tick builds on earlier ones alone, so all cells at the end of one tick are a cut.
    const arrivals = holding.takeArrivals(tick - 1);
    const posts = holding.takePosts(isLockstep ? Number.POSITIVE_INFINITY : tick - 1);
    const isEmpty = state.table.count === 0 && arrivals.length + posts.length === 0;
    holding.leavesWhole = this.#owesWhole(holding);
    if (!isLockstep && isEmpty && !holding.leavesWhole) {
      // Nothing lives here: time passes without a tick, a commit or a jump.
      holding.pass(((target - state.tick) * 1_000) / world.rateHz);
      state.refresh(target);
      holding.passedTicks = 0;
      this.#unchanged(holding);
      return;
    }
    const isLate = tick < target && dueAfter(tick, dilation, endTick) <= target;
    const leftOut = holding.isRested ? 0 : missed;
    holding.isRested = false;
    if (!isLockstep) this.#countDeadline(leftOut, isLate);
    // Dilated or late, the log says how much time was left out.
    const jumped = tick - state.tick - 1 + holding.passedTicks;
    try {
      const result = state.step({
        tick,
        outSeq: holding.outSeq,
        ...(jumped > 0 ? { jumped } : {}),
        arrivals,
        posts,
        isExact: isLockstep,
        tries: holding.failures + holding.triesBefore,
        isLast: (holding.leavingTo !== undefined && !holding.leavesWhole) || tick === endTick,
        isCheckpointDue: holding.isCheckpointDue,
        view: (cell) => this.#viewOf(cell, tick - 1, isLockstep),
        foreign: (layer, cell) => this.#viewOf(addressOf(layer, cell), tick - 1, isLockstep),
        leads: holding.leads,
      });
      holding.failures = 0;
      holding.passedTicks = 0;
      holding.strays = result.strays;
      this.counts.births += result.births;
      this.counts.deaths += result.deaths;
      this.counts.crossings += result.departures;
      if (leftOut > 0) this.#noteJump(holding, leftOut, tick);
      holding.pass(1_000 / world.rateHz, result.changed);
      if (holding.isDozing && result.changed) holding.stay();
      const isQuiet = !result.changed && !holding.isUnproven && !holding.leavesWhole;
      if (isQuiet && !isLockstep) {
        this.#unchanged(holding);
        return;
      }
      const commit = holding.prepare(
        tick,
        result,
        { arrivals, posts },
        this.#parts.settings.leaseTtlMs,
      );
      this.#addExtras(holding, commit, { world, target });
    } catch (error) {
      this.#fail(holding, error);
    }
  }

  /** Ticks that are left out are late too. */
  #countDeadline(leftOut: number, isLate: boolean): void {
    this.counts.dueTicks += leftOut + 1;
    this.counts.lateTicks += leftOut + (isLate ? 1 : 0);
  }

  /** Nothing to commit: the tick has happened all the same. */
  #unchanged(holding: Holding): void {
    holding.settledTick = holding.state.tick;
    this.takeovers.note(holding);
  }

  #addExtras(holding: Holding, commit: Draft, now: Moment): void {
    const { engine, settings } = this.#parts;
    const trim = this.#round.trims.get(holding.cell);
    if (trim !== undefined) {
      commit.outTrimTo = trim;
      this.#round.trims.delete(holding.cell);
    }
    if (settings.indexResolution > 0) {
      const geo = holding.index.updates(engine, holding.state, settings.indexResolution);
      if (geo !== undefined) commit.geo = geo;
    }
    const heir = holding.leavingTo;
    if (heir === undefined || this.#isParting(holding) || !this.#mayLeave(holding, now)) return;
    if (trim === undefined && this.#isToCool(holding) && holding.hasMailed) return;
    commit.ending = heir === '' ? 'release' : { heir };
  }

  /**
   * A cell leaves when it has just ticked: then its heir has the rest of the tick to take it, and
   * the next is not late. It waits for that a few ticks, not for ever.
   */
  #mayLeave(holding: Holding, { world, target }: Moment): boolean {
    if (world.mode === 'lockstep' || world.isPaused || holding.leavingTo === '') return true;
    holding.leavesByTick ??= target + LEAVING_TICKS_MAX;
    if (target >= holding.leavesByTick) return true;
    const sinceDueMs = this.#parts.store.nowMs() - dueAtMs(world, target);
    return holding.state.tick >= target && sinceDueMs < LEAVING_PART_MAX * (1_000 / world.rateHz);
  }

  async #commit(): Promise<boolean> {
    const { holdings, committer } = this.#round;
    const { clock } = this.#parts;
    const sending: Holding[] = [];
    for (const holding of holdings.values()) if (isSending(holding)) sending.push(holding);
    if (sending.length === 0) return false;
    const startedMs = clock.nowMs();
    const isUnsettled = await committer.send(sending);
    this.commitMs.add(clock.nowMs() - startedMs);
    for (const holding of sending) {
      if (!isSending(holding) && !holding.needsReload) this.takeovers.note(holding);
    }
    return isUnsettled;
  }

  /**
   * With replicas a cell stops before it leaves: what it has committed must be beyond a rollback,
   * since nobody keeps a ring for a cell that is gone from here. What it owes it tells before.
   */
  #isParting(holding: Holding): boolean {
    const { leavingTo, state } = holding;
    if (leavingTo === undefined || this.#parts.store.status().replicas === 0) return false;
    return !state.isAhead && !this.#owesWhole(holding);
  }

  /** It goes to sleep, and out of the live store: as one checkpoint, without a log or letters behind it. */
  #owesWhole(holding: Holding): boolean {
    const { cell, isWhole } = holding;
    return this.#isToCool(holding) && (!isWhole || this.#round.trims.has(cell));
  }

  #isToCool({ leavingTo, isFrozen }: Holding): boolean {
    return this.#parts.cool !== undefined && leavingTo === '' && !isFrozen;
  }

  /** True once a barrier has passed since the cell's last commit. */
  #isProven(holding: Holding): boolean {
    if (holding.provenSeq === holding.seq) return true;
    if (!holding.isProving) {
      const { seq } = holding;
      holding.isProving = true;
      this.#parts.store
        .barrier()
        .then(() => {
          holding.provenSeq = seq;
        })
        .catch((error: unknown) => this.#parts.log.debug({ err: error }, 'barrier not passed'))
        .finally(() => {
          holding.isProving = false;
        });
    }
    return false;
  }

  /** Cells that are to leave and have nothing left to commit. */
  async #letGo(world: WorldClock, target: number): Promise<void> {
    const { store } = this.#parts;
    const heirs = new Map<string, Holding[]>();
    for (const holding of this.#round.holdings.values()) {
      if (holding.isDozing && holding.isExpecting) holding.stay();
      const heir = holding.leavingTo;
      if (heir === undefined || isSending(holding) || holding.needsReload) continue;
      // Only a crash costs what is not told yet: its next tick tells it. In a paused world none comes.
      const isOwing = this.#owesWhole(holding) || (this.#isToCool(holding) && holding.hasMailed);
      if ((holding.state.isAhead || isOwing) && !world.isPaused) continue;
      if (this.#isParting(holding) && !this.#isProven(holding)) continue;
      if (!this.#isParting(holding) && !this.#mayLeave(holding, { world, target })) continue;
      const group = heirs.get(heir);
      if (group === undefined) heirs.set(heir, [holding]);
      else group.push(holding);
    }
    for (const [heir, group] of heirs) {
      const claims = group.map(({ claim }) => claim);
      const replying = heir === '' ? store.release(claims) : store.handover(claims, heir);
      const cells = group.map(({ cell }) => cell);
      if (heir !== '') this.#round.leaving(cells, heir);
      const replies = await replying;
      for (const [i, holding] of group.entries()) {
        const tag = replies[i]?.tag;
        if (tag === 'OK') this.#round.left(holding);
        else if (tag !== 'UNKNOWN' && tag !== 'REFUSED') holding.needsReload = true;
      }
    }
  }

  #fail(holding: Holding, error: unknown): void {
    const { log } = this.#parts;
    holding.failures++;
    holding.needsReload = true;
    const isOurs = error instanceof LeaseholdError;
    const what = isOurs ? { code: error.code, ...error.detail } : {};
    log.error(
      { cell: holding.cell, failures: holding.failures, ...what, err: error },
      'tick refused',
    );
    if (holding.failures < TICK_FAILURES_MAX) return;
    const why = isOurs ? `${error.code}: ${error.message}` : String(error);
    void this.#freeze(holding, why);
  }

  async #freeze(holding: Holding, why: string): Promise<void> {
    const { store, pod, log } = this.#parts;
    holding.isFrozen = true;
    log.error({ cell: holding.cell, why }, 'cell is frozen');
    const facts = { cell: holding.cell, why };
    await store.feed({ kind: 'frozen', pod, facts }).catch((error: unknown) => {
      log.warn({ err: error }, 'feed entry not written');
    });
  }

  #noteJump(holding: Holding, jumped: number, tick: number): void {
    const { store, pod, log } = this.#parts;
    this.counts.jumps++;
    log.warn({ cell: holding.cell, jumped, tick }, 'fell behind and jumped');
    const facts = { cell: holding.cell, jumped, tick };
    void store.feed({ kind: 'jump', pod, facts }).catch((error: unknown) => {
      log.warn({ err: error }, 'feed entry not written');
    });
  }
}
