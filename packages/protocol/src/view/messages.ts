/**
 * What a view client and a gateway say to each other, as values. Clients send JSON texts, gateways
 * binary frames; some parts of a frame are JSON too.
 */
import type { DecisionKind, Plan, Region } from '../plan.ts';
import type { ComponentSchema } from '../schema.ts';

/** Raised when either side can no longer understand the other. */
export const VIEW_PROTOCOL = 1;

/** Which part of the space a view is of. */
export type Area =
  | { readonly kind: 'world' }
  /** Wraps where the space does: `minX` may be above `maxX`. */
  | {
      readonly kind: 'box';
      readonly minX: number;
      readonly minY: number;
      readonly maxX: number;
      readonly maxY: number;
    }
  /** `radius` in units of the space; metres on wgs84. */
  | { readonly kind: 'circle'; readonly x: number; readonly y: number; readonly radius: number }
  /** 3 … 128 points of one ring that does not cross itself, open or closed. */
  | { readonly kind: 'polygon'; readonly points: readonly (readonly [number, number])[] }
  | { readonly kind: 'around'; readonly entity: number; readonly radius: number };

export type Selection = {
  /** Names of the components to send; absent: all of the layer. */
  readonly components?: readonly string[];
  /** Only entities that have all of these. */
  readonly with?: readonly string[];
};

/** A cell that a client already holds: number, sequence, low 32 bits of the log's hash, rows. */
export type HeldCell = readonly [cell: number, seq: number, hash: number, rows: number];

export type SubscribeMessage = Selection & {
  readonly type: 'subscribe';
  /** 1 … 65,535, chosen by the client. */
  readonly id: number;
  readonly area: Area;
  readonly rateHz?: number;
  /** To resume: what it holds of the same selection. */
  readonly have?: readonly HeldCell[];
  /** The id of a snapshot, to be told of the world as it was then. Absent: as it is. */
  readonly asOf?: string;
};

/** Each is one text message of JSON, at most 16 KB. */
export type ClientMessage =
  /** `world`: '' for the one the gateway serves. */
  | { readonly type: 'hello'; readonly protocol: number; readonly world: string }
  | SubscribeMessage
  | { readonly type: 'area'; readonly id: number; readonly area: Area }
  | { readonly type: 'unsubscribe'; readonly id: number }
  | { readonly type: 'resync'; readonly id: number; readonly cells: readonly number[] }
  /** Whether status, feed, holders, plan and journal are wanted. */
  | { readonly type: 'status'; readonly on: boolean }
  | { readonly type: 'ping'; readonly at: number };

/** The grid of the world: cell = row × columns + column, row 0 has the lowest y. */
export type ViewGrid = {
  readonly columns: number;
  readonly rows: number;
  readonly cellSize: number;
  readonly originX: number;
  readonly originY: number;
  readonly width: number;
  readonly height: number;
  readonly wrapsX: boolean;
  readonly wrapsY: boolean;
};

/** The first part of the first frame. */
export type Welcome = {
  readonly protocol: number;
  readonly gateway: string;
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  readonly tickHz: number;
  readonly mode: 'realtime' | 'lockstep';
  readonly space: {
    readonly kind: 'plane' | 'torus' | 'wgs84';
    readonly width?: number;
    readonly height?: number;
    readonly cell: number;
  };
  readonly grid: ViewGrid;
  /** All of the layer, ascending by name. */
  readonly components: readonly ComponentSchema[];
  /** Names; `null` when the layer has no positions. */
  readonly spatial: { readonly component: string; readonly x: string; readonly y: string } | null;
  readonly limits: Readonly<Record<string, number>>;
  readonly canKill: boolean;
};

/** To a client's message; what is refused without `id` is about the connection. */
export type Answer =
  | {
      readonly to: string;
      readonly id?: number;
      readonly ok: true;
      /** The `at` of a ping. */
      readonly at?: number;
    }
  | {
      readonly to: string;
      readonly id?: number;
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly field: string;
      readonly value: string;
      readonly remedy: string;
    };

export type PodStatus = {
  readonly pod: string;
  readonly pid: number;
  readonly isConnected: boolean;
  readonly state: string;
  readonly report: Readonly<Record<string, number>>;
};

export type Status = {
  readonly tick: number;
  readonly entities: number;
  /**
   * How many there are with each component that has no fields, so that it says what somebody is; at
   * most 8. Absent while not all cells are followed.
   */
  readonly kinds?: Readonly<Record<string, number>>;
  readonly pods: readonly PodStatus[];
};

export type FeedItem = {
  readonly atMs: number;
  readonly kind: string;
  readonly pod: string;
  readonly facts: Readonly<Record<string, string | number>>;
};

/** The clock of the world. `nowMs` is store time at sending; `rateHz` 0 means it stands still. */
export type WorldTime = {
  readonly nowMs: number;
  readonly baseMs: number;
  readonly baseTick: number;
  readonly rateHz: number;
  readonly isPaused: boolean;
  readonly isLockstep: boolean;
};

export type Holders = {
  readonly pods: readonly string[];
  /** By pod: whether it was seen to be dead. */
  readonly gone: readonly boolean[];
  /** By cell: 0 nobody, i + 1 = `pods[i]`. */
  readonly cells: Uint16Array;
};

/** A region of the plan, with what its cells cost as their holders measured it. */
export type PlanRegion = Region & {
  /** Of a tick that was run, ms, all cells together. */
  readonly tickMs: number;
  readonly entities: number;
};

/** The plan in force. It grants nothing: who holds a cell now is said by `Holders`. */
export type PlanView = {
  /** 0: there is none, and the pods share the cells by themselves; the rest is empty then. */
  readonly version: number;
  /** When it was made, on the store's clock. */
  readonly atMs: number;
  /** Regions of the plan; of one that is too large, `regions` has the first ones only. */
  readonly regionCount: number;
  /** None reaches beyond the grid. Edges are left out where there are too many. */
  readonly regions: readonly PlanRegion[];
  /** Cells that nobody is to hold: runs of [first, count], ascending; the first ones if many. */
  readonly asleep: Plan['asleep'];
};

/** One change to the plan, and why. Of many regions or pods it names some. */
export type JournalItem = {
  /** Ascends. Never given to another entry, and so a key. */
  readonly id: string;
  readonly atMs: number;
  /** Of the plan that it led to. */
  readonly version: number;
  readonly kind: DecisionKind;
  /** One sentence for people. */
  readonly cause: string;
  /** Ids of those it is about; some may be gone from the plan by now. */
  readonly regions: readonly number[];
  /** Cells that change hands. */
  readonly cells: number;
  /** Load of pods that it is about, ms of tick time a tick. */
  readonly before: Readonly<Record<string, number>>;
  readonly expected: Readonly<Record<string, number>>;
};

/** WebSocket close codes, by the code of the error that is the reason's text. */
export const CLOSE = {
  VIEW_MESSAGE_INVALID: 4000,
  VIEW_VERSION: 4001,
  WORLD_UNKNOWN: 4002,
  RATE_EXCEEDED: 4003,
  READER_SLOW: 4004,
  READER_IDLE: 4005,
  LIMIT_EXCEEDED: 4006,
  GATEWAY_CLOSING: 1001,
} as const;
