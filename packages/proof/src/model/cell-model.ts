/**
 * What a cell must answer, in as few words as it can be said: the reference that the functions in
 * Redis are compared with. No I/O, no clock: the time of a call is an argument.
 */
import type { AcquireReply, Commit, CommitReply, LeaseReply } from '@leasehold/protocol';

/** What a handover keeps a cell for its heir. */
const HEIR_MS = 1_000;

export type Entry = Pick<Commit, 'seq' | 'prevHash' | 'hash' | 'tick' | 'body'> & {
  readonly epoch: string;
};
type Sent = { readonly seq: number; readonly to: number; readonly tick: number };
type Checkpoint = { seq: number; hash: string; tick: number; body: Uint8Array };
/** An answer as it is compared: what it says, without the slots of checkpoints. */
export type Answer = { readonly tag: string; readonly [name: string]: unknown };
type PostReply = { readonly tag: 'OK'; readonly seq: number };
type Checks = { readonly tag: 'FENCED'; readonly nonce: string; readonly epoch: string };
type Claimed = { readonly nonce: string; readonly epoch: string };
type Acquiring = {
  readonly nonce: string;
  readonly ttlMs: number;
  readonly graceMs: number;
  readonly dead: readonly string[];
};

const podOf = (nonce: string): string => nonce.slice(0, Math.max(0, nonce.indexOf('.')));

export class CellModel {
  readonly cell: number;
  // The lease.
  nonce = '';
  epoch = 0n;
  deadline = 0;
  ttl = 0;
  suspect = 0;
  attempts = 0;
  cause: Extract<AcquireReply, { tag: 'GRANTED' }>['cause'] = 'free';
  from = '';
  heir = '';
  until = 0;
  past = '';
  last = 0;
  prev = 0;
  // The log.
  seq = 0;
  hash = '';
  tick = 0;
  idCounter = 0;
  log: Entry[] = [];
  /** Oldest first, at most two. */
  checkpoints: Checkpoint[] = [];
  // What must agree with it.
  out = 0;
  channel: Sent[] = [];
  cursors = new Map<number, number>();
  inbox = 0;
  posts: string[] = [];
  geo = new Set<number>();

  constructor(cell: number) {
    this.cell = cell;
  }

  clone(): CellModel {
    const copy = Object.assign(new CellModel(this.cell), this);
    copy.log = [...this.log];
    copy.checkpoints = [...this.checkpoints];
    copy.channel = [...this.channel];
    copy.cursors = new Map(this.cursors);
    copy.posts = [...this.posts];
    copy.geo = new Set(this.geo);
    return copy;
  }

  acquire({ nonce, ttlMs, graceMs, dead }: Acquiring, nowMs: number): Answer {
    if (this.nonce === nonce) return this.#granted(nowMs);
    if (this.past === nonce) return { tag: 'BADARG', message: 'nonce: was used before' };
    let { cause, from } = this;
    if (this.nonce !== '' && dead.includes(podOf(this.nonce))) {
      cause = 'revoked';
      from = podOf(this.nonce);
    } else if (this.nonce !== '') {
      const waiting = this.#twoStrikes(graceMs, nowMs);
      if (waiting !== undefined) return waiting;
      cause = 'expired';
      from = podOf(this.nonce);
    } else if (cause === 'handover' && this.heir !== podOf(nonce)) {
      this.until = Math.min(this.until, nowMs + HEIR_MS);
      if (this.until > nowMs) {
        return { tag: 'RESERVED', heir: this.heir, retryInMs: this.until - nowMs, nowMs };
      }
      cause = 'released';
    }
    if (this.nonce !== '') this.past = this.nonce;
    const micros = BigInt(nowMs) * 1_000n;
    this.epoch = this.epoch + 1n > micros ? this.epoch + 1n : micros;
    Object.assign(this, { nonce, cause, from, heir: '', until: 0, suspect: 0, ttl: ttlMs });
    this.deadline = nowMs + ttlMs;
    this.attempts++;
    this.prev = this.last;
    this.last = nowMs;
    return this.#granted(nowMs);
  }

