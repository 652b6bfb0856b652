/**
 * The function library's calls on cells: leases, commits, posts, heads. A cell that sleeps in the cold
 * store is brought back before what is asked of it, so callers need not know.
 */
import type {
  AcquireReply,
  AcquireRequest,
  Claim,
  ColdWish,
  Commit,
  CommitReply,
  Head,
  LeaseReply,
  Refusal,
} from '@leasehold/protocol';
import { type CallOptions, callCells } from './calls.ts';
import type { AsleepFault, ColdCells } from './cold.ts';
import { commitItem, type UsedKeys, withKeys } from './commit-item.ts';
import {
  cellCommit,
  cellHeads,
  inboxPost,
  leaseAcquire,
  leaseHandover,
  leaseRelease,
  leaseRenew,
  leaseRevoke,
} from './generated/library.ts';
import { readHead } from './head.ts';
import type { CellKeys, Keys } from './keys.ts';
import type { Link } from './link.ts';
import type { LuaFunction } from './lua-function.ts';
import type { ServerClock } from './server-clock.ts';

/** Somebody else may put a cell to sleep again between waking it and asking it. */
const WAKES_MAX = 3;

const WENT_BACK: AsleepFault = {
  code: 'CELL_COLD',
  message: 'it went back to sleep meanwhile',
};

export type CellCallsParts = {
  readonly link: Link;
  readonly keys: Keys;
  readonly calls: CallOptions;
  readonly clock: ServerClock;
  readonly cold: ColdCells;
  readonly graceMs: number;
  /** Entries that commits leave in a log at least. */
  readonly logKeep: number;
  /** A script left a cell halfway. */
  readonly onBroken: (name: string, cell: number, message: string) => void;
};

/** What a post is answered with inside the store: with the nonce of whoever is to be told. */
export type PostedReply =
  | { readonly tag: 'OK'; readonly seq: number; readonly nonce: string }
  | { readonly tag: 'FULL' }
  | { readonly tag: 'TOOBIG'; readonly message: string }
  | Refusal;

type OnCell = UsedKeys;
type Unknown = Extract<Refusal, { readonly tag: 'UNKNOWN' }>;
type Asleep = { readonly tag: 'COLD'; readonly mark: number };

export class CellCalls {
  readonly #parts: CellCallsParts;
  readonly #world: { readonly incarnation: number };

  constructor(parts: CellCallsParts) {
    this.#parts = parts;
    this.#world = { incarnation: parts.keys.incarnation };
  }

