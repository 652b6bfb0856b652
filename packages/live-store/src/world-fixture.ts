/** For tests: a created world on a real server, and a holder that makes commits that follow. */
import { type Claim, type Commit, type CommitReply, entryHash } from '@leasehold/protocol';
import { Grid } from '@leasehold/spatial';
import type { TestRedis } from '@leasehold/testkit';
import { afterEach, beforeEach } from 'vitest';
import {
  type LiveStore,
  type LiveStoreOptions,
  type LiveWorldAdmin,
  openLiveStore,
  openWorldAdmin,
} from './index.ts';
import { Keys } from './keys.ts';

export const GRID = new Grid({ kind: 'plane', width: 800, height: 800, cell: 100 });
export const GRACE_MS = 100;
export const LONG_MS = 60_000;

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

export type WorldFixture = {
  readonly admin: LiveWorldAdmin;
  readonly keys: Keys;
  open(options?: Partial<LiveStoreOptions>): Promise<LiveStore>;
};

/** A world with all its blocks for each test; what was opened is closed behind it. */
export function useWorld(at: TestRedis): WorldFixture {
  const fixture: { -readonly [K in keyof WorldFixture]?: WorldFixture[K] } = {};
  let stores: LiveStore[] = [];
  beforeEach(async () => {
    const facts = { url: at.url, world: at.world, incarnation: 1, layer: 'main', grid: GRID };
    fixture.admin = await openWorldAdmin(facts);
    fixture.keys = new Keys(at.world, 1, 'main', GRID);
    await fixture.admin.createBlocks();
    fixture.open = async (options = {}) => {
      const store = await openLiveStore({ ...facts, graceMs: GRACE_MS, ...options });
      stores.push(store);
      return store;
    };
  });
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    stores = [];
    await fixture.admin?.close();
  });
  return fixture as WorldFixture;
}

let nonces = 0;
export function nonceOf(pod: string): string {
  nonces += 1;
  return `${pod}.${nonces}`;
}

/** One pod's hold on one cell. */
export class Holder {
  readonly store: LiveStore;
  readonly claim: Claim;
  seq: number;
  hash: string;
  tick: number;
  outSeq: number;

  constructor(
    store: LiveStore,
    claim: Claim,
    head: Pick<Holder, 'seq' | 'hash' | 'tick' | 'outSeq'>,
  ) {
    this.store = store;
    this.claim = claim;
    this.seq = head.seq;
    this.hash = head.hash;
    this.tick = head.tick;
    this.outSeq = head.outSeq;
  }

  /** The next commit, not yet sent. */
  next(parts: Partial<Commit> = {}): Commit {
    const seq = this.seq + 1;
    const tick = parts.tick ?? this.tick + 1;
    const body = parts.body ?? bytes(`body ${seq}`);
    const { claim, hash: prevHash } = this;
    const hash = entryHash(prevHash, seq, claim.epoch, tick, body);
    return {
      claim,
      seq,
      prevHash,
      hash,
      tick,
      body,
      idCounter: 0,
      ttlMs: LONG_MS,
      cursors: [],
      out: [],
      ...parts,
    };
  }

  /** Takes over the position of a commit that was applied. */
  stand({ seq, hash, tick, out }: Commit): void {
    this.seq = seq;
    this.hash = hash;
    this.tick = tick;
    this.outSeq += out.length;
  }

  async send(commit: Commit): Promise<CommitReply> {
    const [reply] = await this.store.commit([commit]);
    if (reply?.tag === 'OK') this.stand(commit);
    return reply as CommitReply;
  }

  /** Commits, or throws. */
  async commit(parts: Partial<Commit> = {}): Promise<Commit> {
    const commit = this.next(parts);
    const reply = await this.send(commit);
    if (reply.tag !== 'OK') throw new Error(`not committed: ${JSON.stringify(reply)}`);
    return commit;
  }
}

/** Acquires a free cell, or throws. */
export async function hold(
  store: LiveStore,
  cell: number,
  pod = 'a',
  ttlMs: number = LONG_MS,
): Promise<Holder> {
  const [reply] = await store.acquire([{ cell, nonce: nonceOf(pod), ttlMs }]);
  if (reply?.tag !== 'GRANTED') throw new Error(`not granted: ${JSON.stringify(reply)}`);
  return new Holder(store, reply.claim, reply.head);
}
