/**
 * Random calls of the store interface, valid and not: what pods send, what pods that are late or
 * mistaken send, and what nobody should. Draws from what earlier answers said, so that many calls do
 * something.
 */
import type { Random } from '@leasehold/kernel';
import {
  type AcquireReply,
  type Claim,
  type Commit,
  type CommitReply,
  entryHash,
  type Head,
  type LeaseReply,
  type Refusal,
  type Store,
} from '@leasehold/protocol';

export const CELLS = 5;
const PODS = ['a', 'b', 'c'] as const;
const EPOCHS_MAX = '99999999999999999999';

export type Step =
  | { readonly kind: 'clock'; readonly ms: number }
  | {
      readonly kind: string;
      readonly call: (store: Store) => Promise<unknown>;
      readonly learn?: (answer: never) => void;
    };

type CellState = {
  /** The last grant, whoever has the cell now. */
  claim: Claim | undefined;
  /** Claims of the past. */
  readonly past: Claim[];
  readonly sent: Commit[];
  seq: number;
  hash: string;
  tick: number;
  outSeq: number;
  inboxCursor: number;
  posts: number;
  readonly cursors: Map<number, number>;
};

/** Draws the steps of one trace, each after the answer to the one before. */
export class Drawer {
  readonly #random: Random;
  readonly #isSettling: boolean;
  readonly #cells: CellState[];
  readonly #nonces: string[] = [];
  readonly #ids: string[] = [];

