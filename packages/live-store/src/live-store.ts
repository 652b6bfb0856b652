/**
 * A world's state in Redis, as a pod uses it. Owns three connections: one for commits and leases,
 * one for reading behind a barrier (which may wait), one that hears what others say to this pod.
 */
import type {
  AcquireReply,
  AcquireRequest,
  CellImage,
  CellLoad,
  ChannelEntry,
  Claim,
  ColdStore,
  Commit,
  CommitReply,
  CoolReply,
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
import { CellCalls } from './cell-calls.ts';
import { type RawEntry, readChannelEntry } from './chain.ts';
import { ColdCells } from './cold.ts';
import { checkRedisUrl } from './faults.ts';
import { channelRequest, ENTRIES_PER_READ_MAX, Follower } from './follower.ts';
import { GeoReads } from './geo-reads.ts';
import { holdersOf, type InboxPosition, readInboxes } from './inbox-reads.ts';
import { type BlockGrid, Keys } from './keys.ts';
import { ensureLibrary, LIBRARY } from './library.ts';
import { Link, type LinkChange, type LinkOptions, type Traffic } from './link.ts';
import { Lives } from './lives.ts';
import { Loader, worldFault } from './loader.ts';
import { Plans } from './plans.ts';
import { PodList } from './pod-list.ts';
import { Pods } from './pods.ts';
import { ServerClock } from './server-clock.ts';
import { Shared } from './shared.ts';

/** How long a suspected holder has to show that it lives, unless the world says otherwise. */
export const GRACE_MS_DEFAULT = 500;
/** A reply later than this is an unknown outcome. As long as a lease: later it is worth nothing. */
const TIMEOUT_MS_DEFAULT = 2_000;
/** What a read may take beyond that: it waits for news, and for replicas. */
const READ_WAIT_MS_MAX = 3_000;
/** The own record is renewed, and the server asked for its replicas, this often. */
const BEAT_MS = 1_000;

export type LiveStoreOptions = {
  readonly url: string;
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  /** All layers of the world, in the order of their numbers; may be left out where there is one. */
  readonly layers?: readonly string[];
  readonly grid: BlockGrid;
  readonly graceMs?: number;
  /** Entries that commits leave in a log at least, for slow readers; 0 = what loading a cell needs. */
  readonly logEntriesMin?: number;
  readonly timeoutMs?: number;
  /** Name of the function library; other names are builds that are broken on purpose. */
  readonly library?: string;
  readonly onEvent?: (event: StoreEvent) => void;
  /** One call never names cells of two blocks, as a cluster needs it. */
  readonly perBlock?: boolean;
  /** Where cells that sleep are kept; without one none leaves or comes back. Closed with it. */
  readonly cold?: ColdStore;
  /** Makes the connections; for proofs that lose, repeat and hold back what goes over them. */
  readonly makeLink?: (options: LinkOptions) => Link;
};

/** What happens to the connections, and what should never happen to a cell. */
export type StoreEvent =
  | (LinkChange & { readonly link: 'commands' | 'reads' | 'hearing' })
  | {
      readonly kind: 'broken';
      readonly function: string;
      readonly cell: number;
      readonly message: string;
    };

type PostReply = Awaited<ReturnType<Store['post']>>[number];

/** Connects, and sees to it that the server has the function library. */
export async function openLiveStore(options: LiveStoreOptions): Promise<LiveStore> {
  const store = new LiveStore(options);
  try {
    await store.open();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

export class LiveStore implements Store, LifeStore {
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  readonly #options: LiveStoreOptions;
  readonly #keys: Keys;
  readonly #commands: Link;
  readonly #reads: Link;
  readonly #hearing: Link;
  readonly #clock: ServerClock;
  readonly #cells: CellCalls;
  readonly #cold: ColdCells;
  readonly #follower: Follower;
  readonly #loader: Loader;
  readonly #geo: GeoReads;
  readonly #lives: Lives;
  readonly #pods: Pods;
  readonly #podList: PodList;
  readonly #plans: Plans;
  readonly #shared: Shared;
  #beat: NodeJS.Timeout | undefined;

  /** Use `openLiveStore`. */
  constructor(options: LiveStoreOptions) {
    const { url, world, incarnation, layer, grid, timeoutMs = TIMEOUT_MS_DEFAULT } = options;
    const localMs = (): number => performance.now();
    const makeLink = options.makeLink ?? ((facts: LinkOptions) => new Link(facts));
    const link = (name: 'commands' | 'reads' | 'hearing'): Link =>
      makeLink({
        url: checkRedisUrl(url),
        timeoutMs: name === 'reads' ? timeoutMs + READ_WAIT_MS_MAX : timeoutMs,
        localMs,
        onChange: (change) => this.#onChange(name, change),
      });
    this.#options = options;
    this.#keys = new Keys(world, incarnation, layer, grid, options.layers);
    this.world = world;
    this.incarnation = incarnation;
    this.layer = layer;
    this.#commands = link('commands');
    this.#reads = link('reads');
    this.#hearing = link('hearing');
    this.#clock = new ServerClock(localMs);
    const calls = { library: options.library ?? LIBRARY, perBlock: options.perBlock ?? false };
    const facts = { link: this.#commands, keys: this.#keys, calls };
    this.#cold = new ColdCells({
      ...facts,
      layer: options.layers?.indexOf(layer) ?? -1,
      store: options.cold,
      heads: (cells) => this.#headsOf(cells, true),
      barrier: () => this.barrier(),
    });
    this.#cells = new CellCalls({
      ...facts,
      ...{ clock: this.#clock, cold: this.#cold },
      graceMs: options.graceMs ?? GRACE_MS_DEFAULT,
      logKeep: options.logEntriesMin ?? 0,
      onBroken: (name, cell, message) =>
        options.onEvent?.({ kind: 'broken', function: name, cell, message }),
    });
    this.#follower = new Follower(this.#reads, this.#keys, { localMs, cold: this.#cold });
    this.#loader = new Loader(this.#commands, this.#keys, {
      heads: (cells) => this.#headsOf(cells),
      cold: this.#cold,
    });
    this.#geo = new GeoReads(this.#commands, this.#keys);
    this.#lives = new Lives({ ...facts, cold: this.#cold });
    const links = { commands: this.#commands, hearing: this.#hearing };
    this.#pods = new Pods(links, this.#keys, this.#clock);
    this.#podList = new PodList(this.#commands, this.#keys, this.#clock);
    this.#plans = new Plans(this.#commands, this.#keys);
    this.#shared = new Shared(this.#commands, this.#keys);
  }

  async open(): Promise<void> {
    await Promise.all([this.#commands.open(), this.#reads.open(), this.#hearing.open()]);
    await ensureLibrary(this.#commands, this.#options.library ?? LIBRARY);
    const sentAtMs = this.#clock.localMs();
    const [seconds, micros] = (await this.#commands.call(['TIME'])) as [string, string];
    this.#clock.note(Number(seconds) * 1000 + Math.floor(Number(micros) / 1000), sentAtMs);
    this.#beat = setInterval(() => this.#onBeat(), BEAT_MS).unref();
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  status(): StoreStatus {
    const links = [this.#commands, this.#reads, this.#hearing];
    const { runId } = this.#commands;
    const isConnected = links.every((link) => link.isConnected && link.runId === runId);
    const sinceMs = Math.max(...links.map((link) => link.connectedAtMs));
    return {
      isConnected,
      runId,
      connectedForMs: isConnected ? this.#clock.localMs() - sinceMs : 0,
      // Those that a barrier waits for: it runs on the connection that reads.
      replicas: this.#reads.runId === runId ? this.#reads.replicas : 0,
    };
  }

  /** Commands, round trips and bytes of all connections so far, for reports. */
  traffic(): Traffic {
    const links = [this.#commands, this.#reads, this.#hearing].map((link) => link.traffic());
    return {
      commands: links.reduce((sum, { commands }) => sum + commands, 0),
      roundTrips: links.reduce((sum, { roundTrips }) => sum + roundTrips, 0),
      bytes: links.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  acquire(
    requests: readonly AcquireRequest[],
    dead: readonly string[] = [],
  ): Promise<AcquireReply[]> {
    return this.#cells.acquire(requests, dead);
  }

  renew(claims: readonly Claim[], ttlMs: number): Promise<LeaseReply[]> {
    return this.#cells.renew(claims, ttlMs);
  }

  commit(commits: readonly Commit[]): Promise<CommitReply[]> {
    return this.#cells.commit(commits);
  }

  release(claims: readonly Claim[]): Promise<LeaseReply[]> {
    return this.#cells.release(claims);
  }

  handover(claims: readonly Claim[], heir: string): Promise<LeaseReply[]> {
    return this.#cells.handover(claims, heir);
  }

  revoke(
    holders: readonly { readonly cell: number; readonly nonce: string }[],
  ): Promise<LeaseReply[]> {
    return this.#cells.revoke(holders);
  }

  async post(
    posts: readonly { readonly cell: number; readonly id: string; readonly body: Uint8Array }[],
  ): Promise<PostReply[]> {
    const replies = await this.#cells.post(posts);
    const posted: { cell: number; nonce: string }[] = [];
    const answers = replies.map((reply, i): PostReply => {
      if (reply.tag === 'TOOBIG') return { tag: 'BADARG', message: reply.message };
      if (reply.tag !== 'OK') return reply;
      posted.push({ cell: posts[i]?.cell ?? 0, nonce: reply.nonce });
      return { tag: 'OK', seq: reply.seq };
    });
    for (const { pod, layer, cells } of holdersOf(posted)) {
      // A hint: whoever is not told looks by itself, later.
      this.#podList.tellPosted(pod, layer, cells).catch(() => undefined);
    }
    return answers;
  }

  inboxes(positions: readonly InboxPosition[]): Promise<(readonly Post[])[]> {
    if (positions.length === 0) return Promise.resolve([]);
    return readInboxes(this.#commands, this.#keys, positions);
  }

  heads(cells: readonly number[]): Promise<(Head | Refusal)[]> {
    return this.#cells.heads(cells);
  }

  /**
   * Moves cells that nobody holds into the cold store, whole. Whatever is asked of one later brings
   * it back first, so nobody can tell, but for the time it takes. At most `COOL_CELLS_MAX` cells.
   * Rejects when Redis does not answer: nothing has happened.
   */
  cool(cells: readonly number[]): Promise<CoolReply[]> {
    return this.#cold.cool(cells);
  }

  async load(
    cells: readonly {
      readonly cell: number;
      readonly beforeTick?: number;
      readonly head?: Head;
    }[],
  ): Promise<CellImage[]> {
    return this.#loader.load(cells);
  }

  async channel(cell: number, afterSeq: number): Promise<ChannelEntry[]> {
    const entries: ChannelEntry[] = [];
    for (;;) {
      const after = entries.at(-1)?.seq ?? afterSeq;
      const request = channelRequest(this.#keys.cell(cell), after);
      const raw = (await this.#commands.call(request, 'bytes')) as readonly RawEntry[];
      for (const each of raw) entries.push(readChannelEntry(cell, each));
      if (raw.length < ENTRIES_PER_READ_MAX) return entries;
    }
  }

  locate(id: number, cells: readonly number[]): Promise<number[]> {
    return this.#geo.locate(id, cells);
  }

  near(searches: readonly NearSearch[], count: number): Promise<NearCandidate[][]> {
    return this.#geo.near(searches, count);
  }

  async poll(cursors: readonly FollowCursor[], blockMs: number): Promise<FollowNews[]> {
    return this.#follower.poll(cursors, blockMs);
  }

  async barrier(): Promise<void> {
    // What was answered on one server is not proven by another.
    if (this.#commands.runId !== this.#reads.runId) throw new Error('connected to two servers');
    await this.#follower.barrier();
  }

  announce(pod: string, pid: number, hear: (message: string) => void): Promise<void> {
    return this.#pods.announce(pod, pid, hear);
  }

  report(state: PodRecord['state'], report: PodRecord['report']): Promise<void> {
    return this.#pods.report(state, report);
  }

  async reportLoad(cells: readonly CellLoad[]): Promise<void> {
    const { own } = this.#pods;
    if (own !== undefined) await this.#plans.report(own, cells);
  }

  plan(layer?: number): Promise<Plan | undefined> {
    return this.#plans.plan(layer);
  }

  pods(): Promise<PodRecord[]> {
    return this.#podList.pods();
  }

  connected(pods: readonly string[]): Promise<Set<string>> {
    return this.#podList.connected(pods);
  }

  notify(pod: string, message: string): Promise<void> {
    return this.#podList.notify(pod, message);
  }

  clock(): Promise<WorldClock | undefined> {
    return this.#shared.clock();
  }

  setClock(clock: Omit<WorldClock, 'baseMs'>): Promise<WorldClock> {
    return this.#shared.setClock(clock);
  }

  pinCut(tick: number, forMs: number): Promise<void> {
    return this.#shared.pinCut(tick, forMs);
  }

  feed(entry: Omit<FeedEntry, 'atMs'>): Promise<void> {
    return this.#shared.feed(entry);
  }

  readFeed(
    afterId: string,
  ): Promise<{ readonly id: string; readonly entries: readonly FeedEntry[] }> {
    return this.#shared.readFeed(afterId);
  }

  putSchema(hash: string, json: string): Promise<void> {
    return this.#shared.putSchema(hash, json);
  }

  schemas(): Promise<ReadonlyMap<string, string>> {
    return this.#shared.schemas();
  }

  getSchema(hash: string): Promise<string | undefined> {
    return this.#shared.getSchema(hash);
  }

  async reserveIds(cell: number, count: number): Promise<number> {
    const first = await this.#lives.reserveIds(cell, count);
    // E2: ids that a failover takes back would be given out again.
    if (this.status().replicas > 0) await this.barrier();
    return first;
  }

  noteWhereabouts(notes: readonly Whereabouts[]): Promise<void> {
    return this.#lives.noteWhereabouts(notes);
  }

  whereabouts(ids: readonly number[], layer?: number): Promise<(number | undefined)[]> {
    return this.#lives.whereabouts(ids, layer);
  }

  putAnswers(
    answers: readonly { readonly id: string; readonly answer: RequestAnswer }[],
  ): Promise<void> {
    return this.#lives.putAnswers(answers);
  }

  answers(ids: readonly string[]): Promise<(RequestAnswer | undefined)[]> {
    return this.#lives.answers(ids);
  }

  addDeadLetters(letters: readonly DeadLetter[]): Promise<void> {
    return this.#lives.addDeadLetters(letters);
  }

  deadLetters(count: number): Promise<DeadLetter[]> {
    return this.#lives.deadLetters(count);
  }

  dropDeadLetters(ids: readonly string[]): Promise<number> {
    return this.#lives.dropDeadLetters(ids);
  }

  async close(): Promise<void> {
    clearInterval(this.#beat);
    await this.#pods.withdraw().catch(() => {
      // The record is dropped by whoever lists the pods next.
    });
    const links = [this.#commands, this.#reads, this.#hearing];
    await Promise.all([...links.map((link) => link.close()), this.#options.cold?.close()]);
  }

  /** Whatever stands in the way of one is an error, unless only that it sleeps and those may lack. */
  async #headsOf(
    cells: readonly number[],
    mayLackAsleep = false,
  ): Promise<ReadonlyMap<number, Head>> {
    const found = new Map<number, Head>();
    for (const [i, head] of (await this.heads(cells)).entries()) {
      if (!('tag' in head)) found.set(head.cell, head);
      else if (!mayLackAsleep || !('code' in head)) throw worldFault(cells[i] as number, head);
    }
    return found;
  }

  #onChange(link: 'commands' | 'reads' | 'hearing', change: LinkChange): void {
    this.#options.onEvent?.({ ...change, link });
    if (link !== 'commands' || change.kind !== 'connected') return;
    // L5: its record is as old as the store was away, and others would call it silent until a beat.
    this.#pods.renew().catch(() => {
      // The next beat tries again.
    });
  }

  #onBeat(): void {
    const ignore = (): void => {
      // The next beat tries again; calls meanwhile answer UNKNOWN.
    };
    this.#pods.renew().catch(ignore);
    for (const link of [this.#commands, this.#reads])
      if (link.isConnected) link.refresh().catch(ignore);
  }
}
