/**
 * What an authority and its tools need of the store, on a connection of its own. Owns no plan: what
 * it remembers is the term in which a name leads, as the store said.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { hashOf } from '@leasehold/kernel';
import {
  type CellLoad,
  checkLead,
  type Decision,
  decisionTexts,
  decodeLoadSample,
  encodeLoadSample,
  INTEREST_KEPT_MS,
  type Interest,
  interestJson,
  type JournalEntry,
  journalEntry,
  type LeadReply,
  type LoadSample,
  type Plan,
  type PlanStore,
  type PodOrder,
  type PodRecord,
  parseInterest,
  planJson,
  podUnknown,
  type WritePlanReply,
} from '@leasehold/protocol';
import { checkRedisUrl } from './faults.ts';
import { leaderResign, leaderTake, planWrite, sampleWrite } from './generated/library.ts';
import { type BlockGrid, Keys } from './keys.ts';
import { ensureLibrary, LIBRARY } from './library.ts';
import { Link, type LinkChange, type Request } from './link.ts';
import type { LuaFunction } from './lua-function.ts';
import { type Answer, callOne } from './one-call.ts';
import { Plans } from './plans.ts';
import { PodList } from './pod-list.ts';
import { ServerClock } from './server-clock.ts';

/** An authority is to be replaced within two seconds: it must notice sooner. */
const TIMEOUT_MS_DEFAULT = 1_000;
/** Entries of the journal, and samples, that one read brings: some hundred KB to some MB. */
const ENTRIES_PER_READ_MAX = 1_000;
const SAMPLES_PER_READ_MAX = 30;

export type LivePlanStoreOptions = {
  readonly url: string;
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  readonly grid: BlockGrid;
  readonly timeoutMs?: number;
  /** Name of the function library; others are instrumented ones. */
  readonly library?: string;
  readonly onEvent?: (event: PlanStoreEvent) => void;
};

export type PlanStoreEvent =
  | LinkChange
  /** Passed over: loads of a pod, an entry of the journal or a sample that cannot be read. */
  | { readonly kind: 'unreadable'; readonly what: string; readonly message: string };

/** Commands of one round trip. */
const COMMANDS_PER_READ = 4_096;

