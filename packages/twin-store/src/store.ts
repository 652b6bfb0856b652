/** A connection to a `TwinServer`, with the interface of the real store. */
import { assert, checkName } from '@leasehold/kernel';
import type {
  AcquireReply,
  AcquireRequest,
  CellImage,
  CellLoad,
  ChannelEntry,
  Claim,
  Commit,
  CommitReply,
  DeadLetter,
  FeedEntry,
  FollowCursor,
  FollowNews,
  Head,
  LeaseReply,
  LifeStore,
  NearCandidate,
  NearSearch,
  Plan,
  PodRecord,
  Post,
  Refusal,
  RequestAnswer,
  Store,
  StoreStatus,
  Whereabouts,
  WorldClock,
} from '@leasehold/protocol';
import {
  cellOfAddress,
  LOCATE_CELLS_MAX,
  NEAR_COUNT_MAX,
  NEAR_SEARCHES_MAX,
  POSTS_PER_READ_MAX,
} from '@leasehold/protocol';
import {
  acquire,
  badArg,
  type CellRecord,
  commitTo,
  headOf,
  post,
  release,
  renew,
  revoke,
} from './cell.ts';
import { clockOf, pinCutOf, setClockOf } from './clocks.ts';
import { broken, worldFault } from './faults.ts';
import { imageOf, newsOf } from './follow.ts';
import { nearIn } from './geo.ts';
import {
  addLetters,
  answerOf,
  dropLetters,
  keepAnswers,
  lettersOf,
  note,
  reserve,
  whereaboutsOf,
} from './lives.ts';
import { keepLoads, PlanReader } from './plans.ts';
import { connectedOf, podsOf, tellLayer, tellPod } from './pods.ts';
import { type CallName, type Connection, type TwinServer, worldKey } from './server.ts';
import { WorldCells } from './world-cells.ts';

/** Notes kept for people; the oldest are dropped. */
const FEED_ENTRIES_MAX = 1_000;

export type TwinStoreOptions = {
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  /** All layers of the world, in the order of their numbers; may be left out where there is one. */
  readonly layers?: readonly string[];
  /** Whose connection this is, for `disconnect`; `announce` sets it too. */
  readonly pod?: string;
};

/** Opens a connection. It is there at once; nothing is awaited. */
export function openTwinStore(server: TwinServer, options: TwinStoreOptions): Store & LifeStore {
  checkName('world', options.world);
  checkName('layer', options.layer);
  return new TwinStore(server, options);
}

class TwinStore implements Store, LifeStore {
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  readonly #cells: WorldCells;
  readonly #server: TwinServer;
  readonly #key: string;
  readonly #link: Connection;
  /** By layer. */
  readonly #plans = new Map<number, PlanReader>();
  /** What people last asked of the pod, as far as a report has brought it. */
  #order = '';
  #isClosed = false;
  #lastMs = 0;

  constructor(server: TwinServer, { world, incarnation, layer, layers, pod }: TwinStoreOptions) {
    this.world = world;
    this.incarnation = incarnation;
    this.layer = layer;
    this.#server = server;
    this.#key = worldKey(world, incarnation);
    this.#cells = new WorldCells(server, { world, incarnation, layer, layers: layers ?? [] });
    this.#link = server.connect(pod ?? '', this.#key);
  }

  nowMs(): number {
    this.#lastMs = Math.max(this.#lastMs, this.#server.nowMs());
    return this.#lastMs;
  }

