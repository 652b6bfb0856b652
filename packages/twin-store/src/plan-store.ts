/** A connection of an authority to a `TwinServer`, with the interface of the real one. */
import { checkName, LeaseholdError } from '@leasehold/kernel';
import {
  type CellLoad,
  checkLead,
  type Decision,
  decisionTexts,
  decodeLoadSample,
  encodeLoadSample,
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
import { broken } from './faults.ts';
import {
  dropOthers,
  journalBehind,
  keepSample,
  leadRefusal,
  loadsOf,
  PlanReader,
  type PlanRecord,
  resignLead,
  takeLead,
  writePlan,
} from './plans.ts';
import { connectedOf, podsOf, tellLayer, tellPod } from './pods.ts';
import { type CallName, type Connection, type TwinServer, worldKey } from './server.ts';

export type TwinPlanStoreOptions = {
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  /** Whose connection this is, for `disconnect`. */
  readonly name?: string;
};

/** Opens a connection. It is there at once; nothing is awaited. */
export function openTwinPlanStore(server: TwinServer, options: TwinPlanStoreOptions): PlanStore {
  checkName('world', options.world);
  checkName('layer', options.layer);
  return new TwinPlanStore(server, options);
}

class TwinPlanStore implements PlanStore {
  readonly #server: TwinServer;
  readonly #key: string;
  readonly #place: Pick<TwinPlanStoreOptions, 'world' | 'incarnation'>;
  readonly #layer: string;
  readonly #link: Connection;
  readonly #reader = new PlanReader();
  readonly #terms = new Map<string, number>();
  #isClosed = false;
  #lastMs = 0;

  constructor(server: TwinServer, { world, incarnation, layer, name }: TwinPlanStoreOptions) {
    this.#server = server;
    this.#key = worldKey(world, incarnation);
    this.#place = { world, incarnation };
    this.#layer = layer;
    this.#link = server.connect(name ?? '', this.#key);
  }

  nowMs(): number {
    this.#lastMs = Math.max(this.#lastMs, this.#server.nowMs());
    return this.#lastMs;
  }

  async lead(name: string, ttlMs: number): Promise<LeadReply> {
    checkLead(name, ttlMs);
    const reply = await this.#write('lead', (record) => {
      return takeLead(record, name, ttlMs, this.#server.nowMs());
    });
    if (reply.tag === 'LEADING') this.#terms.set(name, reply.term);
    return reply;
  }

  resign(name: string): Promise<void> {
    return this.#write('resign', (record) => resignLead(record, name));
  }

  plan(): Promise<Plan | undefined> {
    return this.#read('plan', (record) => this.#reader.read(record));
  }

  async writePlan(
    name: string,
    plan: Plan,
    decisions: readonly Decision[],
  ): Promise<WritePlanReply> {
    const json = planJson(plan);
    const texts = decisionTexts(decisions, json.length);
    const term = this.#terms.get(name) ?? 0;
    return this.#write('writePlan', (record) => {
      const nowMs = this.#server.nowMs();
      const refusal = leadRefusal(record, name, term, nowMs);
      if (refusal !== undefined) return refusal;
      const { json: was } = record;
      const reply = writePlan(record, { version: plan.version, json, decisions: texts }, nowMs);
      if (record.json !== was) this.#tell(JSON.stringify({ plan: plan.version }));
      return reply;
    });
  }

  journal(afterId: string, count: number): Promise<JournalEntry[]> {
    return this.#read('journal', (record) => journalBehind(record, afterId, count, journalEntry));
  }

  pods(): Promise<PodRecord[]> {
    return this.#read('pods', () => podsOf(this.#server, this.#key, this.#layer));
  }

  connected(pods: readonly string[]): Promise<Set<string>> {
    return this.#read('connected', () => connectedOf(this.#server, this.#key, pods));
  }

  loads(): Promise<ReadonlyMap<string, readonly CellLoad[]>> {
    return this.#read('loads', (record) => loadsOf(record, this.#names()));
  }

  recordLoads(name: string, sample: LoadSample): Promise<void> {
    const bytes = encodeLoadSample(sample);
    const term = this.#terms.get(name) ?? 0;
    return this.#write('recordLoads', (record) => {
      const nowMs = this.#server.nowMs();
      if (!leadRefusal(record, name, term, nowMs)) keepSample(record, bytes, nowMs);
    });
  }

  recordedLoads(sinceMs: number): Promise<LoadSample[]> {
    return this.#read('recordedLoads', ({ samples }) =>
      samples.filter(({ atMs }) => atMs >= sinceMs).map(({ bytes }) => decodeLoadSample(bytes)),
    );
  }

  order(pod: string, order: PodOrder): Promise<void> {
    return this.#write('order', ({ orders }) => {
      if (!this.#names().includes(pod)) throw podUnknown(pod);
      if (order === '') orders.delete(pod);
      else orders.set(pod, order);
      tellPod(this.#server, this.#key, pod, JSON.stringify({ order }));
    });
  }

  orders(): Promise<ReadonlyMap<string, PodOrder>> {
    return this.#read('orders', ({ orders }) => {
      dropOthers(orders, this.#names());
      return new Map(orders as Map<string, PodOrder>);
    });
  }

  async putInterest(name: string, interest: Interest): Promise<void> {
    const json = interestJson(name, interest, this.nowMs());
    await this.#write('putInterest', ({ interests }) => {
      if (interest.runs.length === 0) interests.delete(name);
      else interests.set(name, json);
    });
  }

  written(): Promise<Uint8Array> {
    return this.#read('written', () => {
      const { world, incarnation } = this.#place;
      const found = new Uint8Array(this.#server.grid.cells);
      for (const [cell, { seq }] of this.#server.cells(world, incarnation, this.#layer)) {
        if (seq > 0) found[cell] = 1;
      }
      return found;
    });
  }

  interests(): Promise<ReadonlyMap<string, Interest>> {
    return this.#read('interests', ({ interests }) => {
      const nowMs = this.#server.nowMs();
      const found = new Map<string, Interest>();
      for (const [name, json] of interests) {
        const interest = parseInterest(json);
        if (interest !== undefined && interest.untilMs > nowMs) found.set(name, interest);
      }
      return found;
    });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#server.leave(this.#link);
    return Promise.resolve();
  }

  #names(): string[] {
    return podsOf(this.#server, this.#key, this.#layer).map(({ pod }) => pod);
  }

  #tell(message: string): void {
    tellLayer(this.#server, this.#key, this.#layer, message);
  }

  #write<R>(name: CallName, run: (record: PlanRecord) => R): Promise<R> {
    return this.#read(name, (record) => {
      const { refusal } = this.#server;
      if (refusal !== undefined) throw refused(name, refusal);
      return run(record);
    });
  }

  async #read<R>(name: CallName, run: (record: PlanRecord) => R): Promise<R> {
    if (this.#isClosed || !(await this.#server.reach(this.#link, name))) throw broken(name);
    const reply = run(this.#server.plan(this.#key, this.#layer));
    if (!this.#server.answers(name)) throw broken(name);
    return reply;
  }
}

function refused(name: string, message: string): LeaseholdError {
  return new LeaseholdError('REDIS_REFUSED', `${name}: the store answers REFUSED ${message}`, {
    field: name,
    value: 'REFUSED',
    remedy: 'Look at the memory, replicas and disk of Redis, then repeat.',
  });
}
