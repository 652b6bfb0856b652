/**
 * Goal: whoever follows a cell has its surviving history, or is told to read it again.
 * Method: two readers follow two cells through takeovers, trims, checkpoints and failovers; after
 * each poll a reader must stand on the history that survives, and at rest at its end.
 */
import type { LiveStore } from '@leasehold/live-store';
import { type Claim, type Commit, entryHash, type FollowNews } from '@leasehold/protocol';
import { CellModel } from './cell-model.ts';
import { expectAnswer, expectImage, expectSame, shown } from './comparing.ts';
import { GRACE_MS, type Lane } from './lane.ts';
import { type Command, type Suite, type Tally, Violation } from './suite.ts';

const CELLS = [0, 1] as const;
const READERS = 2;
const TTL_MS = 1_000;
/** Every so often a commit sends so much that a read of a channel does not hold two of them. */
const OUTS = [0, 0, 1, 2, 40] as const;
/** Without news after this many polls a reader will have none. */
const POLLS_MAX = 8;

export const viewSuite: Suite = {
  name: 'views',
  rules: ['L3', 'E1', 'V1'],
  cells: CELLS.length,
  isFollowing: true,
  ops: {
    ...{ commit: 26, many: 6, takeover: 4, poll: 24, load: 4, race: 5, renew: 2 },
    ...{ trim: 5, replicate: 6, failover: 5, overtake: 4, lag: 3 },
  },
  async play(lane, setup, commands, tally) {
    await lane.reset(setup % 4 === 0 ? 0 : 1);
    const run = new ViewRun(lane, tally);
    for (const command of commands) await run.do(command);
    await run.rest();
  },
};

/** A cell, and all that ever belonged to the history which survives. */
type History = {
  readonly model: CellModel;
  /** By sequence number. */
  readonly commits: readonly Commit[];
};

type Reader = { readonly store: LiveStore; readonly at: Position[] };
type Position = { seq: number; hash: string; tick: number; outSeq: number; isReady: boolean };

class ViewRun {
  readonly #lane: Lane;
  readonly #tally: Tally;
  readonly #writer: LiveStore;
  readonly #readers: readonly Reader[];
  #now: History[] = CELLS.map((cell) => ({ model: new CellModel(cell), commits: [] }));
  #kept: readonly History[] = this.#now;
  #claims: (Claim | undefined)[] = [];
  #count = 0;

