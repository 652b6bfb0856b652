/**
 * What the store has promised, written down by somebody else: every call is judged in the instant
 * in which it is done, by rules that share no code with the store. Knows where each entity is.
 */
import {
  type AcquireReply,
  type AcquireRequest,
  type ChannelEntry,
  type Claim,
  type Commit,
  type CommitReply,
  entryHash,
  inspectCommit,
  type LeaseReply,
} from '@leasehold/protocol';
import type { Witness } from '@leasehold/twin-store';

/** Of one cell, as far as it is in the surviving history. */
type Page = {
  nonce: string;
  epoch: string;
  /** The highest epoch that was ever granted. */
  lastEpoch: bigint;
  seq: number;
  hash: string;
  tick: number;
  logEpoch: bigint;
  /** Store time at which its holder was first found late, 0 while it is not. */
  suspectMs: number;
};

/** A cell's number, or `<cell>:<seq>` for an entry of its channel. */
export type Place = number | string;

export type Book = {
  readonly pages: readonly Page[];
  readonly where: ReadonlyMap<number, Place>;
  readonly dead: ReadonlySet<number>;
};

export class Ledger {
  /** Why the run has failed, first reason first. */
  readonly violations: string[] = [];
  commits = 0;
  /** Rises whenever the history changes. */
  version = 0;
  crossings = 0;
  #pages: Page[];
  #where = new Map<number, Place>();
  #dead = new Set<number>();

  readonly #graceMs: number;

