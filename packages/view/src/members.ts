/**
 * Who of a cell's rows one face shows: those with certain components, within an edge. Remembers
 * since when each is shown, and for a while who left, so that whoever has seen an earlier round can
 * be told of both.
 */
import type { Edge } from './edge.ts';
import type { LiveCell } from './live-cell.ts';
import { DRIFT_ROUNDING } from './published.ts';

/** Who left is remembered for so many; a client further behind gets the state. */
const LEFT_MAX = 1_024;

type Left = { readonly round: number; readonly id: number; readonly bornAt: number };

export class Members {
  count = 0;
  /** The latest round in which a member had to be told whole. */
  newestAt = -1;
  /** The latest round in which somebody left. */
  leftAt = -1;
  /** Who left up to this round is no longer known. */
  forgottenAt = -1;
  readonly #cell: LiveCell;
  readonly #mask: number;
  #edge: Edge | undefined;
  #ids = new Float64Array(0);
  /** Row numbers in the published rows; unused when all rows are members. */
  #rows = new Uint32Array(0);
  #bornAt = new Float64Array(0);
  #left: Left[] = [];
  /** Until the drift of the rows reaches these, nobody comes or leaves by moving. */
  #steadyX = 0;
  #steadyY = 0;

  /** `mask`: layer bits that a member has, all of them. */
  constructor(cell: LiveCell, mask: number, edge: Edge | undefined) {
    this.#cell = cell;
    this.#mask = mask;
    this.#edge = edge;
  }

  get isCut(): boolean {
    return this.#edge !== undefined;
  }

  get isEveryone(): boolean {
    return this.#edge === undefined && this.#mask === 0;
  }

  /** Row numbers, ascending; `undefined` when all rows are members. */
  get rows(): Uint32Array | undefined {
    return this.isEveryone ? undefined : this.#rows;
  }

  /** The area moved: who is a member is found anew by the next `update`. */
  move(edge: Edge): void {
    this.#edge = edge;
    this.#steadyX = Number.NaN;
  }

  /** No version before leads on: nobody needs to know any more who left. */
  forgetAll(): void {
    this.#left = [];
    this.#steadyX = Number.NaN;
  }

