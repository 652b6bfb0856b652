/**
 * Goal: what is asked of a cell happens at most once, and exactly once if it was durably accepted.
 * Method: two producers post, again and again under the same id until they know; holders come and
 * go and consume; the effects in the surviving log are counted.
 */
import type { LiveStore } from '@leasehold/live-store';
import { type Claim, type Commit, entryHash } from '@leasehold/protocol';
import { expectSame } from './comparing.ts';
import type { Lane } from './lane.ts';
import { type Command, type Suite, type Tally, Violation } from './suite.ts';

const CELL = 0;
const PRODUCERS = ['p', 'q'] as const;
const TTL_MS = 1_000;

export const inboxSuite: Suite = {
  name: 'inbox',
  rules: ['L3', 'L4', 'M1', 'M2'],
  cells: 1,
  isFollowing: false,
  ops: {
    ...{ post: 24, lost: 8, twice: 4, late: 4, deliver: 4, repeat: 6, consume: 22, unsure: 6 },
    ...{ takeover: 5, checkpoint: 3, fault: 6, replicate: 6, failover: 5, zombie: 5 },
  },
  async play(lane, setup, commands, tally) {
    await lane.reset(setup % 2);
    const run = new InboxRun(lane, tally);
    for (const command of commands) await run.do(command);
    await run.rest();
  },
};

type Posting = { n: number; isKnown: boolean };
type Holder = { claim: Claim; seq: number; hash: string; tick: number; inbox: number };
/** What surely happened, and is there unless the store goes back. */
type Known = {
  /** Ids whose post was answered OK. */
  readonly accepted: readonly string[];
};

class InboxRun {
  readonly #lane: Lane;
  readonly #tally: Tally;
  readonly #store: LiveStore;
  readonly #commits = new Map<string, { readonly prevHash: string; readonly ids: string[] }>();
  /** What each producer has posted last, and whether it knows that it was taken. */
  readonly #posting: Posting[] = PRODUCERS.map(() => ({ n: 0, isKnown: true }));
  #holder: Holder | undefined;
  #zombie: Holder | undefined;
  #known: Known = { accepted: [] };
  #kept: Known = this.#known;
  /** Accepted, and on the replicas since. */
  #durable = new Set<string>();
  #count = 0;

  constructor(lane: Lane, tally: Tally) {
    this.#lane = lane;
    this.#tally = tally;
    this.#store = lane.store();
    lane.onKept = () => {
      this.#kept = this.#known;
      this.#durable = new Set(this.#known.accepted);
    };
  }

  async do([op, a, b]: Command): Promise<void> {
    this.#tally.note(op, await this.#run(op, a, b));
  }

  async #run(op: string, a: number, b: number): Promise<boolean> {
    const producer = a % PRODUCERS.length;
    if (op === 'unsure' || op === 'fault') await this.#hold();
    switch (op) {
      case 'post':
        return this.#post(producer);
      case 'lost':
      case 'twice':
      case 'late':
        this.#lane.meddle(op);
        await this.#post(producer);
        return true;
      case 'deliver':
        await this.#lane.deliverLate();
        return true;
      case 'repeat':
        return this.#repeat(a, b);
      case 'unsure':
        this.#lane.meddle(a % 2 === 0 ? 'lost' : 'twice');
        return this.#consume(b, false);
      case 'consume':
        return this.#consume(b, false);
      case 'checkpoint':
        return this.#consume(b, true);
      case 'takeover':
        this.#zombie = this.#holder;
        this.#holder = undefined;
        await this.#hold();
        return true;
      case 'zombie':
        return this.#wake(b);
      case 'fault':
        await this.#lane.failNext(1 + (b % 6));
        return !(await (a % 2 === 0 ? this.#consume(b, false) : this.#post(producer)));
      case 'replicate':
        await this.#lane.keep();
        return true;
      default:
        return this.#failOver();
    }
  }

  /** A producer posts the next thing only when it knows that the last was taken. */
  async #post(producer: number): Promise<boolean> {
    const posting = this.#posting[producer] as Posting;
    if (posting.isKnown) posting.n++;
    const id = `${PRODUCERS[producer]}.${posting.n}`;
    const [got] = await this.#store.post([{ cell: CELL, id, body: Buffer.from(id) }]);
    posting.isKnown = got?.tag === 'OK';
    if (got?.tag === 'OK') this.#accept(id);
    else if (got?.tag !== 'UNKNOWN' && got?.tag !== 'REFUSED') {
      throw new Violation('M1', `a post was answered ${JSON.stringify(got)}`);
    }
    return posting.isKnown;
  }