  async acquire(
    requests: readonly AcquireRequest[],
    dead: readonly string[],
  ): Promise<AcquireReply[]> {
    const { graceMs } = this.#parts;
    const call = { ...this.#world, graceMs, dead: dead.map((pod) => `${pod} `).join('') };
    const replies = await this.#warm(requests, (of) => this.#call(leaseAcquire, call, of));
    return replies.map((reply, i): AcquireReply => {
      if (reply.tag !== 'GRANTED') return reply;
      const { cell, nonce } = requests[i] as AcquireRequest;
      const { epoch, attempts, from, lastAtMs, nowMs } = reply;
      const cause = reply.cause as Extract<AcquireReply, { tag: 'GRANTED' }>['cause'];
      const head = readHead(cell, reply.head);
      const claim = { cell, nonce, epoch };
      return { tag: 'GRANTED', claim, head, attempts, cause, from, lastAtMs, nowMs };
    });
  }

  renew(claims: readonly Claim[], ttlMs: number): Promise<LeaseReply[]> {
    return this.#call(leaseRenew, { ...this.#world, ttlMs }, claims);
  }

  commit(commits: readonly Commit[]): Promise<CommitReply[]> {
    const call = { ...this.#world, logKeep: this.#parts.logKeep };
    return this.#call(cellCommit, call, commits.map(commitItem));
  }

  release(claims: readonly Claim[]): Promise<LeaseReply[]> {
    return this.#call(leaseRelease, this.#world, claims);
  }

  handover(claims: readonly Claim[], heir: string): Promise<LeaseReply[]> {
    return this.#call(leaseHandover, { ...this.#world, heir }, claims);
  }

  revoke(
    holders: readonly { readonly cell: number; readonly nonce: string }[],
  ): Promise<LeaseReply[]> {
    return this.#call(leaseRevoke, this.#world, holders);
  }

  post(
    posts: readonly { readonly cell: number; readonly id: string; readonly body: Uint8Array }[],
  ): Promise<PostedReply[]> {
    return this.#warm(posts, (of) => this.#call(inboxPost, this.#world, of));
  }

  /** Of those that sleep as they left: asking wakes nobody. */
  async heads(cells: readonly number[]): Promise<(Head | Refusal)[]> {
    const { cold } = this.#parts;
    const of = cells.map((cell) => ({ cell }));
    const replies = await this.#call(cellHeads, this.#world, of);
    const asleep = await cold.read(wishesOf(of, replies));
    return replies.map((reply, i): Head | Refusal => {
      const cell = cells[i] as number;
      if (reply.tag === 'HEAD') return readHead(cell, reply.head);
      if (reply.tag !== 'COLD') return reply;
      const found = asleep.cells.get(cell);
      if (found !== undefined) return cold.headOf(found);
      return { tag: 'UNKNOWN', ...(asleep.faults.get(cell) ?? WENT_BACK) };
    });
  }

  /** Asks again what was asked of cells that slept, once they are here. */
  async #warm<Item extends OnCell, Reply extends { readonly tag: string }>(
    items: readonly Item[],
    ask: (items: readonly Item[]) => Promise<(Reply | Asleep)[]>,
  ): Promise<(Exclude<Reply, Asleep> | Unknown)[]> {
    const replies = await ask(items);
    const faults = new Map<number, AsleepFault>();
    for (let wakes = 0; wakes < WAKES_MAX; wakes++) {
      const wishes = wishesOf(items, replies);
      if (wishes.length === 0) break;
      const failed = await this.#parts.cold.wake(wishes);
      const again: number[] = [];
      for (const [i, reply] of replies.entries()) {
        if (reply.tag !== 'COLD') continue;
        const fault = failed.get((items[i] as Item).cell);
        if (fault === undefined) again.push(i);
        else faults.set(i, fault);
      }
      if (again.length === 0) break;
      const answers = await ask(again.map((i) => items[i] as Item));
      for (const [j, i] of again.entries()) replies[i] = answers[j] as Reply | Asleep;
    }
    return replies.map((reply, i) => {
      if (reply.tag !== 'COLD') return reply as Exclude<Reply, Asleep>;
      return { tag: 'UNKNOWN', ...(faults.get(i) ?? WENT_BACK) };
    });
  }

  /**
   * A function on many cells. Its answers carry the store's time; a cell that is not of this grid
   * is refused here, since it has no key; a cell that a script left halfway is told aloud.
   */
  async #call<Call, Item, Reply extends { readonly tag: string }>(
    fn: LuaFunction<Call, Item, Reply>,
    call: Call,
    of: readonly (Omit<Item, keyof CellKeys> & UsedKeys)[],
  ) {
    const { link, keys, calls, clock, onBroken } = this.#parts;
    const sentAtMs = clock.localMs();
    const known = of.filter(({ cell }) => keys.has(cell));
    const items = known.map((each) => withKeys(each, keys.cell(each.cell)) as Item);
    const replies = await callCells(link, calls, fn, call, items);
    const timed = replies.find((reply) => 'nowMs' in reply) as { nowMs: number } | undefined;
    if (timed !== undefined) clock.note(timed.nowMs, sentAtMs);
    let next = 0;
    return of.map(({ cell }) => {
      if (!keys.has(cell)) return { tag: 'BADARG', message: `no cell ${cell}` } as const;
      const reply = replies[next++] as (typeof replies)[number];
      if (reply.tag !== 'BROKEN') return reply as Exclude<typeof reply, { tag: 'BROKEN' }>;
      const { message } = reply as unknown as { message: string };
      onBroken(fn.name, cell, message);
      return { tag: 'UNKNOWN', message } as const;
    });
  }
}

/** Those that sleep, each once. */
function wishesOf(
  items: readonly { readonly cell: number }[],
  replies: readonly { readonly tag: string }[],
): ColdWish[] {
  const wishes = new Map<number, ColdWish>();
  for (const [i, reply] of replies.entries()) {
    const { cell } = items[i] as { cell: number };
    if (reply.tag === 'COLD') wishes.set(cell, { cell, mark: (reply as Asleep).mark });
  }
  return [...wishes.values()];
}