/** Connects, and sees to it that the server has the function library. */
export async function openLivePlanStore(options: LivePlanStoreOptions): Promise<LivePlanStore> {
  const store = new LivePlanStore(options);
  try {
    await store.open();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

export class LivePlanStore implements PlanStore {
  readonly #options: LivePlanStoreOptions;
  readonly #keys: Keys;
  readonly #link: Link;
  readonly #clock = new ServerClock(() => performance.now());
  readonly #plans: Plans;
  readonly #podList: PodList;
  readonly #terms = new Map<string, number>();

  /** Use `openLivePlanStore`. */
  constructor(options: LivePlanStoreOptions) {
    const { url, world, incarnation, layer, grid, timeoutMs = TIMEOUT_MS_DEFAULT } = options;
    this.#options = options;
    this.#keys = new Keys(world, incarnation, layer, grid);
    this.#link = new Link({
      url: checkRedisUrl(url),
      timeoutMs,
      localMs: this.#clock.localMs,
      onChange: (change) => options.onEvent?.(change),
    });
    this.#plans = new Plans(this.#link, this.#keys);
    this.#podList = new PodList(this.#link, this.#keys, this.#clock);
  }

  async open(): Promise<void> {
    await this.#link.open();
    await ensureLibrary(this.#link, this.#library);
    const sentAtMs = this.#clock.localMs();
    const [seconds, micros] = (await this.#link.call(['TIME'])) as [string, string];
    this.#clock.note(Number(seconds) * 1000 + Math.floor(Number(micros) / 1000), sentAtMs);
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  async lead(name: string, ttlMs: number): Promise<LeadReply> {
    checkLead(name, ttlMs);
    const sentAtMs = this.#clock.localMs();
    const reply = await this.#call(leaderTake, { leader: this.#keys.leader, name, ttlMs });
    this.#clock.note(reply.nowMs, sentAtMs);
    if (reply.tag === 'FOLLOWING') {
      return { tag: 'FOLLOWING', leader: reply.leader, retryInMs: reply.retryInMs };
    }
    this.#terms.set(name, reply.term);
    return reply;
  }

  async resign(name: string): Promise<void> {
    await this.#call(leaderResign, { leader: this.#keys.leader, name });
  }

  plan(): Promise<Plan | undefined> {
    return this.#plans.plan();
  }

  async writePlan(
    name: string,
    plan: Plan,
    decisions: readonly Decision[],
  ): Promise<WritePlanReply> {
    const body = Buffer.from(planJson(plan));
    const texts = decisionTexts(decisions, body.length).map((text) => Buffer.from(text));
    const { leader, plan: key, journal, planChannel: channel } = this.#keys;
    const term = this.#terms.get(name) ?? 0;
    const parts = { name, term, version: plan.version, mark: hashOf(body), channel, body };
    const item = { leader, plan: key, journal, ...parts, decisions: texts };
    const reply = await this.#call(planWrite, item);
    return reply;
  }

  async journal(afterId: string, count: number): Promise<JournalEntry[]> {
    const entries: JournalEntry[] = [];
    let after = afterId;
    for (let left = count; left > 0; ) {
      const most = Math.min(left, ENTRIES_PER_READ_MAX);
      const from = after === '' ? '-' : `(${after}`;
      const range = ['XRANGE', this.#keys.journal, from, '+', 'COUNT', most] as const;
      const raw = (await this.#link.call([...range])) as [string, string[]][];
      for (const [id, [, version, , atMs, , text = '']] of raw) {
        after = id;
        const facts = { version: Number(version), atMs: Number(atMs), text };
        const entry = this.#readable(`journal ${id}`, () => journalEntry(id, facts));
        if (entry !== undefined) entries.push(entry);
      }
      if (raw.length < most) break;
      left -= raw.length;
    }
    return entries;
  }

  pods(): Promise<PodRecord[]> {
    return this.#podList.pods();
  }

  connected(pods: readonly string[]): Promise<Set<string>> {
    return this.#podList.connected(pods);
  }

  async loads(): Promise<ReadonlyMap<string, readonly CellLoad[]>> {
    return this.#plans.loads(await this.#names(), (pod, error) => {
      this.#tellUnreadable(`loads of ${pod}`, error);
    });
  }

  async recordLoads(name: string, sample: LoadSample): Promise<void> {
    // PERF: 10,000 cells are 51 KB, and 31 KB deflated, in 1.6 ms: 11 MB for an hour.
    const body = deflateRawSync(encodeLoadSample(sample));
    const { leader, samples } = this.#keys;
    await this.#call(sampleWrite, {
      leader,
      samples,
      name,
      term: this.#terms.get(name) ?? 0,
      body,
    });
  }

  async recordedLoads(sinceMs: number): Promise<LoadSample[]> {
    const found: LoadSample[] = [];
    for (let from = `${Math.max(0, Math.floor(sinceMs))}-0`; ; ) {
      const range = [from, '+', 'COUNT', SAMPLES_PER_READ_MAX] as const;
      const request = ['XRANGE', this.#keys.samples, ...range] as const;
      const raw = (await this.#link.call(request, 'bytes')) as [Buffer, Buffer[]][];
      for (const [id, [, body]] of raw) {
        const sample = this.#readable(`sample ${id}`, () =>
          decodeLoadSample(inflateRawSync(body as Buffer)),
        );
        if (sample !== undefined) found.push(sample);
      }
      if (raw.length < SAMPLES_PER_READ_MAX) return found;
      from = `(${raw.at(-1)?.[0]}`;
    }
  }

  async order(pod: string, order: PodOrder): Promise<void> {
    if (!(await this.#names()).includes(pod)) throw podUnknown(pod);
    const { orders } = this.#keys;
    if (order === '') await this.#link.call(['HDEL', orders, pod]);
    else await this.#link.call(['HSET', orders, pod, order]);
    await this.#podList.notify(pod, JSON.stringify({ order }));
  }

  async orders(): Promise<ReadonlyMap<string, PodOrder>> {
    const pods = await this.#names();
    const flat = (await this.#link.call(['HGETALL', this.#keys.orders])) as string[];
    const found = new Map<string, PodOrder>();
    const gone: string[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const [pod, order] = flat.slice(i, i + 2) as [string, string];
      if (!pods.includes(pod)) gone.push(pod);
      else if (order === 'cordon' || order === 'drain') found.set(pod, order);
    }
    if (gone.length > 0) await this.#link.call(['HDEL', this.#keys.orders, ...gone]);
    return found;
  }

  async putInterest(name: string, interest: Interest): Promise<void> {
    const { interests } = this.#keys;
    const json = interestJson(name, interest, this.nowMs());
    const isOver = interest.runs.length === 0;
    await this.#link.call(isOver ? ['HDEL', interests, name] : ['HSET', interests, name, json]);
  }

  async written(): Promise<Uint8Array> {
    const { grid } = this.#options;
    const found = new Uint8Array(grid.cells);
    const meta = (cell: number): string => this.#keys.cell(cell).meta;
    // PERF: most blocks of a large world have nothing, and one command says so of all of their cells: a
    // command for each of 100,000 cells keeps this process busy for ten seconds.
    const blocks: number[][] = Array.from({ length: grid.blocks }, () => []);
    for (let cell = 0; cell < grid.cells; cell++) blocks[grid.blockOf(cell)]?.push(cell);
    const counts = await this.#numbers(blocks.map((cells) => ['EXISTS', ...cells.map(meta)]));
    const known = blocks.filter((_, block) => counts[block] !== 0).flat();
    const seqs = await this.#numbers(known.map((cell) => ['HGET', meta(cell), 'seq']));
    for (const [i, cell] of known.entries()) found[cell] = (seqs[i] as number) > 0 ? 1 : 0;
    return found;
  }

  /** What commands answer, in parts. */
  async #numbers(requests: readonly Request[]): Promise<number[]> {
    const numbers: number[] = [];
    for (let from = 0; from < requests.length; from += COMMANDS_PER_READ) {
      const part = requests.slice(from, from + COMMANDS_PER_READ);
      for (const { value, error } of await this.#link.exec(part, 'text')) {
        if (error !== undefined) throw error;
        numbers.push(Number(value ?? 0));
      }
    }
    return numbers;
  }

  async interests(): Promise<ReadonlyMap<string, Interest>> {
    const flat = (await this.#link.call(['HGETALL', this.#keys.interests])) as string[];
    const nowMs = this.nowMs();
    const found = new Map<string, Interest>();
    const gone: string[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const [name, json] = flat.slice(i, i + 2) as [string, string];
      const interest = parseInterest(json);
      if (interest === undefined || interest.untilMs + INTEREST_KEPT_MS < nowMs) gone.push(name);
      else if (interest.untilMs > nowMs) found.set(name, interest);
    }
    if (gone.length > 0) await this.#link.call(['HDEL', this.#keys.interests, ...gone]);
    return found;
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  get #library(): string {
    return this.#options.library ?? LIBRARY;
  }

  async #names(): Promise<string[]> {
    return (await this.pods()).map(({ pod }) => pod);
  }

  /** Rejects with what stands in the way of an answer. */
  #call<Call, Item, Reply extends { readonly tag: string }>(
    fn: LuaFunction<Call, Item, Reply>,
    item: Item,
  ): Promise<Answer<Reply>> {
    const calls = { library: this.#library, perBlock: false };
    const call = { incarnation: this.#keys.incarnation } as Call;
    return callOne(this.#link, calls, fn, { call, item });
  }

  #readable<T>(what: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.#tellUnreadable(what, error);
      return undefined;
    }
  }

  #tellUnreadable(what: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#options.onEvent?.({ kind: 'unreadable', what, message });
  }
}
