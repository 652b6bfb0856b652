/**
 * The rules of one (cell, layer), as the function library in Redis has them: same checks, same
 * order, same replies. Pure but for the record it is given; everything is checked before the first
 * write. Knows no connection and no fault.
 */
import {
  type AcquireReply,
  type AcquireRequest,
  BYTES_PER_CELL_MAX,
  type CellSeed,
  type CellSeedReply,
  type ChannelEntry,
  type Claim,
  type Commit,
  type CommitReply,
  GEO_PER_COMMIT_MAX,
  type Head,
  type LeaseReply,
  type LogEntry,
  OUT_PER_COMMIT_MAX,
  type Post,
  SEED_EPOCH,
} from '@leasehold/protocol';
import type { TwinDefect } from './defects.ts';
import { LATITUDE_MAX } from './geo.ts';

const FORMAT_VERSION = 1;
// The limits of `db/lua/lib/limits.lua` that clients need not know.
const LEASE_TTL_MS_MAX = 60_000;
const HANDOVER_MS = 1_000;
const CURSORS_PER_COMMIT_MAX = 256;
const INBOX_ENTRIES_MAX = 10_000;
const INBOX_BYTES_MAX = 2 * 1024 * 1024;
const POST_BYTES_MAX = 64 * 1024;
const POST_IDS_MAX = 1_024;
const ID_BYTES_MAX = 128;
const HASH_BYTES_MAX = 32;

const NONCE_PATTERN = /^[\w-]+\.[\w-]+$/;

export type Checkpoint = {
  readonly seq: number;
  readonly hash: string;
  readonly tick: number;
  readonly body: Uint8Array;
};

type Granted = Extract<AcquireReply, { tag: 'GRANTED' }>;

export type CellRecord = {
  nonce: string;
  epoch: string;
  deadlineMs: number;
  ttlMs: number;
  suspectMs: number;
  attempts: number;
  heir: string;
  heirUntilMs: number;
  cause: Granted['cause'];
  from: string;
  /** The nonce that held the cell before. */
  past: string;
  lastAtMs: number;
  /** `lastAtMs` as the present holder was told, for a repetition. */
  grantLastAtMs: number;
  /** The hash of the entry that a seeder wrote, '' if none did. */
  born: string;
  seq: number;
  hash: string;
  tick: number;
  idCounter: number;
  /** Ids given out to who asked from outside. */
  asked: number;
  restoredSeq: number;
  inboxSeq: number;
  inboxCursor: number;
  inbox: Post[];
  /** The last ids posted, oldest first, with their positions. */
  postIds: Map<string, number>;
  outSeq: number;
  out: ChannelEntry[];
  cursors: Map<number, number>;
  log: LogEntry[];
  checkpoints: [Checkpoint | undefined, Checkpoint | undefined];
  geo: Map<number, { readonly longitude: number; readonly latitude: number }>;
};

export function newCell(): CellRecord {
  return {
    nonce: '',
    epoch: '0',
    deadlineMs: 0,
    ttlMs: 0,
    suspectMs: 0,
    attempts: 0,
    heir: '',
    heirUntilMs: 0,
    cause: 'free',
    from: '',
    past: '',
    lastAtMs: 0,
    grantLastAtMs: 0,
    born: '',
    seq: 0,
    hash: '',
    tick: 0,
    idCounter: 0,
    asked: 0,
    restoredSeq: 0,
    inboxSeq: 0,
    inboxCursor: 0,
    inbox: [],
    postIds: new Map(),
    outSeq: 0,
    out: [],
    cursors: new Map(),
    log: [],
    checkpoints: [undefined, undefined],
    geo: new Map(),
  };
}

/** The pod that a nonce names. */
export function podOf(nonce: string): string {
  const dot = nonce.indexOf('.');
  return dot < 0 ? nonce : nonce.slice(0, dot);
}