  constructor(lane: Lane, tally: Tally) {
    this.#lane = lane;
    this.#tally = tally;
    this.#writer = lane.store(0);
    this.#readers = Array.from({ length: READERS }, (_, i) => ({
      store: lane.store(1 + i),
      at: CELLS.map(() => ({ seq: 0, hash: '', tick: 0, outSeq: 0, isReady: false })),
    }));
    lane.onKept = () => {
      this.#kept = this.#copy(this.#now);
    };
    this.#kept = this.#copy(this.#now);
  }

  #copy(histories: readonly History[]): History[] {
    return histories.map(({ model, commits }) => ({ model: model.clone(), commits }));
  }

  async do([op, a, b]: Command): Promise<void> {
    this.#tally.note(op, await this.#run(op, a, b));
  }

  async #run(op: string, a: number, b: number): Promise<boolean> {
    const cell = a % CELLS.length;
    switch (op) {
      case 'commit':
        await this.#commit(cell, a, b);
        return true;
      case 'many':
        for (let i = 0; i < 4; i++) await this.#commit(cell, a >> 1, b + i);
        return true;
      case 'takeover':
        return this.#takeOver(cell);
      case 'poll':
        return this.#poll(a % READERS);
      case 'load':
        return this.#restart(a % READERS, b);
      case 'race':
        return this.#race(cell, b);
      case 'trim':
        return this.#trim(cell);
      case 'replicate': {
        const isBehind = this.#now.some(({ model }, i) => model.seq !== this.#kept[i]?.model.seq);
        this.#lane.isReplicating = true;
        await this.#lane.keep();
        return isBehind;
      }
      case 'failover':
        return this.#failOver();
      case 'overtake':
        return this.#overtake(cell, b);
      case 'lag':
        this.#lane.isReplicating = !this.#lane.isReplicating;
        return true;
      default:
        await this.#writer.renew([await this.#claim(cell)], TTL_MS);
        this.#model(cell).renew(await this.#claim(cell), TTL_MS, this.#lane.nowMs);
        return true;
    }
  }

  // ---- writing ----

  #model(cell: number): CellModel {
    return (this.#now[cell] as History).model;
  }

  /** The lease of the cell, taken if nobody has it. */
  async #claim(cell: number): Promise<Claim> {
    const model = this.#model(cell);
    const known = this.#claims[cell];
    if (known !== undefined && known.nonce === model.nonce) return known;
    const nonce = `w.n${++this.#count}`;
    const dead = [model.nonce.split('.')[0] as string];
    const asked = { nonce, ttlMs: TTL_MS, graceMs: GRACE_MS, dead };
    const [got] = await this.#writer.acquire([{ cell, nonce, ttlMs: TTL_MS }], dead);
    expectAnswer('acquire', model.acquire(asked, this.#lane.nowMs), {
      ...got,
      tag: got?.tag ?? '',
    });
    const claim = { cell, nonce, epoch: String(model.epoch) };
    this.#claims[cell] = claim;
    return claim;
  }

  async #takeOver(cell: number): Promise<boolean> {
    await this.#lane.step(1);
    this.#claims[cell] = undefined;
    await this.#claim(cell);
    return true;
  }

  async #commit(cell: number, a: number, b: number, trim?: number): Promise<void> {
    const model = this.#model(cell);
    const claim = await this.#claim(cell);
    const body = Buffer.from(`body ${++this.#count}`);
    const seq = model.seq + 1;
    const tick = model.tick + 1;
    const outs = OUTS[(a >> 1) % OUTS.length] as number;
    const commit: Commit = {
      ...{ claim, seq, tick, body, prevHash: model.hash, ttlMs: TTL_MS, cursors: [] },
      hash: entryHash(model.hash, seq, claim.epoch, tick, body),
      idCounter: this.#count,
      out: Array.from({ length: outs }, (_, i) => ({ seq: model.out + 1 + i, to: 5, body })),
      ...(b % 4 === 0 ? { checkpoint: Buffer.from(`state ${this.#count}`) } : {}),
      ...(trim === undefined ? {} : { outTrimTo: trim }),
    };
    const [got] = await this.#writer.commit([commit]);
    expectAnswer('commit', model.commit(commit, this.#lane.nowMs) as never, got as never);
    const { commits } = this.#now[cell] as History;
    this.#now[cell] = { model, commits: [...commits, commit] };
  }

  /** E1: a channel loses only what its readers have passed behind a barrier. */
  async #trim(cell: number): Promise<boolean> {
    const passed = Math.min(...this.#readers.map(({ at }) => at[cell]?.outSeq ?? 0));
    if (passed === 0 || passed > this.#model(cell).out) return false;
    await this.#commit(cell, 0, 1, passed);
    return true;
  }

  async #failOver(): Promise<boolean> {
    const isLoss = this.#now.some(({ model }, i) => model.seq !== this.#kept[i]?.model.seq);
    await this.#lane.failOver();
    this.#lane.isReplicating = true;
    this.#now = this.#copy(this.#kept);
    this.#claims = [];
    return isLoss;
  }

  /** The store goes back, and others write the same positions again before anybody looks. */
  async #overtake(cell: number, b: number): Promise<boolean> {
    const { seq } = this.#model(cell);
    const isLoss = await this.#failOver();
    await this.#takeOver(cell);
    while (this.#model(cell).seq < seq + (b % 3)) await this.#commit(cell, b, 1);
    return isLoss;
  }

  // ---- reading ----

  /** True when there was something to tell. */
  async #poll(i: number): Promise<boolean> {
    const { store, at } = this.#readers[i] as Reader;
    if (at.some(({ isReady }) => !isReady)) await this.#load(i);
    const ready = CELLS.filter((cell) => at[cell]?.isReady);
    const cursors = ready.map((cell) => {
      const { seq, hash, outSeq } = at[cell] as Position;
      return { cell, seq, hash, outSeq };
    });
    let news: FollowNews[];
    try {
      news = await store.poll(cursors, 0);
    } catch {
      this.#expectLag();
      return true;
    }
    for (const each of news) this.#take(i, each);
    for (const cell of ready) this.#expectRight(i, cell);
    return news.length > 0;
  }

  #expectLag(): void {
    const { replicas, isReplicating } = this.#lane;
    if (replicas > 0 && !isReplicating) return;
    throw new Violation('V1', 'a poll failed although every replica answers');
  }

  #take(i: number, { cell, entries, out, resync }: FollowNews): void {
    const at = this.#readers[i]?.at[cell] as Position;
    if (resync) {
      at.isReady = false;
      return;
    }
    for (const { seq, prevHash, hash, tick } of entries) {
      if (seq !== at.seq + 1 || prevHash !== at.hash) {
        throw new Violation('L3', `reader ${i} at ${at.seq} ${at.hash} was given ${seq}`);
      }
      Object.assign(at, { seq, hash, tick });
    }
    for (const { seq } of out) {
      if (seq !== at.outSeq + 1) throw new Violation('E1', `channel ${at.outSeq}, then ${seq}`);
      at.outSeq = seq;
    }
  }

  /** Where a reader stands after a poll that said nothing of a resync. */
  #expectRight(i: number, cell: number): void {
    const at = this.#readers[i]?.at[cell] as Position;
    if (!at.isReady) return;
    const { replicas } = this.#lane;
    const histories = replicas > 0 ? [this.#now, this.#kept] : [this.#now];
    for (const history of histories) {
      const { commits } = history[cell] as History;
      const hash = at.seq === 0 ? '' : commits[at.seq - 1]?.hash;
      if (hash === at.hash) continue;
      const what = history === this.#now ? 'survives' : 'the replicas have';
      throw new Violation('V1', `reader ${i} of cell ${cell} is at ${at.seq}, not what ${what}`);
    }
    const sent = (this.#now[cell] as History).commits
      .filter(({ tick }) => tick <= at.tick)
      .reduce((sum, { out }) => sum + out.length, 0);
    if (at.outSeq < sent) {
      throw new Violation('E1', `reader ${i} knows tick ${at.tick}, not all that it sent`);
    }
  }

  /** Reads the cells whole, as whoever begins to follow them does. */
  async #load(i: number, beforeTick?: number): Promise<void> {
    const { store, at } = this.#readers[i] as Reader;
    const cells = CELLS.filter((cell) => !at[cell]?.isReady);
    const of = beforeTick === undefined ? {} : { beforeTick };
    const images = await store.load(cells.map((cell) => ({ cell, ...of })));
    const channels = await Promise.all(cells.map((cell) => store.channel(cell, 0)));
    try {
      await store.barrier();
    } catch {
      this.#expectLag();
      return;
    }
    for (const [k, cell] of cells.entries()) {
      const image = images[k] as (typeof images)[number];
      const model = this.#model(cell);
      expectImage(model, image);
      const last = image.entries.at(-1) ?? image.checkpoint;
      expectSame('V1', `cell ${cell} read whole`, last?.seq ?? 0, model.seq);
      const { seq = 0, hash = '', tick = 0 } = last ?? {};
      const outSeq = channels[k]?.at(-1)?.seq ?? model.out;
      const sent = channels[k]?.map((entry) => entry.seq);
      expectSame(
        'E1',
        `channel of cell ${cell}`,
        sent,
        model.channel.map((entry) => entry.seq),
      );
      at[cell] = { seq, hash, tick, outSeq, isReady: true };
    }
  }

  async #restart(i: number, b: number): Promise<boolean> {
    for (const at of this.#readers[i]?.at ?? []) at.isReady = false;
    await this.#load(i, b % 2 === 0 ? undefined : 1 + (b % 20));
    return true;
  }

  /** L3: a cell that is written and trimmed while it is read is read whole all the same. */
  async #race(cell: number, b: number): Promise<boolean> {
    const before = this.#model(cell).seq;
    const store = this.#readers[0]?.store as LiveStore;
    const writing = (async () => {
      for (let i = 0; i < 1 + (b % 4); i++) await this.#commit(cell, 0, 0);
    })();
    const reading = store.load([{ cell }]).catch((error: Error) => {
      throw new Violation(
        'L3',
        `cell ${cell} cannot be read while it is written: ${error.message}`,
      );
    });
    const [[image]] = await Promise.all([reading, writing]);
    const { commits } = this.#now[cell] as History;
    const first = image?.checkpoint?.seq ?? 0;
    const hashes = image?.entries.map(({ hash }) => hash) ?? [];
    const due = commits.slice(first, first + hashes.length).map(({ hash }) => hash);
    expectSame('L3', 'what was read during a write', hashes, due);
    if (first + hashes.length < before) throw new Violation('L3', `read only to ${shown(first)}`);
    return true;
  }

  /** V1: at rest every reader is where the cell is. */
  async rest(): Promise<void> {
    this.#lane.isReplicating = true;
    for (let i = 0; i < READERS; i++) {
      const isDone = (): boolean =>
        CELLS.every((cell) => {
          const at = this.#readers[i]?.at[cell] as Position;
          return at.isReady && at.hash === this.#model(cell).hash;
        });
      for (let polls = 0; polls < POLLS_MAX; polls++) await this.#poll(i);
      if (!isDone()) throw new Violation('V1', `reader ${i} does not come to the end at rest`);
    }
  }
}