  /** Nobody asks any more who left up to this round. */
  forget(round: number): void {
    if (this.#left.length === 0 || (this.#left[0] as Left).round > round) return;
    const kept = this.#left.findIndex((left) => left.round > round);
    this.#left.splice(0, kept === -1 ? this.#left.length : kept);
  }

  /**
   * Finds who is a member now. `seen`: the round of the last update; `told`: the version that
   * clients were last told. Answers whether anybody came, left, or has other components.
   *
   * PERF: without an edge members move only when rows do; with one, when somebody may have reached
   * it since all were last looked at.
   */
  update(round: number, seen: number, told: number): boolean {
    const { rows } = this.#cell;
    const isKept = rows.movedAt <= seen;
    if (this.#edge === undefined) return isKept ? false : this.#find(round, told, undefined);
    if (
      isKept &&
      rows.driftSince <= seen &&
      rows.driftX < this.#steadyX &&
      rows.driftY < this.#steadyY
    )
      return false;
    const place = this.#placeOf();
    this.#reckonSteady(place);
    if (isKept && place !== undefined && this.#isSteady(place)) return false;
    return this.#find(round, told, place);
  }

  /** How far everybody may go, each way, before somebody can come or leave. */
  #reckonSteady(place: Place | undefined): void {
    const { rows } = this.#cell;
    SLACK.x = Number.POSITIVE_INFINITY;
    SLACK.y = Number.POSITIVE_INFINITY;
    for (let row = 0; place !== undefined && row < rows.count; row++) {
      if (((rows.masks[row] as number) & place.bit) === 0) continue;
      place.edge.narrow(place.xs[row] as number, place.ys[row] as number, SLACK);
      if (SLACK.x <= 0 || SLACK.y <= 0) break;
    }
    // What rounding may add to a drift is taken off beforehand.
    this.#steadyX = (rows.driftX + SLACK.x) * (1 - DRIFT_ROUNDING);
    this.#steadyY = (rows.driftY + SLACK.y) * (1 - DRIFT_ROUNDING);
  }

  #find(round: number, told: number, place: Place | undefined): boolean {
    const { rows } = this.#cell;
    reserve(rows.count);
    let count = 0;
    let old = 0;
    let isMoved = false;
    let newestAt = -1;
    for (let row = 0; row < rows.count; row++) {
      if (!this.#isMember(row, place)) continue;
      const id = rows.ids[row] as number;
      for (; old < this.count && (this.#ids[old] as number) < id; old++) this.#leave(old, round);
      const isKnown = old < this.count && this.#ids[old] === id;
      // Somebody with other components than before is told of anew.
      if (!isKnown || (rows.bornAt[row] as number) > told) isMoved = true;
      const bornAt = isKnown ? (this.#bornAt[old++] as number) : round;
      newestAt = Math.max(newestAt, bornAt, rows.bornAt[row] as number);
      foundBornAt[count] = bornAt;
      foundIds[count] = id;
      foundRows[count] = row;
      count++;
    }
    if (count < this.count || old < this.count) isMoved = true;
    for (; old < this.count; old++) this.#leave(old, round);
    this.newestAt = newestAt;
    this.#keep(count);
    return isMoved;
  }

  /** PERF: rows are where they were and so is, nearly always, everybody: nothing is written. */
  #isSteady(place: Place): boolean {
    const members = this.#rows;
    const { count } = this;
    const { count: total, masks } = this.#cell.rows;
    const mask = (this.#mask | place.bit) >>> 0;
    let k = 0;
    for (let row = 0; row < total; row++) {
      const isMember = ((masks[row] as number) & mask) >>> 0 === mask && isIn(place, row);
      if (isMember !== (k < count && members[k] === row)) return false;
      if (isMember) k++;
    }
    return true;
  }

  #isMember(row: number, place: Place | undefined): boolean {
    const { rows } = this.#cell;
    const mask = this.#mask;
    if (mask !== 0 && ((rows.masks[row] as number) & mask) >>> 0 !== mask) return false;
    if (place === undefined) return true;
    if (((rows.masks[row] as number) & place.bit) === 0) return false;
    return isIn(place, row);
  }

  #placeOf(): Place | undefined {
    const { spatial, rows } = this.#cell;
    if (this.#edge === undefined || spatial === undefined) return undefined;
    const columns = rows.columns[spatial.component] ?? [];
    return {
      edge: this.#edge,
      bit: 2 ** spatial.component,
      xs: columns[spatial.x] as Float64Array,
      ys: columns[spatial.y] as Float64Array,
    };
  }

  #leave(i: number, round: number): void {
    this.leftAt = round;
    this.#left.push({ round, id: this.#ids[i] as number, bornAt: this.#bornAt[i] as number });
    if (this.#left.length <= LEFT_MAX) return;
    this.forgottenAt = (this.#left.shift() as Left).round;
  }

  /** Makes the found ones the members. */
  #keep(count: number): void {
    if (this.#ids.length < count) {
      const room = count + (count >>> 2) + 4;
      this.#ids = new Float64Array(room);
      this.#rows = new Uint32Array(room);
      this.#bornAt = new Float64Array(room);
    }
    for (let i = 0; i < count; i++) {
      this.#ids[i] = foundIds[i] as number;
      this.#rows[i] = foundRows[i] as number;
      this.#bornAt[i] = foundBornAt[i] as number;
    }
    this.count = count;
  }

  /** Positions among the members, ascending, of those that had to be told whole since. */
  addedSince(base: number): Uint32Array {
    const added: number[] = [];
    for (let i = 0; i < this.count; i++) if (this.toldAt(i) > base) added.push(i);
    return Uint32Array.from(added);
  }

  /** Who came and went again was never seen; who left and came back is among the added. */
  removedSince(base: number): readonly number[] {
    return this.#left
      .filter(({ round, id, bornAt }) => round > base && bornAt <= base && !this.#has(id))
      .map(({ id }) => id)
      .sort((a, b) => a - b)
      .filter((id, i, ids) => id !== ids[i - 1]);
  }

  /** The round from which on a member has to be told whole. */
  toldAt(i: number): number {
    const bornAt = this.#bornAt[i] as number;
    return Math.max(bornAt, this.#cell.rows.bornAt[this.rowOf(i)] as number);
  }

  rowOf(i: number): number {
    return this.isEveryone ? i : (this.#rows[i] as number);
  }

  #has(id: number): boolean {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ids[middle] as number) < id) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.#ids[low] === id;
  }
}

type Place = {
  readonly edge: Edge;
  readonly bit: number;
  readonly xs: Float64Array;
  readonly ys: Float64Array;
};

/** PERF: most places are told by four comparisons, without a call that knows of seams and shapes. */
function isIn({ edge, xs, ys }: Place, row: number): boolean {
  const x = xs[row] as number;
  const y = ys[row] as number;
  if (x >= edge.minX && x <= edge.maxX && y >= edge.minY && y <= edge.maxY) return true;
  return edge.isOut(x, y) ? false : edge.contains(x, y);
}

/** PERF: of the face that is looked at now. */
const SLACK = { x: 0, y: 0 };

/** PERF: members are found here, whatever the face, and copied once they are known to differ. */
let foundIds = new Float64Array(256);
let foundRows = new Uint32Array(256);
let foundBornAt = new Float64Array(256);

function reserve(count: number): void {
  if (foundIds.length >= count) return;
  foundIds = new Float64Array(count * 2);
  foundRows = new Uint32Array(count * 2);
  foundBornAt = new Float64Array(count * 2);
}
