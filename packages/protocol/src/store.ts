/**
 * The store as a pod, a gateway or a tool sees it. `live-store` (Redis) and `twin-store` (memory)
 * implement it; one suite runs against both. A store is opened for one (world, incarnation, layer).
 *
 * Answers are values and never thrown. What is thrown: `LeaseholdError` for what a user must mend.
 * A network fault is the answer `UNKNOWN`: the call may or may not have happened, so the caller
 * repeats it with the same arguments.
 */
import type { LifeStore } from './life-store.ts';
import type { CellLoad, Plan } from './plan.ts';

/** Whose right it is: `<pod>.<random>`, new on every acquisition, never used twice. */
export type Nonce = string;

/** Who appends. `epoch` is a decimal string: it is a count of microseconds, beyond 1e14. */
export type Claim = {
  readonly cell: number;
  readonly nonce: Nonce;
  readonly epoch: string;
};

/**
 * A cell's durable position, as its meta hash tells it. A cell never written has seq 0, hash ''.
 */
export type Head = {
  readonly cell: number;
  readonly seq: number;
  readonly hash: string;
  readonly tick: number;
  readonly epoch: string;
  /** '' when nobody holds the cell. */
  readonly nonce: Nonce;
  readonly idCounter: number;
  /** Ids given out to who asked from outside. */
  readonly asked: number;
  /** Its log begins behind this position: 0, or where the cell was restored. */
  readonly restoredSeq: number;
  /** Last sequence number of the cell's own channel. */
  readonly outSeq: number;
  readonly inboxCursor: number;
  /** Last channel sequence number consumed, by source cell. */
  readonly cursors: ReadonlyMap<number, number>;
  /** The checkpoints that exist, newest first, with the log position each stands for. */
  readonly checkpoints: readonly {
    readonly slot: 0 | 1;
    readonly seq: number;
    readonly tick: number;
  }[];
  /** It sleeps in a cold store, in this state. */
  readonly coldMark?: number;
};

export type AcquireRequest = {
  readonly cell: number;
  readonly nonce: Nonce;
  readonly ttlMs: number;
};

export type AcquireReply =
  | {
      readonly tag: 'GRANTED';
      readonly claim: Claim;
      readonly head: Head;
      /** Failed acquisitions since the last commit, this one included. */
      readonly attempts: number;
      /** How the cell came free. */
      readonly cause: 'free' | 'released' | 'handover' | 'revoked' | 'expired';
      /** The pod that held it before, '' if none. */
      readonly from: string;
      /** Store time of the last holder's last successful call; 0 if there was none. */
      readonly lastAtMs: number;
      readonly nowMs: number;
    }
  | {
      readonly tag: 'HELD';
      readonly nonce: Nonce;
      readonly deadlineMs: number;
      readonly nowMs: number;
    }
  /** The deadline has passed; the holder has the grace time to commit and clear this mark. */
  | {
      readonly tag: 'SUSPECT';
      readonly nonce: Nonce;
      readonly retryInMs: number;
      readonly nowMs: number;
    }
  /** Kept for the pod that a handover named. */
  | {
      readonly tag: 'RESERVED';
      readonly heir: string;
      readonly retryInMs: number;
      readonly nowMs: number;
    }
  | Refusal;

/** Answers that any call on a cell may get instead of its own. */
export type Refusal =
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  /** Redis refused the first write: OOM, NOREPLICAS, MISCONF. Nothing happened. */
  | { readonly tag: 'REFUSED'; readonly message: string }
  | {
      readonly tag: 'UNKNOWN';
      readonly message: string;
      /** It sleeps and could not be read or brought back: nothing happened. */
      readonly code?: AsleepCode;
    };

/** Why a cell that sleeps is not to be had: its database is away, or does not have it. */
export type AsleepCode = 'CELL_COLD' | 'CELL_LOST';

export type ChannelEntry = {
  /** Position in the source's channel; assigned by the writer: outSeq + 1, + 2, … */
  readonly seq: number;
  readonly from: number;
  readonly to: number;
  /** The tick at whose end the entry was written. */
  readonly tick: number;
  readonly body: Uint8Array;
};

/** What waits in a cell's inbox. */
export type Post = {
  /** Position in the inbox, from 1, without gaps. */
  readonly seq: number;
  /** As the poster named it. */
  readonly id: string;
  /** As `decodePost` reads it. */
  readonly body: Uint8Array;
};