export function headOf(number: number, cell: CellRecord): Head {
  const checkpoints: { slot: 0 | 1; seq: number; tick: number }[] = [];
  for (const slot of [0, 1] as const) {
    const found = cell.checkpoints[slot];
    if (found) checkpoints.push({ slot, seq: found.seq, tick: found.tick });
  }
  checkpoints.sort((a, b) => b.seq - a.seq);
  return {
    cell: number,
    seq: cell.seq,
    hash: cell.hash,
    tick: cell.tick,
    epoch: cell.epoch,
    nonce: cell.nonce,
    idCounter: cell.idCounter,
    asked: cell.asked,
    restoredSeq: cell.restoredSeq,
    outSeq: cell.outSeq,
    inboxCursor: cell.inboxCursor,
    cursors: new Map(cell.cursors),
    checkpoints,
  };
}

/** `nowMs` is the store's clock; `nowUs` the same in microseconds. */
export type Moment = {
  readonly nowMs: number;
  readonly nowUs: bigint;
  readonly graceMs: number;
  /** Rules that are broken on purpose. */
  readonly defects: ReadonlySet<TwinDefect>;
};

export function acquire(
  cell: CellRecord,
  request: AcquireRequest,
  at: Moment & { readonly dead: readonly string[] },
): AcquireReply {
  const { nonce, ttlMs } = request;
  const { nowMs, graceMs } = at;
  if (!isNonce(nonce)) return badArg('nonce: not <pod>.<random>');
  if (!isTtl(ttlMs)) return badArg('ttl_ms: not within 1 and 60000');
  // L4: the first reply was lost; the grant stands and is not extended.
  if (cell.nonce === nonce) return granted(request.cell, cell, nowMs);
  // L2: a nonce is used once.
  if (cell.past === nonce) return badArg('nonce: was used before');

  let { cause, from } = cell;
  if (cell.nonce !== '' && at.dead.includes(podOf(cell.nonce))) {
    cause = 'revoked';
    from = podOf(cell.nonce);
  } else if (cell.nonce !== '') {
    // L5: no deadline lies further ahead than its own term, or a clock that went back would keep a
    // dead holder's cells for as long as the step was.
    cell.deadlineMs = Math.min(cell.deadlineMs, nowMs + cell.ttlMs);
    if (cell.deadlineMs > nowMs) {
      return { tag: 'HELD', nonce: cell.nonce, deadlineMs: cell.deadlineMs, nowMs };
    }
    // L5: two strikes. The first only marks; whatever the holder commits or renews clears it.
    const isFirst = cell.suspectMs === 0 || cell.suspectMs > nowMs;
    if (isFirst) cell.suspectMs = nowMs;
    const retryInMs = cell.suspectMs + graceMs - nowMs;
    const isSpared = isFirst || retryInMs > 0;
    if (isSpared && !at.defects.has('one-strike'))
      return { tag: 'SUSPECT', nonce: cell.nonce, retryInMs, nowMs };
    cause = 'expired';
    from = podOf(cell.nonce);
  } else if (cause === 'handover' && cell.heir !== podOf(nonce)) {
    cell.heirUntilMs = Math.min(cell.heirUntilMs, nowMs + HANDOVER_MS);
    const retryInMs = cell.heirUntilMs - nowMs;
    if (retryInMs > 0) return { tag: 'RESERVED', heir: cell.heir, retryInMs, nowMs };
    cause = 'released';
  }

  // L2: epochs rise, even when the clock of a new primary is behind.
  const next = BigInt(cell.epoch) + 1n;
  cell.epoch = String(next > at.nowUs ? next : at.nowUs);
  if (at.defects.has('low-epoch')) cell.epoch = '1';
  if (cell.nonce !== '') cell.past = cell.nonce;
  cell.nonce = nonce;
  cell.deadlineMs = nowMs + ttlMs;
  cell.ttlMs = ttlMs;
  cell.suspectMs = 0;
  cell.attempts += 1;
  cell.cause = cause;
  cell.from = from;
  cell.heir = '';
  cell.heirUntilMs = 0;
  cell.grantLastAtMs = cell.lastAtMs;
  cell.lastAtMs = nowMs;
  return granted(request.cell, cell, nowMs);
}

function granted(number: number, cell: CellRecord, nowMs: number): Granted {
  return {
    tag: 'GRANTED',
    claim: { cell: number, nonce: cell.nonce, epoch: cell.epoch },
    head: headOf(number, cell),
    attempts: cell.attempts,
    cause: cell.cause,
    from: cell.from,
    lastAtMs: cell.grantLastAtMs,
    nowMs,
  };
}

