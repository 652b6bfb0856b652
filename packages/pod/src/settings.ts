/**
 * What a pod is given. It reads no clock, no environment and no network of its own: time, the store
 * and the world come from outside, so the same pod runs in a process, a browser or a simulation.
 */
import type { Clock, Log } from '@leasehold/kernel';
import type { CoolReply, Store } from '@leasehold/protocol';
import type { Engine } from '@leasehold/sdk/engine';

export type PodSettings = {
  /** How long a lease lives between two successful commits or renewals. */
  readonly leaseTtlMs: number;
  /** Most blocks this pod claims; more than its fair share is a reserve for others' deaths. */
  readonly blocksMax: number;
  /** How far an entity moves before its index is told; WGS84: degrees. 0 = no index. */
  readonly indexResolution: number;
  /** A channel is trimmed when more of its entries than this may still be unread. Default 16. */
  readonly unreadMin?: number;
  /** Whether the cells of pods that may die are followed by their heirs. Default true. */
  readonly isStandby?: boolean;
  /** A cell may sleep with somebody in it if nothing in it has changed for so long; absent: none may. */
  readonly stillMs?: number;
  /** Pods that start together, this one included: they know each other before they claim. */
  readonly startingPods?: number;
  /**
   * A realtime round longer than this is cut, so that everybody else of the pod gets a turn. 0 = after
   * each cell. Default 20.
   */
  readonly sliceMs?: number;
};

export type PodParts = {
  readonly pod: string;
  readonly pid: number;
  readonly store: Store;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: PodSettings;
  /** Sixteen random hex digits; the only randomness a pod needs, for nonces. */
  readonly randomHex: () => string;
  /** Processor time of this thread so far, for what cells cost; without it `clock` tells. */
  readonly cpuMs?: () => number;
  /** Moves cells out of the live store, as `LiveStore.cool` does; absent: those that sleep stay there. */
  readonly cool?: (cells: readonly number[]) => Promise<CoolReply[]>;
  /** What its process knows besides, for the report: traffic, memory, times of systems. */
  readonly figures?: () => Readonly<Record<string, number>>;
  /**
   * People want this pod to end: whoever runs it calls `drain`, then `stop`. May be called again.
   */
  readonly onDrainOrder?: () => void;
  /** Schemas that older modules wrote with, by hash; loaded before the pod starts. */
  readonly schemaOf: (hash: string) => import('@leasehold/protocol').LayerSchema | undefined;
};

/**
 * A checkpoint goes with a commit when the log behind the last one has this many entries, or half
 * as many again: cells are staggered.
 */
export const CHECKPOINT_ENTRIES_MIN = 64;
/** A region that fell behind runs at most this many missed ticks, then jumps (design: time). */
export const CATCH_UP_TICKS_MAX = 20;
/** How long committed ticks are kept for a store that goes back in time. */
export const RING_MS = 30_000;
/**
 * So long after a cell was taken a barrier proves what was committed of it: a replica has it, and the
 * file of the primary too, which Redis may hold back for 2 s while it syncs (`everysec`).
 */
export const TAKEN_PROOF_MS = 3_000;
/** A cell whose tick fails this often in a row is frozen with the error in view. */
export const TICK_FAILURES_MAX = 3;
/** Acquisitions without a commit in between after which a cell is frozen (design: poison). */
export const ATTEMPTS_MAX = 6;
/** Who revokes must have been connected to the same server this long (L5). */
export const CONNECTED_MIN_MS = 2_000;
/** A pod that was alive before a failover is spared this long (L5). */
export const SPARE_MS = 30_000;
/** After a failover or a restart nobody is taken from before others had this time to come back (L5). */
export const RETURN_MS_MAX = 3_000;
/** A pod that has not reported for this long is offered to others, lease by lease. */
export const SILENT_MS = 1_500;
/** How often a pod reports and reads the list of pods. */
export const REPORT_MS = 250;
/** How often it says what it has measured of its cells. */
export const LOAD_MS = 1_000;
/** How often it looks who is connected, claims and hands over. */
export const KEEP_MS = 25;
/** A pod gets blocks when it has been here this long: before, it could not follow up a death. */
export const SETTLED_MS = 2_000;
/** How long pods that start together wait for each other; then they go on with those there are. */
export const STARTING_MS_MAX = 2_000;
/** How often they look who has come. */
export const STARTING_LOOK_MS = 50;
/** Cells acquired in one go; loading more at once would delay the tick of those already held. */
export const ACQUIRE_CELLS_MAX = 256;