  status(): StoreStatus {
    const { isCut, runId, sinceMs } = this.#link;
    const isConnected = !isCut && !this.#isClosed;
    const connectedForMs = isConnected ? this.#server.clock.nowMs() - sinceMs : 0;
    return { isConnected, runId, connectedForMs, replicas: this.#server.replicas };
  }

  // ---- leases and commits ----

  acquire(
    requests: readonly AcquireRequest[],
    dead: readonly string[] = [],
  ): Promise<AcquireReply[]> {
    return this.#each('acquire', requests, (request) =>
      this.#onCell<AcquireReply>(request.cell, (cell, at) =>
        acquire(cell, request, { ...at, dead }),
      ),
    );
  }

  renew(claims: readonly Claim[], ttlMs: number): Promise<LeaseReply[]> {
    return this.#each('renew', claims, (claim) =>
      this.#onCell<LeaseReply>(claim.cell, (cell, at) => renew(cell, claim, ttlMs, at.nowMs)),
    );
  }

  async commit(commits: readonly Commit[]): Promise<CommitReply[]> {
    const replies = await this.#each('commit', commits, (commit) =>
      this.#onCell<CommitReply>(commit.claim.cell, (cell, at) => commitTo(cell, commit, at)),
    );
    this.#server.wake();
    return replies;
  }

  release(claims: readonly Claim[]): Promise<LeaseReply[]> {
    return this.#each('release', claims, (claim) =>
      this.#onCell<LeaseReply>(claim.cell, (cell, at) => release(cell, claim, '', at)),
    );
  }

  handover(claims: readonly Claim[], heir: string): Promise<LeaseReply[]> {
    return this.#each('handover', claims, (claim) =>
      this.#onCell<LeaseReply>(claim.cell, (cell, at) =>
        heir === '' ? badArg('heir: not the name of a pod') : release(cell, claim, heir, at),
      ),
    );
  }

  revoke(holders: readonly { readonly cell: number; readonly nonce: string }[]) {
    return this.#each<(typeof holders)[number], LeaseReply>('revoke', holders, (holder) =>
      this.#onCell<LeaseReply>(holder.cell, (cell, at) => revoke(cell, holder.nonce, at.nowMs)),
    );
  }

  post(
    posts: readonly { readonly cell: number; readonly id: string; readonly body: Uint8Array }[],
  ) {
    type Reply = ReturnType<typeof post> | Refusal;
    return this.#each<(typeof posts)[number], Reply>('post', posts, ({ cell, id, body }) =>
      this.#onCell<Reply>(cell, (record) => {
        const reply = post(record, id, body);
        if (reply.tag === 'OK') this.#tellPosted(cell, record.nonce);
        return reply;
      }),
    );
  }

  /** Whoever holds the cell; all pods where nobody does. */
  #tellPosted(address: number, nonce: string): void {
    if (!this.#server.tellsPosted) return;
    const message = JSON.stringify({ posted: [cellOfAddress(address)] });
    const pod = nonce.slice(0, Math.max(0, nonce.lastIndexOf('.')));
    if (pod === '') tellLayer(this.#server, this.#key, this.#cells.layerOf(address), message);
    else tellPod(this.#server, this.#key, pod, message);
  }

  inboxes(positions: readonly { readonly cell: number; readonly after: number }[]) {
    return this.#read('inboxes', (): (readonly Post[])[] =>
      positions.map(({ cell, after }) => {
        const waiting = this.#cells.find(cell)?.inbox.filter(({ seq }) => seq > after) ?? [];
        return waiting.slice(0, POSTS_PER_READ_MAX);
      }),
    );
  }

  heads(cells: readonly number[]): Promise<(Head | Refusal)[]> {
    return this.#each('heads', cells, (number) => {
      const refusal = this.#cells.refusal(number);
      if (refusal) return refusal;
      return headOf(number, this.#cells.record(number));
    });
  }

  // ---- reading ----

  load(cells: readonly { readonly cell: number; readonly beforeTick?: number }[]) {
    return this.#read('load', (): CellImage[] =>
      cells.map(({ cell, beforeTick }) => {
        const refusal = this.#cells.refusal(cell);
        if (refusal) throw worldFault(refusal.tag);
        const found = this.#cells.find(cell);
        return found ? imageOf(cell, found, beforeTick) : { cell, entries: [] };
      }),
    );
  }

  channel(cell: number, afterSeq: number): Promise<ChannelEntry[]> {
    return this.#read('channel', () => {
      const behind = (this.#cells.find(cell)?.out ?? []).filter((entry) => entry.seq > afterSeq);
      return behind.map((entry) => ({ ...entry, from: cell }));
    });
  }

  locate(id: number, cells: readonly number[]): Promise<number[]> {
    assert(cells.length <= LOCATE_CELLS_MAX, `${cells.length} cells are too many for one locate`);
    return this.#read('locate', () => cells.filter((cell) => this.#cells.find(cell)?.geo.has(id)));
  }

  near(searches: readonly NearSearch[], count: number): Promise<NearCandidate[][]> {
    assert(searches.length <= NEAR_SEARCHES_MAX, `${searches.length} searches are too many`);
    assert(count >= 1 && count <= NEAR_COUNT_MAX, `a count of ${count} is not within the limits`);
    return this.#read('near', () =>
      searches.map((search) => nearIn(this.#cells.find(search.cell)?.geo, search, count)),
    );
  }

  async poll(cursors: readonly FollowCursor[], blockMs: number): Promise<FollowNews[]> {
    if (cursors.length === 0) return [];
    const { clock } = this.#server;
    const endMs = clock.nowMs() + blockMs;
    const { signal } = this.#link.interrupt;
    for (;;) {
      const { version } = this.#server;
      const news = await this.#read('poll', () =>
        cursors
          .map((cursor) => newsOf(cursor, this.#cells.find(cursor.cell), this.#server.defects))
          .filter((item) => item.resync || item.entries.length > 0 || item.out.length > 0),
      );
      const restMs = endMs - clock.nowMs();
      if (news.length > 0 || restMs <= 0 || !('sleep' in clock)) {
        await this.barrier();
        return news;
      }
      await this.#server.change(version, restMs, signal);
      if (signal.aborted) throw broken('poll');
    }
  }

  async barrier(): Promise<void> {
    const { clock, replicas, replicaLagMs, defects } = this.#server;
    const { runId } = this.#link;
    await this.#read('barrier', () => undefined);
    const isHeld = !defects.has('no-barrier') && replicas > 0 && replicaLagMs > 0;
    if (isHeld && 'sleep' in clock) {
      await clock.sleep(replicaLagMs, this.#link.interrupt.signal);
    }
    // A barrier proves nothing about a server that is no longer there.
    if (this.#link.isCut || this.#link.runId !== runId) throw broken('barrier');
  }

  // ---- pods ----

  announce(pod: string, pid: number, hear: (message: string) => void): Promise<void> {
    checkName('pod', pod);
    this.#link.pod = pod;
    return this.#read('announce', () => {
      this.#link.hear = hear;
      const nowMs = this.#server.nowMs();
      const record: PodRecord = {
        pod,
        layer: this.layer,
        state: 'ready',
        pid,
        startedAtMs: nowMs,
        seenAtMs: nowMs,
        report: {},
      };
      this.#link.record = record;
      this.#server.world(this.#key).pods.set(pod, record);
    });
  }

  report(state: PodRecord['state'], report: PodRecord['report']): Promise<void> {
    return this.#read('report', () => {
      const { record } = this.#link;
      if (record === undefined) return;
      this.#link.record = { ...record, state, report, seenAtMs: this.#server.nowMs() };
      this.#server.world(this.#key).pods.set(record.pod, this.#link.record);
      // What is published may be lost, so what people ask of the pod comes with its report as well.
      const order = this.#plan().orders.get(record.pod) ?? '';
      if (order === this.#order) return;
      this.#order = order;
      this.#link.hear?.(JSON.stringify({ order }));
    });
  }

  reportLoad(cells: readonly CellLoad[]): Promise<void> {
    return this.#read('reportLoad', () => {
      const { record } = this.#link;
      if (record !== undefined) keepLoads(this.#plan(), record.pod, cells);
    });
  }

  plan(layer = -1): Promise<Plan | undefined> {
    const reader = this.#plans.get(layer) ?? new PlanReader();
    this.#plans.set(layer, reader);
    return this.#read('plan', () => reader.read(this.#plan(this.#cells.nameOf(layer))));
  }

  pods(): Promise<PodRecord[]> {
    return this.#read('pods', () => podsOf(this.#server, this.#key, this.layer));
  }

  connected(pods: readonly string[]): Promise<Set<string>> {
    return this.#read('connected', () => connectedOf(this.#server, this.#key, pods));
  }

  notify(pod: string, message: string): Promise<void> {
    return this.#read('notify', () => tellPod(this.#server, this.#key, pod, message));
  }

  // ---- the world ----

  clock(): Promise<WorldClock | undefined> {
    return this.#read('clock', () => clockOf(this.#server, this.#key));
  }

  setClock(clock: Omit<WorldClock, 'baseMs'>): Promise<WorldClock> {
    return this.#read('setClock', () => setClockOf(this.#server, this.#key, clock));
  }

  pinCut(tick: number, forMs: number): Promise<void> {
    return this.#read('pinCut', () => pinCutOf(this.#server, this.#key, tick, forMs));
  }

  feed(entry: Omit<FeedEntry, 'atMs'>): Promise<void> {
    return this.#read('feed', () => {
      const world = this.#server.world(this.#key);
      world.feedId += 1;
      world.feed.push({ id: world.feedId, entry: { ...entry, atMs: this.#server.nowMs() } });
      if (world.feed.length > FEED_ENTRIES_MAX) world.feed.shift();
    });
  }

  readFeed(afterId: string) {
    return this.#read('readFeed', () => {
      const after = Number.parseInt(afterId, 10) || 0;
      const found = this.#server.world(this.#key).feed.filter(({ id }) => id > after);
      const last = found.at(-1);
      return { id: last ? `${last.id}-0` : afterId, entries: found.map(({ entry }) => entry) };
    });
  }

  putSchema(hash: string, json: string): Promise<void> {
    return this.#read('putSchema', () => {
      const { schemas } = this.#server.world(this.#key);
      if (!schemas.has(hash)) schemas.set(hash, json);
    });
  }

  schemas(): Promise<ReadonlyMap<string, string>> {
    return this.#read('schemas', () => new Map(this.#server.world(this.#key).schemas));
  }

  getSchema(hash: string): Promise<string | undefined> {
    return this.#read('getSchema', () => this.#server.world(this.#key).schemas.get(hash));
  }

  // ---- the life of entities ----

  reserveIds(cell: number, count: number): Promise<number> {
    return this.#read('reserveIds', () => {
      const refusal = this.#cells.refusal(cell);
      if (refusal && refusal.tag !== 'BADARG') throw worldFault(refusal.tag);
      const of = refusal ? undefined : this.#server.cell(this.#key, this.layer, cell);
      return reserve(of, cell, count);
    });
  }

  noteWhereabouts(notes: readonly Whereabouts[]): Promise<void> {
    return this.#read('noteWhereabouts', () => note(this.#life(), notes));
  }

  whereabouts(ids: readonly number[], layer = -1): Promise<(number | undefined)[]> {
    const life = this.#server.life(this.#key, this.#cells.nameOf(layer));
    return this.#read('whereabouts', () => ids.map((id) => whereaboutsOf(life, id)));
  }

  putAnswers(
    answers: readonly { readonly id: string; readonly answer: RequestAnswer }[],
  ): Promise<void> {
    return this.#read('putAnswers', () =>
      keepAnswers(this.#answers(), answers, this.#server.nowMs()),
    );
  }

  answers(ids: readonly string[]): Promise<(RequestAnswer | undefined)[]> {
    return this.#read('answers', () =>
      ids.map((id) => answerOf(this.#answers(), id, this.#server.nowMs())),
    );
  }

  addDeadLetters(letters: readonly DeadLetter[]): Promise<void> {
    return this.#read('addDeadLetters', () => addLetters(this.#life(), letters));
  }

  deadLetters(count: number): Promise<DeadLetter[]> {
    return this.#read('deadLetters', () => lettersOf(this.#life(), count));
  }

  dropDeadLetters(ids: readonly string[]): Promise<number> {
    return this.#read('dropDeadLetters', () => dropLetters(this.#life(), ids));
  }

  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      const isAnnounced = this.#link.hear !== undefined && !this.#link.isCut;
      this.#link.hear = undefined;
      this.#server.leave(this.#link);
      if (isAnnounced) {
        this.#server.world(this.#key).pods.delete(this.#link.pod);
        this.#plan().loads.delete(this.#link.pod);
        this.#plan().orders.delete(this.#link.pod);
      }
    }
    return Promise.resolve();
  }

  // ---- the way to the server ----

  #plan(layer = this.layer) {
    return this.#server.plan(this.#key, layer);
  }

  /** Whichever layer gives them. */
  #answers() {
    return this.#server.life(this.#key, '');
  }

  #life() {
    return this.#server.life(this.#key, this.layer);
  }

  #onCell<R>(
    number: number,
    run: (cell: CellRecord, at: ReturnType<TwinServer['moment']>) => R,
  ): R | Refusal {
    const refusal = this.#cells.refusal(number);
    if (refusal) return refusal;
    const message = this.#server.refusal;
    if (message !== undefined) return { tag: 'REFUSED', message };
    return run(this.#cells.record(number), this.#server.moment());
  }

  /** A call with an answer for each item: a fault on the way is the answer `UNKNOWN`. */
  async #each<T, R>(
    name: CallName,
    items: readonly T[],
    run: (item: T) => R | Refusal,
  ): Promise<(R | Refusal)[]> {
    const unknown = (): Refusal => ({ tag: 'UNKNOWN', message: `the connection broke: ${name}` });
    if (items.length === 0) return [];
    if (this.#isClosed || !(await this.#server.reach(this.#link, name))) return items.map(unknown);
    const replies = items.map(run);
    this.#server.witness?.({ pod: this.#link.pod, name, items, replies });
    return this.#server.answers(name) ? replies : items.map(unknown);
  }

  /** A call that rejects when it cannot be answered. */
  async #read<R>(name: CallName, run: () => R): Promise<R> {
    if (this.#isClosed || !(await this.#server.reach(this.#link, name))) throw broken(name);
    const reply = run();
    if (!this.#server.answers(name)) throw broken(name);
    return reply;
  }
}
