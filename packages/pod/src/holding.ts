/**
 * One cell that this pod holds: its state, its lease, its position in the log, what waits to come
 * in, and what waits to be committed. Knows no store: it only prepares and settles.
 */
import type { ChannelEntry, Claim, Commit, Head, Post } from '@leasehold/protocol';
import {
  entryHash,
  layerOfAddress,
  OUTBOX,
  POSTS_PER_READ_MAX,
  postTick,
} from '@leasehold/protocol';
import type { CellState, StepResult } from '@leasehold/sdk/engine';
import { CellIndex } from './geo-index.ts';
import { type Kept, Ring } from './ring.ts';
import { CHECKPOINT_ENTRIES_MIN } from './settings.ts';

/** How and from whom a cell was taken over, until it has ticked again. */
export type Takeover = {
  readonly cause: string;
  readonly from: string;
  readonly lastAtMs: number;
  /** Somebody was in the cell when it came here. */
  readonly isBusy: boolean;
};

/** A commit that is still being put together. */
export type Draft = { -readonly [K in keyof Commit]: Commit[K] };

export class Holding {
  readonly cell: number;
  readonly block: number;
  readonly claim: Claim;
  readonly ring = new Ring();
  readonly index = new CellIndex();
  readonly state: CellState;

  seq = 0;
  hash = '';
  outSeq = 0;
  /** Last tick whose effects the store has accepted; what others may build on. */
  settledTick = 0;
  /** Last channel sequence number consumed by a commit, by source cell. */
  readonly cursors = new Map<number, number>();
  /** Last channel sequence number queued here, by source cell. */
  readonly queued = new Map<number, number>();
  arrivals: ChannelEntry[] = [];
  /** Own channel entries that their readers may not have passed durably; not all, … */
  unread: { readonly seq: number; readonly to: number }[] = [];
  /** … until those that earlier holders sent are known. Before, nothing is trimmed (E1). */
  isChannelKnown: boolean;
  readonly #outSeqLoaded: number;
  /** What the own channel has for no cell, by position, until it has been brought where it belongs. */
  readonly outbox = new Map<number, Uint8Array>();
  /** What was read of the inbox and not yet taken by a tick, and up to where it was read. */
  posts: Post[] = [];
  inboxQueued: number;
  #inboxCursor: number;
  /** Who came and who died with the pending commit. */
  arrived: readonly number[] = NONE;
  died: readonly number[] = NONE;
  /** Whom the layer that says where all are has nowhere around, and where it was seen to have them. */
  strays: readonly number[] = NONE;
  leads: ReadonlyMap<number, number> = new Map();
  /** Somebody reads the world as it was then. */
  cutTick: number | undefined;
  /** How often others died on the next tick. */
  triesBefore = 0;

  pending: Commit | undefined;
  replay: Kept[] = [];
  takeover: Takeover | undefined;
  /** The pod that is to have this cell; '' = nobody in particular; undefined = it stays. */
  leavingTo: string | undefined;
  /** It leaves because nothing happens in it. */
  isDozing = false;
  /** It leaves nobody behind that reads its log: its last commit has a checkpoint. */
  leavesWhole = false;
  /** Until then it leaves only right behind a tick. */
  leavesByTick: number | undefined;
  /** What a tick takes of the processor, as an average of the last second or so (`TickCosts`). */
  tickMs = 0;
  /** How many ticks that has seen. */
  timedTicks = 0;
  /** How long the last one took. */
  spentMs = 0;
  /** It ticks in each so many-th tick of the world, in realtime. */
  dilation = 1;
  /** Ticks of the world that have passed without one of its own. */
  passedTicks = 0;
  /** How much time of the world its own ticks have taken since one of them changed something. */
  stillMs = 0;
  /** The same since it last sent something that this pod does not bring: to another layer. */
  sinceSentMs = Number.POSITIVE_INFINITY;
  /** It owes no tick for the time before it came here. */
  isRested = false;
  /** The log position that a barrier has passed, for a cell that is leaving. */
  provenSeq = -1;
  isProving = false;
  /** Ticks alone and commits before the pod ticks the next: its last holder did not survive it. */
  isIsolated = false;
  /** Its former holder never committed: the next tick is committed even if nothing changed. */
  isUnproven = false;
  isFrozen = false;
  /** Given up before; only what the store misses of it is here, and its state is to be read anew. */
  isReturned = false;
  needsReload = false;
  failures = 0;
  /** Local time at which the last successful call on this cell was sent. */
  sentOkMs: number;
  #sinceCheckpoint = 0;
  /** Of the newest. */
  #checkpointTick: number;
  /** Entries between two checkpoints; a realtime world is loaded in a hurry more often. */
  checkpointEvery = CHECKPOINT_ENTRIES_MIN;
  #bytesSinceCheckpoint = 0;
  /** Its checkpoint was due, and had to wait for the end of a cut. */
  #isPostponed = false;
  #checkpointBytes = 4_096;