  #accept(id: string): void {
    const { accepted } = this.#known;
    if (!accepted.includes(id)) this.#known = { accepted: [...accepted, id] };
  }

  /** M1: also what was consumed long ago is known by its id. */
  async #repeat(a: number, b: number): Promise<boolean> {
    const { accepted } = this.#known;
    const id = accepted[b % accepted.length];
    if (id === undefined) return false;
    const body = Buffer.from(id);
    const posts =
      a % 2 === 0 ? [{ cell: CELL, id, body }] : [1, 2].map(() => ({ cell: CELL, id, body }));
    const replies = await this.#store.post(posts);
    if (new Set(replies.map((reply) => JSON.stringify(reply))).size === 1) return true;
    throw new Violation('M1', `one id, two posts: ${JSON.stringify(replies)}`);
  }

  async #hold(): Promise<Holder> {
    if (this.#holder !== undefined) return this.#holder;
    const nonce = `h.n${++this.#count}`;
    const [got] = await this.#store.acquire([{ cell: CELL, nonce, ttlMs: TTL_MS }], ['h']);
    if (got?.tag !== 'GRANTED') throw new Violation('L5', `not granted: ${JSON.stringify(got)}`);
    const { seq, hash, tick, inboxCursor } = got.head;
    this.#holder = { claim: got.claim, seq, hash, tick, inbox: inboxCursor };
    return this.#holder;
  }

  /** Consumes some of what waits. True when the effect is in the log. */
  async #consume(b: number, hasCheckpoint: boolean): Promise<boolean> {
    const holder = await this.#hold();
    const commit = await this.#commitOf(holder, b, hasCheckpoint);
    let [got] = await this.#store.commit([commit]);
    if (got?.tag === 'UNKNOWN') [got] = await this.#store.commit([commit]);
    switch (got?.tag) {
      case 'OK':
      case 'ALREADY': {
        const { seq, hash, tick, inbox } = commit;
        Object.assign(holder, { seq, hash, tick, inbox: inbox?.to ?? holder.inbox });
        return commit.inbox !== undefined;
      }
      case 'REFUSED':
        return false;
      case 'FENCED':
      case 'HEAD':
      case 'BADCURSOR':
        // Somebody else's now, or the store went back: begin anew from what it has.
        this.#holder = undefined;
        return false;
      default:
        throw new Violation('L3', `a commit was answered ${JSON.stringify(got)}`);
    }
  }

  async #commitOf(holder: Holder, b: number, hasCheckpoint: boolean): Promise<Commit> {
    const { inbox } = this.#lane.keys.cell(CELL);
    const range = ['XRANGE', inbox, `${holder.inbox + 1}-0`, '+', 'COUNT', 1 + (b % 3)] as const;
    const [found] = await this.#lane.raw([[...range]]);
    const entries = found as [string, string[]][];
    const ids = entries.map(([, fields]) => fields[1] as string);
    const to = Number.parseInt(entries.at(-1)?.[0] ?? String(holder.inbox), 10);
    const seq = holder.seq + 1;
    const tick = holder.tick + 1;
    const body = Buffer.from(`${++this.#count}`);
    const { claim, hash: prevHash } = holder;
    const hash = entryHash(prevHash, seq, claim.epoch, tick, body);
    this.#commits.set(hash, { prevHash, ids });
    return {
      ...{ claim, seq, prevHash, hash, tick, body, idCounter: 0, ttlMs: TTL_MS },
      ...{ cursors: [], out: [] },
      ...(ids.length === 0 ? {} : { inbox: { from: holder.inbox, to } }),
      ...(hasCheckpoint ? { checkpoint: body } : {}),
    };
  }

  /** L1: a holder that was replaced consumes nothing more. */
  async #wake(b: number): Promise<boolean> {
    const zombie = this.#zombie;
    if (zombie === undefined) return false;
    const holder = this.#holder;
    this.#holder = zombie;
    const isDone = await this.#consume(b, false);
    // A zombie may be the holder again where the store went back to its time.
    this.#zombie = this.#holder === zombie ? zombie : undefined;
    this.#holder = isDone ? this.#holder : holder;
    return !isDone;
  }

  async #failOver(): Promise<boolean> {
    const isLoss = this.#kept !== this.#known;
    // What was on its way to the old server died with the connection.
    this.#lane.dropLate();
    await this.#lane.failOver();
    this.#known = this.#kept;
    await this.#expectEffects();
    return isLoss;
  }

  /** What the surviving log says was done, in its order. */
  async #effects(): Promise<string[]> {
    const [head] = await this.#store.heads([CELL]);
    if (head === undefined || 'tag' in head) throw new Violation('L3', 'the cell has no head');
    const ids: string[] = [];
    for (let hash = head.hash; hash !== ''; ) {
      const commit = this.#commits.get(hash);
      if (commit === undefined) throw new Violation('L3', `nobody wrote ${hash}`);
      ids.unshift(...commit.ids);
      hash = commit.prevHash;
    }
    return ids;
  }

  async #expectEffects(): Promise<string[]> {
    const ids = await this.#effects();
    expectSame('M1', 'effects happen once', ids, [...new Set(ids)]);
    for (const producer of PRODUCERS) {
      const numbers = ids.filter((id) => id.startsWith(producer)).map((id) => Number(id.slice(2)));
      const sorted = [...numbers].sort((x, y) => x - y);
      expectSame('M2', `effects of ${producer}`, numbers, sorted);
    }
    return ids;
  }

  /** M1: what was durably accepted has happened, once the cell has come to rest. */
  async rest(): Promise<void> {
    this.#holder = undefined;
    for (let idle = 0; idle < 2; ) if (!(await this.#consume(2, false))) idle++;
    const ids = await this.#expectEffects();
    const missing = [...this.#durable, ...this.#known.accepted].filter((id) => !ids.includes(id));
    expectSame('M1', 'accepted, and never done', missing, []);
  }
}
