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
  SEED_EPOCH,
} from '@leasehold/protocol';

const FORMAT_VERSION = 1;
/** A reader that asks again gets the rest; the same bound as in Redis. */
export const INBOX_ENTRIES_MAX = 10_000;
export const INBOX_BYTES_MAX = 2 * 1024 * 1024;

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
  suspectMs: number;
  attempts: number;
  heir: string;
  heirUntilMs: number;
  cause: 'free' | 'released' | 'handover' | 'revoked';
  /** The nonce that held the cell last, or holds it. */
  lastNonce: string;
  lastAtMs: number;
  /** What the grant of the present lease said, for its repetition. */
  grant: Pick<Granted, 'cause' | 'from' | 'lastAtMs'>;
  seq: number;
  hash: string;
  tick: number;
  idCounter: number;
  inboxSeq: number;
  inboxCursor: number;
  inbox: { readonly seq: number; readonly id: string; readonly body: Uint8Array }[];
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
    suspectMs: 0,
    attempts: 0,
    heir: '',
    heirUntilMs: 0,
    cause: 'free',
    lastNonce: '',
    lastAtMs: 0,
    grant: { cause: 'free', from: '', lastAtMs: 0 },
    seq: 0,
    hash: '',
    tick: 0,
    idCounter: 0,
    inboxSeq: 0,
    inboxCursor: 0,
    inbox: [],
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
    outSeq: cell.outSeq,
    inboxCursor: cell.inboxCursor,
    cursors: new Map(cell.cursors),
    checkpoints,
  };
}

/** `nowMs` is the store's clock; `nowUs` the same in microseconds. */
export type Moment = { readonly nowMs: number; readonly nowUs: bigint; readonly graceMs: number };

export function acquire(cell: CellRecord, request: AcquireRequest, at: Moment): AcquireReply {
  const { nonce, ttlMs } = request;
  const { nowMs, graceMs } = at;
  if (podOf(nonce) === '' || podOf(nonce) === nonce) return badArg('nonce is not <pod>.<random>');
  if (!(Number.isSafeInteger(ttlMs) && ttlMs > 0)) return badArg('ttlMs is not a positive integer');
  // L4: the first reply was lost; the grant stands and is not extended.
  if (cell.nonce === nonce) return granted(request.cell, cell, nowMs);
  // L2: a nonce is used once.
  if (cell.lastNonce === nonce) return badArg('nonce was used before');

  let cause: Granted['cause'] = cell.cause;
  if (cell.nonce !== '') {
    // L5: a clock that stepped back, or a promoted replica's, must not keep a dead holder for ever.
    cell.deadlineMs = Math.min(cell.deadlineMs, nowMs + ttlMs);
    if (cell.deadlineMs > nowMs) {
      return { tag: 'HELD', nonce: cell.nonce, deadlineMs: cell.deadlineMs, nowMs };
    }
    // L5: two strikes. The first only marks; whatever the holder commits or renews clears it.
    if (cell.suspectMs === 0 || cell.suspectMs > nowMs) cell.suspectMs = nowMs;
    const retryInMs = cell.suspectMs + graceMs - nowMs;
    if (retryInMs > 0) return { tag: 'SUSPECT', nonce: cell.nonce, retryInMs, nowMs };
    cause = 'expired';
  } else if (cell.heir !== '' && cell.heir !== podOf(nonce)) {
    const retryInMs = Math.min(cell.heirUntilMs, nowMs + graceMs) - nowMs;
    if (retryInMs > 0) return { tag: 'RESERVED', heir: cell.heir, retryInMs, nowMs };
  }

  cell.grant = { cause, from: podOf(cell.lastNonce), lastAtMs: cell.lastAtMs };
  // L2: epochs rise, even when the clock of a new primary is behind.
  const next = BigInt(cell.epoch) + 1n;
  cell.epoch = String(next > at.nowUs ? next : at.nowUs);
  cell.nonce = nonce;
  cell.lastNonce = nonce;
  cell.deadlineMs = nowMs + ttlMs;
  cell.suspectMs = 0;
  cell.attempts += 1;
  cell.heir = '';
  cell.lastAtMs = nowMs;
  return granted(request.cell, cell, nowMs);
}

