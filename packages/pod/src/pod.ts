/**
 * One pod: claims cells, loads them, ticks them, commits them, follows what lies around them, and
 * leaves in good order. It owns nothing that its death could lose.
 *
 * Four loops share the event loop: `tick` simulates and commits, `read` follows the neighbours,
 * `keep` claims, hands over and reports, `renew` extends leases and waits for none of the others.
 * Each makes one pipelined round trip at a time.
 */
import { ID_SKIP_ON_TAKEOVER, Signal } from '@leasehold/kernel';
import {
  type ChannelEntry,
  CLOCK_READ_MS,
  type Claim,
  type Refusal,
  tickAt,
  type WorldClock,
} from '@leasehold/protocol';
import { warnOfClasses } from './classes.ts';
import { Committer } from './committer.ts';
import { Cooling } from './cooling.ts';
import { FormerCells } from './former.ts';
import { Halo } from './halo.ts';
import type { Holding } from './holding.ts';
import { Keeper } from './keeper.ts';
import type { Grant, Loading } from './loader.ts';
import { Loads } from './loads.ts';
import { Mail } from './mail.ts';
import { Moves } from './moves.ts';
import { OwedReleases } from './owed.ts';
import { Reliefs } from './reliefs.ts';
import { cellLoads, type PodReport, podReport } from './report.ts';
import { Rounds } from './rounds.ts';
import { KEEP_MS, LOAD_MS, type PodParts, REPORT_MS } from './settings.ts';

const FAULT_PAUSE_MS = 50;
/** How often it is looked which leases to extend. */
const RENEWALS_PER_LEASE = 8;
/** How often it is looked whether a server that is away is back. */
const AWAY_LOOK_MS = 20;
/** Until time runs: the first tick should come when it is due. */
const CLOCK_PAUSED_MS = 50;
/** How long a lockstep reader waits in the store for the first news. */
const READ_BLOCK_MS = 50;