/** L1: the lease is who the store says it is now, not who somebody remembers. */
function fence(cell: CellRecord, claim: Claim) {
  if (cell.nonce !== '' && cell.nonce === claim.nonce && cell.epoch === claim.epoch) return;
  return { tag: 'FENCED', nonce: cell.nonce, epoch: cell.epoch } as const;
}

export function renew(cell: CellRecord, claim: Claim, ttlMs: number, nowMs: number): LeaseReply {
  if (!isTtl(ttlMs)) return badArg('ttl_ms: not within 1 and 60000');
  const refusal = fence(cell, claim);
  if (refusal) return refusal;
  cell.deadlineMs = nowMs + ttlMs;
  cell.ttlMs = ttlMs;
  cell.suspectMs = 0;
  cell.lastAtMs = nowMs;
  return { tag: 'OK', nowMs };
}

/** Ends the lease. With an heir the cell is kept for that pod for a moment. */
export function release(cell: CellRecord, claim: Claim, heir: string, at: Moment): LeaseReply {
  // L4: this very call was done before, and nobody has taken the cell since.
  const isPast = cell.nonce === '' && claim.nonce !== '' && cell.past === claim.nonce;
  if (isPast && cell.epoch === claim.epoch && (heir === '' || cell.heir === heir)) {
    return { tag: 'OK', nowMs: at.nowMs };
  }
  const refusal = fence(cell, claim);
  if (refusal) return refusal;
  endLease(cell, heir === '' ? 'released' : 'handover', heir, at.nowMs);
  cell.lastAtMs = at.nowMs;
  // A holder that gives a cell back has not failed at it.
  cell.attempts = Math.max(0, cell.attempts - 1);
  return { tag: 'OK', nowMs: at.nowMs };
}

export function revoke(cell: CellRecord, nonce: string, nowMs: number): LeaseReply {
  // L4: it has ended before, and nobody has taken the cell since.
  if (nonce !== '' && cell.nonce === '' && cell.past === nonce) return { tag: 'OK', nowMs };
  if (nonce === '' || cell.nonce !== nonce) {
    return { tag: 'FENCED', nonce: cell.nonce, epoch: cell.epoch };
  }
  endLease(cell, 'revoked', '', nowMs);
  return { tag: 'OK', nowMs };
}

function endLease(
  cell: CellRecord,
  cause: 'released' | 'handover' | 'revoked',
  heir: string,
  nowMs: number,
): void {
  cell.past = cell.nonce;
  cell.from = podOf(cell.nonce);
  cell.nonce = '';
  cell.deadlineMs = 0;
  cell.suspectMs = 0;
  cell.cause = cause;
  cell.heir = heir;
  cell.heirUntilMs = heir === '' ? 0 : nowMs + HANDOVER_MS;
}

function tooBig(commit: Commit): string | undefined {
  let bytes = commit.body.length + (commit.checkpoint?.length ?? 0);
  for (const entry of commit.out) bytes += entry.body.length;
  if (bytes > BYTES_PER_CELL_MAX) return `${bytes} bytes, at most ${BYTES_PER_CELL_MAX}`;
  const geo = (commit.geo?.put.length ?? 0) + (commit.geo?.drop.length ?? 0);
  return geo > GEO_PER_COMMIT_MAX ? `${geo} index updates` : undefined;
}

const isNonce = (text: string): boolean => text.length <= ID_BYTES_MAX && NONCE_PATTERN.test(text);
const isTtl = (ms: number): boolean =>
  Number.isSafeInteger(ms) && ms >= 1 && ms <= LEASE_TTL_MS_MAX;
export const isHash = (hash: string): boolean => hash !== '' && hash.length <= HASH_BYTES_MAX;
const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;