/** One tick of one cell, appended under its lease, atomically with all that must agree with it. */
export type Commit = {
  readonly claim: Claim;
  readonly seq: number;
  readonly prevHash: string;
  readonly hash: string;
  readonly tick: number;
  readonly body: Uint8Array;
  readonly idCounter: number;
  /** How long the lease lives from now. */
  readonly ttlMs: number;
  /** Channels consumed: the store must be at `from`, and goes to `to`. */
  readonly cursors: readonly {
    readonly cell: number;
    readonly from: number;
    readonly to: number;
  }[];
  /** Posts consumed. `keep`: they stay readable, as somebody is reading a cut of the world. */
  readonly inbox?: { readonly from: number; readonly to: number; readonly keep?: boolean };
  /** Entries for the cell's channel; the first has seq = the store's outSeq + 1. */
  readonly out: readonly { readonly seq: number; readonly to: number; readonly body: Uint8Array }[];
  /** Drop channel entries up to this sequence number: their readers have durably passed it. */
  readonly outTrimTo?: number;
  /** The whole state after this commit. The log is trimmed to the older of two checkpoints. */
  readonly checkpoint?: Uint8Array;
  readonly geo?: {
    readonly put: readonly {
      readonly id: number;
      readonly longitude: number;
      readonly latitude: number;
    }[];
    readonly drop: readonly number[];
  };
  /** The last commit may end the lease: freely, or in favour of a pod that is ready. */
  readonly ending?: 'release' | { readonly heir: string };
};

export type CommitReply =
  | { readonly tag: 'OK'; readonly nowMs: number; readonly inboxLength: number }
  /** This very commit was applied before: its first reply was lost. Extends nothing. */
  | { readonly tag: 'ALREADY' }
  | { readonly tag: 'FENCED'; readonly nonce: Nonce; readonly epoch: string }
  /** The store is elsewhere: it went back in time, or somebody else extended the log. */
  | { readonly tag: 'HEAD'; readonly seq: number; readonly hash: string }
  | { readonly tag: 'BADCURSOR'; readonly message: string }
  | { readonly tag: 'TOOBIG'; readonly message: string }
  | Refusal;

export type LeaseReply =
  | { readonly tag: 'OK'; readonly nowMs: number }
  | { readonly tag: 'FENCED'; readonly nonce: Nonce; readonly epoch: string }
  | Refusal;

/** One log entry, as a follower reads it. `hash` = entryHash(previous hash, this entry). */
export type LogEntry = {
  readonly seq: number;
  readonly version: number;
  readonly epoch: string;
  readonly prevHash: string;
  readonly hash: string;
  readonly tick: number;
  readonly body: Uint8Array;
  /** The part of the inbox that it consumed, if any. */
  readonly inbox?: { readonly from: number; readonly to: number };
};

/** A checkpoint and the log entries behind it, chained and complete up to some moment. */
export type CellImage = {
  readonly cell: number;
  /** Absent when the cell was never checkpointed: then `entries` begins at seq 1, or is empty. */
  readonly checkpoint?: {
    readonly seq: number;
    readonly hash: string;
    readonly tick: number;
    readonly body: Uint8Array;
  };
  readonly entries: readonly LogEntry[];
};

/** Where a reader stands in one cell. */
export type FollowCursor = {
  readonly cell: number;
  /** Last entry accepted. */
  readonly seq: number;
  readonly hash: string;
  /** Last channel entry seen; channels are read only where this is given. */
  readonly outSeq?: number;
};

export type FollowNews = {
  readonly cell: number;
  /** Entries that extend the cursor, in order, chain verified. */
  readonly entries: readonly LogEntry[];
  readonly out: readonly ChannelEntry[];
  /** A gap, a trim or a head that went back: the reader must load the cell again. */
  readonly resync: boolean;
};

/** A pod as others see it. */
/** In the report of a pod, before the name of a system: what it has taken so far, in ms. */
export const SYSTEM_MS = 'systemMs:';

export type PodRecord = {
  readonly pod: string;
  readonly layer: string;
  readonly state: 'ready' | 'draining';
  readonly pid: number;
  readonly startedAtMs: number;
  readonly seenAtMs: number;
  /** What the pod reports of itself, for people: counters and gauges by name. */
  readonly report: Readonly<Record<string, number>>;
};

