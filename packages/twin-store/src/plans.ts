/** What a layer's pods say of their load and what its authority wrote, as the twin's server has it. */
import {
  type CellLoad,
  decodeCellLoads,
  encodeCellLoads,
  type JournalEntry,
  type LeadReply,
  type Plan,
  parsePlan,
  type WritePlanReply,
} from '@leasehold/protocol';

/** As on a real server. */
const JOURNAL_ENTRIES_MAX = 10_000;
const SAMPLES_MAX = 720;
const SAMPLES_KEPT_MS = 3_600_000;

export type PlanRecord = {
  /** The text of the plan; '' = there is none. */
  json: string;
  version: number;
  leader: { name: string; term: number; deadlineMs: number; ttlMs: number };
  /** Decisions as text, so that what is read is what a real server would give. */
  readonly journal: {
    readonly id: readonly [ms: number, seq: number];
    readonly facts: { readonly version: number; readonly atMs: number; readonly text: string };
  }[];
  /** By pod, as bytes. */
  readonly loads: Map<string, Uint8Array>;
  readonly samples: { readonly atMs: number; readonly bytes: Uint8Array }[];
  readonly orders: Map<string, string>;
  /** By name, as text. */
  readonly interests: Map<string, string>;
};

export function newPlanRecord(): PlanRecord {
  return {
    json: '',
    version: 0,
    leader: { name: '', term: 0, deadlineMs: 0, ttlMs: 0 },
    journal: [],
    loads: new Map(),
    samples: [],
    orders: new Map(),
    interests: new Map(),
  };
}

/** Reads a plan once, as long as it is the same. */
export class PlanReader {
  #json = '';
  #plan: Plan | undefined;

  read({ json }: PlanRecord): Plan | undefined {
    if (json === this.#json) return this.#plan;
    this.#plan = json === '' ? undefined : parsePlan(json);
    this.#json = json;
    return this.#plan;
  }
}

// ---- the lead ----

/** How long the lead goes on: no longer than its own term, wherever the clock has gone. */
function leadLeftMs({ leader }: PlanRecord, nowMs: number): number {
  return Math.min(leader.deadlineMs - nowMs, leader.ttlMs);
}

export function takeLead(
  record: PlanRecord,
  name: string,
  ttlMs: number,
  nowMs: number,
): LeadReply {
  const { leader } = record;
  const isOther = leader.name !== name;
  if (isOther && leader.name !== '') {
    const leftMs = leadLeftMs(record, nowMs);
    if (leftMs > 0) {
      leader.deadlineMs = Math.min(leader.deadlineMs, nowMs + leftMs);
      return { tag: 'FOLLOWING', leader: leader.name, retryInMs: leftMs };
    }
  }
  // P1: a term is of one leader, without a break by another.
  const term = leader.term + (isOther ? 1 : 0);
  record.leader = { name, term, deadlineMs: nowMs + ttlMs, ttlMs };
  return { tag: 'LEADING', term, nowMs };
}

export function resignLead({ leader }: PlanRecord, name: string): void {
  if (leader.name === name) Object.assign(leader, { name: '', deadlineMs: 0 });
}

/** The refusal of who does not lead in this term. */
export function leadRefusal(
  record: PlanRecord,
  name: string,
  term: number,
  nowMs: number,
): Extract<WritePlanReply, { tag: 'DEPOSED' }> | undefined {
  const { leader } = record;
  if (leader.name === '' || leadLeftMs(record, nowMs) <= 0) return { tag: 'DEPOSED', leader: '' };
  if (leader.name === name && leader.term === term) return undefined;
  return { tag: 'DEPOSED', leader: leader.name };
}

// ---- what the leader writes ----

export function writePlan(
  record: PlanRecord,
  plan: { readonly version: number; readonly json: string; readonly decisions: readonly string[] },
  nowMs: number,
): WritePlanReply {
  const { version, json, decisions } = plan;
  // L4: this very plan was written before; its reply was lost.
  if (version === record.version && json === record.json) return { tag: 'OK' };
  // P2: a plan follows the one that is stored.
  if (version !== record.version + 1) return { tag: 'BEHIND', version: record.version };
  for (const text of decisions) {
    const [lastMs, lastSeq] = record.journal.at(-1)?.id ?? [0, 0];
    const id = nowMs > lastMs ? ([nowMs, 0] as const) : ([lastMs, lastSeq + 1] as const);
    record.journal.push({ id, facts: { version, atMs: nowMs, text } });
  }
  record.journal.splice(0, record.journal.length - JOURNAL_ENTRIES_MAX);
  Object.assign(record, { version, json });
  return { tag: 'OK' };
}

/** Those behind an id, oldest first. */
export function journalBehind(
  { journal }: PlanRecord,
  afterId: string,
  count: number,
  read: (id: string, facts: PlanRecord['journal'][number]['facts']) => JournalEntry,
): JournalEntry[] {
  const [afterMs = -1, afterSeq = 0] = afterId === '' ? [] : afterId.split('-').map(Number);
  const isBehind = ([ms, seq]: readonly [number, number]): boolean =>
    ms > afterMs || (ms === afterMs && seq > afterSeq);
  const found = journal.filter(({ id }) => isBehind(id)).slice(0, count);
  return found.map(({ id, facts }) => read(id.join('-'), facts));
}

export function keepSample({ samples }: PlanRecord, bytes: Uint8Array, nowMs: number): void {
  samples.push({ atMs: Math.max(nowMs, samples.at(-1)?.atMs ?? 0), bytes });
  const first = samples.findIndex(({ atMs }) => atMs >= nowMs - SAMPLES_KEPT_MS);
  samples.splice(0, Math.max(first, samples.length - SAMPLES_MAX));
}

// ---- what pods say, and what is said to them ----

export function keepLoads(record: PlanRecord, pod: string, loads: readonly CellLoad[]): void {
  record.loads.set(pod, encodeCellLoads(loads));
}

/** Of these pods alone; what others said is dropped. */
export function loadsOf(record: PlanRecord, pods: readonly string[]): Map<string, CellLoad[]> {
  dropOthers(record.loads, pods);
  const sorted = [...record.loads].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.map(([pod, bytes]) => [pod, decodeCellLoads(bytes)]));
}

export function dropOthers(byPod: Map<string, unknown>, pods: readonly string[]): void {
  for (const pod of byPod.keys()) if (!pods.includes(pod)) byPod.delete(pod);
}
