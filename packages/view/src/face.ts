/**
 * A cell as one kind of subscriber sees it: some components, of some rows. A face without an edge
 * is shared by every client with that selection, and so are the bytes it encodes; a face that an
 * area's edge cuts belongs to one subscription.
 *
 * A face has versions: rounds in which what it shows changed. A client has seen some version, and
 * is told what came after it.
 */
import { assert } from '@leasehold/kernel';
import {
  type CellPosition,
  encodeDeltaPart,
  encodeStatePart,
  type FieldRows,
} from '@leasehold/protocol/view';
import type { LiveCell } from './live-cell.ts';
import type { Chosen } from './selection.ts';

/** Versions that a shared face remembers: three seconds at 20 Hz. A cut face needs fewer. */
const VERSIONS_SHARED = 64;
const VERSIONS_CUT = 24;
/** Who left is remembered for so many; a client further behind gets the state. */
const LEFT_MAX = 1_024;
/** Encoded parts kept in a round: one for each version that clients stand at. */
const PARTS_MAX = 32;

/** Whether a place is in the area. */
export type Inside = (x: number, y: number) => boolean;

type Left = { readonly round: number; readonly id: number; readonly bornAt: number };
type Version = { readonly round: number; readonly seq: number; readonly hash: number };

/** What is sent of a cell: the same bytes to everyone at the same version. */
export type FacePart = {
  /** A complete part of a frame. */
  readonly bytes: Uint8Array;
  /** Entities that it tells of. */
  readonly updates: number;
  readonly isState: boolean;
};

export class Face {
  readonly cell: LiveCell;
  readonly chosen: Chosen;
  /** Subscriptions that use it. */
  users = 0;
  count = 0;
  #inside: Inside | undefined;
  #ids = new Float64Array(0);
  /** Row numbers of the members in the published rows; unused when all rows are members. */
  #rows = new Uint32Array(0);
  #bornAt = new Float64Array(0);
  /** The latest round in which a member had to be told whole. */
  #newestAt = -1;
  #spareIds = new Float64Array(0);
  #spareRows = new Uint32Array(0);
  #spareBornAt = new Float64Array(0);
  #left: Left[] = [];
  /** What happened up to this round is not known in detail. */
  #floor = -1;
  #versions: Version[] = [];
  #parts = new Map<number, FacePart>();
  #generation = -1;
  /** Rows beyond which the published ones were not looked at yet. */
  #seenRound = -1;

  constructor(cell: LiveCell, chosen: Chosen, inside?: Inside) {
    this.cell = cell;
    this.chosen = chosen;
    this.#inside = inside;
  }

  /** The round of the newest version; −1 before the first. Only the face changes it. */
  version = -1;

  get isCut(): boolean {
    return this.#inside !== undefined;
  }

  /** The area moved: members are found anew in this round. */
  move(inside: Inside, round: number): void {
    this.#inside = inside;
    this.#seenRound = -1;
    this.update(round);
  }

  /** The version in which a client holds exactly these rows at this position, or −1. */
  versionAt(seq: number, hash: number, rows: number): number {
    const last = this.#versions.at(-1);
    const isSame = last?.seq === seq && last.hash === hash && this.count === rows;
    return isSame && !this.cell.hasTransits ? (last as Version).round : -1;
  }

