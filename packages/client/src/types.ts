/**
 * What users of the client see: options, events, entities, positions. Ids are entity ids (integers
 * below 2^53); coordinates are in the units of the world's space (degrees of longitude and latitude
 * on WGS 84); times are milliseconds of the clock the view was given.
 */
import type {
  Area,
  FeedItem,
  FieldValue,
  Holders,
  JournalItem,
  PlanView,
  Status,
  Welcome,
  WorldTime,
} from '@leasehold/protocol/view';

/**
 * Where time comes from. The default is the clock of the page or process (`performance.now`), so
 * the time stamp of `requestAnimationFrame` is one of its times.
 */
export interface ClientClock {
  /** Milliseconds since an arbitrary start; never goes back. */
  nowMs(): number;
  /** Calls `run` once after `ms` unless the answer is called before; `run` never throws. */
  after(ms: number, run: () => void): () => void;
}

/** The part of the standard WebSocket that is used. Browsers and Node ≥ 22 have it built in. */
export interface Socket {
  binaryType: string;
  readonly bufferedAmount: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}
export type SocketConstructor = new (url: string) => Socket;

export type ConnectOptions = {
  /** One gateway, or several that serve the same world: `ws://host:7300/view`. Tried in order. */
  readonly url: string | readonly string[];
  /** The world that is expected. Without it: the one the gateway serves. */
  readonly world?: string;
  readonly interpolation?: {
    /** How far behind the newest tick entities are shown, in ticks. Default 1.5. */
    readonly delayTicks?: number;
  };
  readonly backoff?: {
    /** The wait after every gateway of the list has been tried once. Default 200. */
    readonly firstMs?: number;
    /** Default 5,000. */
    readonly maxMs?: number;
  };
  /** The class to connect with. Default: the global one. */
  readonly WebSocket?: SocketConstructor;
  readonly clock?: ClientClock;
  /** In [0, 1), for the jitter of waits. Default: `Math.random`. */
  readonly random?: () => number;
};

/** What went wrong, for people and for programs; never thrown, always an event. */
export type Fault = {
  /** A code of the error reference, such as `AREA_INVALID`. */
  readonly code: string;
  readonly message: string;
  readonly field: string;
  readonly value: string;
  readonly remedy: string;
};

/**
 * connecting   the first connection is being made
 * open         the gateway has welcomed this client
 * waiting      the connection is lost and is being made again; what is known stays readable
 * closed       by `close()`, or for a reason that no retry can cure
 */
export type ViewState = 'connecting' | 'open' | 'waiting' | 'closed';

export type ViewEvents = {
  /** A connection stands; the welcome follows. */
  open: { readonly url: string };
  /** The gateway's answer: the world, its space and its components. Again after every reconnect. */
  welcome: Welcome;
  /** The connection is gone. The code is WebSocket's; the reason names an error code or is ''. */
  close: {
    readonly code: number;
    readonly reason: string;
    readonly willRetry: boolean;
    readonly retryInMs: number;
  };
  state: ViewState;
  time: WorldTime;
  holders: Holders;
  status: Status;
  feed: readonly FeedItem[];
  /**
   * Who is to hold what, as the authority plans; `version` 0 = nobody plans. When it changes, and
   * once a second with new loads (ms of tick time). What lies beyond the grid is `BODY_MALFORMED`.
   */
  plan: PlanView;
  /**
   * Changes to the plan, oldest first: the last ones, at most 50, after `status(true)` and after
   * each reconnect, then each new one. An `id` that was heard before is the same entry.
   */
  journal: readonly JournalItem[];
  error: Fault;
};

/** Ids in no order, each once. A list is given once a frame at most, after all of it is applied. */
export type SubscriptionEvents = {
  enter: readonly number[];
  leave: readonly number[];
  /** Something of these entities changed: a value, their components, or their cell. */
  update: readonly number[];
  /** Everything in the area has been told once: after subscribing and after each reconnect. */
  live: { readonly size: number };
  /** These cells are told anew, because what was known could not be continued. */
  resync: readonly number[];
  error: Fault;
};

export type SubscribeOptions = {
  readonly area: Area;
  /** Names of the components to receive. Default: all of them. */
  readonly components?: readonly string[];
  /** Only entities that have all of these components. */
  readonly with?: readonly string[];
  /** Frames a second at most. Default: one for each tick. */
  readonly rateHz?: number;
  /** The id of a snapshot: the world as it was then, which never changes. Default: as it is. */
  readonly asOf?: string;
};

/** A snapshot of the world that a subscription can be `asOf`. */
export type Snapshot = {
  readonly id: string;
  readonly tick: number;
  /** On the clock of whoever took it, ms since 1970. */
  readonly takenAtMs: number;
  readonly entities: number;
};