function granted(number: number, cell: CellRecord, nowMs: number): Granted {
  return {
    tag: 'GRANTED',
    claim: { cell: number, nonce: cell.nonce, epoch: cell.epoch },
    head: headOf(number, cell),
    attempts: cell.attempts,
    ...cell.grant,
    nowMs,
  };
}

/** L1: the lease is who the store says it is now, not who somebody remembers. */
function fence(cell: CellRecord, claim: Claim) {
  if (claim.nonce !== '' && cell.nonce === claim.nonce && cell.epoch === claim.epoch) return;
  return { tag: 'FENCED', nonce: cell.nonce, epoch: cell.epoch } as const;
}

export function renew(cell: CellRecord, claim: Claim, ttlMs: number, nowMs: number): LeaseReply {
  if (!(Number.isSafeInteger(ttlMs) && ttlMs > 0)) return badArg('ttlMs is not a positive integer');
  const refusal = fence(cell, claim);
  if (refusal) return refusal;
  cell.deadlineMs = nowMs + ttlMs;
  cell.suspectMs = 0;
  cell.lastAtMs = nowMs;
  return { tag: 'OK', nowMs };
}

/** Ends the lease. With an heir the cell is kept for that pod for one grace time. */
export function release(cell: CellRecord, claim: Claim, heir: string, at: Moment): LeaseReply {
  const refusal = fence(cell, claim);
  if (refusal) return refusal;
  end(cell, heir, at);
  return { tag: 'OK', nowMs: at.nowMs };
}

function end(cell: CellRecord, heir: string, at: Moment): void {
  cell.nonce = '';
  cell.deadlineMs = 0;
  cell.suspectMs = 0;
  cell.heir = heir;
  cell.heirUntilMs = heir === '' ? 0 : at.nowMs + at.graceMs;
  cell.cause = heir === '' ? 'released' : 'handover';
  cell.lastAtMs = at.nowMs;
}

export function revoke(cell: CellRecord, nonce: string, nowMs: number): LeaseReply {
  if (nonce === '' || cell.nonce !== nonce) {
    return { tag: 'FENCED', nonce: cell.nonce, epoch: cell.epoch };
  }
  cell.nonce = '';
  cell.deadlineMs = 0;
  cell.suspectMs = 0;
  cell.heir = '';
  cell.cause = 'revoked';
  return { tag: 'OK', nowMs };
}

function tooBig(commit: Commit): string | undefined {
  let bytes = commit.body.length + (commit.checkpoint?.length ?? 0);
  for (const entry of commit.out) bytes += entry.body.length;
  if (bytes > BYTES_PER_CELL_MAX) return `${bytes} bytes, at most ${BYTES_PER_CELL_MAX}`;
  if (commit.out.length > OUT_PER_COMMIT_MAX) return `${commit.out.length} channel entries`;
  const geo = (commit.geo?.put.length ?? 0) + (commit.geo?.drop.length ?? 0);
  return geo > GEO_PER_COMMIT_MAX ? `${geo} index updates` : undefined;
}

const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;

function malformed(commit: Commit): string | undefined {
  if (!(isCount(commit.seq) && commit.seq > 0)) return 'seq is not a positive integer';
  if (!isCount(commit.tick)) return 'tick is not a natural number';
  if (!isCount(commit.idCounter)) return 'idCounter is not a natural number';
  if (!(isCount(commit.ttlMs) && commit.ttlMs > 0)) return 'ttlMs is not a positive integer';
  if (commit.hash === '' || commit.hash === commit.prevHash) return 'hash is empty or the previous';
  for (const { longitude, latitude } of commit.geo?.put ?? []) {
    const isInside = Math.abs(longitude) <= 180 && Math.abs(latitude) <= 85.05112878;
    if (!isInside) return `position ${longitude} ${latitude} cannot be indexed`;
  }
  return undefined;
}

