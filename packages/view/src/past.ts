/**
 * Snapshots as views see them: each that somebody looks at is followed like the living world, only
 * that nothing ever comes after its cells were read. So its frames and answers are made by the same
 * parts as those of now.
 */
import { type Clock, LeaseholdError, type Log } from '@leasehold/kernel';
import type { CellImage, Head, SchemaResolver } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import { type FollowedCell, Following } from './following.ts';
import { SNAPSHOT_LINGER_MS, type ViewLimits } from './limits.ts';
import type { CellKit, Others } from './live-cell.ts';
import { Search } from './search.ts';

/** A snapshot that can be looked at. */
export type PastSnapshot = {
  readonly id: string;
  readonly tick: number;
  readonly takenAtMs: number;
  readonly entities: number;
};

/** Where snapshots of the world are read. */
export interface PastSource {
  /** Newest first. */
  list(): Promise<readonly PastSnapshot[]>;
  /** Throws `SNAPSHOT_UNKNOWN`, or why this one cannot be shown here. */
  open(id: string): Promise<PastCells>;
}

/** One snapshot: the cells of the layer that is shown. */
export type PastCells = {
  /** What all of its rows take before they are decoded. */
  readonly bytes: number;
  /** The schemas that its rows may be written in. */
  readonly older: SchemaResolver;
  /**
   * Cells as they were, each with whoever was on the way from it; one that was not captured is empty.
   */
  load(cells: readonly number[]): Promise<CellImage[]>;
  /** The cell that has an entity, if one has. */
  cellOf(id: number): Promise<number | undefined>;
};

export type PastParts = {
  readonly source: PastSource | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly kit: CellKit;
  readonly grid: Grid;
  readonly tickHz: number;
  readonly limits: ViewLimits;
  /** Cells of a snapshot were read. */
  readonly onLoaded: (following: Following, cells: readonly FollowedCell[]) => void;
};

/** What is in memory of snapshots. */
export type PastHeld = {
  /** Also those that are kept for a while because somebody has looked at them. */
  readonly open: number;
  /** Those that somebody looks at. */
  readonly used: number;
  /** What their rows take before they are decoded. */
  readonly bytes: number;
};

/** Nobody is between two cells of a snapshot: who was on the way is with the cell that was left. */
export const SETTLED: Others = { isUnderway: () => undefined, isWaiting: () => false };

export class Past {
  readonly #parts: PastParts;
  readonly #open = new Map<string, OpenSnapshot>();

  constructor(parts: PastParts) {
    this.#parts = parts;
  }

  get held(): PastHeld {
    let [used, bytes] = [0, 0];
    for (const open of this.#open.values()) {
      used += Number(open.users > 0);
      bytes += open.bytes;
    }
    return { open: this.#open.size, used, bytes };
  }

  /** Throws `SNAPSHOTS_OFF`, and what the source throws. */
  async list(): Promise<readonly PastSnapshot[]> {
    return this.#source().list();
  }

  /**
   * A snapshot, for its user to `release`; whether there is one, its `ready` says. Throws
   * `SNAPSHOTS_OFF` or `LIMIT_EXCEEDED`.
   */
  use(id: string): OpenSnapshot {
    const source = this.#source();
    const known = this.#open.get(id);
    if (known !== undefined) return known.use();
    const { snapshotsMax } = this.#parts.limits;
    if (this.#open.size >= snapshotsMax) this.sweep(true);
    if (this.#open.size >= snapshotsMax) throw tooMany('snapshotsMax', snapshotsMax);
    const open = new OpenSnapshot(id, this.#parts, () => this.#admit(source, id));
    this.#open.set(id, open);
    open.ready.catch(() => {
      if (this.#open.get(id) === open) this.#open.delete(id);
    });
    return open.use();
  }

  /** Asks about a snapshot. Throws as `use`, what its opening throws, and what `ask` does. */
  async with<T>(id: string, ask: (search: Search) => Promise<T>): Promise<T> {
    const open = this.use(id);
    try {
      await open.ready;
      return await ask(open.search);
    } finally {
      open.release();
    }
  }

  /** Lets go of what nobody has looked at for a while; `all`: of every one nobody looks at. */
  sweep(all = false): void {
    const now = this.#parts.clock.nowMs();
    for (const [id, open] of this.#open) {
      open.following.sweep(all);
      if (open.users > 0 || (!all && now - open.freeSinceMs < SNAPSHOT_LINGER_MS)) continue;
      this.#open.delete(id);
      void open.following.stop();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ following }) => following.stop()));
    this.#open.clear();
  }

  /** Opens one whose rows there is room for. */
  async #admit(source: PastSource, id: string): Promise<PastCells> {
    const cells = await source.open(id);
    const { snapshotBytesMax } = this.#parts.limits;
    const isFull = (): boolean => {
      return cells.bytes + this.held.bytes > snapshotBytesMax;
    };
    if (isFull()) this.sweep(true);
    if (isFull()) throw tooMany('snapshotBytesMax', snapshotBytesMax);
    return cells;
  }

  #source(): PastSource {
    const { source } = this.#parts;
    if (source !== undefined) return source;
    throw new LeaseholdError('SNAPSHOTS_OFF', 'this gateway has no database with snapshots', {
      field: 'SNAPSHOTS_URL',
      value: '',
      remedy: 'Start it with SNAPSHOTS_URL or DATABASE_URL: a PostgreSQL with PostGIS.',
    });
  }
}

