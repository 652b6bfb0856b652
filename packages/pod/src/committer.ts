/**
 * Sends what the held cells have pending, in one round trip, and acts on each answer. An unknown
 * outcome is repeated with the same position; the store answers ALREADY if it had happened (L4).
 */
import type { ChannelEntry, Commit, CommitReply, Head, Refusal } from '@leasehold/protocol';
import type { Holding } from './holding.ts';
import { expectRun } from './loader.ts';
import { type PodParts, TAKEN_PROOF_MS } from './settings.ts';

export type CommitEvents = {
  /** A channel entry that the store has accepted. */
  sent(entry: ChannelEntry): void;
  /** The lease is somebody else's, or the world is sealed: the cell is gone from this pod. */
  lost(holding: Holding, why: 'FENCED' | 'SEALED' | 'NOWORLD'): void;
  /**
   * What the store had of a cell is not made whole again: whatever else this pod remembers may build
   * on it, so every cell is to be read anew (E1).
   */
  unhealed(): void;
  /** The call that leaves these cells to an heir has been sent; whether it was heard is unknown. */
  leaving(cells: readonly number[], heir: string): void;
  /** Posts wait in the inbox of the cell. */
  waiting(holding: Holding): void;
  /** A commit has been accepted, with all that is in it. */
  settled(holding: Holding): void;
  /** The last commit ended the lease as it was meant to. */
  left(holding: Holding): void;
};

export type CommitCounts = {
  commits: number;
  fenced: number;
  /** Leases of cells that had nothing to commit, refused because others hold those cells. */
  fencedRenewals: number;
  healed: number;
  reloads: number;
  unknown: number;
  refused: number;
  bodyBytes: number;
};

/** Cells that were taken from this pod, and of how many of them it is proven that nothing is lost. */
type Taken = { count: number; provenCount: number; lastAtMs: number };

export class Committer {
  readonly counts: CommitCounts = {
    commits: 0,
    fenced: 0,
    fencedRenewals: 0,
    healed: 0,
    reloads: 0,
    unknown: 0,
    refused: 0,
    bodyBytes: 0,
  };
  readonly #parts: PodParts;
  readonly #events: CommitEvents;
  /** Replicas that stood behind the commits in the rings: only those may be healed from memory. */
  #replicasBehind = 0;
  #isProving = false;
  #runId = '';
  readonly #taken: Taken = { count: 0, provenCount: 0, lastAtMs: 0 };

