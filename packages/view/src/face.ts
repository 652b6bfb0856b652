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
import { Members } from './members.ts';
import type { Chosen } from './selection.ts';
import { NO_STENCIL } from './stencil.ts';
import { type LogPosition, Versions } from './versions.ts';

/** Versions that a face remembers by itself, of those that the cell may forget before it does. */
const VERSIONS_MAX = 24;
/** Encoded parts kept in a round: one for each version that clients stand at. */
const PARTS_MAX = 32;

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
  /** The round of the newest version; −1 before the first. Only the face changes it. */
  version = -1;
  /** The part that leads to this version from the one before; of the arena's turn `#madeIn`. */
  #madeIn = -1;
  #madeFrom = -1;
  #start = 0;
  #end = 0;
  #updates = 0;
  readonly #arena: Arena;
  readonly #members: Members;
  /** The cell was read anew in this round: no version before leads here. */
  #beganAt = -1;
  /** Versions after which the face did not change for a while. */
  #old: Versions | undefined;
  /** The newest of those. */
  #keptAt = -1;
  /** Of shared faces, parts that lead from elsewhere. */
  #parts: Map<number, FacePart> | undefined;
  #generation = -1;
  /** Rows beyond which the published ones were not looked at yet. */
  #seenRound = -1;

  constructor(cell: LiveCell, chosen: Chosen, edge?: Edge, arena = new Arena()) {
    this.cell = cell;
    this.chosen = chosen;
    this.#arena = arena;
    this.#members = new Members(cell, chosen.mask, edge);
  }

  get isCut(): boolean {
    return this.#members.isCut;
  }

  /** Rows that it shows. */
  get count(): number {
    return this.#members.count;
  }

  /** The area moved: members are found anew in this round. */
  move(edge: Edge, round: number): void {
    this.#members.move(edge);
    this.#seenRound = -1;
    this.update(round);
  }

  /** The version in which a client holds exactly these rows at this position, or −1. */
  versionAt(seq: number, hash: number, rows: number): number {
    if (this.cell.hasTransits || this.#members.count !== rows) return -1;
    if (this.version < 0) return -1;
    this.#readPosition(this.version, AT);
    return AT.seq === seq && AT.hash === hash ? this.version : -1;
  }

  /**
   * Brings the face up to what the cell has published. Call in the round, once or more often.
   * `stencilFrom`: the version from which the arena's stencil leads here.
   */
  update(round: number, stencilFrom = NO_STENCIL): void {
    const { cell } = this;
    if (!cell.isReady) return;
    if (this.#generation !== cell.generation) this.#restart(round);
    const { latest } = cell.rows;
    const seen = this.#seenRound;
    if (seen >= latest) return;
    const members = this.#members;
    const before = this.version;
    const isMoved = members.update(round, seen, before);
    this.#seenRound = latest;
    // PERF: nearly every face of a cell in which everything moves goes this way.
    if (!isMoved && before === stencilFrom && members.count > 0) {
      this.#cutStencil(round);
      return;
    }
    if (before >= 0 && !isMoved && !this.#hasChanges(before)) {
      this.#keepVersion();
      return;
    }
    this.version = round;
    // What was made before leads to another version.
    this.#madeIn = -1;
    this.#parts?.clear();
    if (before < 0) return;
    if (before >= members.forgottenAt && this.#readPosition(before, BASE)) this.#make(before);
    members.forget(Math.min(cell.published.oldest, this.#old?.oldest ?? before));
  }

  /** What nearly everybody is about to be told, from the stencil. */
  #cutStencil(round: number): void {
    const { bytes, stencil, turn } = this.#arena;
    const { rows, count } = this.#members;
    this.#start = bytes.length;
    stencil.append(bytes, rows, count);
    this.#end = bytes.length;
    this.#updates = count;
    this.#madeIn = turn;
    this.#madeFrom = this.version;
    this.version = round;
    if (this.#parts !== undefined && this.#parts.size > 0) this.#parts.clear();
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

  /** The face stays as it is while its cell goes on, and forgets in time where it stood. */
  #keepVersion(): void {
    const { version } = this;
    if (this.#keptAt === version) return;
    this.#keptAt = version;
    this.#readPosition(version, BASE);
    this.#old ??= new Versions(VERSIONS_MAX);
    this.#old.push(version, BASE.seq, BASE.hash);
  }

  /** Where a version of this face stands; false if that is no longer known. */
  #readPosition(version: number, into: LogPosition): boolean {
    const isKnown =
      this.cell.published.readBy(version, into) || this.#old?.readAt(version, into) === true;
    if (!isKnown) assert(version !== this.version, 'where the newest version stands is known');
    return isKnown;
  }

  /** The cell was read whole again: no version before leads here. */
  #restart(round: number): void {
    this.#generation = this.cell.generation;
    this.#beganAt = round;
    this.#old = undefined;
    this.#members.forgetAll();
    this.version = -1;
    this.#seenRound = -1;
  }

  /** Whether a client at version `base` can be told what came after it; else it gets the state. */
  leadsFrom(base: number): boolean {
    if (base < 0 || base < this.#beganAt || base < this.#members.forgottenAt) return false;
    return this.#readPosition(base, BASE);
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
    this.#parts ??= new Map();
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

  /** `base`: −1 for the state. */
  #encode(bytes: ByteWriter, base: number): number {
    if (base >= 0) {
      const isKnown = this.#readPosition(base, BASE);
      assert(isKnown, 'a delta is told from a version that is known');
      return this.#encodeDelta(bytes, base);
    }
    appendStatePart(bytes, this.#part());
    return this.count;
  }

  #part(): PartRows {
    const { shown, rows } = this.cell;
    AT.cell = shown.cell;
    AT.tick = shown.tick;
    this.#readPosition(this.version, AT);
    const { shape } = this.chosen;
    const { rows: chosen, count } = this.#members;
    return { shape, at: AT, rows, chosen, count };
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
    const members = this.#members;
    const added = members.newestAt > base ? members.addedSince(base) : NOBODY;
    const removed = members.leftAt > base ? members.removedSince(base) : NONE;
    return { removed, added, changes: this.#changes(base) };
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
    const members = this.#members;
    const { masks, changedAt, allAt } = this.cell.rows;
    // PERF: where everything moves, no member is looked at.
    if ((allAt[index] as number) > base && members.newestAt <= base) {
      return { rows: NOBODY, count: this.count };
    }
    const stamps = changedAt[index] as Float64Array;
    const bit = 2 ** index;
    const found = scratchOf(index, this.count);
    const hasNew = members.newestAt > base;
    let count = 0;
    for (let i = 0; i < this.count; i++) {
      const row = members.rowOf(i);
      if ((stamps[row] as number) <= base || (hasNew && members.toldAt(i) > base)) continue;
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
    const members = this.#members;
    for (let i = 0; i < this.count; i++)
      if ((stamps[members.rowOf(i)] as number) > base) return true;
    return false;
  }
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
