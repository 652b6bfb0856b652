/**
 * Which pod should hold what (design §6): the words that the authority, the pods and every face
 * share. A plan grants nothing: leases do. Whoever finds a plan of use follows it, and it may be wrong.
 */
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
  /** Of a tick, as an average of the last second or so. */
  readonly tickMs: number;
  readonly entities: number;
};

export type LeadReply =
  | { readonly tag: 'LEADING'; readonly term: number; readonly nowMs: number }
  | { readonly tag: 'FOLLOWING'; readonly leader: string; readonly retryInMs: number };

export type WritePlanReply =
  | { readonly tag: 'OK' }
  /** Another leads by now: nothing was written. */
  | { readonly tag: 'DEPOSED'; readonly leader: string }
  /** There is another plan by now. */
  | { readonly tag: 'BEHIND'; readonly version: number };

/** What an authority needs of the store; the plan and its journal are of one layer. */
export interface PlanStore {
  nowMs(): number;
  /** Takes or keeps the lead for `ttlMs`; `name` is of this process and run. */
  lead(name: string, ttlMs: number): Promise<LeadReply>;
  resign(name: string): Promise<void>;
  plan(): Promise<Plan | undefined>;
  /** Refused when `name` no longer leads, or `plan.version` is not the stored one's plus one. */
  writePlan(name: string, plan: Plan, decisions: readonly Decision[]): Promise<WritePlanReply>;
  /** Oldest first, those behind `afterId` ('' = all that are kept), at most `count`. */
  journal(afterId: string, count: number): Promise<JournalEntry[]>;
  pods(): Promise<PodRecord[]>;
  connected(pods: readonly string[]): Promise<Set<string>>;
  /** What all pods last said of their cells, by pod. */
  loads(): Promise<ReadonlyMap<string, readonly CellLoad[]>>;
}