  /** `isSettling`: cells are let go of often, and most of them whole, in a checkpoint. */
  constructor(random: Random, isSettling = false) {
    this.#random = random;
    this.#isSettling = isSettling;
    this.#cells = Array.from({ length: CELLS }, () => ({
      ...{ claim: undefined, past: [], sent: [], seq: 0, hash: '', tick: 0, outSeq: 0 },
      ...{ inboxCursor: 0, posts: 0, cursors: new Map<number, number>() },
    }));
  }

  next(): Step {
    const dice = this.#random.float();
    if (dice < 0.15) return { kind: 'clock', ms: this.#clockStep() };
    if (dice < 0.3) return this.#acquire();
    if (dice < 0.65) return this.#commit();
    if (dice < 0.7) return this.#renew();
    if (dice < 0.77) return this.#end();
    if (dice < 0.8) return this.#revoke();
    if (dice < 0.87) return this.#post();
    return this.#read();
  }

  // ---- small things ----

  #pick<T>(from: readonly T[]): T | undefined {
    return from[this.#random.below(from.length)];
  }

  #chance(p: number): boolean {
    return this.#random.chance(p);
  }

  #clockStep(): number {
    if (this.#chance(0.05)) return -this.#random.below(5_000);
    return this.#chance(0.3) ? this.#random.below(3_000) : this.#random.below(60);
  }

  #cell(): number {
    return this.#chance(0.01) ? CELLS + this.#random.below(3) : this.#random.below(CELLS);
  }

  #cellNumbers(): number[] {
    const cells = new Set<number>();
    for (let i = 1 + this.#random.below(3); i > 0; i--) cells.add(this.#cell());
    return [...cells];
  }

  #ttlMs(): number {
    if (this.#chance(0.03)) return this.#pick([0, 60_001, 1, 60_000]) as number;
    return this.#pick([100, 1_000, 5_000]) as number;
  }

  #nonce(): string {
    const known = this.#pick(this.#nonces);
    if (known !== undefined && this.#chance(0.15)) return known;
    if (this.#chance(0.02)) return this.#pick(['', 'a', 'a.', '.1', 'a b.1', 'ä.1']) as string;
    const nonce = `${this.#pick(PODS)}.${this.#random.next().toString(16)}`;
    this.#nonces.push(nonce);
    return nonce;
  }

  /** Mostly the claim that is in force. */
  #claim(cell: number): Claim {
    const state = this.#cells[cell];
    const past = this.#pick(state?.past ?? []);
    const claim = past !== undefined && this.#chance(0.08) ? past : state?.claim;
    const found = claim ?? { cell, nonce: 'a.none', epoch: '1' };
    if (this.#chance(0.02)) return { ...found, nonce: 'b.other' };
    return this.#chance(0.02)
      ? { ...found, epoch: this.#pick(['0', EPOCHS_MAX]) as string }
      : found;
  }

  #body(): Uint8Array {
    return Uint8Array.from({ length: this.#random.below(40) }, () => this.#random.below(256));
  }

  // ---- calls ----

  #acquire(): Step {
    const ttlMs = this.#ttlMs();
    const requests = this.#cellNumbers().map((cell) => ({ cell, nonce: this.#nonce(), ttlMs }));
    const dead = PODS.filter(() => this.#chance(0.08));
    return {
      kind: 'acquire',
      call: (store) => store.acquire(requests, dead),
      learn: (replies: readonly AcquireReply[]) => {
        for (const reply of replies) if (reply.tag === 'GRANTED') this.#granted(reply);
      },
    };
  }

  #granted({ claim, head }: AcquireReply & { readonly tag: 'GRANTED' }): void {
    const state = this.#cells[claim.cell] as CellState;
    if (state.claim !== undefined) state.past.push(state.claim);
    const { seq, hash, tick, outSeq, inboxCursor } = head;
    Object.assign(state, { claim, seq, hash, tick, outSeq, inboxCursor });
    state.cursors.clear();
    for (const [cell, at] of head.cursors) state.cursors.set(cell, at);
  }

  #commit(): Step {
    const commits = this.#cellNumbers().map((cell) => {
      const sent = this.#pick(this.#cells[cell]?.sent ?? []);
      return sent !== undefined && this.#chance(0.08) ? sent : this.#mangled(this.#good(cell));
    });
    return {
      kind: 'commit',
      call: (store) => store.commit(commits),
      learn: (replies: readonly CommitReply[]) => {
        for (const [i, { tag }] of replies.entries()) {
          if (tag === 'OK') this.#committed(commits[i] as Commit);
        }
      },
    };
  }

  #committed(commit: Commit): void {
    const state = this.#cells[commit.claim.cell] as CellState;
    const { seq, hash, tick, cursors, inbox, out } = commit;
    state.sent.push(commit);
    if (state.sent.length > 4) state.sent.shift();
    Object.assign(state, { seq, hash, tick, outSeq: state.outSeq + out.length });
    if (inbox !== undefined) state.inboxCursor = inbox.to;
    for (const { cell, to } of cursors) state.cursors.set(cell, to);
  }

  /** The commit that a healthy holder would send. */
  #good(cell: number): Commit {
    const state = this.#cells[cell];
    const claim = this.#claim(cell);
    const seq = (state?.seq ?? 0) + 1;
    const tick = (state?.tick ?? 0) + 1;
    const body = this.#body();
    const prevHash = state?.hash ?? '';
    const hash = entryHash(prevHash, seq, claim.epoch, tick, body);
    const from = this.#cells.findIndex(({ outSeq }, other) => {
      return other !== cell && outSeq > (state?.cursors.get(other) ?? 0);
    });
    const at = state?.cursors.get(from) ?? 0;
    const end = this.#cells[from]?.outSeq ?? 0;
    const cursors = from >= 0 && this.#chance(0.5) ? [{ cell: from, from: at, to: end }] : [];
    const outs = this.#chance(this.#isSettling ? 0.08 : 0.4) ? 1 + this.#random.below(3) : 0;
    const outSeq = state?.outSeq ?? 0;
    const out = Array.from({ length: outs }, (_, i) => {
      return { seq: outSeq + 1 + i, to: this.#random.below(CELLS), body: this.#body() };
    });
    const { inboxCursor = 0, posts = 0 } = state ?? {};
    const isReading = posts > inboxCursor && this.#chance(0.4);
    const ending = this.#chance(this.#isSettling ? 0.25 : 0.06) ? { ending: this.#ending() } : {};
    const isWhole = this.#chance(this.#isSettling ? 0.8 : 0.2);
    return {
      ...{ claim, seq, prevHash, hash, tick, body, idCounter: seq, ttlMs: this.#ttlMs() },
      ...{ cursors, out },
      ...(isReading ? { inbox: { from: inboxCursor, to: posts } } : {}),
      ...(this.#chance(0.2) && outSeq > 0 ? { outTrimTo: this.#random.below(outSeq + 1) } : {}),
      ...(isWhole ? { checkpoint: this.#body() } : {}),
      ...(this.#chance(0.2) ? { geo: this.#geo() } : {}),
      ...ending,
    };
  }

  #geo(): NonNullable<Commit['geo']> {
    const put = Array.from({ length: this.#random.below(4) }, () => ({
      id: 1 + this.#random.below(20),
      longitude: this.#chance(0.02) ? 181 : this.#random.between(-1, 1),
      latitude: this.#chance(0.02) ? -85.1 : this.#random.between(-1, 1),
    }));
    return { put, drop: this.#chance(0.3) ? [1 + this.#random.below(20)] : [] };
  }

  #ending(): NonNullable<Commit['ending']> {
    return this.#chance(0.5) ? 'release' : { heir: this.#pick(PODS) as string };
  }

  /** Now and then one thing about it is wrong. */
  #mangled(commit: Commit): Commit {
    if (!this.#chance(0.25)) return commit;
    const shift = this.#pick([-1, 1, 2]) as number;
    const wrongs: readonly (() => Partial<Commit>)[] = [
      () => ({ seq: Math.max(0, commit.seq + shift) }),
      () => ({ prevHash: 'elsewhere' }),
      () => ({ hash: this.#pick(['', 'x'.repeat(33)]) as string }),
      () => ({ ttlMs: this.#pick([0, 60_001]) as number }),
      () => ({ out: [{ seq: commit.seq + 7, to: 0, body: commit.body }] }),
      () => ({ outTrimTo: 1_000 }),
      () => ({ cursors: [{ cell: 0, from: 3, to: 3 + shift }] }),
      () => ({ cursors: [...commit.cursors, ...commit.cursors] }),
      () => ({ inbox: { from: 0, to: 500 } }),
      () => ({ inbox: { from: 2, to: 1 } }),
    ];
    return { ...commit, ...this.#pick(wrongs)?.() };
  }

  #renew(): Step {
    const claims = this.#cellNumbers().map((cell) => this.#claim(cell));
    const ttlMs = this.#ttlMs();
    return { kind: 'renew', call: (store) => store.renew(claims, ttlMs) };
  }

  #end(): Step {
    const claims = this.#cellNumbers().map((cell) => this.#claim(cell));
    if (this.#chance(0.5)) return { kind: 'release', call: (store) => store.release(claims) };
    const heir = this.#pick(PODS) as string;
    return { kind: 'handover', call: (store) => store.handover(claims, heir) };
  }

  #revoke(): Step {
    const holders = this.#cellNumbers().map((cell) => ({ cell, nonce: this.#claim(cell).nonce }));
    return {
      kind: 'revoke',
      call: (store): Promise<LeaseReply[]> => store.revoke(holders),
    };
  }

  #post(): Step {
    const cell = this.#cell();
    const known = this.#pick(this.#ids);
    let id = `post-${this.#random.next()}`;
    if (known !== undefined && this.#chance(0.2)) id = known;
    else if (this.#chance(0.03)) id = this.#pick(['', 'x'.repeat(129), 'x'.repeat(128)]) as string;
    this.#ids.push(id);
    const body = this.#chance(0.01) ? new Uint8Array(65_537) : this.#body();
    return {
      kind: 'post',
      call: (store) => store.post([{ cell, id, body }]),
      learn: (replies: readonly ({ readonly tag: 'OK'; readonly seq: number } | Refusal)[]) => {
        const [reply] = replies;
        const state = this.#cells[cell];
        if (reply?.tag === 'OK' && state) state.posts = Math.max(state.posts, reply.seq);
      },
    };
  }

  #read(): Step {
    const cells = this.#cellNumbers();
    const inside = cells.filter((cell) => cell < CELLS);
    const beforeTick = this.#random.below(10);
    const [cell = 0] = inside;
    const { seq = 0, hash = '', outSeq = 0 } = this.#cells[cell] ?? {};
    const cursor = { cell, seq, hash, outSeq: Math.max(0, outSeq - this.#random.below(3)) };
    const cursors = [this.#chance(0.3) ? { ...cursor, seq: 0, hash: '' } : cursor];
    const steps: readonly Step[] = [
      { kind: 'heads', call: (store): Promise<(Head | Refusal)[]> => store.heads(cells) },
      { kind: 'load', call: (store) => store.load(inside.map((of) => ({ cell: of }))) },
      { kind: 'load', call: (store) => store.load(inside.map((of) => ({ cell: of, beforeTick }))) },
      { kind: 'channel', call: (store) => store.channel(cell, outSeq - (outSeq % 3)) },
      { kind: 'poll', call: (store) => store.poll(cursors, 0) },
      { kind: 'locate', call: (store) => store.locate(1 + (seq % 20), inside) },
    ];
    return this.#pick(steps) as Step;
  }
}
