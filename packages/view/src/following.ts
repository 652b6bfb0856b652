/**
 * The cells that somebody looks at, each followed once whatever the number of clients: loaded when
 * first wanted, kept by one poll for all of them, and let go a while after the last one left.
 */
import { type Clock, LeaseholdError, type Log, Signal } from '@leasehold/kernel';
import {
  type CellImage,
  type ChannelEntry,
  decodeRows,
  type FollowCursor,
  type FollowNews,
  type Head,
  type LogEntry,
  type Store,
} from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import { Arena } from './arena.ts';
import type { Edge } from './edge.ts';
import { Face } from './face.ts';
import { LINGER_MS, LOAD_CELLS_MAX, RETRY_MS } from './limits.ts';
import { type CellKit, LiveCell, type Others, type Wait } from './live-cell.ts';
import type { Chosen } from './selection.ts';
import { SlowCells } from './slow-cells.ts';
import { prepareStencil } from './stencil.ts';

export type FollowedCell = {
  readonly live: LiveCell;
  users: number;
  freeSinceMs: number;
  /** By selection. */
  readonly faces: Map<string, Faces>;
};

/** The faces of one cell and one selection. */
export type Faces = {
  readonly chosen: Chosen;
  /** The one without an edge. */
  shared: Face | undefined;
  /** Those that an edge cuts. */
  readonly cut: Set<Face>;
};

export type FollowingParts = {
  readonly store: Pick<Store, 'heads' | 'load' | 'channel' | 'barrier'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly kit: CellKit;
  readonly grid: Grid;
  readonly cellsMax: number;
  readonly tickHz: number;
  /** A part of the wanted cells was loaded. */
  readonly onLoaded: (cells: readonly FollowedCell[]) => void;
};

const FAULT_PAUSE_MS = 100;
const IDLE_MS = 1_000;
/** So many slow cells nobody goes through while one of them waits. */
const HOPS_MAX = 16;

export class Following {
  readonly cells = new Map<number, FollowedCell>();
  resyncs = 0;
  loads = 0;
  /** Latest tick seen in any followed cell. */
  tick = 0;
  /** What the faces of all cells tell in a round. */
  readonly arena = new Arena();
  /** Those that are told more seldom. */
  readonly slow: SlowCells;
  readonly #parts: FollowingParts;
  readonly #cold = new Set<FollowedCell>();
  readonly #wanted: Signal;
  #isStopped = false;
  #loading: Promise<void> | undefined;

  constructor(parts: FollowingParts) {
    this.#parts = parts;
    this.slow = new SlowCells(parts.tickHz);
    this.#wanted = new Signal(parts.clock);
  }

  get grid(): Grid {
    return this.#parts.grid;
  }

  start(): void {
    this.#loading = this.#loadLoop();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wanted.wake();
    await this.#loading;
  }

  /** Throws `LIMIT_EXCEEDED` when these cells are more than can be followed beside the others. */
  expectRoom(cells: Iterable<number>): void {
    const { cellsMax } = this.#parts;
    const lacking = (): number => {
      let count = 0;
      for (const cell of cells) if (!this.cells.has(cell)) count++;
      return count;
    };
    if (this.cells.size + lacking() > cellsMax) this.sweep(true);
    if (this.cells.size + lacking() > cellsMax) throw tooMany(cellsMax);
  }