  constructor(cells: number, graceMs: number) {
    this.#graceMs = graceMs;
    this.#pages = Array.from({ length: cells }, () => ({
      ...{ nonce: '', epoch: '0', lastEpoch: 0n },
      ...{ seq: 0, hash: '', tick: 0, logEpoch: 0n, suspectMs: 0 },
    }));
  }

  get where(): ReadonlyMap<number, Place> {
    return this.#where;
  }

  get dead(): ReadonlySet<number> {
    return this.#dead;
  }

  pageOf(cell: number): Readonly<Page> {
    return this.#pages[cell] as Page;
  }

  /** The world as it was seeded. */
  seeded(cell: number, hash: string, body: Uint8Array): void {
    Object.assign(this.#page(cell), { seq: 1, hash });
    for (const id of inspectCommit(body).births) this.#where.set(id, cell);
  }

  /** What `restore` goes back to. */
  copy(): Book {
    const pages = this.#pages.map((page) => ({ ...page }));
    return { pages, where: new Map(this.#where), dead: new Set(this.#dead) };
  }

  /** The store went back in time: what came after has not happened. */
  restore(book: Book): void {
    this.version++;
    this.#pages = book.pages.map((page) => ({ ...page }));
    this.#where = new Map(book.where);
    this.#dead = new Set(book.dead);
  }

  readonly witness: Witness = ({ name, items, replies }) => {
    for (const [i, reply] of replies.entries()) {
      const item = items[i];
      if (name === 'acquire') this.#acquired(item as AcquireRequest, reply as AcquireReply);
      else if (name === 'commit') this.#committed(item as Commit, reply as CommitReply);
      else if (name === 'renew') this.#renewed(item as Claim, reply as LeaseReply);
      else if (name === 'release' || name === 'handover')
        this.#ended(item as Claim, reply as LeaseReply);
      else if (name === 'revoke') this.#ended(item as Claim, reply as LeaseReply);
    }
  };

  fail(rule: string, what: string): void {
    this.violations.push(`${rule} ${what}`);
  }

  #page(cell: number): Page {
    return this.#pages[cell] as Page;
  }

  #acquired({ cell, nonce }: AcquireRequest, reply: AcquireReply): void {
    const page = this.#page(cell);
    if (reply.tag === 'SUSPECT' && (page.suspectMs === 0 || page.suspectMs > reply.nowMs)) {
      page.suspectMs = reply.nowMs;
    }
    if (reply.tag !== 'GRANTED') return;
    const { epoch } = reply.claim;
    if (page.nonce === nonce) {
      // L4: the same grant once more.
      if (page.epoch !== epoch) this.fail('L4', `cell ${cell}: a repeated grant has another epoch`);
      return;
    }
    const isTaken = reply.cause === 'revoked' || reply.cause === 'expired';
    if (page.nonce !== '' && !isTaken) {
      this.fail('L1', `cell ${cell}: granted to ${nonce} while ${page.nonce} holds it`);
    }
    const isSpared = page.suspectMs === 0 || reply.nowMs - page.suspectMs < this.#graceMs;
    if (reply.cause === 'expired' && isSpared) {
      this.fail('L5', `cell ${cell}: taken from ${page.nonce} without a grace time`);
    }
    if (BigInt(epoch) <= page.lastEpoch) {
      this.fail('L2', `cell ${cell}: epoch ${epoch} granted after ${page.lastEpoch}`);
    }
    const { head } = reply;
    if (head.seq !== page.seq || head.hash !== page.hash) {
      this.fail('L3', `cell ${cell}: granted at ${head.seq}, its log ends at ${page.seq}`);
    }
    Object.assign(page, { nonce, epoch, lastEpoch: BigInt(epoch), suspectMs: 0 });
  }

  #renewed(claim: Claim, reply: LeaseReply): void {
    if (reply.tag !== 'OK') return;
    const page = this.#page(claim.cell);
    const { nonce, epoch } = page;
    page.suspectMs = 0;
    if (nonce === claim.nonce && epoch === claim.epoch) return;
    this.fail('L1', `cell ${claim.cell}: ${claim.nonce} renewed what ${nonce || 'nobody'} holds`);
  }

  #ended({ cell, nonce }: Pick<Claim, 'cell' | 'nonce'>, reply: LeaseReply): void {
    if (reply.tag !== 'OK') return;
    const page = this.#page(cell);
    // '' before: L4, it was ended by this very call.
    if (page.nonce !== '' && page.nonce !== nonce) {
      this.fail('L1', `cell ${cell}: ${nonce} ended the lease of ${page.nonce}`);
    }
    page.nonce = '';
  }

  #committed(commit: Commit, reply: CommitReply): void {
    const { cell, nonce, epoch } = commit.claim;
    const page = this.#page(cell);
    if (reply.tag === 'ALREADY' && (page.seq !== commit.seq || page.hash !== commit.hash)) {
      this.fail('L4', `cell ${cell}: ALREADY for seq ${commit.seq}, which is not in its log`);
    }
    if (reply.tag !== 'OK') return;
    this.commits++;
    this.version++;
    if (page.nonce !== nonce || page.epoch !== epoch) {
      this.fail(
        'L1',
        `cell ${cell}: ${nonce} committed under the lease of ${page.nonce || 'none'}`,
      );
    }
    if (BigInt(epoch) < page.logEpoch) {
      this.fail('L2', `cell ${cell}: epoch ${epoch} after ${page.logEpoch} in one log`);
    }
    if (commit.seq !== page.seq + 1 || commit.prevHash !== page.hash) {
      this.fail('L3', `cell ${cell}: seq ${commit.seq} appended to a log that ends at ${page.seq}`);
    }
    const { seq, prevHash, tick, body, hash } = commit;
    if (entryHash(prevHash, seq, epoch, tick, body) !== hash) {
      this.fail('L3', `cell ${cell}: the hash of seq ${seq} is not that of its entry`);
    }
    if (tick <= page.tick && seq > 1) {
      this.fail('L3', `cell ${cell}: tick ${tick} after tick ${page.tick}`);
    }
    Object.assign(page, { seq, hash, tick, logEpoch: BigInt(epoch), suspectMs: 0 });
    if (commit.ending !== undefined) page.nonce = '';
    this.#move(cell, commit);
  }

  /** E1, E2: who was where, and is now. */
  #move(cell: number, { body, cursors, seq }: Commit): void {
    const { arrivals, births, deaths, departures } = inspectCommit(body);
    const at = `cell ${cell} seq ${seq}`;
    for (const { from, ids, seq: of } of arrivals) {
      if (!isWithin(cursors, from, of)) this.fail('E1', `${at}: took ${from}:${of} past no cursor`);
      this.#take(ids, `${from}:${of}`, cell, `${at}: arrived`);
    }
    for (const id of births) {
      const isKnown = this.#where.has(id) || this.#dead.has(id);
      if (isKnown) this.fail('E2', `${at}: ${id} was born a second time`);
      this.#where.set(id, cell);
    }
    this.#take(deaths, cell, undefined, `${at}: died`);
    for (const { ids, seq: of } of departures) {
      this.#take(ids, cell, `${cell}:${of}`, `${at}: left`);
      this.crossings += ids.length;
    }
  }

  #take(ids: readonly number[], from: Place, to: Place | undefined, what: string): void {
    for (const id of ids) {
      const was = this.#where.get(id) ?? (this.#dead.has(id) ? 'dead' : 'nowhere');
      if (was !== from) this.fail('E1', `${what}: ${id} from ${from}, but it is at ${was}`);
      if (to === undefined) {
        this.#where.delete(id);
        this.#dead.add(id);
      } else this.#where.set(id, to);
    }
  }
}

function isWithin(cursors: Commit['cursors'], from: number, seq: ChannelEntry['seq']): boolean {
  return cursors.some((cursor) => cursor.cell === from && seq > cursor.from && seq <= cursor.to);
}