  constructor(claim: Claim, block: number, state: CellState, head: Head, nowMs: number) {
    this.cell = claim.cell;
    this.block = block;
    this.claim = claim;
    this.state = state;
    this.sentOkMs = nowMs;
    this.#sinceCheckpoint = head.seq - (head.checkpoints[0]?.seq ?? 0);
    this.#checkpointTick = head.checkpoints[0]?.tick ?? 0;
    this.seq = head.seq;
    this.hash = head.hash;
    this.outSeq = head.outSeq;
    this.#outSeqLoaded = head.outSeq;
    this.isChannelKnown = head.outSeq === 0;
    this.inboxQueued = head.inboxCursor;
    this.#inboxCursor = head.inboxCursor;
    this.settledTick = state.tick;
    for (const [cell, seq] of head.cursors) {
      this.cursors.set(cell, seq);
      this.queued.set(cell, seq);
    }
  }

  /** Own channel, read whole: what was sent before this cell came here. */
  learnChannel(entries: readonly ChannelEntry[]): void {
    const older = entries.filter(({ seq }) => seq <= this.#outSeqLoaded);
    this.unread = [...older.map(({ seq, to }) => ({ seq, to })), ...this.unread];
    for (const { seq, to, body } of older) if (to === OUTBOX) this.outbox.set(seq, body);
    this.isChannelKnown = true;
  }

  /** Queues an entry of a neighbour's channel once, in the order of that channel. */
  queue(entry: ChannelEntry): void {
    if (entry.seq <= (this.queued.get(entry.from) ?? 0)) return;
    this.queued.set(entry.from, entry.seq);
    this.arrivals.push(entry);
  }

  /** Takes out what arrived by the end of `tick`, by source cell and channel order (T1). */
  takeArrivals(tick: number): ChannelEntry[] {
    if (this.arrivals.length === 0) return NONE;
    const due = this.arrivals.filter((entry) => entry.tick <= tick);
    if (due.length === 0) return NONE;
    this.arrivals = this.arrivals.filter((entry) => entry.tick > tick);
    return due.sort((a, b) => a.from - b.from || a.seq - b.seq);
  }

  /** Something has come in that no tick has taken yet. */
  get isExpecting(): boolean {
    return this.arrivals.length + this.posts.length > 0;
  }

  /** Nobody is in it, or nothing has changed for so long. What nobody has been told is a change to come. */
  isCalm(stillMs: number): boolean {
    const { state, isFrozen } = this;
    return state.table.count === 0 || (this.stillMs >= stillMs && !isFrozen && !state.isAhead);
  }

  /** So much time of the world has passed in it. */
  pass(ms: number, hasChanged = false): void {
    this.stillMs = hasChanged ? 0 : this.stillMs + ms;
    this.sinceSentMs += ms;
  }

  /** What it has sent may be for somebody who sleeps, and is to be heard of before it sleeps itself. */
  get isTelling(): boolean {
    return this.sinceSentMs < TELLS_MS;
  }

  /** It has sent letters that its channel still has, for all that is known. */
  get hasMailed(): boolean {
    return !this.isChannelKnown || this.unread.some(({ to }) => to === OUTBOX);
  }

  /** Nobody was to hold it before it came here: no time was lost. */
  rest(): void {
    this.isRested = true;
    this.takeover = undefined;
  }

  leave(heir: string, isDozing: boolean): void {
    this.leavingTo = heir;
    this.isDozing = isDozing;
  }

  /** Something happens in it after all. */
  stay(): void {
    this.leavingTo = undefined;
    this.isDozing = false;
    this.leavesWhole = false;
  }

  /** Whether there is room for more of the inbox. */
  get wantsPosts(): boolean {
    return this.posts.length < POSTS_QUEUED_MAX;
  }

  queuePosts(posts: readonly Post[]): void {
    for (const post of posts) {
      // Two reads under way at once may tell the same.
      if (post.seq !== this.inboxQueued + 1) continue;
      this.inboxQueued = post.seq;
      this.posts.push(post);
    }
  }

  /**
   * Takes out what one tick can take of the inbox. S1: nothing of what was written in a later tick than
   * `tick`, so whoever has the world as it was at the end of a tick has no effect without its cause.
   */
  takePosts(tick: number): readonly Post[] {
    if (this.posts.length === 0) return NONE;
    let bytes = 0;
    let count = 0;
    for (const { body } of this.posts) {
      if (postTick(body) > tick) break;
      bytes += body.length;
      if (count > 0 && (bytes > POST_BYTES_PER_TICK_MAX || count === POSTS_PER_READ_MAX)) break;
      count++;
    }
    return this.posts.splice(0, count);
  }

  /** Or every cell of a pod would write its checkpoint in the same tick. */
  get #staggered(): number {
    return this.checkpointEvery * (1 + ((this.cell * 7) % 16) / 32);
  }

  /** Whether the next commit should have a checkpoint. */
  get isCheckpointDue(): boolean {
    return this.#isOverdue(1) || this.leavesWhole;
  }

  /** All of its state is in a checkpoint. */
  get isWhole(): boolean {
    return this.seq === 0 || this.#sinceCheckpoint === 0;
  }