/** The world's clock, kept in the store so that every pod maps time to the same tick. */
export type WorldClock = {
  readonly mode: 'realtime' | 'lockstep';
  readonly rateHz: number;
  /** At store time `baseMs` the world was at `baseTick`. */
  readonly baseMs: number;
  readonly baseTick: number;
  readonly isPaused: boolean;
  /** Lockstep stops here; 0 = never. */
  readonly endTick: number;
  /**
   * Somebody reads the world as it was at the end of this tick: what is needed for that stays. Set by
   * `pinCut`, never by `setClock`.
   */
  readonly cutTick?: number;
};

/** A note for people and tools: takeovers, jumps, frozen cells. Bounded, oldest dropped. */
export type FeedEntry = {
  readonly atMs: number;
  readonly kind: string;
  readonly pod: string;
  readonly facts: Readonly<Record<string, string | number>>;
};

/** Where to look in one cell's index: around a point written as `Commit.geo` writes them. */
export type NearSearch = {
  readonly cell: number;
  readonly longitude: number;
  /** At most 85.05 from the equator: nothing beyond is indexed. */
  readonly latitude: number;
  /** On the sphere of the index, whose radius is 6,372,797.56 m. */
  readonly radiusM: number;
};

/** What a cell's index says of an entity. */
export type NearCandidate = {
  readonly id: number;
  /** Rounded to the index's own steps of 360° / 2^26 and 170° / 2^26. */
  readonly longitude: number;
  readonly latitude: number;
  readonly distanceM: number;
};

/** What the store is and what it can promise now. Changes when the connection was made anew. */
export type StoreStatus = {
  readonly isConnected: boolean;
  /**
   * Identity of the server process; changes on a restart or failover. '' before the first answer.
   */
  readonly runId: string;
  /** Milliseconds of this store's clock since the unbroken connection to this run began. */
  readonly connectedForMs: number;
  /** Replicas that may be promoted, so a barrier waits for them. 0 = no barrier. */
  readonly replicas: number;
};

export interface Store extends LifeStore {
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  /** Monotonic estimate of the store's clock in ms, from the last answers. */
  nowMs(): number;
  status(): StoreStatus;

  /**
   * `dead`: pods that the caller knows to be gone; their leases on these cells end, as by `revoke`,
   * in the same call.
   */
  acquire(requests: readonly AcquireRequest[], dead?: readonly string[]): Promise<AcquireReply[]>;
  renew(claims: readonly Claim[], ttlMs: number): Promise<LeaseReply[]>;
  commit(commits: readonly Commit[]): Promise<CommitReply[]>;
  release(claims: readonly Claim[]): Promise<LeaseReply[]>;
  handover(claims: readonly Claim[], heir: string): Promise<LeaseReply[]>;
  /**
   * Ends somebody's lease, named by its nonce. Refused (FENCED) if the nonce is not the holder's.
   */
  revoke(
    holders: readonly { readonly cell: number; readonly nonce: Nonce }[],
  ): Promise<LeaseReply[]>;
  /** What the outside asks of a cell. `id` makes a repetition harmless. */
  post(
    posts: readonly { readonly cell: number; readonly id: string; readonly body: Uint8Array }[],
  ): Promise<({ readonly tag: 'OK'; readonly seq: number } | { readonly tag: 'FULL' } | Refusal)[]>;
  /**
   * What waits in inboxes behind these positions, in order; at most `POSTS_PER_READ_MAX` of each. To
   * be asked by whoever holds the cells: posts that a commit has consumed are gone.
   */
  inboxes(
    cells: readonly { readonly cell: number; readonly after: number }[],
  ): Promise<(readonly Post[])[]>;
  heads(cells: readonly number[]): Promise<(Head | Refusal)[]>;

  /**
   * Reads cells whole. `head`: where the caller, who holds the lease, knows the cell to be.
   * `beforeTick`: begin from a checkpoint whose tick is below it, if there is one.
   * Throws `WORLD_NOT_READY` where the world is absent or sealed: it is never an empty one.
   */
  load(
    cells: readonly {
      readonly cell: number;
      readonly beforeTick?: number;
      readonly head?: Head;
    }[],
  ): Promise<CellImage[]>;
  /** A cell's own channel from a position on, whatever the destinations. */
  channel(cell: number, afterSeq: number): Promise<ChannelEntry[]>;

