/** What the parts of the store suite share: a world of its own per test, and a holder of a cell. */
import { expect } from 'vitest';
import { entryHash } from './entry-hash.ts';
import type { LifeStore } from './life-store.ts';
import type { PlanStore } from './plan.ts';
import type {
  AcquireReply,
  Claim,
  Commit,
  CommitReply,
  Head,
  LogEntry,
  Refusal,
  Store,
} from './store.ts';
import type { WorldAdmin } from './world-admin.ts';

/** A fresh world without blocks, on a server of the kind under test. */
export type SuiteWorld = {
  readonly admin: WorldAdmin;
  /** Cells of the grid; at least 64, in at least two blocks. */
  readonly cells: number;
  /** The grace time the server gives; around 100 on a real one. */
  readonly graceMs: number;
  /** How long a handover keeps a cell for its heir. */
  readonly heirMs: number;
  /** A short lease; around 150 on a real one. */
  readonly ttlMs: number;
  openStore(pod: string): Promise<Store & LifeStore>;
  /** A connection of an authority or a tool. */
  openPlans(name: string): Promise<PlanStore>;
  /** Lets at least `ms` pass on the server. */
  advance(ms: number): Promise<void>;
  /** Closes what was opened. */
  close(): Promise<void>;
};

/** A lease that no test outlives. */
export const LONG_MS = 60_000;

export type Granted = Extract<AcquireReply, { tag: 'GRANTED' }>;

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** All byte values, so that nothing on the way may take them for text. */
export const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, i) => i);

let nonces = 0;
export function nonceOf(pod: string): string {
  nonces += 1;
  return `${pod}.n${nonces}`;
}

export function isHead(reply: Head | Refusal | undefined): reply is Head {
  return reply !== undefined && !('tag' in reply);
}

/** The head of one cell; fails the test when there is none. */
export async function headAt(store: Store, cell: number): Promise<Head> {
  const [head] = await store.heads([cell]);
  if (!isHead(head)) throw new Error(`no head of cell ${cell}: ${JSON.stringify(head)}`);
  return head;
}

export async function acquireOne(
  store: Store,
  cell: number,
  nonce: string,
  ttlMs: number = LONG_MS,
): Promise<AcquireReply> {
  const [reply] = await store.acquire([{ cell, nonce, ttlMs }]);
  if (reply === undefined) throw new Error('acquire gave no reply');
  return reply;
}

/** One pod's hold on one cell: makes commits that follow each other. */
export class Holder {
  readonly store: Store;
  readonly claim: Claim;
  readonly granted: Granted;
  head: { seq: number; hash: string; tick: number; outSeq: number; idCounter: number };

  constructor(store: Store, granted: Granted) {
    this.store = store;
    this.granted = granted;
    this.claim = granted.claim;
    const { seq, hash, tick, outSeq, idCounter } = granted.head;
    this.head = { seq, hash, tick, outSeq, idCounter };
  }

  /** The next commit, not yet sent. */
  next(parts: Partial<Commit> = {}): Commit {
    const seq = this.head.seq + 1;
    const body = parts.body ?? bytes(`body ${seq}`);
    const tick = parts.tick ?? this.head.tick + 1;
    return {
      claim: this.claim,
      seq,
      prevHash: this.head.hash,
      hash: entryHash(this.head.hash, seq, this.claim.epoch, tick, body),
      tick,
      idCounter: this.head.idCounter,
      ttlMs: LONG_MS,
      cursors: [],
      out: [],
      ...parts,
      body,
    };
  }

  /** Sends a commit and, when it was applied, stands behind it. */
  async send(commit: Commit): Promise<CommitReply> {
    const [reply] = await this.store.commit([commit]);
    if (reply === undefined) throw new Error('commit gave no reply');
    if (reply.tag === 'OK') {
      const { seq, hash, tick, idCounter } = commit;
      this.head = { seq, hash, tick, idCounter, outSeq: this.head.outSeq + commit.out.length };
    }
    return reply;
  }

  /** Commits, and fails the test unless it was applied. */
  async commit(parts: Partial<Commit> = {}): Promise<Commit> {
    const commit = this.next(parts);
    expect(await this.send(commit)).toMatchObject({ tag: 'OK' });
    return commit;
  }
}

/** Acquires a free cell; fails the test when it is not granted. */
export async function hold(
  store: Store,
  cell: number,
  pod: string,
  ttlMs: number = LONG_MS,
): Promise<Holder> {
  const reply = await acquireOne(store, cell, nonceOf(pod), ttlMs);
  if (reply.tag !== 'GRANTED') throw new Error(`not granted: ${JSON.stringify(reply)}`);
  return new Holder(store, reply);
}

/** The whole log of a cell, as far as it is kept; checks that it is chained (L2, L3). */
export async function chainOf(store: Store, cell: number): Promise<readonly LogEntry[]> {
  const [image] = await store.load([{ cell }]);
  if (image === undefined) throw new Error(`no image of cell ${cell}`);
  let last = { seq: 0, hash: '', epoch: '0', ...image.checkpoint };
  for (const entry of image.entries) {
    expect(entry.seq).toBe(last.seq + 1);
    expect(entry.prevHash).toBe(last.hash);
    const { prevHash, seq, epoch, tick, body } = entry;
    expect(entry.hash).toBe(entryHash(prevHash, seq, epoch, tick, body));
    expect(BigInt(entry.epoch) >= BigInt(last.epoch)).toBe(true);
    last = { seq: entry.seq, hash: entry.hash, epoch: entry.epoch };
  }
  const head = await headAt(store, cell);
  expect({ seq: last.seq, hash: last.hash }).toEqual({ seq: head.seq, hash: head.hash });
  return image.entries;
}