  /** L5: who looks expired is first marked; no date lies further ahead than its own term. */
  #twoStrikes(graceMs: number, nowMs: number): AcquireReply | undefined {
    const { nonce } = this;
    this.deadline = Math.min(this.deadline, nowMs + this.ttl);
    if (this.deadline > nowMs) return { tag: 'HELD', nonce, deadlineMs: this.deadline, nowMs };
    if (this.suspect === 0 || this.suspect > nowMs) this.suspect = nowMs;
    const retryInMs = this.suspect + graceMs - nowMs;
    return retryInMs > 0 ? { tag: 'SUSPECT', nonce, retryInMs, nowMs } : undefined;
  }

  #granted(nowMs: number): Answer & { readonly head: ModelHead } {
    const { cell, nonce, attempts, cause, from, prev } = this;
    const claim = { cell, nonce, epoch: String(this.epoch) };
    const head = this.head();
    const granted = { tag: 'GRANTED', claim, attempts, cause, from, lastAtMs: prev, nowMs };
    return { ...granted, head };
  }

  /** L1: nonce and epoch are the lease's at this instant. */
  #fence({ nonce, epoch }: Claimed): Checks | undefined {
    const isHolder = nonce !== '' && this.nonce === nonce;
    if (isHolder && String(this.epoch) === epoch) return undefined;
    return { tag: 'FENCED', nonce: this.nonce, epoch: String(this.epoch) };
  }

  /** L4: the call that ended a lease is known until somebody takes the cell. */
  #hasJustEnded(nonce: string): boolean {
    return nonce !== '' && this.nonce === '' && this.past === nonce;
  }

  renew(claim: Claimed, ttlMs: number, nowMs: number): LeaseReply {
    const fenced = this.#fence(claim);
    if (fenced !== undefined) return fenced;
    Object.assign(this, { deadline: nowMs + ttlMs, suspect: 0, ttl: ttlMs, last: nowMs });
    return { tag: 'OK', nowMs };
  }

  /** `heir` '' gives the cell to anybody. */
  leave(claim: Claimed, heir: string, nowMs: number): LeaseReply {
    const isRepeated = this.#hasJustEnded(claim.nonce) && String(this.epoch) === claim.epoch;
    if (isRepeated && (heir === '' || this.heir === heir)) {
      return { tag: 'OK', nowMs };
    }
    const fenced = this.#fence(claim);
    if (fenced !== undefined) return fenced;
    this.last = nowMs;
    this.#end(heir === '' ? 'released' : 'handover', heir, nowMs);
    this.attempts = Math.max(0, this.attempts - 1);
    return { tag: 'OK', nowMs };
  }

  revoke(nonce: string, nowMs: number): LeaseReply {
    if (this.#hasJustEnded(nonce)) return { tag: 'OK', nowMs };
    if (nonce === '' || this.nonce !== nonce) {
      return { tag: 'FENCED', nonce: this.nonce, epoch: String(this.epoch) };
    }
    this.#end('revoked', '', nowMs);
    return { tag: 'OK', nowMs };
  }

  #end(cause: CellModel['cause'], heir: string, nowMs: number): void {
    this.past = this.nonce;
    this.from = podOf(this.nonce);
    this.until = heir === '' ? 0 : nowMs + HEIR_MS;
    Object.assign(this, { nonce: '', deadline: 0, suspect: 0, cause, heir });
  }

  commit(commit: Commit, nowMs: number): CommitReply {
    const fenced = this.#fence(commit.claim);
    if (fenced !== undefined) return fenced;
    if (this.seq === commit.seq && this.hash === commit.hash) return { tag: 'ALREADY' };
    if (this.seq + 1 !== commit.seq || this.hash !== commit.prevHash) {
      return { tag: 'HEAD', seq: this.seq, hash: this.hash };
    }
    if (this.#hasBadCursor(commit)) return { tag: 'BADCURSOR', message: '' };
    this.#append(commit);
    this.#move(commit);
    const { ending, ttlMs } = commit;
    Object.assign(this, { last: nowMs, deadline: nowMs + ttlMs, ttl: ttlMs });
    Object.assign(this, { suspect: 0, attempts: 0 });
    if (ending === 'release') this.#end('released', '', nowMs);
    else if (ending !== undefined) this.#end('handover', ending.heir, nowMs);
    return { tag: 'OK', nowMs, inboxLength: this.posts.length - this.inbox };
  }

  /** E1: what was consumed is exactly what comes next, and the channel has no gap. */
  #hasBadCursor({ cursors, out, outTrimTo = 0, inbox }: Commit): boolean {
    const isOff = cursors.some(
      ({ cell, from, to }) => (this.cursors.get(cell) ?? 0) !== from || to <= from,
    );
    const isTwice = new Set(cursors.map(({ cell }) => cell)).size < cursors.length;
    const hasGap = out.some(({ seq }, i) => seq !== this.out + i + 1);
    const isTrimmedAhead = outTrimTo > this.out + out.length;
    const isInboxOff =
      inbox !== undefined &&
      inbox.from !== inbox.to &&
      (inbox.from !== this.inbox || inbox.to < inbox.from || inbox.to > this.posts.length);
    return isOff || isTwice || hasGap || isTrimmedAhead || isInboxOff;
  }

  #append({ claim, seq, prevHash, hash, tick, body, idCounter, checkpoint, inbox }: Commit): void {
    const { from, to } = inbox ?? { from: 0, to: 0 };
    const consumed = from === to ? {} : { inbox: { from, to } };
    this.log.push({ seq, prevHash, hash, tick, body, epoch: claim.epoch, ...consumed });
    Object.assign(this, { seq, hash, tick, idCounter });
    if (checkpoint === undefined) return;
    this.checkpoints = [...this.checkpoints, { seq, hash, tick, body: checkpoint }].slice(-2);
    // L3: the log is kept from the older of two checkpoints on.
    const older = this.checkpoints.length === 2 ? (this.checkpoints[0]?.seq ?? 0) : 0;
    this.log = this.log.filter((entry) => entry.seq > older);
  }

  #move({ cursors, out, outTrimTo = 0, inbox, geo, tick }: Commit): void {
    for (const { cell, to } of cursors) this.cursors.set(cell, to);
    for (const { seq, to } of out) this.channel.push({ seq, to, tick });
    this.out += out.length;
    this.channel = this.channel.filter(({ seq }) => seq > outTrimTo);
    if (inbox !== undefined && inbox.to !== inbox.from) this.inbox = inbox.to;
    for (const id of geo?.drop ?? []) this.geo.delete(id);
    for (const { id } of geo?.put ?? []) this.geo.add(id);
  }

  /** M1: a post is known by its id, also after it was consumed. */
  post(id: string): PostReply {
    const known = this.posts.indexOf(id);
    if (known !== -1) return { tag: 'OK', seq: known + 1 };
    this.posts.push(id);
    return { tag: 'OK', seq: this.posts.length };
  }

  head() {
    const { cell, seq, hash, tick, nonce, idCounter, cursors } = this;
    return {
      // No suite asks for ids, and no cell is restored.
      ...{ cell, seq, hash, tick, nonce, idCounter, asked: 0, restoredSeq: 0 },
      epoch: String(this.epoch),
      outSeq: this.out,
      inboxCursor: this.inbox,
      cursors: new Map(cursors),
      checkpoints: this.checkpoints.map((each) => ({ seq: each.seq, tick: each.tick })).reverse(),
    };
  }
}

export type ModelHead = ReturnType<CellModel['head']>;