export class OpenSnapshot {
  readonly following: Following;
  readonly search: Search;
  /** Rejects with why it cannot be shown. */
  readonly ready: Promise<void>;
  users = 0;
  freeSinceMs = 0;
  readonly #clock: Clock;
  #cells: PastCells | undefined;

  constructor(id: string, parts: PastParts, open: () => Promise<PastCells>) {
    const { clock, grid, kit, limits, tickHz } = parts;
    this.#clock = clock;
    const opening = open();
    const log = withSnapshot(parts.log, id);
    const following: Following = new Following({
      ...{ clock, log, grid, tickHz, cellsMax: limits.followedCellsMax },
      store: followedStore(opening),
      kit: { ...kit, older: (hash) => this.#cells?.older(hash) },
      onLoaded: (cells) => parts.onLoaded(following, cells),
    });
    this.following = following;
    const store = searchedStore(opening);
    this.search = new Search({ store, grid, clock, following, spatial: kit.spatial, limits });
    this.ready = opening.then((cells) => {
      this.#cells = cells;
      following.start();
    });
  }

  /** 0 until it is open. */
  get bytes(): number {
    return this.#cells?.bytes ?? 0;
  }

  use(): this {
    this.users++;
    return this;
  }

  release(): void {
    this.users--;
    if (this.users === 0) this.freeSinceMs = this.#clock.nowMs();
  }
}

const NO_HEAD: Omit<Head, 'cell'> = {
  ...{ seq: 0, hash: '', tick: 0, epoch: '0', nonce: '', idCounter: 0, asked: 0, restoredSeq: 0 },
  ...{ outSeq: 0, inboxCursor: 0, cursors: new Map(), checkpoints: [] },
};

function followedStore(
  opening: Promise<PastCells>,
): ConstructorParameters<typeof Following>[0]['store'] {
  return {
    heads: async (cells) => cells.map((cell) => ({ ...NO_HEAD, cell })),
    load: async (wanted) => (await opening).load(wanted.map(({ cell }) => cell)),
    channel: async () => [],
    barrier: async () => undefined,
  };
}

function searchedStore(
  opening: Promise<PastCells>,
): ConstructorParameters<typeof Search>[0]['store'] {
  return {
    locate: async (id, cells) => {
      const cell = await (await opening).cellOf(id);
      return cell !== undefined && cells.includes(cell) ? [cell] : [];
    },
    // Without a hint cells are taken outward from the point.
    near: async (searches) => searches.map(() => []),
  };
}

/** What is said of its cells names the snapshot, as the living world has cells of the same numbers. */
function withSnapshot(log: Log, snapshot: string): Log {
  return {
    debug: (facts, message) => log.debug({ ...facts, snapshot }, message),
    info: (facts, message) => log.info({ ...facts, snapshot }, message),
    warn: (facts, message) => log.warn({ ...facts, snapshot }, message),
    error: (facts, message) => log.error({ ...facts, snapshot }, message),
  };
}

function tooMany(field: 'snapshotsMax' | 'snapshotBytesMax', max: number): LeaseholdError {
  const what = field === 'snapshotsMax' ? `${max} snapshots` : `${max} bytes of snapshots`;
  return new LeaseholdError('LIMIT_EXCEEDED', `this gateway shows ${what} at once`, {
    field,
    value: String(max),
    remedy: 'Ask again when fewer are looked at, or start another gateway.',
  });
}