  /**
   * Which of these cells have the entity in their index, in the order asked. A hint, in one round
   * trip: a cell tells its index late and a few at a time, so one that holds the entity may not be
   * among them, and one that it has left may be. Verify from state, and look everywhere before
   * saying that it does not exist. At most `LOCATE_CELLS_MAX` cells.
   */
  locate(id: number, cells: readonly number[]): Promise<number[]>;
  /**
   * For each search the entities that the index has within the radius, nearest first, at most
   * `count` of them; all in one round trip. A hint as well: positions are those last told, off by
   * up to the world's index resolution along each axis plus half a step of the index; entities may
   * be missing, or listed in a cell that they have left, and nothing beyond |latitude| 85.05 is
   * ever there. So take from it how far to look, and filter from state. A cell that has no index is
   * an empty answer. At most `NEAR_SEARCHES_MAX` searches and a count of `NEAR_COUNT_MAX`.
   */
  near(searches: readonly NearSearch[], count: number): Promise<NearCandidate[][]>;
  /**
   * Reads what is new in all these cells in one round trip, waiting up to `blockMs` for the first
   * entry. Behind it runs the barrier, so what is returned cannot be rolled back by a failover.
   * Rejects when the connection breaks or the barrier cannot be completed: nothing was learnt.
   */
  poll(cursors: readonly FollowCursor[], blockMs: number): Promise<FollowNews[]>;
  /** Proof that everything answered before on this store cannot be rolled back. */
  barrier(): Promise<void>;

  /**
   * Makes this process known as a pod, and keeps it known until the store is closed. It hears what
   * others `notify`, and of the store itself `{"plan":version}` when there is a new plan: a hint,
   * as whatever is heard may be lost; and `{"order":…}` when people ask something of this pod,
   * which it hears again with a report if that was lost, so perhaps twice.
   */
  announce(pod: string, pid: number, hear: (message: string) => void): Promise<void>;
  report(state: PodRecord['state'], report: PodRecord['report']): Promise<void>;
  /**
   * What the announced pod measures of its cells, in place of what it said before; gone with it.
   */
  reportLoad(cells: readonly CellLoad[]): Promise<void>;
  /**
   * The plan of a layer by its number, or of this one, if there is one; the same object while it is
   * the same. Cheap: its body is read only when it changed. A failover may bring an older one back,
   * and a version may come twice with another content. Throws `PLAN_INVALID`: then go on as before.
   */
  plan(layer?: number): Promise<Plan | undefined>;
  pods(): Promise<PodRecord[]>;
  /** Which of these pods have an open connection to the store now. */
  connected(pods: readonly string[]): Promise<Set<string>>;
  notify(pod: string, message: string): Promise<void>;

  clock(): Promise<WorldClock | undefined>;
  setClock(clock: Omit<WorldClock, 'baseMs'>): Promise<WorldClock>;
  /**
   * Asks all holders to keep what says how the world was at the end of a tick, for so long at most;
   * 0 ms ends it. They hear of it with the clock, so name a tick that is a second away. In place of
   * what was pinned before.
   */
  pinCut(tick: number, forMs: number): Promise<void>;
  feed(entry: Omit<FeedEntry, 'atMs'>): Promise<void>;
  readFeed(
    afterId: string,
  ): Promise<{ readonly id: string; readonly entries: readonly FeedEntry[] }>;
  /** Schemas by their hash, so that a reader can decode what an older module wrote. */
  putSchema(hash: string, json: string): Promise<void>;
  getSchema(hash: string): Promise<string | undefined>;
  schemas(): Promise<ReadonlyMap<string, string>>;

  close(): Promise<void>;
}

/** Most cells and bytes one call carries; one cell alone may be twice as large. */
export const CELLS_PER_CALL_MAX = 16;
export const BYTES_PER_CALL_MAX = 512 * 1024;
export const BYTES_PER_CELL_MAX = 1024 * 1024;
/** Most index updates in one commit: 256 cost Redis about 0.3 ms. */
export const GEO_PER_COMMIT_MAX = 256;
/** Most posts of one inbox that are read at once, and consumed by one tick. */
export const POSTS_PER_READ_MAX = 256;
/** Most channel entries in one commit: rows and letters for each neighbour, and what is for none. */
export const OUT_PER_COMMIT_MAX = 256;
/** Most cells of one `locate`: measured, 4,096 take 2.4 ms of Redis. */
export const LOCATE_CELLS_MAX = 4_096;
/** Most cells of one `near`: measured, 64 of 256 entities, 100 answered each, take 9 ms of Redis. */
export const NEAR_SEARCHES_MAX = 64;
/** Most candidates of each. */
export const NEAR_COUNT_MAX = 100;