  /** With so many commits more. */
  #isOverdue(commits: number): boolean {
    const isLong = this.#sinceCheckpoint + commits >= this.#staggered;
    const isFat = this.#bytesSinceCheckpoint > this.#checkpointBytes * LOG_TO_STATE_MAX;
    // PERF: those that have waited for the same end do not all write theirs in the tick behind it.
    const isTurn = !this.#isPostponed || (this.seq + this.cell * 7) % POSTPONED_SPREAD === 0;
    return (isLong || isFat) && isTurn;
  }

  /** S1: of two checkpoints one stays that is not behind the cut which somebody reads. */
  #mayReplace(): boolean {
    return this.cutTick === undefined || this.#checkpointTick <= this.cutTick;
  }

  /** Turns a tick into the commit that extends the log by it. */
  prepare(
    tick: number,
    result: StepResult,
    taken: { readonly arrivals: readonly ChannelEntry[]; readonly posts: readonly Post[] },
    ttlMs: number,
  ): Draft {
    const { arrivals, posts } = taken;
    const seq = this.seq + 1;
    const { claim } = this;
    const hash = entryHash(this.hash, seq, claim.epoch, tick, result.body);
    const commit: Draft = {
      claim,
      seq,
      prevHash: this.hash,
      hash,
      tick,
      body: result.body,
      idCounter: this.state.idCounter,
      ttlMs,
      cursors: arrivals.length === 0 ? NONE : this.#cursorsFor(arrivals),
      out: result.out,
    };
    const lastPost = posts.at(-1);
    if (lastPost !== undefined) {
      const keep = this.cutTick !== undefined;
      commit.inbox = { from: this.#inboxCursor, to: lastPost.seq, ...(keep ? { keep } : {}) };
    }
    if (result.out.some(({ to }) => to !== OUTBOX && layerOfAddress(to) !== -1))
      this.sinceSentMs = 0;
    this.arrived = result.arrived;
    this.died = result.died;
    this.#sinceCheckpoint++;
    this.#bytesSinceCheckpoint += result.body.length;
    // State is checkpoint ⊕ log, so a checkpoint has nothing that the log has not told.
    const isDue = this.#isOverdue(0) || this.leavesWhole;
    if (isDue && !this.#mayReplace()) this.#isPostponed = true;
    else if (result.isWhole && isDue) {
      this.#isPostponed = false;
      commit.checkpoint = this.state.checkpoint();
      this.#checkpointTick = tick;
      this.#checkpointBytes = Math.max(4_096, commit.checkpoint.length);
      this.#sinceCheckpoint = 0;
      this.#bytesSinceCheckpoint = 0;
    }
    this.pending = commit;
    return commit;
  }

  #cursorsFor(arrivals: readonly ChannelEntry[]): Commit['cursors'] {
    const to = new Map<number, number>();
    for (const entry of arrivals) to.set(entry.from, entry.seq);
    return [...to].map(([cell, seq]) => ({ cell, from: this.cursors.get(cell) ?? 0, to: seq }));
  }

  /** The store has the pending commit. Returns it, so that its channel entries can be passed on. */
  settle(nowMs: number, isHealable: boolean): Commit {
    const commit = this.pending as Commit;
    this.pending = undefined;
    this.isUnproven = false;
    this.seq = commit.seq;
    this.hash = commit.hash;
    this.settledTick = commit.tick;
    for (const { cell, to } of commit.cursors) this.cursors.set(cell, to);
    for (const { seq, to, body } of commit.out) {
      this.outSeq = seq;
      this.unread.push({ seq, to });
      if (to === OUTBOX) this.outbox.set(seq, body);
    }
    if (commit.inbox !== undefined) this.#inboxCursor = commit.inbox.to;
    this.triesBefore = 0;
    if (commit.outTrimTo !== undefined) {
      const trimmed = commit.outTrimTo;
      this.unread = this.unread.filter(({ seq }) => seq > trimmed);
    }
    // Without a barrier nobody may be healed from memory, so nothing is kept for it.
    if (isHealable) this.ring.push(withoutExtras(commit), nowMs);
    else this.ring.clear();
    return commit;
  }
}

const NONE: never[] = [];
/** Two reads of an inbox: what waits longer waits in the store. */
const POSTS_QUEUED_MAX = 2 * POSTS_PER_READ_MAX;
/** Longer than it takes until whoever plans has heard of it. */
const TELLS_MS = 3_000;
/** A commit has room for what they change. */
const POST_BYTES_PER_TICK_MAX = 256 * 1024;
/** Checkpoints that had to wait are written over so many ticks. */
const POSTPONED_SPREAD = 16;
/** A log this many times longer than the state is slower to load than one more checkpoint costs. */
const LOG_TO_STATE_MAX = 32;

/** What healing needs of a commit: not the checkpoint, not the index. */
function withoutExtras(commit: Commit): Commit {
  const { checkpoint: _checkpoint, geo: _geo, ending: _ending, ...rest } = commit;
  return rest;
}
