/**
 * One subscription: the faces of the cells that its area touches, and for each the version that
 * the client was told last.
 */
import type { AreaShape } from '@leasehold/spatial';
import { Edge } from './edge.ts';
import type { Face } from './face.ts';
import type { FollowedCell, Following } from './following.ts';
import type { OpenSnapshot } from './past.ts';
import type { Chosen } from './selection.ts';

/** One cell of a subscription. */
export type Seat = {
  readonly followed: FollowedCell;
  face: Face;
  /** The version the client has; −1 when it must be told the state. */
  base: number;
  /** Whether the client has ever been told of the cell. */
  isTold: boolean;
  /** What a client that came back holds of it, until that was compared. */
  held: Held | undefined;
};

/** A cell as a client that comes back holds it. */
export type Held = { readonly seq: number; readonly hash: number; readonly rows: number };

/** The entity that an area stays around. */
export type Target = { readonly entity: number; readonly radius: number; x: number; y: number };

export class Subscription {
  readonly id: number;
  readonly chosen: Chosen;
  /** Shortest time between two tellings. */
  readonly periodMs: number;
  readonly seats = new Map<number, Seat>();
  target: Target | undefined;
  dueAtMs = 0;
  isLive = false;
  /** Cells that a client which came back holds, until its first area is placed. */
  held: ReadonlyMap<number, Held> | undefined;
  /** Cells that left the area and the client does not know of yet. */
  gone: number[] = [];
  /** An area that came too soon after the one before. */
  waiting: { readonly area: unknown; readonly atMs: number } | undefined;
  movedAtMs = Number.NEGATIVE_INFINITY;
  readonly following: Following;
  /** The snapshot that it shows; absent for the living world. */
  readonly past: OpenSnapshot | undefined;
  #isClosed = false;

  /** `shown`: the living world, or a snapshot, which it releases when it is closed. */
  constructor(shown: Following | OpenSnapshot, id: number, chosen: Chosen, periodMs: number) {
    this.past = 'following' in shown ? shown : undefined;
    this.following = 'following' in shown ? shown.following : shown;
    this.id = id;
    this.chosen = chosen;
    this.periodMs = periodMs;
  }

  /** The next telling is due a period after this one was; who fell behind does not catch up. */
  wasTold(nowMs: number): void {
    this.dueAtMs = Math.max(this.dueAtMs, nowMs - this.periodMs) + this.periodMs;
  }

  /** Becomes about another area. `round`: a new one, for the faces that an edge now cuts anew. */
  place(shape: AreaShape, round: number): void {
    const { held } = this;
    this.held = undefined;
    const { grid } = this.following;
    const wanted = new Set(shape.cells);
    for (const [cell, seat] of this.seats) {
      if (!wanted.has(cell)) this.#leave(cell, seat);
    }
    for (const cell of wanted) {
      const seat = this.seats.get(cell);
      const edge = shape.isWhole(cell) ? undefined : new Edge(shape, grid, cell);
      if (seat === undefined) this.#take(cell, edge, round, held?.get(cell));
      else if (edge !== undefined && seat.face.isCut) seat.face.move(edge, round);
      else if (edge !== undefined || seat.face.isCut) this.#exchange(seat, edge, round);
    }
    // Cells that came back with the client but are outside its area now.
    for (const cell of held?.keys() ?? []) if (!wanted.has(cell)) this.gone.push(cell);
    this.isLive = false;
  }

  #take(cell: number, edge: Edge | undefined, round: number, held: Held | undefined): void {
    const followed = this.following.want(cell);
    const face = this.following.face(followed, this.chosen, edge, round);
    // What an edge cuts is never known to be the same.
    const known = edge === undefined ? held : undefined;
    // Who has not been told that a cell left still holds it when it comes back.
    const isTold = held !== undefined || this.gone.includes(cell);
    this.seats.set(cell, { followed, face, base: -1, isTold, held: known });
    this.gone = this.gone.filter((other) => other !== cell);
  }

  /** An edge now cuts the cell, or no longer does: other members, other bytes. */
  #exchange(seat: Seat, edge: Edge | undefined, round: number): void {
    this.following.dropFace(seat.followed, seat.face);
    seat.face = this.following.face(seat.followed, this.chosen, edge, round);
    seat.base = -1;
    seat.held = undefined;
  }

  #leave(cell: number, seat: Seat): void {
    this.seats.delete(cell);
    this.following.dropFace(seat.followed, seat.face);
    this.following.release(seat.followed);
    if (seat.isTold) this.gone.push(cell);
  }

  /** Whether the client of a seat has anything to be told. */
  hasNews(seat: Seat): boolean {
    const { face, held } = seat;
    if (face.version === -1) return false;
    if (held !== undefined) {
      seat.base = face.versionAt(held.seq, held.hash, held.rows);
      seat.held = undefined;
    }
    return seat.base !== face.version;
  }

  /** Whether the client has been told of every cell at least once. */
  get isComplete(): boolean {
    if (this.target !== undefined && Number.isNaN(this.target.x)) return false;
    for (const { base } of this.seats.values()) if (base === -1) return false;
    return true;
  }

  close(): void {
    this.target = undefined;
    for (const [cell, seat] of [...this.seats]) this.#leave(cell, seat);
    if (!this.#isClosed) this.past?.release();
    this.#isClosed = true;
  }

  /** Where its target is, if one of its cells has it. */
  find(entity: number): { readonly x: number; readonly y: number } | undefined {
    for (const { followed } of this.seats.values()) {
      const { rows, spatial } = followed.live;
      const row = rowOf(rows.ids, rows.count, entity);
      if (row < 0 || spatial === undefined) continue;
      const columns = rows.columns[spatial.component] ?? [];
      return { x: Number(columns[spatial.x]?.[row]), y: Number(columns[spatial.y]?.[row]) };
    }
    return undefined;
  }
}

/** The row of an id among the first `count` ascending ones, or −1. */
export function rowOf(ids: Float64Array, count: number, id: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] as number) < id) low = middle + 1;
    else high = middle;
  }
  return low < count && ids[low] === id ? low : -1;
}
