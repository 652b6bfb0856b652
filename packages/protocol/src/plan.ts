/**
 * Which pod should hold what (design §6): the words that the authority, the pods and every face
 * share. A plan grants nothing: leases do. Whoever finds a plan of use follows it, and it may be wrong.
 */
import type { Interest } from './interest.ts';
import type { PodRecord } from './store.ts';

/** Cells from a column and a row on; it does not go through a seam. */
export type Rect = {
  readonly column: number;
  readonly row: number;
  readonly columns: number;
  readonly rows: number;
};

export type Side = 'west' | 'east' | 'north' | 'south';

/** Who is across one side of a region, through a seam too. Rows rise to the north. */
export type Edge = {
  readonly side: Side;
  readonly region: number;
  readonly pod: string;
  /** How many cells long their common border is. */
  readonly cells: number;
};

/** What is done for a region whose only cell is beyond a pod, each step on top of those before. */
export type Relief = 'alone' | 'slow-views' | 'dilated' | 'overloaded';

export type Region = {
  /** Never given to another region of the world's layer. */
  readonly id: number;
  readonly rect: Rect;
  /** '' = there is no pod. */
  readonly pod: string;
  /** Follows the region and takes it over when its pod dies; '' = no pod can be spared for it. */
  readonly standby: string;
  readonly relief?: Relief;
  /**
   * Its cells tick in each so many-th tick of the world only, so their time runs at a part of its
   * rate: from 2 on, where the relief is dilated or overloaded. In realtime only. Absent: in each.
   */
  readonly dilation?: number;
  readonly edges: readonly Edge[];
};

export type Plan = {
  /** Rises by one with each change. */
  readonly version: number;
  /** On the store's clock. */
  readonly atMs: number;
  /** They cover the grid, and no two have a cell in common. */
  readonly regions: readonly Region[];
  /** Cells that nobody is to hold, as nothing happens in them: runs of [first, count], ascending. */
  readonly asleep: readonly (readonly [first: number, count: number])[];
};

export type DecisionKind =
  | 'split'
  | 'merge'
  | 'shift'
  | 'move'
  | 'standby'
  | 'relief'
  | 'wake'
  | 'sleep';

/** One change to the plan, and why. Loads in ms of tick time per tick. */
export type Decision = {
  readonly kind: DecisionKind;
  /** One sentence for people. */
  readonly cause: string;
  readonly regions: readonly number[];
  /** Cells that change hands. */
  readonly cells: number;
  /** Load of each pod that this is about. */
  readonly before: Readonly<Record<string, number>>;
  readonly expected: Readonly<Record<string, number>>;
};

export type JournalEntry = Decision & {
  readonly id: string;
  readonly atMs: number;
  /** Of the plan that it led to. */
  readonly version: number;
};

/** What a holder has measured of a cell. */
export type CellLoad = {
  readonly cell: number;
  /** Of a tick that was run, as an average of the last second or so: dilating does not lower it. */
  readonly tickMs: number;
  readonly entities: number;
  /** How long nothing in it has changed, in ms of its own ticks; absent: something just has. */
  readonly stillMs?: number;
};

/** What people ask of a pod: to take nothing more, or to hand everything over and end; '' nothing. */
export type PodOrder = '' | 'cordon' | 'drain';

/** What an authority saw since the one before, in the mean, for planning again with another policy. */
export type LoadSample = {
  readonly atMs: number;
  readonly pods: readonly {
    readonly pod: string;
    readonly state: PodRecord['state'];
    readonly order: PodOrder;
    /** Ascending. Numbers are kept to 8 binary digits: within 0.4 %. */
    readonly cells: readonly CellLoad[];
  }[];
};

export type LeadReply =
  | { readonly tag: 'LEADING'; readonly term: number; readonly nowMs: number }
  | { readonly tag: 'FOLLOWING'; readonly leader: string; readonly retryInMs: number };

export type WritePlanReply =
  | { readonly tag: 'OK' }
  /** `name` does not lead: nothing was written. '' = nobody does. */
  | { readonly tag: 'DEPOSED'; readonly leader: string }
  /** The stored plan is of this version, 0 = there is none: nothing was written. */
  | { readonly tag: 'BEHIND'; readonly version: number };

/**
 * What an authority and the tools around it need of the store; everything in it is of one layer.
 * Rejects when no answer came: repeating any call is harmless.
 */
export interface PlanStore {
  nowMs(): number;
  /**
   * Takes or keeps the lead for `ttlMs` of the store's clock; `name` is of this process and run.
   * The term rises whenever another begins to lead. A clock that is set forward may end a lead
   * early, one that is set back keeps it for at most its `ttlMs`: neither lets two lead.
   */
  lead(name: string, ttlMs: number): Promise<LeadReply>;
  /** Nothing happens where `name` does not lead. */
  resign(name: string): Promise<void>;
  /** As `Store.plan`. Where it throws `PLAN_INVALID`, `writePlan` says which version is stored. */
  plan(): Promise<Plan | undefined>;
  /**
   * Writes the plan, and why, and tells the pods; all of it or nothing. Refused when `name` does
   * not lead in the term that `lead` gave it here, or `plan.version` is not the stored one's plus
   * one. A plan that was lost in a failover is BEHIND the older one that came back: write it again.
   * Throws `PLAN_INVALID` for what cannot be stored.
   */
  writePlan(name: string, plan: Plan, decisions: readonly Decision[]): Promise<WritePlanReply>;
  /**
   * Oldest first, those behind `afterId` ('' = all that are kept), at most `count`. About the last
   * 10,000 are kept. An id begins with the ms at which it was written, so `<ms>-0` asks from a
   * moment on.
   */
  journal(afterId: string, count: number): Promise<JournalEntry[]>;
  pods(): Promise<PodRecord[]>;
  connected(pods: readonly string[]): Promise<Set<string>>;
  /** What all pods last said of their cells, by pod; nothing of those that are gone. */
  loads(): Promise<ReadonlyMap<string, readonly CellLoad[]>>;
  /**
   * Keeps a sample for an hour, at most 720 of them; one in ten seconds is enough. Nothing is kept
   * when `name` does not lead.
   */
  recordLoads(name: string, sample: LoadSample): Promise<void>;
  /** Oldest first, those recorded at `sinceMs` of the store's clock or later. */
  recordedLoads(sinceMs: number): Promise<LoadSample[]>;
  /**
   * Asks a pod to do something, or with '' to forget it. It hears `{"order":…}` at once, and again
   * with its next report if that was lost. Throws `POD_UNKNOWN` where no pod has this name.
   */
  order(pod: string, order: PodOrder): Promise<void>;
  /** By pod, those that are not ''; nothing of pods that are gone. */
  orders(): Promise<ReadonlyMap<string, PodOrder>>;
  /**
   * Replaces what `name`, a gateway or an order, wanted to be awake; without runs it is forgotten.
   * Throws `NAME_INVALID`, `SETTING_INVALID` or `LIMIT_EXCEEDED`.
   */
  putInterest(name: string, interest: Interest): Promise<void>;
  /** By name, those that hold now; what cannot be read is passed over. */
  interests(): Promise<ReadonlyMap<string, Interest>>;
  /** Cells of the grid whose log is in the store, by their number: 1. Others were never written, or sleep elsewhere. */
  written(): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Most decisions that one plan is written with. */
export const DECISIONS_PER_PLAN_MAX = 1_000;
/** Longest life of a lead: longer, and a world would stay without an authority for so long. */
export const LEAD_TTL_MS_MAX = 60_000;