  constructor(parts: PodParts, events: CommitEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  /** Sends every pending commit. True when at least one cell's outcome is still unknown. */
  async send(holdings: readonly Holding[]): Promise<boolean> {
    const { store, clock } = this.#parts;
    const sending = nextToSend(holdings);
    if (sending.length === 0) return false;
    // What was prepared for one server is not sent to another, which may have gone back in time.
    if (store.status().runId !== this.#runId) return true;
    const sentMs = clock.nowMs();
    const commits = sending.map(({ replay, pending }) => replay[0]?.commit ?? (pending as Commit));
    const replying = store.commit(commits);
    this.#tellLeaving(commits);
    const replies = await replying;
    // Whoever waits for what others miss is not settled either.
    let isUnsettled = sending.length < holdings.length;
    for (const [i, holding] of sending.entries()) {
      const isDone = this.#act(holding, commits[i] as Commit, replies[i] as CommitReply, sentMs);
      if (!isDone) isUnsettled = true;
    }
    return isUnsettled;
  }

  /**
   * Replicas of the server that answers now that have all that was committed here, also of the cells
   * that were taken from this pod; 0 = not known yet.
   */
  get replicasBehind(): number {
    return this.isNewRun || !areProven(this.#taken) ? 0 : this.#replicasBehind;
  }

  /**
   * A lease of this pod has ended without its doing. If the store loses the end of what was committed
   * under it, nobody appends it again, and whatever else this pod remembers may build on it (E1).
   */
  noteTaken(): void {
    this.#taken.count++;
    this.#taken.lastAtMs = this.#parts.clock.nowMs();
  }

  /** The server that answers now is not the one that the cells were last compared with. */
  get isNewRun(): boolean {
    const { runId } = this.#parts.store.status();
    return runId !== '' && runId !== this.#runId;
  }

  /**
   * Another server answers, or the same one restarted: it may have gone back in time, also for cells
   * that have nothing to commit. What stood behind a barrier is appended again, verbatim; without a
   * barrier what was read of others stood behind nothing, so every cell is read anew. Returns true
   * when nothing that was learnt before may be used (E1).
   */
  async meetRun(holdings: readonly Holding[]): Promise<boolean> {
    const { store, log } = this.#parts;
    const { runId, replicas } = store.status();
    const isFirst = this.#runId === '';
    const before = { replicasBehind: this.#replicasBehind, areTakenProven: areProven(this.#taken) };
    if (!isFirst && holdings.length > 0) {
      const heads = await store.heads(holdings.map(({ cell }) => cell));
      expectRun(store, runId);
      for (const [i, holding] of holdings.entries()) this.#compare(holding, heads[i] as Head);
      if (!areProven(this.#taken)) this.#events.unhealed();
    }
    this.#taken.provenCount = this.#taken.count;
    const isVoid = !isFirst && this.#replicasBehind === 0;
    const toReload = holdings.filter(({ needsReload }) => needsReload).length;
    if (!isFirst)
      log.warn({ cells: holdings.length, toReload, ...before, replicas }, 'another server');
    this.#runId = runId;
    this.#replicasBehind = replicas;
    return isVoid;
  }

  /**
   * A barrier proves what is not yet known to be safe: that replicas which came after the server was
   * met, as they do after every failover, have all that was committed and read before; and that cells
   * which were taken from this pod, and the leases of their next holders, cannot be lost any more.
   * To be called now and then.
   */
  prove(): void {
    const { store, clock, log } = this.#parts;
    const { runId, replicas } = store.status();
    if (replicas === 0 || runId !== this.#runId || this.#isProving) return;
    const { count, lastAtMs } = this.#taken;
    const isTakenDue = !areProven(this.#taken) && clock.nowMs() - lastAtMs >= TAKEN_PROOF_MS;
    if (this.#replicasBehind > 0 && !isTakenDue) return;
    this.#isProving = true;
    store
      .barrier()
      .then(
        () => {
          if (this.#runId !== runId) return;
          if (this.#replicasBehind === 0) this.#replicasBehind = replicas;
          if (isTakenDue) this.#taken.provenCount = count;
        },
        (error: unknown) => log.warn({ error: String(error) }, 'replicas are not up to date yet'),
      )
      .finally(() => {
        this.#isProving = false;
      });
  }

  #compare(holding: Holding, head: Head | Refusal): void {
    if ('tag' in head) {
      holding.needsReload = true;
    } else if (head.nonce !== holding.claim.nonce) {
      this.#events.lost(holding, 'FENCED');
      this.#events.unhealed();
    } else if (this.#replicasBehind === 0) {
      holding.needsReload = true;
    } else {
      const { pending } = holding;
      const isThere = head.seq === holding.seq && head.hash === holding.hash;
      const isAhead =
        pending !== undefined && head.seq === pending.seq && head.hash === pending.hash;
      if (!isThere && !isAhead) this.#heal(holding, head.seq, head.hash);
      else if (holding.isReturned) holding.needsReload = true;
    }
  }

  /** True when the cell has nothing more to send for this tick. */
  #act(holding: Holding, commit: Commit, reply: CommitReply, sentMs: number): boolean {
    switch (reply.tag) {
      case 'OK':
      case 'ALREADY':
        if (reply.tag === 'OK') holding.sentOkMs = sentMs;
        if (reply.tag === 'OK' && reply.inboxLength > 0) this.#events.waiting(holding);
        this.counts.commits++;
        this.counts.bodyBytes += commit.body.length;
        if (holding.replay.length > 0) {
          holding.replay.shift();
          this.counts.healed++;
          // E1: a neighbour that was loaded meanwhile found none of it in the store.
          this.#tellSent(holding, commit);
          if (holding.isReturned && !isSending(holding)) holding.needsReload = true;
          return !isSending(holding);
        }
        this.#settle(holding, sentMs);
        return true;
      case 'FENCED':
        this.counts.fenced++;
        this.#events.lost(holding, 'FENCED');
        if (holding.replay.length > 0) this.#events.unhealed();
        return true;
      case 'SEALED':
      case 'NOWORLD':
        this.#events.lost(holding, reply.tag);
        return true;
      case 'HEAD':
        return this.#heal(holding, reply.seq, reply.hash);
      case 'BADCURSOR':
        return this.#reload(holding, reply.message);
      case 'TOOBIG':
      case 'BADARG':
        this.#freeze(holding, commit, `${reply.tag}: ${reply.message}`);
        return holding.needsReload;
      case 'REFUSED':
        this.counts.refused++;
        this.#parts.log.warn({ cell: holding.cell, why: reply.message }, 'store refuses writes');
        return false;
      case 'UNKNOWN':
        this.counts.unknown++;
        return false;
    }
  }

  #settle(holding: Holding, nowMs: number): void {
    const isKept = this.#replicasBehind > 0 || this.#parts.store.status().replicas > 0;
    const commit = holding.settle(nowMs, isKept);
    this.#tellSent(holding, commit);
    this.#events.settled(holding);
    if (commit.ending !== undefined) this.#events.left(holding);
  }

  /**
   * The heir hears of it right behind the commit, on the same connection: a reply to wait for is
   * time in which nobody ticks. When the commit is refused, so is the heir.
   */
  #tellLeaving(commits: readonly Commit[]): void {
    const left = new Map<string, number[]>();
    for (const { claim, ending } of commits) {
      if (typeof ending !== 'object') continue;
      const cells = left.get(ending.heir);
      if (cells === undefined) left.set(ending.heir, [claim.cell]);
      else cells.push(claim.cell);
    }
    for (const [heir, cells] of left) this.#events.leaving(cells, heir);
  }

  #tellSent(holding: Holding, { out, tick }: Commit): void {
    for (const { seq, to, body } of out) {
      this.#events.sent({ seq, from: holding.cell, to, tick, body });
    }
  }

  /** The store went back in time: append again what it misses, verbatim, or read it anew. */
  #heal(holding: Holding, seq: number, hash: string): boolean {
    const { log } = this.#parts;
    const missing = holding.ring.after(seq, hash);
    const isNext = holding.pending?.seq === seq + 1 && holding.pending.prevHash === hash;
    if (missing === undefined && !isNext) {
      this.#events.unhealed();
      return this.#reload(holding, `head is ${seq}`);
    }
    holding.replay = missing ?? [];
    holding.index.reset();
    log.warn({ cell: holding.cell, seq, missing: holding.replay.length }, 'healing the log');
    return false;
  }

  #reload(holding: Holding, why: string): boolean {
    this.counts.reloads++;
    holding.needsReload = true;
    this.#parts.log.warn({ cell: holding.cell, seq: holding.seq, why }, 'cell is read anew');
    return true;
  }

  #freeze(holding: Holding, commit: Commit, why: string): void {
    if (commit.checkpoint !== undefined) {
      // The tick alone may fit: a checkpoint comes with a later commit.
      const { checkpoint: _checkpoint, ...rest } = commit;
      holding.pending = rest;
      return;
    }
    // The state is a tick ahead of the log: nobody may take it over from here.
    holding.needsReload = true;
    holding.isFrozen = true;
    this.#parts.log.error({ cell: holding.cell, why }, 'cell is frozen: its commit is refused');
    void this.#parts.store
      .feed({ kind: 'frozen', pod: this.#parts.pod, facts: { cell: holding.cell, why } })
      .catch((error: unknown) => this.#parts.log.warn({ error }, 'feed entry not written'));
  }
}

/**
 * What the store misses is appended in the order in which it had it, and before anything new. A
 * commit that took entities in must not be there without the one that sent them: whoever finds the
 * cells so after this pod's death finds those entities twice (E1).
 */
function nextToSend(holdings: readonly Holding[]): readonly Holding[] {
  let firstMs = Number.POSITIVE_INFINITY;
  for (const { replay } of holdings) {
    const [next] = replay;
    if (next !== undefined) firstMs = Math.min(firstMs, next.sentMs);
  }
  if (firstMs === Number.POSITIVE_INFINITY) return holdings.filter(isSending);
  return holdings.filter(({ replay }) => replay[0]?.sentMs === firstMs);
}

function areProven({ count, provenCount }: Taken): boolean {
  return count === provenCount;
}

/** Something of the cell is on its way to the store, for the first time or again. */
export function isSending({ pending, replay }: Holding): boolean {
  return pending !== undefined || replay.length > 0;
}