  /** Follows a cell from now on; `release` as often. Throws `LIMIT_EXCEEDED`. */
  want(cell: number): FollowedCell {
    let followed = this.cells.get(cell);
    if (followed === undefined) {
      this.expectRoom([cell]);
      const live = new LiveCell(this.#parts.kit, cell);
      followed = { live, users: 0, freeSinceMs: 0, faces: new Map() };
      this.cells.set(cell, followed);
      this.#cold.add(followed);
      this.#wanted.wake();
    }
    followed.users++;
    return followed;
  }

  release(followed: FollowedCell): void {
    followed.users--;
    if (followed.users === 0) followed.freeSinceMs = this.#parts.clock.nowMs();
  }

  /** Lets go of cells that nobody has wanted for a while; `all`: of every one nobody wants. */
  sweep(all = false): void {
    const now = this.#parts.clock.nowMs();
    for (const [cell, followed] of this.cells) {
      if (followed.users > 0 || (!all && now - followed.freeSinceMs < LINGER_MS)) continue;
      this.cells.delete(cell);
      this.slow.forget(cell);
      this.#cold.delete(followed);
    }
  }

  /** The face for a selection: shared, or of its own where an edge cuts the cell. */
  face(followed: FollowedCell, chosen: Chosen, edge: Edge | undefined, round: number): Face {
    const { live, faces } = followed;
    const { key } = chosen;
    const group = faces.get(key) ?? { chosen, shared: undefined, cut: new Set<Face>() };
    faces.set(key, group);
    let face = edge === undefined ? group.shared : undefined;
    if (face === undefined) {
      face = new Face(live, chosen, edge, this.arena);
      if (edge === undefined) group.shared = face;
      else group.cut.add(face);
      face.update(round);
    }
    face.users++;
    return face;
  }

  dropFace({ faces }: FollowedCell, face: Face): void {
    face.users--;
    const { key } = face.chosen;
    const group = faces.get(key);
    if (face.users > 0 || group === undefined) return;
    if (group.shared === face) group.shared = undefined;
    group.cut.delete(face);
    if (group.shared === undefined && group.cut.size === 0) faces.delete(key);
  }

  /** Brings the faces of a cell up to what it published in this round. */
  update({ live, faces }: FollowedCell, round: number): void {
    for (const { chosen, shared, cut } of faces.values()) {
      const before = prepareStencil(this.arena.stencil, live, chosen, round);
      shared?.update(round, before);
      for (const face of cut) face.update(round, before);
    }
  }

  get cursors(): FollowCursor[] {
    const cursors: FollowCursor[] = [];
    for (const { live } of this.cells.values()) {
      if (!live.isReady) continue;
      const { seq, hash } = this.slow.readTo(live);
      cursors.push({ cell: live.cell, seq, hash });
    }
    return cursors;
  }

  /** Applies what a poll brought. Answers the cells that it was about, some more than once. */
  take(news: readonly FollowNews[]): FollowedCell[] {
    const touched: FollowedCell[] = [];
    for (const each of news) {
      const followed = this.cells.get(each.cell);
      if (followed === undefined || !followed.live.isReady) continue;
      if (each.resync) this.#reload(followed, 'its log does not go on from where it was read');
      else this.#apply(followed, each, touched);
    }
    return touched;
  }

  /** What waited for its time, and is due although nothing came. Answers the cells. */
  takeDue(): FollowedCell[] {
    const touched: FollowedCell[] = [];
    for (const cell of this.slow.due(this.#parts.clock.nowMs())) {
      const followed = this.cells.get(cell);
      if (followed?.live.isReady) this.#tell(followed, touched);
      else this.slow.forget(cell);
    }
    return touched;
  }

  #apply(followed: FollowedCell, { entries }: FollowNews, touched: FollowedCell[]): void {
    const { live } = followed;
    const { slow } = this;
    const { cell } = live;
    for (const entry of entries) {
      const read = slow.readTo(live);
      // A poll that was under way while the cell was loaded repeats what is known.
      if (entry.seq <= read.seq) continue;
      if (entry.seq !== read.seq + 1 || entry.prevHash !== read.hash) {
        this.#reload(followed, 'an entry does not extend what was read');
        return;
      }
      if (entry.tick > this.tick) this.tick = entry.tick;
      // What waited goes first, also where the cell is slow no more.
      if (slow.isSlow(cell) || read.seq !== live.seq) slow.hold(cell, entry);
      else if (!this.#follow(followed, entry, touched)) return;
    }
    this.#tell(followed, touched);
  }

  /** Follows what has waited, if it is due. */
  #tell(followed: FollowedCell, touched: FollowedCell[]): void {
    for (const entry of this.slow.take(followed.live.cell, this.#parts.clock.nowMs())) {
      if (!this.#follow(followed, entry, touched)) return;
    }
  }

  #follow(followed: FollowedCell, entry: LogEntry, touched: FollowedCell[]): boolean {
    try {
      for (const arrival of followed.live.apply(entry)) this.#await(followed.live, arrival);
    } catch (error) {
      this.#giveUp(followed, error);
      return false;
    }
    touched.push(followed);
    return true;
  }

  /** Who has come from a slow cell is shown there until that is told of it, and then here. */
  #await(live: LiveCell, { from, seq, body }: ChannelEntry): void {
    const left = this.cells.get(from)?.live;
    const isSlow = left !== undefined && this.slow.isSlow(from);
    // PERF: nearly always there is no slow cell at all, and nobody is looked at.
    if (!isSlow && !left?.hasWaits && !live.hasWaits) return;
    const { schema, older } = this.#parts.kit;
    const { rows } = decodeRows(body, schema, older);
    for (const id of rows.ids.subarray(0, rows.count)) {
      const mustWait = isSlow || left?.waitOf(id) !== undefined;
      if (mustWait) live.wait(id, { from, seq });
      else if (live.waitOf(id) !== undefined) live.wait(id, undefined);
    }
  }

  /**
   * Whether the cell that somebody left still shows it, as it has not been told better, or the one
   * before that: it may have gone through several that wait.
   */
  #isWaiting(cell: number, id: number, wait: Wait): boolean {
    let open: Wait | undefined = wait;
    for (let hops = 0; open !== undefined && hops < HOPS_MAX; hops++) {
      const left: LiveCell | undefined = this.cells.get(open.from)?.live;
      if (!left?.isReady || open.from === cell) return false;
      if (left.outSeq < open.seq) return true;
      open = left.waitOf(id);
    }
    return false;
  }

