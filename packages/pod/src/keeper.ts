/**
 * Claims the blocks this pod should hold, ends the leases of the dead, hands over what others
 * should hold, renews what is quiet, and learns how far its channels have been read.
 */
import {
  type AcquireReply,
  type AcquireRequest,
  type ChannelEntry,
  type Head,
  OUTBOX,
  type Region,
} from '@leasehold/protocol';
import { isSending } from './committer.ts';
import type { Holding } from './holding.ts';
import type { Grant, Loading } from './loader.ts';
import { PlanInForce } from './plan-in-force.ts';
import { Roster } from './roster.ts';
import {
  ACQUIRE_CELLS_MAX,
  type PodParts,
  REPORT_MS,
  STARTING_LOOK_MS,
  STARTING_MS_MAX,
} from './settings.ts';
import { Shares } from './shares.ts';
import { Sources } from './sources.ts';

/** A cell that is wanted and that somebody else may hold. */
type Rival = { readonly pod: string; readonly retryAtMs: number };

const RETRY_MIN_MS = 20;
const RETRY_MAX_MS = 400;
/** Channels are trimmed when this many of their entries may still be unread. */
const UNREAD_MIN = 16;
const TRIM_MS = 2_000;
/** Channels of cells that came here, read in one turn of the loop. */
const CHANNELS_PER_TURN_MAX = 16;
/** How long a cell that could not be read is not tried again. */
const SHUN_MS = 5_000;
const HANDOVER_MS = 120;
/**
 * Cells that are handed over together: those in which something happens, and the others. Who is late
 * has too many, and few turns to let go of them.
 */
const BUSY_CELLS_MAX = 16;
const BUSY_CELLS_MAX_LATE = 96;
const QUIET_CELLS_MAX = 256;
/** A world of more cells is not claimed before there is a plan, if one comes soon. */
const LARGE_CELLS = 8_192;
/** To claim them all takes longer than to wait so long for a plan that lets most of them sleep. */
const PLAN_MS_PER_CELL = 0.05;
/** Cells that are asked for before the plan, the clock and the others are looked at again. */
const CLAIM_CELLS_MAX = 2_048;
/** How long a cell that should sleep is held for something that does not come. */
const WOKEN_MS = 5_000;
/** Whoever left a cell here may be ahead of the call that ends its lease. */
const OFFERED_MS_MAX = 500;

export type Holdings = ReadonlyMap<number, Holding>;
/** Looks after leases from the moment at which they are known to be granted. */
export type Take = (grants: readonly Grant[]) => void;

export class Keeper {
  readonly roster: Roster;
  readonly #parts: PodParts;
  readonly #rivals = new Map<number, Rival>();
  /** Cells that others have left to this pod, and until when it tries to take them. */
  readonly #offered = new Map<number, number>();
  /** Cells that should sleep, to which something comes, and until when it is waited for. */
  readonly #woken = new Map<number, number>();
  /** Of those, the ones that have sent something which nobody has read. */
  readonly #telling = new Set<number>();
  readonly #unanswered = new Map<number, string>();
  /** Cells that are being asked for, with the nonces of their leases to be. */
  readonly #asking = new Map<number, string>();
  readonly #loading: ReadonlyMap<number, Loading>;
  readonly #holdings: Holdings;
  readonly #shares: Shares;
  readonly #sources: Sources;
  readonly #planned: PlanInForce;
  #nextPlanMs = 0;
  #nextHandoverMs = 0;
  #nextTrimMs = 0;
  /** The server on which all leases have been extended. */
  #renewedRunId = '';
  /** Until then it waits for pods that start together with it, and for a plan; 0 = it has waited. */
  #waitsUntilMs: number;
  readonly #isLarge: boolean;
  /** How often the shares of the pods have changed. */
  changes = 0;
  isDraining = false;
  /** Whether people want this pod to take nothing more; what a plan gives it, it takes. */
  isCordoned = false;