export class Pod {
  readonly #parts: PodParts;
  readonly #holdings = new Map<number, Holding>();
  readonly #loading = new Map<number, Loading>();
  readonly #trims = new Map<number, number>();
  readonly #former = new FormerCells();
  readonly #owed = new OwedReleases();
  readonly #moves: Moves;
  readonly #halo: Halo;
  readonly #keeper: Keeper;
  readonly #reliefs: Reliefs;
  readonly #committer: Committer;
  readonly #rounds: Rounds;
  readonly #ticking: Signal;
  readonly #keeping: Signal;
  readonly #reading: Signal;
  readonly #renewing: Signal;
  readonly #mailing: Signal;
  readonly #mail: Mail;
  readonly #loads: Loads;
  readonly #cooling: Cooling;
  #clock: WorldClock | undefined;
  #nextClockMs = 0;
  #nextReportMs = 0;
  #nextLoadMs = 0;
  #isStopped = false;
  #isDraining = false;
  #loops: Promise<void>[] = [];
  #faultAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: PodParts) {
    this.#parts = parts;
    this.#ticking = new Signal(parts.clock);
    this.#keeping = new Signal(parts.clock);
    this.#reading = new Signal(parts.clock);
    this.#renewing = new Signal(parts.clock);
    this.#mailing = new Signal(parts.clock);
    this.#halo = new Halo(parts, (entry) => this.#route(entry));
    this.#keeper = new Keeper(parts, this.#holdings, this.#loading);
    this.#mail = new Mail(parts, {
      ...{ holdings: this.#holdings, loading: this.#loading, keeper: this.#keeper },
      ...{ mailing: this.#mailing, ticking: this.#ticking },
      isNewRun: () => this.#committer.isNewRun,
      isCold: (cell) => this.#cooling.isCold(cell),
    });
    this.#cooling = new Cooling(parts, (cell, isTelling) => this.#keeper.expect(cell, isTelling));
    this.#reliefs = new Reliefs(parts, this.#holdings, this.#keeper);
    this.#moves = new Moves(parts, {
      ...{ holdings: this.#holdings, halo: this.#halo, keeper: this.#keeper },
      ...{ ticking: this.#ticking, keeping: this.#keeping, reading: this.#reading },
      load: (grants) => this.#loads.aside(grants),
      posted: (cells) => this.#mail.expect(cells),
    });
    this.#loads = new Loads(parts, {
      ...{ halo: this.#halo, holdings: this.#holdings, loading: this.#loading },
      ...{ keeper: this.#keeper, former: this.#former, owed: this.#owed },
      counts: this.#moves.standby.counts,
      route: (entry) => this.#route(entry),
      take: (holding, grant) => this.#take(holding, grant),
      taken: () => this.#follow(),
      lose: (holding, why) => this.#lose(holding, why),
    });
    this.#committer = new Committer(parts, {
      sent: (entry) => this.#route(entry),
      lost: (holding, why) => this.#lose(holding, why),
      unhealed: () => {
        for (const holding of this.#holdings.values()) holding.needsReload = true;
      },
      leaving: (cells, heir) => this.#moves.tellLeaving(cells, heir),
      left: (holding) => this.#leave(holding),
      waiting: ({ cell }) => this.#mail.expect([cell]),
      settled: (holding) => this.#mail.settled(holding),
    });
    this.#rounds = new Rounds(parts, {
      holdings: this.#holdings,
      halo: this.#halo,
      committer: this.#committer,
      trims: this.#trims,
      leaving: (cells, heir) => this.#moves.tellLeaving(cells, heir),
      left: (holding) => this.#leave(holding),
      reload: (holdings) => this.#reload(holdings),
      recall: () => this.#recall(),
    });
  }

  /** Becomes known to the world and starts to claim. Returns when it is known. */
  async start(): Promise<void> {
    const { store, pod, pid } = this.#parts;
    await store.announce(pod, pid, (message) => this.#moves.hear(message));
    this.#loops = [
      this.#loop('keep', () => this.#keep()),
      this.#loop('renew', () => this.#renew()),
      this.#loop('tick', () => this.#tick()),
      this.#loop('read', () => this.#read()),
      this.#loop('mail', () => this.#mail.turn()),
    ];
  }

  /** Hands everything over or releases it; true if all of it was gone within `ms`. */
  async drain(ms: number): Promise<boolean> {
    const { clock, store } = this.#parts;
    const untilMs = clock.nowMs() + ms;
    this.#isDraining = true;
    this.#keeper.isDraining = true;
    await store.report('draining', this.report()).catch(() => undefined);
    await this.#moves.promiseAll();
    while (this.#holdings.size + this.#loading.size > 0 && clock.nowMs() < untilMs) {
      await clock.sleep(10);
    }
    return this.#holdings.size === 0;
  }

  /** Ends the loops. What is still held stays so until its lease is ended by others. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const signals = [this.#ticking, this.#keeping, this.#reading, this.#renewing, this.#mailing];
    for (const signal of signals) signal.wake();
    await Promise.all(this.#loops);
  }

  /** True when this pod answers for what it should hold, as far as it can know. */
  get isReady(): boolean {
    return this.#parts.store.status().isConnected && this.#clock !== undefined;
  }

  /** Counters and gauges, by name; milliseconds where the name says so. */
  report(): PodReport {
    const { store } = this.#parts;
    const target = this.#clock === undefined ? 0 : tickAt(this.#clock, store.nowMs());
    const report = podReport(
      this.#holdings,
      this.#halo,
      this.#committer.counts,
      this.#rounds,
      target,
    );
    const replicas = this.#committer.replicasBehind;
    const cordoned = this.#keeper.isCordoned ? 1 : 0;
    const { counts } = this.#moves.standby;
    return {
      ...report,
      replicas,
      cordoned,
      ...counts,
      ...this.#mail.counts,
      ...this.#cooling.counts,
      ...this.#parts.figures?.(),
    };
  }

  async #loop(name: string, turn: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#parts;
    while (!this.#isStopped) {
      try {
        await turn();
      } catch (error) {
        // A broken connection is ordinary: say it once a second and go on when it heals.
        if (clock.nowMs() - this.#faultAtMs > 1_000) {
          this.#faultAtMs = clock.nowMs();
          log.warn({ loop: name, err: error }, 'round failed, trying again');
        }
        await clock.sleep(FAULT_PAUSE_MS);
      }
    }
  }

  async #tick(): Promise<void> {
    const world = this.#clock;
    if (world === undefined || this.#holdings.size === 0) {
      if (this.#committer.isNewRun) await this.#rounds.meetRun();
      await this.#ticking.wait(20);
      return;
    }
    const waitMs = await this.#rounds.run(world);
    await this.#ticking.wait(waitMs);
  }

  async #read(): Promise<void> {
    const { store, clock } = this.#parts;
    const world = this.#clock;
    this.#halo.sync(this.#holdings, this.#toFollow());
    if (world === undefined || this.#halo.size === 0 || !store.status().isConnected) {
      await this.#reading.wait(20);
      return;
    }
    const startedMs = clock.nowMs();
    const isLockstep = world.mode === 'lockstep';
    const hasPolled = await this.#halo.read(this.#holdings, isLockstep ? READ_BLOCK_MS : 0);
    await this.#moves.answerHolders();
    if (isLockstep) {
      this.#ticking.wake();
      if (!hasPolled) await this.#reading.wait(20);
      return;
    }
    this.#halo.age(tickAt(world, store.nowMs()));
    // Half a tick: what a neighbour commits is here by the tick after the next (design: time).
    const pauseMs = 500 / world.rateHz - (clock.nowMs() - startedMs);
    await this.#reading.wait(Math.max(1, pauseMs));
  }

  /**
   * Cells that may come here. Those of the dead are followed in realtime only: in lockstep no tick
   * is late, and whoever follows more waits for more.
   */
  *#toFollow(): Iterable<number> {
    yield* this.#moves.standby.expected(this.#parts.clock.nowMs());
    if (this.#clock?.mode !== 'realtime' || this.#parts.settings.isStandby === false) return;
    yield* this.#keeper.inherited;
  }

  async #keep(): Promise<void> {
    const { store, clock } = this.#parts;
    const now = clock.nowMs();
    let doubtEndsMs = Number.POSITIVE_INFINITY;
    if (store.status().isConnected) {
      if (now >= this.#nextClockMs) {
        const isFirst = this.#clock === undefined;
        this.#clock = await store.clock();
        if (isFirst) warnOfClasses(this.#parts, this.#clock);
        const isRunning = this.#clock?.isPaused === false;
        this.#halo.isExact = this.#clock?.mode === 'lockstep';
        this.#mail.isExact = this.#halo.isExact;
        this.#nextClockMs = now + (isRunning ? CLOCK_READ_MS : CLOCK_PAUSED_MS);
      }
      if (now >= this.#nextReportMs) {
        this.#nextReportMs = now + REPORT_MS;
        await this.#report(now);
      }
      await this.#owed.settle(store);
      await this.#keeper.claim((grants) => this.#loads.aside(grants));
      const lookedMs = clock.nowMs();
      const inDoubtForMs = this.#keeper.roster.inDoubtForMs(lookedMs);
      if (inDoubtForMs > 0) doubtEndsMs = lookedMs + inDoubtForMs;
      if (this.#clock !== undefined) this.#reliefs.look(this.#clock);
      this.#committer.prove();
      await this.#moves.look(this.#rounds.isLate);
      await this.#keeper.learnTrims(this.#trims);
      this.#cooling.look(this.#keeper.watched, this.#clock?.cutTick !== undefined);
      if (this.#clock !== undefined) {
        await this.#rounds.takeovers.flush(this.#holdings, this.#clock);
      }
    }
    this.#former.prune(now);
    // Whether somebody is dead is looked at as soon as it can be known.
    await this.#keeping.wait(Math.min(KEEP_MS, Math.max(1, doubtEndsMs - clock.nowMs())));
  }

  async #renew(): Promise<void> {
    const { store, settings } = this.#parts;
    // L5: leases may have run out while the server was away, and wait for nothing that is to be read.
    if (store.status().runId !== '') {
      for (const holding of await this.#keeper.renew()) {
        this.#committer.counts.fencedRenewals++;
        this.#lose(holding, 'FENCED');
      }
    }
    const isAway = !store.status().isConnected;
    await this.#renewing.wait(isAway ? AWAY_LOOK_MS : settings.leaseTtlMs / RENEWALS_PER_LEASE);
  }

  async #report(now: number): Promise<void> {
    const { store } = this.#parts;
    const reporting = store.report(this.#isDraining ? 'draining' : 'ready', this.report());
    if (now < this.#nextLoadMs) return reporting;
    this.#nextLoadMs = now + LOAD_MS;
    const isAsleep = (cell: number): boolean => this.#keeper.isAsleep(cell);
    const loads = cellLoads(this.#holdings, isAsleep, this.#rounds.costs.pauses);
    await Promise.all([reporting, store.reportLoad(loads)]);
  }

  /** A cell was read whose lease is still here. */
  #take(holding: Holding, grant: Grant): void {
    if (this.#keeper.isRested(grant)) holding.rest();
    if (this.#keeper.isUnread(holding.cell)) holding.sinceSentMs = 0;
    if (this.#clock !== undefined) this.#rounds.enter(holding, grant, this.#clock);
    if (this.#isDraining) holding.leave(this.#keeper.owners()(holding.cell), false);
    this.#cooling.wakes(holding.cell);
    this.#enter(holding);
  }

  #follow(): void {
    this.#halo.sync(this.#holdings, this.#toFollow());
    this.#ticking.wake();
    this.#reading.wake();
  }

  /** Reads cells anew whose lease is still ours, after the store refused or a system threw. */
  async #reload(holdings: readonly Holding[]): Promise<void> {
    const { store, pod } = this.#parts;
    const heads = await store.heads(holdings.map(({ cell }) => cell));
    const grants: Grant[] = [];
    for (const [i, holding] of holdings.entries()) {
      const head = heads[i];
      // L5: who holds it is not known, so it is still ours; it is read with the next round.
      if (head === undefined || ('tag' in head && isUnheard(head))) continue;
      if ('tag' in head || head.nonce !== holding.claim.nonce) {
        this.#lose(holding, 'FENCED');
        continue;
      }
      const { claim } = holding;
      const nowMs = store.nowMs();
      grants.push({
        tag: 'GRANTED',
        claim,
        head,
        attempts: 1,
        cause: 'free',
        from: '',
        lastAtMs: nowMs,
        nowMs,
      });
    }
    for (const { claim } of grants) {
      this.#loads.begin(claim, this.#holdings.get(claim.cell)?.sentOkMs ?? 0);
    }
    try {
      for (const fresh of await this.#loads.all(grants)) {
        const old = this.#holdings.get(fresh.cell);
        if (old === undefined) continue;
        fresh.failures = old.failures;
        fresh.isFrozen = old.isFrozen;
        // Whether it may sleep with somebody in it is to be seen again.
        const mayLeave = !old.isDozing || fresh.state.table.count === 0;
        if (old.leavingTo !== undefined && mayLeave) fresh.leave(old.leavingTo, old.isDozing);
        if (this.#clock?.mode === 'realtime') fresh.state.takeOver();
        this.#trims.delete(fresh.cell);
        // Ids of a lost tail were seen by others; they are not given out again.
        if (fresh.seq < old.seq && this.#clock?.mode === 'realtime') {
          fresh.state.idCounter += ID_SKIP_ON_TAKEOVER;
        }
        // Ticks that changed nothing are not in the log; they have happened all the same.
        const isWhole = fresh.seq === old.seq && fresh.hash === old.hash;
        if (isWhole && old.settledTick > fresh.state.tick && this.#clock?.mode === 'realtime') {
          fresh.state.refresh(old.settledTick);
          fresh.settledTick = old.settledTick;
        }
        this.#enter(fresh);
      }
    } finally {
      this.#loads.end(grants);
    }
    if (grants.length > 0) {
      const facts = { cells: grants.length, first: grants[0]?.claim.cell ?? -1 };
      await store.feed({ kind: 'reload', pod, facts });
    }
  }

  /** From here on what is sent to the cell goes to it; what came since it was read goes first. */
  #enter(holding: Holding): void {
    this.#moves.standby.forget(holding.cell);
    this.#reliefs.enter(holding);
    for (const entry of this.#loading.get(holding.cell)?.early ?? []) holding.queue(entry);
    this.#holdings.set(holding.cell, holding);
    this.#mail.enter(holding);
  }

  #route(entry: ChannelEntry): void {
    const cell = this.#halo.sources.cellFor(entry);
    if (cell === undefined) return;
    const loading = this.#loading.get(cell);
    const holding = this.#holdings.get(cell);
    if (loading === undefined && holding === undefined) this.#keeper.expect(cell);
    const here = cell === entry.to ? entry : { ...entry, to: cell };
    loading?.early.push(here);
    holding?.queue(here);
  }

  #lose(holding: Holding, why: string): void {
    if (this.#holdings.get(holding.cell) !== holding) return;
    this.#forget(holding, true);
    this.#committer.noteTaken();
    this.#parts.log.warn({ cell: holding.cell, why }, 'lost a cell');
    this.#reading.wake();
  }

  #forget(holding: Holding, isLost: boolean): void {
    this.#holdings.delete(holding.cell);
    this.#trims.delete(holding.cell);
    this.#former.note(holding, isLost, this.#parts.clock.nowMs());
  }

  /**
   * Ends the leases that the server gave back to this pod: of a cell that was handed over once what
   * the server misses of it is appended again, of any other at once.
   */
  async #recall(): Promise<void> {
    const { store, pod, clock, log } = this.#parts;
    // L5: what is just being granted is not given back, or its first commit would be refused.
    const isOurs = (claim: Claim): boolean =>
      this.#holdings.get(claim.cell)?.claim.nonce === claim.nonce ||
      this.#loading.get(claim.cell)?.claim.nonce === claim.nonce ||
      this.#keeper.isAskedFor(claim);
    const { returned, claims, isVoid } = await this.#former.recalled(store, pod, isOurs);
    for (const { cell } of [...returned, ...claims]) this.#supersede(cell);
    for (const holding of returned) {
      // The state has gone on with its new holder.
      holding.isReturned = true;
      holding.sentOkMs = Number.NEGATIVE_INFINITY;
      this.#holdings.set(holding.cell, holding);
    }
    if (returned.length > 0) this.#renewing.wake();
    this.#owed.add(claims);
    // The next failover may undo this too.
    this.#former.noteUnread(
      claims.map(({ cell }) => cell),
      clock.nowMs(),
    );
    await this.#owed.settle(store);
    if (isVoid) for (const holding of this.#holdings.values()) holding.needsReload = true;
    if (returned.length + claims.length === 0) return;
    const counts = { returned: returned.length, released: claims.length };
    log.warn(counts, 'the store names this pod the holder of cells it had given up');
  }

  /** The server names an earlier lease of this pod for it: the later one is lost. */
  #supersede(cell: number): void {
    const holding = this.#holdings.get(cell);
    if (holding !== undefined) this.#lose(holding, 'FENCED');
    const loading = this.#loading.get(cell);
    if (loading !== undefined) loading.isLost = true;
  }

  #leave(holding: Holding): void {
    this.#forget(holding, false);
    // What came while the lease was being given up nobody else knows of.
    if (holding.isExpecting) this.#keeper.expect(holding.cell);
    // What nobody was told cannot be followed on from.
    if (!holding.isFrozen && !holding.state.isAhead) this.#halo.adopt(holding);
  }
}

/** Says nothing about the cell. */
function isUnheard({ tag }: Refusal): boolean {
  return tag === 'UNKNOWN' || tag === 'REFUSED';
}
