/** For tests: whoever holds a cell and writes it, by hand. */
import type { LiveStore } from '@leasehold/live-store';
import { type Claim, type Commit, type CommitReply, entryHash } from '@leasehold/protocol';

const LONG_MS = 60_000;

let nonces = 0;

export class Holder {
  readonly claim: Claim;
  readonly #store: LiveStore;
  #seq: number;
  #hash: string;
  #tick: number;

  private constructor(
    store: LiveStore,
    claim: Claim,
    head: { seq: number; hash: string; tick: number },
  ) {
    this.#store = store;
    this.claim = claim;
    this.#seq = head.seq;
    this.#hash = head.hash;
    this.#tick = head.tick;
  }

  static async of(store: LiveStore, cell: number): Promise<Holder> {
    const nonce = `a.${++nonces}`;
    const [reply] = await store.acquire([{ cell, nonce, ttlMs: LONG_MS }]);
    if (reply?.tag !== 'GRANTED') throw new Error(`not granted: ${JSON.stringify(reply)}`);
    return new Holder(store, reply.claim, reply.head);
  }

  get seq(): number {
    return this.#seq;
  }

  async commit(parts: Partial<Commit> = {}): Promise<void> {
    const { claim } = this;
    const seq = this.#seq + 1;
    const tick = this.#tick + 1;
    const body = parts.body ?? Buffer.from(`body ${seq}`);
    const hash = entryHash(this.#hash, seq, claim.epoch, tick, body);
    const position = { claim, seq, prevHash: this.#hash, hash, tick };
    const rest = { idCounter: seq, ttlMs: LONG_MS, cursors: [], out: [] };
    const [reply] = await this.#store.commit([{ ...position, ...rest, ...parts, body }]);
    if ((reply as CommitReply).tag !== 'OK') throw new Error(JSON.stringify(reply));
    this.#seq = seq;
    this.#hash = hash;
    this.#tick = tick;
  }

  /** Its last commit: whole, and nobody holds the cell any more. */
  async leave(state: string, parts: Partial<Commit> = {}): Promise<void> {
    await this.commit({ ...parts, checkpoint: Buffer.from(state), ending: 'release' });
  }
}