function badCursor(cell: CellRecord, commit: Commit): string | undefined {
  for (const { cell: source, from, to } of commit.cursors) {
    const at = cell.cursors.get(source) ?? 0;
    if (at !== from || !(to >= from)) return `in:${source} is at ${at}, not moved ${from} to ${to}`;
  }
  if (commit.inbox) {
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
  const refusal = fence(cell, commit.claim);
  if (refusal) return refusal;
  // L4: this very commit was applied, and its reply lost.
  if (cell.seq === commit.seq && cell.hash === commit.hash) return { tag: 'ALREADY' };
  // L3: compare and append.
  if (cell.seq !== commit.seq - 1 || cell.hash !== commit.prevHash) {
    return { tag: 'HEAD', seq: cell.seq, hash: cell.hash };
  }
  const wrong = badCursor(cell, commit);
  if (wrong !== undefined) return { tag: 'BADCURSOR', message: wrong };
  apply(cell, commit);
  cell.deadlineMs = at.nowMs + commit.ttlMs;
  cell.suspectMs = 0;
  cell.attempts = 0;
  cell.lastAtMs = at.nowMs;
  if (commit.then) end(cell, commit.then === 'release' ? '' : commit.then.heir, at);
  return { tag: 'OK', nowMs: at.nowMs, inboxLength: cell.inbox.length };
}

function apply(cell: CellRecord, commit: Commit): void {
  const { seq, hash, tick, prevHash } = commit;
  // The caller may use its buffers again, as it may when they were sent to a server.
  const body = commit.body.slice();
  cell.log.push({
    seq,
    version: FORMAT_VERSION,
    epoch: commit.claim.epoch,
    prevHash,
    hash,
    tick,
    body,
  });
  cell.seq = seq;
  cell.hash = hash;
  cell.tick = tick;
  cell.idCounter = commit.idCounter;
  for (const { cell: source, to } of commit.cursors) cell.cursors.set(source, to);
  if (commit.inbox) {
    const { to } = commit.inbox;
    cell.inboxCursor = to;
    cell.inbox = cell.inbox.filter((post) => post.seq > to);
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
  if (commit.checkpoint) checkpoint(cell, commit.checkpoint.slice());
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
  if (!isCount(seed.idCounter) || seed.hash === '') return badArg('seed of a cell is malformed');
  if (seed.body.length > BYTES_PER_CELL_MAX) {
    return { tag: 'TOOBIG', message: `${seed.body.length} bytes, at most ${BYTES_PER_CELL_MAX}` };
  }
  if (cell.seq === 1 && cell.hash === seed.hash) return { tag: 'ALREADY' };
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
  cell.idCounter = seed.idCounter;
  return { tag: 'OK' };
}

export function post(cell: CellRecord, id: string, body: Uint8Array) {
  if (id === '') return badArg('id of a post is empty');
  // M1, L4: a repeated post is the same post, as long as it is unread.
  const known = cell.inbox.find((entry) => entry.id === id);
  if (known) return { tag: 'OK', seq: known.seq } as const;
  const bytes = cell.inbox.reduce((sum, entry) => sum + entry.body.length, body.length);
  if (cell.inbox.length >= INBOX_ENTRIES_MAX || bytes > INBOX_BYTES_MAX) {
    return { tag: 'FULL' } as const;
  }
  cell.inboxSeq += 1;
  cell.inbox.push({ seq: cell.inboxSeq, id, body: body.slice() });
  return { tag: 'OK', seq: cell.inboxSeq } as const;
}

export function badArg(message: string) {
  return { tag: 'BADARG', message } as const;
}