function malformed(commit: Commit): string | undefined {
  if (!(isCount(commit.seq) && commit.seq > 0)) return 'seq is not a positive integer';
  if (!isCount(commit.tick)) return 'tick is not a natural number';
  if (!isCount(commit.idCounter)) return 'idCounter is not a natural number';
  if (!isTtl(commit.ttlMs)) return 'ttl_ms: not within 1 and 60000';
  if (!isHash(commit.hash)) return 'hash: empty or too long';
  if (commit.claim.nonce === '') return 'nonce: empty';
  if (commit.cursors.length > CURSORS_PER_COMMIT_MAX) return 'cursors: too many';
  if (commit.out.length > OUT_PER_COMMIT_MAX) return 'outs: too many';
  const ends = [...commit.cursors, ...(commit.inbox ? [commit.inbox] : [])];
  if (!ends.every(({ from, to }) => isCount(from) && isCount(to))) return 'a cursor is no number';
  for (const { longitude, latitude } of commit.geo?.put ?? []) {
    const isInside = Math.abs(longitude) <= 180 && Math.abs(latitude) <= LATITUDE_MAX;
    if (!isInside) return `position ${longitude} ${latitude} cannot be indexed`;
  }
  return undefined;
}

function badCursor(cell: CellRecord, commit: Commit): string | undefined {
  const seen = new Set<number>();
  for (const { cell: source, from, to } of commit.cursors) {
    const at = cell.cursors.get(source) ?? 0;
    if (at !== from) return `in:${source}: the store is at ${at}`;
    if (to <= from) return `in:${source}: does not move forward`;
    if (seen.has(source)) return `in:${source}: given twice`;
    seen.add(source);
  }
  if (commit.inbox && commit.inbox.from !== commit.inbox.to) {
    const { from, to } = commit.inbox;
    const isWithin = to >= from && to <= cell.inboxSeq;
    if (cell.inboxCursor !== from || !isWithin) return `inbox is at ${cell.inboxCursor}`;
  }
  for (const [i, entry] of commit.out.entries()) {
    const due = cell.outSeq + 1 + i;
    if (entry.seq !== due) return `out is at ${cell.outSeq}: entry ${entry.seq} should be ${due}`;
  }
  const last = cell.outSeq + commit.out.length;
  if ((commit.outTrimTo ?? 0) > last) return `out is at ${last}: cannot trim past it`;
  return undefined;
}

export function commitTo(cell: CellRecord, commit: Commit, at: Moment): CommitReply {
  const fault = malformed(commit);
  if (fault !== undefined) return badArg(fault);
  const excess = tooBig(commit);
  if (excess !== undefined) return { tag: 'TOOBIG', message: excess };
  const { defects } = at;
  const refusal = fence(cell, commit.claim);
  if (refusal && !defects.has('no-fence')) return refusal;
  // L4: this very commit was applied, and its reply lost.
  if (cell.seq === commit.seq && cell.hash === commit.hash) return { tag: 'ALREADY' };
  // L3: compare and append.
  const isNext = cell.seq === commit.seq - 1 && cell.hash === commit.prevHash;
  if (!isNext && !defects.has('no-head')) return { tag: 'HEAD', seq: cell.seq, hash: cell.hash };
  const wrong = badCursor(cell, commit);
  if (wrong !== undefined) return { tag: 'BADCURSOR', message: wrong };
  const kept = defects.has('lost-cursor') ? new Map(cell.cursors) : undefined;
  apply(cell, commit);
  if (kept !== undefined) cell.cursors = kept;
  if (defects.has('trim-unread')) cell.out = cell.out.slice(-commit.out.length);
  cell.attempts = 0;
  cell.lastAtMs = at.nowMs;
  if (commit.ending === undefined) {
    cell.deadlineMs = at.nowMs + commit.ttlMs;
    cell.ttlMs = commit.ttlMs;
    cell.suspectMs = 0;
  } else if (commit.ending === 'release') endLease(cell, 'released', '', at.nowMs);
  else endLease(cell, 'handover', commit.ending.heir, at.nowMs);
  return { tag: 'OK', nowMs: at.nowMs, inboxLength: cell.inboxSeq - cell.inboxCursor };
}

