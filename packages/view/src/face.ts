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
  appendDeltaPart,
  appendStatePart,
  ByteWriter,
  type CellChanges,
  type FieldRows,
  type FrameWriter,
  type PartRows,
  type ViewComponent,
} from '@leasehold/protocol/view';
import { Arena } from './arena.ts';
import type { Edge } from './edge.ts';
import type { LiveCell } from './live-cell.ts';
import type { Chosen } from './selection.ts';
import { Versions } from './versions.ts';

/** Versions that a face remembers: three seconds at 20 Hz, and fewer of one that an edge cuts. */
const VERSIONS_MAX = { shared: 64, cut: 24 } as const;
/** Who left is remembered for so many; a client further behind gets the state. */
const LEFT_MAX = 1_024;
/** Encoded parts kept in a round: one for each version that clients stand at. */
const PARTS_MAX = 32;

type Left = { readonly round: number; readonly id: number; readonly bornAt: number };

/** What is sent of a cell: the same bytes to everyone at the same version. */
type FacePart = {
  /** A complete part of a frame. */
  readonly bytes: Uint8Array;
  readonly updates: number;
};

export class Face {
  readonly cell: LiveCell;
  readonly chosen: Chosen;
  /** Subscriptions that use it. */
  users = 0;
  count = 0;
  /** The round of the newest version; −1 before the first. Only the face changes it. */
  version = -1;
  /** The part that leads to this version from the one before; of the arena's turn `#madeIn`. */
  #madeIn = -1;
  #madeFrom = -1;
  #start = 0;
  #end = 0;
  #updates = 0;
  /** Where the newest version stands. PERF: beside the others, since the ring is seldom looked at. */
  #seq = 0;
  #hash = 0;
  readonly #arena: Arena;
  #edge: Edge | undefined;
  #ids = new Float64Array(0);
  /** Row numbers of the members in the published rows; unused when all rows are members. */
  #rows = new Uint32Array(0);
  #bornAt = new Float64Array(0);
  /** The latest round in which a member had to be told whole. */
  #newestAt = -1;
  #left: Left[] = [];
  /** The latest round in which somebody left. */
  #leftAt = -1;
  /** What happened up to this round is not known in detail. */
  #floor = -1;
  readonly #versions: Versions;
  /** Of shared faces, parts that lead from elsewhere. */
  readonly #parts = new Map<number, FacePart>();
  #generation = -1;
  /** Rows beyond which the published ones were not looked at yet. */
  #seenRound = -1;

  constructor(cell: LiveCell, chosen: Chosen, edge?: Edge, arena = new Arena()) {
    this.cell = cell;
    this.#arena = arena;
    this.chosen = chosen;
    this.#edge = edge;
    this.#versions = new Versions(edge === undefined ? VERSIONS_MAX.shared : VERSIONS_MAX.cut);
  }

  get isCut(): boolean {
    return this.#edge !== undefined;
  }

  /** The area moved: members are found anew in this round. */
  move(edge: Edge, round: number): void {
    this.#edge = edge;
    this.#seenRound = -1;
    this.update(round);
  }

  /** The version in which a client holds exactly these rows at this position, or −1. */
  versionAt(seq: number, hash: number, rows: number): number {
    if (this.cell.hasTransits || this.count !== rows) return -1;
    return this.#seq === seq && this.#hash === hash ? this.version : -1;
  }