/** A copy of one entity. */
export type Entity = {
  readonly id: number;
  readonly cell: number;
  /** The tick this state is of. */
  readonly tick: number;
  /** By component and field; only components that the entity has and the subscription selected. */
  readonly components: Readonly<Record<string, Readonly<Record<string, FieldValue>>>>;
};

/**
 * Where to draw everybody at one moment. The same object and, while it has room, the same arrays
 * each time: read it, do not keep or change it.
 *
 * An entity keeps its slot for as long as it is in the subscription. Go through slots 0 … count − 1
 * and leave out those whose id is 0, which are free.
 */
export interface Positions {
  /** Slots to go through; not the number of entities, which is the subscription's `size`. */
  readonly count: number;
  /** [slot] 0: free. */
  readonly ids: Float64Array;
  /** [slot] Within the space: wrapped where it wraps. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** [slot] Direction of the last movement, radians from +x towards +y; 0 before the first. */
  readonly heading: Float32Array;
  /** Rises when an entity gets or loses a slot. */
  readonly version: number;
  /** The moment shown, in ticks with a fraction; NaN before the first frame. */
  readonly tick: number;
}

/** The rows of one cell as columns. Valid until the next frame: copy what is to be kept. */
export interface CellColumns {
  readonly cell: number;
  readonly tick: number;
  /** Rows; arrays may have room for more. */
  readonly count: number;
  /** [row] Ascending. An entity that is just changing cells may for a moment be in two. */
  readonly ids: Float64Array;
  /** [row] Values of a field, booleans as 0 and 1; 0, '' or null without the component. */
  column(component: string, field: string): ArrayLike<FieldValue> | undefined;
  /** Whether a row has the component. */
  has(row: number, component: string): boolean;
}

export interface Subscription {
  readonly id: number;
  readonly area: Area;
  /** Whether everything in the area has been told since the last connection was made. */
  readonly isLive: boolean;
  /** Entities in it. */
  readonly size: number;
  /** The newest tick that was received for it; 0 before the first. */
  readonly tick: number;
  on<E extends keyof SubscriptionEvents>(
    event: E,
    hear: (value: SubscriptionEvents[E]) => void,
  ): () => void;
  /** Moves the area. Call it as often as a camera moves: the newest is sent eight times a second. */
  setArea(area: Area): void;
  has(id: number): boolean;
  get(id: number): Entity | undefined;
  ids(): IterableIterator<number>;
  /** Id and value of a field, of every entity that has the component. */
  values(
    component: string,
    field: string,
  ): IterableIterator<readonly [id: number, value: FieldValue]>;
  cells(): IterableIterator<CellColumns>;
  /**
   * Smooth positions at a time of the view's clock (a `requestAnimationFrame` stamp will do).
   * Nobody is in it if the world, or the selection, has no spatial component.
   */
  positions(nowMs: number): Positions;
  /** Ends it; its entities are gone at once, without events. */
  close(): void;
}

export interface View {
  readonly state: ViewState;
  /** The gateway in use, or the next one to be tried. */
  readonly url: string;
  /** Of the last gateway that welcomed this client. */
  readonly welcome: Welcome | undefined;
  /**
   * From the moment a tick was due to the arrival of its frame, averaged; NaN before the first.
   * An estimate: the clocks of client and store are matched by the fastest frame, so the shortest
   * way through the network is not in it. On one machine it is exact.
   */
  readonly latencyMs: number;
  /** The newest tick of any frame. */
  readonly tick: number;
  /** Frames, bytes and entity updates received since `connect`, and frames that made no sense. */
  readonly frames: number;
  readonly bytes: number;
  readonly updates: number;
  readonly badFrames: number;
  /** How often a connection had to be made again. */
  readonly reconnects: number;
  on<E extends keyof ViewEvents>(event: E, hear: (value: ViewEvents[E]) => void): () => void;
  /** Works in every state but `closed`; told to the gateway as soon as there is one. */
  subscribe(options: SubscribeOptions): Subscription;
  /**
   * Snapshots of the world, newest first, asked of the gateway in use. Rejects with the code and
   * detail of a `Fault`: `SNAPSHOTS_OFF` where it has none to show, `GATEWAY_UNREACHABLE` where nobody answers.
   */
  snapshots(): Promise<readonly Snapshot[]>;
  /** Whether to receive `status`, `feed`, `holders`, `plan` and `journal`. */
  status(on: boolean): void;
  /** Ends all subscriptions and the connection; leaves no timer. */
  close(): void;
}