  constructor(parts: PodParts, holdings: Holdings, loading: ReadonlyMap<number, Loading>) {
    this.#parts = parts;
    this.#sources = new Sources(parts);
    this.#planned = new PlanInForce(parts);
    this.#holdings = holdings;
    this.#loading = loading;
    this.roster = new Roster(parts.store, parts.pod);
    this.#shares = new Shares(parts.engine.grid, parts.pod);
    const isAlone = (parts.settings.startingPods ?? 1) <= 1;
    this.#isLarge = parts.engine.grid.cells > LARGE_CELLS;
    const waits = !isAlone || this.#isLarge;
    const waitMs =
      STARTING_MS_MAX + (this.#isLarge ? PLAN_MS_PER_CELL * parts.engine.grid.cells : 0);
    this.#waitsUntilMs = waits ? parts.clock.nowMs() + waitMs : 0;
  }

  /** Another pod has just left these cells to this one: they are taken whoever should have them. */
  hurry(cells: readonly number[]): void {
    const untilMs = this.#parts.clock.nowMs() + OFFERED_MS_MAX;
    for (const cell of cells) {
      this.#rivals.delete(cell);
      this.#offered.set(cell, untilMs);
    }
  }

  /** Cells that this pod cannot read are left to others for a while. */
  shun(cells: readonly number[]): void {
    const retryAtMs = this.#parts.clock.nowMs() + SHUN_MS;
    for (const cell of cells) {
      this.#offered.delete(cell);
      this.#rivals.set(cell, { pod: '', retryAtMs });
    }
  }

  /** Cells that this pod takes over when the pod that should hold them dies. */
  get inherited(): readonly number[] {
    return this.isDraining ? [] : this.#shares.inherited;
  }

  /** Cells that sleep, whose inboxes this pod looks into. */
  get watched(): readonly number[] {
    return this.isDraining ? [] : this.#shares.watched;
  }

  /** Who should hold a cell, of a pod that drains when it is gone; '' = nobody. */
  owners(): (cell: number) => string {
    if (!this.isDraining) return (cell) => this.#shares.ownerOf(cell);
    return this.#shares.heirs(this.roster.members(this.#parts.clock.nowMs(), true));
  }

  /** The plan says that nobody is to hold it. */
  isAsleep(cell: number): boolean {
    return this.#shares.isAsleep(cell);
  }

  /** The region that a cell belongs to, if whom it names is here. */
  regionOf(cell: number): Region | undefined {
    return this.#shares.regionOf(cell);
  }

  /** A cell has come here; whether nobody was to hold it until then, as nothing happened in it. */
  isRested({ claim, cause }: Grant): boolean {
    return this.#shares.wakes(claim.cell) && (cause === 'free' || cause === 'released');
  }

  /** A cell has come here whose channel has what somebody who sleeps has not read. */
  isUnread(cell: number): boolean {
    return this.#telling.delete(cell);
  }

  /** Something is on its way to a cell: if nobody is to hold it, this pod does until somebody is. */
  expect(cell: number, isTelling = false): void {
    if (!this.#shares.isAsleep(cell)) return;
    if (isTelling) this.#telling.add(cell);
    this.#woken.set(cell, this.#parts.clock.nowMs() + WOKEN_MS);
  }

  /** There is a new plan: it is read with the next look around. */
  meetPlan(): void {
    this.#nextPlanMs = 0;
  }

  /** Looks around and takes what is to be had. */
  async claim(take: Take): Promise<void> {
    const now = this.#parts.clock.nowMs();
    const holders = new Set<string>();
    for (const { pod: holder } of this.#rivals.values()) if (holder !== '') holders.add(holder);
    const isWaiting = this.#waitsUntilMs > 0;
    await Promise.all([
      this.roster.look(now, holders, isWaiting ? STARTING_LOOK_MS : undefined),
      this.#readPlan(now),
    ]);
    // One look more, and it is known who is dead: asking before would only be refused.
    if (this.isDraining || this.roster.inDoubtForMs(now) > 0 || this.roster.isAwaiting) return;
    const members = this.roster.members(now, this.isCordoned).sort();
    // Whoever comes first would take everything, and hand it over block by block afterwards.
    const { startingPods = 1 } = this.#parts.settings;
    // And of a large world most may sleep: a plan says so.
    const isEarly = members.length < startingPods || (this.#isLarge && !this.#planned.isWhole);
    if (isWaiting && isEarly && now < this.#waitsUntilMs) return;
    this.#waitsUntilMs = 0;
    const isHere = (pod: string): boolean => this.roster.isHere(pod, now);
    if (this.#shares.update(this.#planned.plan, { members, isHere })) {
      this.#rivals.clear();
      this.changes++;
    }
    await this.#acquire(this.#wanted(now).slice(0, CLAIM_CELLS_MAX), take);
  }

  async #readPlan(now: number): Promise<void> {
    if (now < this.#nextPlanMs) return;
    this.#nextPlanMs = now + REPORT_MS;
    await this.#planned.read();
  }

  /** Takes what others have just left to this pod, before it looks around. */
  async claimOffered(take: Take): Promise<void> {
    if (this.isDraining) return;
    await this.#acquire(this.#offeredNow(this.#parts.clock.nowMs()), take);
  }

  #offeredNow(now: number): number[] {
    for (const [cell, untilMs] of this.#offered) {
      if (untilMs < now || this.#isHere(cell)) this.#offered.delete(cell);
    }
    return [...this.#offered.keys()].filter((cell) => !this.#asking.has(cell));
  }

  /** A lease that may be granted at any moment, or was and nobody has heard of it. */
  isAskedFor({ cell, nonce }: { readonly cell: number; readonly nonce: string }): boolean {
    return this.#asking.get(cell) === nonce || this.#unanswered.get(cell) === nonce;
  }

  #isHere(cell: number): boolean {
    return this.#holdings.has(cell) || this.#loading.has(cell);
  }

  /** Cells that should be here, are not, and may be had now. */
  #wanted(now: number): number[] {
    const { engine, settings } = this.#parts;
    const wanted = new Set(this.#offeredNow(now));
    for (const [cell, untilMs] of this.#woken) {
      if (untilMs < now || !this.#shares.isAsleep(cell)) this.#woken.delete(cell);
      else if (this.#isWanted(cell, now)) wanted.add(cell);
    }
    const blocks = new Set<number>();
    for (const cell of this.#shares.own) {
      if (blocks.add(engine.grid.blockOf(cell)).size > settings.blocksMax) break;
      if (this.#isWanted(cell, now)) wanted.add(cell);
    }
    // L5: it may be this pod's, which then has to know, whoever should have it by now.
    for (const cell of this.#unanswered.keys()) if (this.#isWanted(cell, now)) wanted.add(cell);
    return [...wanted];
  }

  /** It is not here, nobody has offered it, and it may be had now for all that is known. */
  #isWanted(cell: number, now: number): boolean {
    if (this.#isHere(cell) || this.#offered.has(cell) || this.#asking.has(cell)) return false;
    const rival = this.#rivals.get(cell);
    const isDead = rival !== undefined && this.roster.isDead(rival.pod, now);
    return rival === undefined || rival.retryAtMs <= now || isDead;
  }

  /** The same cell is never asked for twice at once: the two would be in each other's way. */
  async #acquire(cells: readonly number[], take: Take): Promise<void> {
    const { pod, settings, randomHex } = this.#parts;
    for (let i = 0; i < cells.length; i += ACQUIRE_CELLS_MAX) {
      const requests = cells
        .slice(i, i + ACQUIRE_CELLS_MAX)
        .filter((cell) => !this.#isHere(cell) && !this.#asking.has(cell))
        .map((cell) => ({
          cell,
          // L4: an acquisition whose reply was lost is repeated as it was, and is then the same grant.
          nonce: this.#unanswered.get(cell) ?? `${pod}.${randomHex()}`,
          ttlMs: settings.leaseTtlMs,
        }));
      if (requests.length === 0) continue;
      for (const { cell, nonce } of requests) this.#asking.set(cell, nonce);
      try {
        const grants = await this.#ask(requests);
        if (grants.length > 0) take(grants);
      } finally {
        for (const { cell } of requests) this.#asking.delete(cell);
      }
    }
  }

  async #ask(requests: readonly AcquireRequest[]): Promise<Grant[]> {
    const { store, clock } = this.#parts;
    const now = clock.nowMs();
    const grants: Grant[] = [];
    for (const [i, reply] of (await store.acquire(requests, this.roster.dead(now))).entries()) {
      const { cell, nonce } = requests[i] as AcquireRequest;
      this.#unanswered.delete(cell);
      if (reply.tag === 'UNKNOWN') this.#unanswered.set(cell, nonce);
      if (reply.tag === 'GRANTED') {
        this.#rivals.delete(cell);
        this.#offered.delete(cell);
        grants.push(reply);
      } else this.#rivals.set(cell, rivalOf(reply, now));
    }
    return grants;
  }

  /**
   * Cells that should move to another pod now, if any: a few in which something happens, so that
   * borders stay calm, and many in which nothing does.
   */
  cellsToHandOver(
    isPromised: (cell: number) => boolean,
    isLate: boolean,
  ): { readonly heir: string; readonly cells: readonly number[] } | undefined {
    const now = this.#parts.clock.nowMs();
    if (now < this.#nextHandoverMs || this.isDraining) return undefined;
    const misplaced: { readonly cell: number; readonly heir: string; readonly isBusy: boolean }[] =
      [];
    for (const holding of this.#holdings.values()) {
      const { cell, state, leavingTo } = holding;
      if (leavingTo !== undefined || isPromised(cell)) continue;
      const heir = this.#heirNow(holding);
      if (heir !== undefined) misplaced.push({ cell, heir, isBusy: state.table.count > 0 });
    }
    const first = misplaced.find(({ isBusy }) => isBusy) ?? misplaced[0];
    if (first === undefined) return undefined;
    this.#nextHandoverMs = now + HANDOVER_MS;
    const { heir } = first;
    const of = misplaced.filter((other) => other.heir === heir);
    const busy = of
      .filter(({ isBusy }) => isBusy)
      .slice(0, isLate ? BUSY_CELLS_MAX_LATE : BUSY_CELLS_MAX);
    const quiet = of.filter(({ isBusy }) => !isBusy).slice(0, QUIET_CELLS_MAX);
    return { heir, cells: [...busy, ...quiet].map(({ cell }) => cell) };
  }

  /** Who should hold it instead; undefined: it stays. */
  #heirNow(holding: Holding): string | undefined {
    const { cell } = holding;
    // Others share what no plan gives to anybody without it: it keeps what it has of that.
    if (this.isCordoned && !this.#shares.isPlanned(cell)) return undefined;
    const heir = this.#shares.ownerOf(cell);
    if (heir === this.#parts.pod || (heir === '' && !this.#maySleep(holding))) return undefined;
    return heir;
  }

  /** Nothing happens in it, and nothing is known to come. */
  #maySleep(holding: Holding): boolean {
    const { stillMs = Number.POSITIVE_INFINITY } = this.#parts.settings;
    const isDone = !holding.isExpecting && holding.outbox.size === 0 && !holding.isTelling;
    return isDone && holding.isCalm(stillMs) && !this.#woken.has(holding.cell);
  }

  /**
   * Extends the leases of cells that no commit has extended of late: nothing happens in them, they
   * are still being read, or what they have to commit has to wait; of all cells at once when another
   * server answers. Returns what is lost of the cells that are held. Of those with a commit on its
   * way that is for the commit to find out, which may end the lease itself.
   */
  async renew(): Promise<Holding[]> {
    const { store, clock, settings } = this.#parts;
    const now = clock.nowMs();
    const { runId } = store.status();
    // L5: what has been told another server may be lost, and it was away for as long as a lease.
    const isNewRun = runId !== this.#renewedRunId;
    const dueMs = isNewRun ? Number.POSITIVE_INFINITY : now - settings.leaseTtlMs / 4;
    const held = [...this.#holdings.values()]
      .filter(({ cell, sentOkMs }) => sentOkMs < dueMs && !this.#loading.has(cell))
      .map((holding) => ({ holding, isQuiet: !isSending(holding) }));
    const waiting = [...this.#loading.values()].filter(
      ({ renewedMs, isLost }) => renewedMs < dueMs && !isLost,
    );
    const claims = [...held.map(({ holding }) => holding), ...waiting].map(({ claim }) => claim);
    const replies = claims.length === 0 ? [] : await store.renew(claims, settings.leaseTtlMs);
    if (replies.every(({ tag }) => tag !== 'UNKNOWN' && tag !== 'REFUSED')) {
      this.#renewedRunId = runId;
    }
    for (const [i, loading] of waiting.entries()) {
      const tag = replies[held.length + i]?.tag;
      if (tag === 'OK') loading.renewedMs = now;
      loading.isLost = tag === 'FENCED' || tag === 'SEALED' || tag === 'NOWORLD';
    }
    const lost: Holding[] = [];
    for (const [i, { holding, isQuiet }] of held.entries()) {
      const tag = replies[i]?.tag;
      if (tag === 'OK') holding.sentOkMs = Math.max(holding.sentOkMs, now);
      const isLost = tag === 'FENCED' || tag === 'SEALED' || tag === 'NOWORLD';
      if (isLost && isQuiet) lost.push(holding);
    }
    return lost;
  }

  /** What cells had sent before they came here is read when nothing stands still for it. */
  async #learnChannels(): Promise<void> {
    const { store } = this.#parts;
    const unknown: Holding[] = [];
    for (const holding of this.#holdings.values()) {
      if (!holding.isChannelKnown) unknown.push(holding);
      if (unknown.length === CHANNELS_PER_TURN_MAX) break;
    }
    const channels = await Promise.all(unknown.map(({ cell }) => store.channel(cell, 0)));
    for (const [i, holding] of unknown.entries()) {
      if (!holding.isChannelKnown) holding.learnChannel(channels[i] as ChannelEntry[]);
    }
  }

  /**
   * Learns behind the barrier how far the readers of long channels have come. The answer rides on
   * the next commit, which drops what all of them have passed (E1: never what one has not).
   */
  async learnTrims(trims: Map<number, number>): Promise<void> {
    const { store, clock, settings } = this.#parts;
    await this.#learnChannels();
    const now = clock.nowMs();
    if (now < this.#nextTrimMs) return;
    this.#nextTrimMs = now + TRIM_MS;
    const { unreadMin = UNREAD_MIN } = settings;
    const long = [...this.#holdings.values()].filter(
      ({ cell, unread, isChannelKnown, hasMailed }) =>
        isChannelKnown &&
        // Of a cell that is to sleep also a letter that has long been brought: it would keep the cell here.
        (unread.length > unreadMin || (hasMailed && this.#shares.isAsleep(cell))),
    );
    const readers = new Set(long.flatMap(({ unread }) => unread.map(({ to }) => to)));
    readers.delete(OUTBOX);
    if (long.length === 0) return;
    const { runId } = store.status();
    const heads = new Map<number, Head>();
    for (const head of await store.heads([...readers])) {
      if (!('tag' in head)) heads.set(head.cell, head);
    }
    await store.barrier();
    if (store.status().runId !== runId) return;
    for (const { cell, unread, outbox } of long) {
      const first = unread.find(({ seq, to }) =>
        to === OUTBOX
          ? outbox.has(seq)
          : seq > (heads.get(to)?.cursors.get(this.#sources.nameAt(to, cell)) ?? 0),
      );
      const passed = (first?.seq ?? (unread.at(-1)?.seq ?? 0) + 1) - 1;
      if (passed >= (unread[0]?.seq ?? 0)) trims.set(cell, passed);
    }
  }
}

/** Who is in the way, and when to ask again. */
function rivalOf(reply: Exclude<AcquireReply, { tag: 'GRANTED' }>, now: number): Rival {
  switch (reply.tag) {
    case 'HELD': {
      const untilMs = Math.max(RETRY_MIN_MS, reply.deadlineMs - reply.nowMs);
      return { pod: podOf(reply.nonce), retryAtMs: now + Math.min(RETRY_MAX_MS, untilMs) };
    }
    case 'SUSPECT': {
      const inMs = Math.min(RETRY_MAX_MS, reply.retryInMs + 1);
      return { pod: podOf(reply.nonce), retryAtMs: now + inMs };
    }
    case 'RESERVED':
      return { pod: '', retryAtMs: now + Math.min(RETRY_MAX_MS, reply.retryInMs + 1) };
    default:
      return { pod: '', retryAtMs: now + RETRY_MAX_MS };
  }
}

/** The pod part of a nonce. */
function podOf(nonce: string): string {
  const dot = nonce.indexOf('.');
  return dot === -1 ? '' : nonce.slice(0, dot);
}