  /** Brings the face up to what the cell has published. Call in the round, once or more often. */
  update(round: number): void {
    const { cell } = this;
    if (!cell.isReady) return;
    if (this.#generation !== cell.generation) this.#restart(round);
    const { rows } = cell;
    if (this.#seenRound >= Math.max(rows.round, rows.movedAt)) return;
    const isFirst = this.#versions.length === 0;
    const isMoved = this.#mayMove() && this.#findMembers(round);
    this.#seenRound = Math.max(rows.round, rows.movedAt);
    if (!isFirst && !isMoved && !this.#hasChanges(this.version)) return;
    this.#versions.push({ round, seq: cell.seq, hash: cell.hash32 });
    this.version = round;
    if (this.#versions.length > (this.isCut ? VERSIONS_CUT : VERSIONS_SHARED)) this.#forget();
    this.#parts.clear();
  }

  /** Nobody stands at the oldest version any more, as far as this face can tell. */
  #forget(): void {
    this.#versions.shift();
    const oldest = this.#versions[0]?.round ?? -1;
    const kept = this.#left.findIndex(({ round }) => round > oldest);
    this.#left.splice(0, kept === -1 ? this.#left.length : kept);
  }

  /** The cell was read whole again: no version before leads here. */
  #restart(round: number): void {
    this.#generation = this.cell.generation;
    this.#versions = [];
    this.version = -1;
    this.#left = [];
    this.#floor = round - 1;
    this.#seenRound = -1;
  }

  /**
   * What a client at version `base` has to be told, as a complete part; the state where it is −1 or
   * too old. `undefined` when it has seen everything.
   */
  partSince(base: number): FacePart | undefined {
    if (base === this.version) return undefined;
    const from = this.#versionOf(base);
    const key = from === undefined ? -1 : base;
    const known = this.#parts.get(key);
    if (known !== undefined) return known;
    const part = from === undefined ? this.#state() : this.#delta(from);
    if (this.#parts.size < PARTS_MAX) this.#parts.set(key, part);
    return part;
  }

  #versionOf(base: number): Version | undefined {
    if (base < 0 || base < this.#floor) return undefined;
    // PERF: nearly everybody stands at one of the last two.
    for (let i = this.#versions.length - 1; i >= 0; i--) {
      const version = this.#versions[i] as Version;
      if (version.round === base) return version;
      if (version.round < base) return undefined;
    }
    return undefined;
  }

  #position(): CellPosition {
    const last = this.#versions.at(-1);
    assert(last !== undefined, 'a face is encoded after it was updated');
    const { cell, tick } = this.cell;
    return { cell, tick, seq: last.seq, hash: last.hash };
  }

  get #members(): Uint32Array | undefined {
    return this.#isEveryone ? undefined : this.#rows;
  }

  get #isEveryone(): boolean {
    return this.#inside === undefined && this.chosen.mask === 0;
  }

  #state(): FacePart {
    const { shape } = this.chosen;
    const at = this.#position();
    const bytes = encodeStatePart(shape, at, this.cell.rows, this.#members, this.count);
    return { bytes, updates: this.count, isState: true };
  }

  #delta(from: Version): FacePart {
    const { rows } = this.cell;
    const base = from.round;
    const added: number[] = [];
    // PERF: in most rounds nobody came, and no member is looked at one by one.
    for (let i = 0; this.#newestAt > base && i < this.count; i++) {
      if (this.#toldAt(i) > base) added.push(i);
    }
    // Who came and went again was never seen; who left and came back is among the added.
    const removed = this.#left
      .filter(({ round, id, bornAt }) => round > base && bornAt <= base && this.#find(id) < 0)
      .map(({ id }) => id)
      .sort((a, b) => a - b)
      .filter((id, i, ids) => id !== ids[i - 1]);
    const changes = this.#changes(base);
    const changed = changes.reduce((most, { count }) => Math.max(most, count), 0);
    const bytes = encodeDeltaPart(
      this.chosen.shape,
      this.#position(),
      { seq: from.seq, hash: from.hash },
      rows,
      this.#members,
      this.count,
      { removed, added: Uint32Array.from(added), changes },
    );
    return { bytes, updates: changed + added.length + removed.length, isState: false };
  }

  /** Fields that changed since, each with the members of its component that changed. */
  #changes(base: number): FieldRows[] {
    const { rows } = this.cell;
    const changes: FieldRows[] = [];
    for (const [component, { index, fields }] of this.chosen.shape.components.entries()) {
      const fieldAt = rows.fieldAt[index] as Float64Array;
      let changed: { rows: Uint32Array; count: number } | undefined;
      for (let field = 0; field < fields.length; field++) {
        if ((fieldAt[field] as number) <= base) continue;
        changed ??= this.#changedMembers(index, base);
        if (changed.count === 0) break;
        // A difference is to the publication before this one; an older base needs the value.
        const isLast = rows.dqRound === rows.round && fieldAt[field] === rows.round;
        const differences = isLast && base >= rows.before;
        changes.push({ component, field, ...changed, differences });
      }
    }
    return changes;
  }