  /** Brings the face up to what the cell has published. Call in the round, once or more often. */
  update(round: number): void {
    const { cell } = this;
    if (!cell.isReady) return;
    if (this.#generation !== cell.generation) this.#restart(round);
    const { rows } = cell;
    const { latest } = rows;
    if (this.#seenRound >= latest) return;
    const isMoved = this.#mayMove() && this.#findMembers(round);
    this.#seenRound = latest;
    if (this.version >= 0 && !isMoved && !this.#hasChanges(this.version)) return;
    const { seq, hash } = cell.shown;
    const before = this.version;
    BASE.seq = this.#seq;
    BASE.hash = this.#hash;
    this.#versions.push(round, seq, hash);
    this.version = round;
    this.#seq = seq;
    this.#hash = hash;
    // What was made before leads to another version.
    this.#madeIn = -1;
    if (before >= this.#floor && before >= 0) this.#make(before);
    if (this.#left.length > 0) this.#forget();
    if (this.#parts.size > 0) this.#parts.clear();
  }

  /** Encodes what nearly everybody is about to be told. `BASE`: where the version before stands. */
  #make(before: number): void {
    const { bytes, turn } = this.#arena;
    this.#start = bytes.length;
    this.#updates = this.#encodeDelta(bytes, before);
    this.#end = bytes.length;
    this.#madeIn = turn;
    this.#madeFrom = before;
  }

  /** Nobody stands at a version before the oldest any more, as far as this face can tell. */
  #forget(): void {
    const { oldest } = this.#versions;
    if ((this.#left[0] as Left).round > oldest) return;
    const kept = this.#left.findIndex(({ round }) => round > oldest);
    this.#left.splice(0, kept === -1 ? this.#left.length : kept);
  }

  /** The cell was read whole again: no version before leads here. */
  #restart(round: number): void {
    this.#generation = this.cell.generation;
    this.#versions.clear();
    this.version = -1;
    this.#left = [];
    this.#floor = round - 1;
    this.#seenRound = -1;
  }

  /** Whether a client at version `base` can be told what came after it; else it gets the state. */
  leadsFrom(base: number): boolean {
    return base >= 0 && base >= this.#floor && this.#versions.has(base);
  }

  /**
   * Writes what a client at version `base` has to be told, as a complete part; the state where no
   * version leads from there. Answers how many entities it tells of. There must be news.
   */
  tell(frame: FrameWriter, base: number): number {
    assert(base !== this.version, 'who has seen everything is told nothing');
    if (base === this.#madeFrom && this.#madeIn === this.#arena.turn) {
      frame.bytes.copy(this.#arena.bytes, this.#start, this.#end);
      return this.#updates;
    }
    const key = this.leadsFrom(base) ? base : -1;
    if (this.isCut) return this.#encode(frame.bytes, key);
    let part = this.#parts.get(key);
    if (part === undefined) {
      own.reset();
      const updates = this.#encode(own, key);
      part = { bytes: own.finish(), updates };
      if (this.#parts.size < PARTS_MAX) this.#parts.set(key, part);
    }
    frame.part(part.bytes);
    return part.updates;
  }

  get #members(): Uint32Array | undefined {
    return this.#isEveryone ? undefined : this.#rows;
  }

  get #isEveryone(): boolean {
    return this.#edge === undefined && this.chosen.mask === 0;
  }

  /** `base`: −1 for the state. */
  #encode(bytes: ByteWriter, base: number): number {
    if (base >= 0) {
      this.#versions.read(base, BASE);
      return this.#encodeDelta(bytes, base);
    }
    appendStatePart(bytes, this.#part());
    return this.count;
  }

  #part(): PartRows {
    const { shown, rows } = this.cell;
    AT.cell = shown.cell;
    AT.tick = shown.tick;
    AT.seq = this.#seq;
    AT.hash = this.#hash;
    const { shape } = this.chosen;
    return { shape, at: AT, rows, chosen: this.#members, count: this.count };
  }

  /** From `BASE`, where the version `base` stands. */
  #encodeDelta(bytes: ByteWriter, base: number): number {
    const delta = this.#changesSince(base);
    const { removed, added, changes } = delta;
    let changed = 0;
    for (let i = 0; i < changes.length; i++) {
      changed = Math.max(changed, (changes[i] as FieldRows).count);
    }
    appendDeltaPart(bytes, this.#part(), BASE, delta);
    return changed + added.length + removed.length;
  }

  #changesSince(base: number): CellChanges {
    // PERF: in most rounds nobody came or left, and no member is looked at one by one.
    const added = this.#newestAt > base ? this.#addedSince(base) : NOBODY;
    const removed = this.#leftAt > base ? this.#removedSince(base) : NONE;
    return { removed, added, changes: this.#changes(base) };
  }

  #addedSince(base: number): Uint32Array {
    const added: number[] = [];
    for (let i = 0; i < this.count; i++) if (this.#toldAt(i) > base) added.push(i);
    return Uint32Array.from(added);
  }

  /** Who came and went again was never seen; who left and came back is among the added. */
  #removedSince(base: number): readonly number[] {
    return this.#left
      .filter(({ round, id, bornAt }) => round > base && bornAt <= base && this.#find(id) < 0)
      .map(({ id }) => id)
      .sort((a, b) => a - b)
      .filter((id, i, ids) => id !== ids[i - 1]);
  }

  /** Fields that changed since, each with the members of its component that changed. */
  #changes(base: number): readonly FieldRows[] {
    const { rows } = this.cell;
    const { components } = this.chosen.shape;
    let used = 0;
    for (let component = 0; component < components.length; component++) {
      const { index, fields } = components[component] as ViewComponent;
      const fieldAt = rows.fieldAt[index] as Float64Array;
      let changed: { rows: Uint32Array; count: number } | undefined;
      for (let field = 0; field < fields.length; field++) {
        if ((fieldAt[field] as number) <= base) continue;
        changed ??= this.#changedMembers(index, base);
        if (changed.count === 0) break;
        // A difference is to the publication before this one; an older base needs the value.
        const isLast = rows.dqRound === rows.round && fieldAt[field] === rows.round;
        const change = changeAt(used++);
        change.component = component;
        change.field = field;
        change.rows = changed.rows;
        change.count = changed.count;
        change.differences = isLast && base >= rows.before;
      }
    }
    CHANGES.length = used;
    return CHANGES;
  }

  #changedMembers(index: number, base: number): { rows: Uint32Array; count: number } {
    const { masks, changedAt, allAt } = this.cell.rows;
    // PERF: where everything moves, no member is looked at.
    if ((allAt[index] as number) > base && this.#newestAt <= base) {
      return { rows: NOBODY, count: this.count };
    }
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
      if (changedSince(rows.fieldAt[index], base) && this.#hasChangedMember(index, base))
        return true;
    }
    return false;
  }

  #hasChangedMember(index: number, base: number): boolean {
    const { changedAt, allAt } = this.cell.rows;
    if ((allAt[index] as number) > base) return this.count > 0;
    const stamps = changedAt[index] as Float64Array;
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
    return this.#edge !== undefined || this.cell.rows.movedAt > this.#seenRound;
  }

  /** Finds who is a member now; remembers who no longer is. Answers whether anybody changed. */
  #findMembers(round: number): boolean {
    const { rows, place } = { rows: this.cell.rows, place: this.#placeOf() };
    if (rows.movedAt <= this.#seenRound && place !== undefined && this.#isSteady(place))
      return false;
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
      if (!isKnown || (rows.bornAt[row] as number) > this.version) isMoved = true;
      const bornAt = isKnown ? (this.#bornAt[old++] as number) : round;
      newestAt = Math.max(newestAt, bornAt, rows.bornAt[row] as number);
      foundBornAt[count] = bornAt;
      foundIds[count] = id;
      foundRows[count] = row;
      count++;
    }
    if (count < this.count || old < this.count) isMoved = true;
    for (; old < this.count; old++) this.#leave(old, round);
    this.#newestAt = newestAt;
    this.#keep(count);
    return isMoved;
  }

  /** PERF: rows are where they were and so is, nearly always, everybody: nothing is written. */
  #isSteady(place: Place): boolean {
    const members = this.#rows;
    const { count } = this;
    const { count: total, masks } = this.cell.rows;
    const { edge, xs, ys } = place;
    const { minX, maxX, minY, maxY } = edge;
    const mask = (this.chosen.mask | place.bit) >>> 0;
    let k = 0;
    for (let row = 0; row < total; row++) {
      let isMember = ((masks[row] as number) & mask) >>> 0 === mask;
      if (isMember) {
        const x = xs[row] as number;
        const y = ys[row] as number;
        isMember =
          (x >= minX && x <= maxX && y >= minY && y <= maxY) ||
          (!edge.isOut(x, y) && edge.contains(x, y));
      }
      if (isMember !== (k < count && members[k] === row)) return false;
      if (isMember) k++;
    }
    return true;
  }

  #isMember(row: number, place: Place | undefined): boolean {
    const { mask } = this.chosen;
    const { rows } = this.cell;
    if (mask !== 0 && ((rows.masks[row] as number) & mask) >>> 0 !== mask) return false;
    if (place === undefined) return true;
    if (((rows.masks[row] as number) & place.bit) === 0) return false;
    return isIn(place, row);
  }

  #placeOf(): Place | undefined {
    const { spatial, rows } = this.cell;
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
    this.#leftAt = round;
    this.#left.push({ round, id: this.#ids[i] as number, bornAt: this.#bornAt[i] as number });
    if (this.#left.length <= LEFT_MAX) return;
    this.#floor = (this.#left.shift() as Left).round;
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

/** What many are sent is encoded here and copied once. */
const own = new ByteWriter();
/** PERF: positions of the part under way. */
const AT = { cell: 0, tick: 0, seq: 0, hash: 0 };
const BASE = { seq: 0, hash: 0 };
const NOBODY = new Uint32Array(0);
type FieldChange = { -readonly [K in keyof FieldRows]: FieldRows[K] };
const CHANGES: FieldChange[] = [];
const knownChanges: FieldChange[] = [];

/** PERF: what is about to be encoded, in objects that are used again. */
function changeAt(i: number): FieldChange {
  const known = knownChanges[i] ?? {
    ...{ component: 0, field: 0, rows: NOBODY, count: 0, differences: false },
  };
  knownChanges[i] = known;
  CHANGES[i] = known;
  return known;
}
const NONE: readonly number[] = Object.freeze([]);

function changedSince(fieldAt: Float64Array | undefined, base: number): boolean {
  for (let f = 0; f < (fieldAt?.length ?? 0); f++) if ((fieldAt?.[f] as number) > base) return true;
  return false;
}

/** PERF: one list of rows for each component, used again by whoever encodes next. */
const scratch: Uint32Array[] = [];

function scratchOf(component: number, count: number): Uint32Array {
  const list = scratch[component];
  if (list !== undefined && list.length >= count) return list;
  const longer = new Uint32Array(count * 2);
  scratch[component] = longer;
  return longer;
}