  /** What others know that a cell must know to be published. */
  othersOf(cell: number): Others {
    return {
      isUnderway: (to, seq) => this.#isUnderway(cell, to, seq),
      isWaiting: (id, wait) => this.#isWaiting(cell, id, wait),
    };
  }

  #reload(followed: FollowedCell, why: string): void {
    this.resyncs++;
    this.#parts.log.warn({ cell: followed.live.cell, seq: followed.live.seq }, `reloaded: ${why}`);
    followed.live.isReady = false;
    this.slow.forget(followed.live.cell);
    this.#cold.add(followed);
    this.#wanted.wake();
  }

  /** One cell that cannot be understood keeps no other from being seen. */
  #giveUp({ live }: FollowedCell, error: unknown): void {
    live.isReady = false;
    this.slow.forget(live.cell);
    live.retryAtMs = this.#parts.clock.nowMs() + RETRY_MS;
    this.#cold.add(this.cells.get(live.cell) as FollowedCell);
    this.#parts.log.error({ cell: live.cell, err: error }, 'a followed cell cannot be understood');
  }

  /** A departure is under way until its destination has merged it; unknown where none is followed. */
  #isUnderway(from: number, to: number, seq: number): boolean | undefined {
    const live = this.cells.get(to)?.live;
    return live && live.consumedOf(from) < seq;
  }

  async #loadLoop(): Promise<void> {
    while (!this.#isStopped) {
      const due = this.#due();
      if (due.length === 0) {
        await this.#wanted.wait(this.#cold.size === 0 ? IDLE_MS : FAULT_PAUSE_MS);
        continue;
      }
      try {
        await this.#load(due);
      } catch (error) {
        this.#parts.log.warn({ err: error }, 'cells cannot be read now');
        if (error instanceof LeaseholdError) {
          // One that cannot be read must not hold up those beside it.
          for (const each of due) each.live.retryAtMs = this.#parts.clock.nowMs() + RETRY_MS;
        }
        await this.#parts.clock.sleep(FAULT_PAUSE_MS);
      }
    }
  }

  #due(): FollowedCell[] {
    const now = this.#parts.clock.nowMs();
    const due: FollowedCell[] = [];
    for (const followed of this.#cold) {
      if (followed.live.retryAtMs > now) continue;
      due.push(followed);
      if (due.length === LOAD_CELLS_MAX) break;
    }
    return due;
  }

  /**
   * Heads first, then logs, then channels: what a cell has consumed is never more than its log
   * tells, and its channel has whatever its log has sent.
   */
  async #load(wanted: readonly FollowedCell[]): Promise<void> {
    const { store } = this.#parts;
    const { due, heads } = await this.#heads(wanted);
    if (due.length === 0) return;
    const numbers = due.map(({ live }) => live.cell);
    const images = await this.#images(due, heads);
    const channels = await Promise.all(
      numbers.map((cell, i) => (images[i] === undefined ? [] : store.channel(cell, 0))),
    );
    await store.barrier();
    const loaded: FollowedCell[] = [];
    for (const [i, followed] of due.entries()) {
      const image = images[i];
      if (image === undefined || this.cells.get(followed.live.cell) !== followed) continue;
      try {
        const { cursors = new Map(), outSeq = 0 } = heads[i] ?? {};
        followed.live.load(image, cursors, channels[i] ?? [], outSeq);
      } catch (error) {
        this.#giveUp(followed, error);
        continue;
      }
      this.#cold.delete(followed);
      this.loads++;
      if (followed.live.tick > this.tick) this.tick = followed.live.tick;
      loaded.push(followed);
    }
    this.#parts.onLoaded(loaded);
  }

  /** Where cells stand. One whose head is refused is tried later and keeps no other waiting. */
  async #heads(wanted: readonly FollowedCell[]): Promise<{ due: FollowedCell[]; heads: Head[] }> {
    const { store, log, clock } = this.#parts;
    const due: FollowedCell[] = [];
    const heads: Head[] = [];
    const refused = new Map<string, number>();
    for (const [i, head] of (await store.heads(wanted.map(({ live }) => live.cell))).entries()) {
      const followed = wanted[i] as FollowedCell;
      if ('seq' in head) {
        due.push(followed);
        heads.push(head);
      } else {
        followed.live.retryAtMs = clock.nowMs() + RETRY_MS;
        refused.set(head.tag, (refused.get(head.tag) ?? 0) + 1);
      }
    }
    for (const [tag, cells] of refused) log.warn({ tag, cells }, 'heads of cells are refused');
    return { due, heads };
  }

  /** Together if possible; one by one to find the one that cannot be read. */
  async #images(
    due: readonly FollowedCell[],
    heads: readonly Head[],
  ): Promise<(CellImage | undefined)[]> {
    const { store } = this.#parts;
    const request = (cell: number, head: Head | undefined) =>
      head === undefined ? { cell } : { cell, head };
    try {
      // Read from the very heads whose cursors are used: a checkpoint made since would hide arrivals.
      return await store.load(due.map(({ live }, i) => request(live.cell, heads[i])));
    } catch (error) {
      if (!(error instanceof LeaseholdError) || error.code === 'WORLD_NOT_READY') throw error;
    }
    const images: (CellImage | undefined)[] = [];
    for (const [i, followed] of due.entries()) {
      try {
        images.push(...(await store.load([request(followed.live.cell, heads[i])])));
      } catch (error) {
        if (!(error instanceof LeaseholdError)) throw error;
        this.#giveUp(followed, error);
        images.push(undefined);
      }
    }
    return images;
  }
}

function tooMany(max: number): LeaseholdError {
  return new LeaseholdError('LIMIT_EXCEEDED', `this gateway follows ${max} cells already`, {
    field: 'followedCellsMax',
    value: String(max),
    remedy: 'Ask for a smaller area, or start another gateway.',
  });
}