  #changedMembers(index: number, base: number): { rows: Uint32Array; count: number } {
    const { masks, changedAt } = this.cell.rows;
    const stamps = changedAt[index] as Float64Array;
    const bit = 2 ** index;
    const found = scratchOf(index, this.count);
    const hasNew = this.#newestAt > base;
    let count = 0;
    for (let i = 0; i < this.count; i++) {
      const row = this.#rowOf(i);
      if ((stamps[row] as number) <= base || (hasNew && this.#toldAt(i) > base)) continue;
      if (((masks[row] as number) & bit) !== 0) found[count++] = i;
    }
    return { rows: found, count };
  }

  #hasChanges(base: number): boolean {
    const { rows } = this.cell;
    for (const { index } of this.chosen.shape.components) {
      const fieldAt = rows.fieldAt[index] as Float64Array;
      if (fieldAt.some((at) => at > base) && this.#hasChangedMember(index, base)) return true;
    }
    return false;
  }

  #hasChangedMember(index: number, base: number): boolean {
    const stamps = this.cell.rows.changedAt[index] as Float64Array;
    for (let i = 0; i < this.count; i++) if ((stamps[this.#rowOf(i)] as number) > base) return true;
    return false;
  }

  /** The round from which on a member has to be told whole. */
  #toldAt(i: number): number {
    const bornAt = this.#bornAt[i] as number;
    return Math.max(bornAt, this.cell.rows.bornAt[this.#rowOf(i)] as number);
  }

  #rowOf(i: number): number {
    return this.#isEveryone ? i : (this.#rows[i] as number);
  }

  /** The member with this id, or −1. */
  #find(id: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ids[middle] as number) < id) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.#ids[low] === id ? low : -1;
  }

  /** PERF: where no edge cuts, members move only when rows do. */
  #mayMove(): boolean {
    return this.#inside !== undefined || this.cell.rows.movedAt > this.#seenRound;
  }

  /** Finds who is a member now; remembers who no longer is. Answers whether anybody changed. */
  #findMembers(round: number): boolean {
    const { rows, place } = { rows: this.cell.rows, place: this.#placeOf() };
    this.#reserve(rows.count);
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
      if (!isKnown || (rows.bornAt[row] as number) > this.version) isMoved = true;
      const bornAt = isKnown ? (this.#bornAt[old++] as number) : round;
      newestAt = Math.max(newestAt, bornAt, rows.bornAt[row] as number);
      this.#spareBornAt[count] = bornAt;
      this.#spareIds[count] = id;
      this.#spareRows[count] = row;
      count++;
    }
    if (count < this.count || old < this.count) isMoved = true;
    for (; old < this.count; old++) this.#leave(old, round);
    this.#newestAt = newestAt;
    this.#swap(count);
    return isMoved;
  }

  #isMember(row: number, place: Place | undefined): boolean {
    const { mask } = this.chosen;
    const { rows } = this.cell;
    if (mask !== 0 && ((rows.masks[row] as number) & mask) >>> 0 !== mask) return false;
    if (place === undefined) return true;
    if (((rows.masks[row] as number) & place.bit) === 0) return false;
    return place.inside(place.xs[row] as number, place.ys[row] as number);
  }

  #placeOf(): Place | undefined {
    const { spatial, rows } = this.cell;
    if (this.#inside === undefined || spatial === undefined) return undefined;
    const columns = rows.columns[spatial.component] ?? [];
    return {
      inside: this.#inside,
      bit: 2 ** spatial.component,
      xs: columns[spatial.x] as Float64Array,
      ys: columns[spatial.y] as Float64Array,
    };
  }

  #leave(i: number, round: number): void {
    this.#left.push({ round, id: this.#ids[i] as number, bornAt: this.#bornAt[i] as number });
    if (this.#left.length <= LEFT_MAX) return;
    this.#floor = (this.#left.shift() as Left).round;
  }

  #reserve(count: number): void {
    if (this.#spareIds.length >= count) return;
    const room = count + (count >>> 1) + 8;
    this.#spareIds = new Float64Array(room);
    this.#spareRows = new Uint32Array(room);
    this.#spareBornAt = new Float64Array(room);
  }

  #swap(count: number): void {
    [this.#ids, this.#spareIds] = [this.#spareIds, this.#ids];
    [this.#rows, this.#spareRows] = [this.#spareRows, this.#rows];
    [this.#bornAt, this.#spareBornAt] = [this.#spareBornAt, this.#bornAt];
    this.count = count;
  }
}

type Place = {
  readonly inside: Inside;
  readonly bit: number;
  readonly xs: Float64Array;
  readonly ys: Float64Array;
};

/** PERF: one list of rows for each component, used again by whoever encodes next. */
const scratch: Uint32Array[] = [];

function scratchOf(component: number, count: number): Uint32Array {
  const list = scratch[component];
  if (list !== undefined && list.length >= count) return list;
  const longer = new Uint32Array(count * 2);
  scratch[component] = longer;
  return longer;
}