function apply(cell: CellRecord, commit: Commit): void {
  const { seq, hash, tick, prevHash } = commit;
  // The caller may use its buffers again, as it may when they were sent to a server.
  const body = commit.body.slice();
  const { inbox } = commit;
  const consumed = inbox !== undefined && inbox.to !== inbox.from ? inbox : undefined;
  cell.log.push({
    seq,
    version: FORMAT_VERSION,
    epoch: commit.claim.epoch,
    prevHash,
    hash,
    tick,
    body,
    ...(consumed === undefined ? {} : { inbox: { from: consumed.from, to: consumed.to } }),
  });
  cell.seq = seq;
  cell.hash = hash;
  cell.tick = tick;
  cell.idCounter = commit.idCounter;
  for (const { cell: source, to } of commit.cursors) cell.cursors.set(source, to);
  if (consumed !== undefined) {
    cell.inboxCursor = consumed.to;
    if (consumed.keep !== true) cell.inbox = cell.inbox.filter(({ seq }) => seq > consumed.to);
  }
  for (const entry of commit.out) {
    const from = commit.claim.cell;
    cell.out.push({ seq: entry.seq, from, to: entry.to, tick, body: entry.body.slice() });
  }
  cell.outSeq += commit.out.length;
  const trimTo = commit.outTrimTo ?? 0;
  if (trimTo > 0) cell.out = cell.out.filter((entry) => entry.seq > trimTo);
  for (const { id, longitude, latitude } of commit.geo?.put ?? []) {
    cell.geo.set(id, { longitude, latitude });
  }
  for (const id of commit.geo?.drop ?? []) cell.geo.delete(id);
  // Nobody's state is no bytes at all: on the wire that says that there is no checkpoint.
  if (commit.checkpoint?.length) checkpoint(cell, commit.checkpoint.slice());
}

/** Overwrites the older slot; the log keeps what follows the older of the two that now exist. */
function checkpoint(cell: CellRecord, body: Uint8Array): void {
  const [a, b] = cell.checkpoints;
  const slot = a === undefined ? 0 : b === undefined ? 1 : a.seq < b.seq ? 0 : 1;
  cell.checkpoints[slot] = { seq: cell.seq, hash: cell.hash, tick: cell.tick, body };
  const [first, second] = cell.checkpoints;
  if (first === undefined || second === undefined) return;
  const older = Math.min(first.seq, second.seq);
  cell.log = cell.log.filter((entry) => entry.seq > older);
}

/** Entry 1 of a seeded cell. */
export function create(cell: CellRecord, seed: CellSeed): CellSeedReply {
  if (!isCount(seed.idCounter) || !isHash(seed.hash)) return badArg('seed of a cell is malformed');
  if (seed.body.length > BYTES_PER_CELL_MAX) {
    return { tag: 'TOOBIG', message: `${seed.body.length} bytes, at most ${BYTES_PER_CELL_MAX}` };
  }
  // L4: what the cell was born with tells a repetition, however far it has come since.
  if (cell.seq !== 0 && cell.born === seed.hash) return { tag: 'ALREADY' };
  if (cell.seq !== 0) return { tag: 'HEAD', seq: cell.seq, hash: cell.hash };
  cell.log.push({
    seq: 1,
    version: FORMAT_VERSION,
    epoch: SEED_EPOCH,
    prevHash: '',
    hash: seed.hash,
    tick: 0,
    body: seed.body.slice(),
  });
  cell.seq = 1;
  cell.hash = seed.hash;
  cell.born = seed.hash;
  cell.idCounter = seed.idCounter;
  return { tag: 'OK' };
}

export function post(cell: CellRecord, id: string, body: Uint8Array) {
  if (id === '' || id.length > ID_BYTES_MAX) return badArg('id: empty or longer than 128 bytes');
  if (body.length > POST_BYTES_MAX) return badArg('a post carries at most 65536 bytes');
  // M1, L4: a repeated post is the same post, also after it was consumed.
  const known = cell.postIds.get(id);
  if (known !== undefined) return { tag: 'OK', seq: known } as const;
  const waiting = cell.inbox.filter(({ seq }) => seq > cell.inboxCursor);
  const bytes = waiting.reduce((sum, entry) => sum + entry.body.length, body.length);
  if (waiting.length >= INBOX_ENTRIES_MAX || bytes > INBOX_BYTES_MAX) {
    return { tag: 'FULL' } as const;
  }
  cell.inboxSeq += 1;
  cell.inbox.push({ seq: cell.inboxSeq, id, body: body.slice() });
  cell.postIds.set(id, cell.inboxSeq);
  const oldest = cell.postIds.keys().next().value;
  if (cell.postIds.size > POST_IDS_MAX && oldest !== undefined) cell.postIds.delete(oldest);
  return { tag: 'OK', seq: cell.inboxSeq } as const;
}

export function badArg(message: string) {
  return { tag: 'BADARG', message } as const;
}
