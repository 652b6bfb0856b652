/** What one gateway carries, and what one client may ask of it. Every limit has a name. */
export type ViewLimits = {
  /** Subscriptions of one connection. */
  readonly subscriptionsMax: number;
  /** Cells that one area may touch. */
  readonly areaCellsMax: number;
  /** Cells followed by one gateway. */
  readonly followedCellsMax: number;
  /** Moves of one subscription's area in a second; the newest is kept until its time comes. */
  readonly areaChangesPerS: number;
  /** Messages of one connection in a second; more is a flood, and closes it. */
  readonly messagesPerS: number;
  /** Bytes of one message of a client. */
  readonly messageBytesMax: number;
  /** A frame is closed when it has this many bytes; one cell's state may be larger alone. */
  readonly frameBytes: number;
  /** Bytes that may wait for one client; beyond, it is told the latest state later. */
  readonly queueBytesMax: number;
  /** A client that takes nothing from its queue for this long is dropped. */
  readonly slowMs: number;
  /** Rows in the answer to a query. */
  readonly queryRowsMax: number;
  /** Snapshots that are looked at, or were a moment ago. */
  readonly snapshotsMax: number;
  /** Stored bytes of the rows of all of them, whether they are read or not. */
  readonly snapshotBytesMax: number;
};

export const VIEW_LIMITS: ViewLimits = {
  subscriptionsMax: 16,
  areaCellsMax: 4_096,
  followedCellsMax: 16_384,
  areaChangesPerS: 10,
  messagesPerS: 200,
  messageBytesMax: 16 * 1024,
  frameBytes: 64 * 1024,
  queueBytesMax: 96 * 1024,
  slowMs: 10_000,
  queryRowsMax: 10_000,
  snapshotsMax: 8,
  snapshotBytesMax: 256 * 1024 * 1024,
};

/** A cell that nobody looks at any more is followed on for this long: cameras come back. */
export const LINGER_MS = 5_000;
/** A snapshot that nobody looks at any more: who moves through time comes back to it. */
export const SNAPSHOT_LINGER_MS = 30_000;
/** Cells read whole in one go: more would keep the rest of the gateway waiting. */
export const LOAD_CELLS_MAX = 64;
/** A cell that could not be read is tried again after this long. */
export const RETRY_MS = 2_000;
/** A gateway follows all of a world of so many cells, if it is to be warm. */
export const WARM_CELLS_MAX = 4_096;
