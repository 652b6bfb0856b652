/**
 * Who is in a subscription, and in which cell each one counts. An entity has one slot for as long
 * as it is there, whatever cells it crosses; while two cells hold it, it counts in the one with the
 * newer tick. What became of whom is said once a frame.
 */
import type { CellRows } from '@leasehold/protocol/view';

export type Held = {
  readonly cell: number;
  rows: CellRows;
  /** [row] The entity's slot; −1 where it counts in another cell. */
  slots: Int32Array;
  /** Whether this connection has spoken for it: told its state, or taken up what was held. */
  isConfirmed: boolean;
  /** Its chain is broken: nothing but a state is of use. */
  isAwaited: boolean;
};

export type Changes = {
  readonly enter: number[];
  readonly leave: number[];
  readonly update: number[];
};

/** Told of every slot that gets or loses an entity. */
type HearSlot = (slot: number, id: number) => void;

/** Longer than a gateway takes to read a world; a cell that nobody can read must not keep ghosts. */
const MISSING_MAX_MS = 10_000;

const NO_SLOTS = new Int32Array(0);

export function emptyHeld(cell: number, rows: CellRows): Held {
  return { cell, rows, slots: NO_SLOTS, isConfirmed: false, isAwaited: false };
}

export class Roster {
  readonly cells = new Map<number, Held>();
  readonly #slotOf = new Map<number, number>();
  /** [slot] */
  readonly #idOf: number[] = [];
  readonly #heldOf: (Held | undefined)[] = [];
  /** [slot] The frame in which it was last said to be updated, and seen in a cell. */
  readonly #updatedIn: number[] = [];
  readonly #placedIn: number[] = [];
  readonly #free: number[] = [];
  /**
   * Cells that hold an entity which counts elsewhere. Of a gateway that could read its cells one by
   * one only, each from another time, they may be several.
   */
  readonly #doubles = new Map<number, Held[]>();
  /** Ids whose place changed in this frame: whether they were there before it. */
  readonly #touched = new Map<number, boolean>();
  readonly #homeless: number[] = [];
  /** Slots of entities that no cell has while cells are being told: since when. */
  readonly #missing = new Map<number, number>();
  readonly #hearSlot: HearSlot;
  #updates: number[] = [];
  #frame = 0;
  #placing = 0;

  constructor(hearSlot: HearSlot) {
    this.#hearSlot = hearSlot;
  }

  get size(): number {
    return this.#slotOf.size;
  }

  has(id: number): boolean {
    return this.#slotOf.has(id);
  }

  ids(): IterableIterator<number> {
    return this.#slotOf.keys();
  }

  /** Where an entity counts. */
  homeOf(id: number): Held | undefined {
    const slot = this.#slotOf.get(id);
    return slot === undefined ? undefined : this.#heldOf[slot];
  }

  /** Calls with every slot that is taken. */
  eachSlot(call: HearSlot): void {
    for (const [id, slot] of this.#slotOf) call(slot, id);
  }

  /** The members of a cell changed: gives each its place anew. */
  place(held: Held): void {
    const { rows, slots: before } = held;
    const { ids, count } = rows;
    const slots = new Int32Array(count);
    const placing = ++this.#placing;
    for (let row = 0; row < count; row++) {
      const slot = this.#settled(ids[row] as number, held);
      slots[row] = slot;
      if (slot >= 0) this.#placedIn[slot] = placing;
    }
    held.slots = slots;
    for (const slot of before) {
      if (slot < 0 || this.#placedIn[slot] === placing || this.#heldOf[slot] !== held) continue;
      this.#touched.set(this.#idOf[slot] as number, true);
      this.#heldOf[slot] = undefined;
      this.#homeless.push(slot);
    }
  }

  /** The slot of an id that this cell holds, or −1 if it counts elsewhere. */
  #settled(id: number, held: Held): number {
    const slot = this.#slotOf.get(id);
    if (slot === undefined) return this.#take(id, held);
    const home = this.#heldOf[slot];
    if (home === held) return slot;
    if (home !== undefined && home.rows.tick > held.rows.tick) {
      this.#double(id, held);
      return -1;
    }
    if (home !== undefined) {
      const row = rowOf(home.rows, id);
      if (row >= 0) home.slots[row] = -1;
      this.#double(id, home);
    }
    if (!this.#touched.has(id)) this.#touched.set(id, true);
    this.#heldOf[slot] = held;
    return slot;
  }

  #double(id: number, held: Held): void {
    const others = this.#doubles.get(id);
    if (others === undefined) this.#doubles.set(id, [held]);
    else if (!others.includes(held)) others.push(held);
  }

  #take(id: number, held: Held): number {
    const slot = this.#free.pop() ?? this.#idOf.length;
    if (!this.#touched.has(id)) this.#touched.set(id, false);
    this.#slotOf.set(id, slot);
    this.#idOf[slot] = id;
    this.#heldOf[slot] = held;
    this.#updatedIn[slot] = 0;
    this.#hearSlot(slot, id);
    return slot;
  }

  /** These rows of a cell got values. */
  change({ slots, rows }: Held, changed: Uint32Array): void {
    const frame = this.#frame + 1;
    for (let i = 0; i < changed.length; i++) {
      const row = changed[i] as number;
      const slot = slots[row] as number;
      if (slot < 0 || this.#updatedIn[slot] === frame) continue;
      this.#updatedIn[slot] = frame;
      this.#updates.push(rows.ids[row] as number);
    }
  }

  /** A cell is no longer in the view. */
  drop(cell: number): void {
    const held = this.cells.get(cell);
    if (held === undefined) return;
    this.cells.delete(cell);
    for (const slot of held.slots) {
      if (slot < 0 || this.#heldOf[slot] !== held) continue;
      this.#touched.set(this.#idOf[slot] as number, true);
      this.#heldOf[slot] = undefined;
      this.#homeless.push(slot);
    }
  }

  /**
   * Ends a frame: who came, who left, who changed. While not all cells are told (`isPartial`), an
   * entity that no cell has may be on its way to one that comes later, so it is given some time.
   */
  finish(nowMs: number, isPartial: boolean): Changes {
    for (const slot of this.#homeless.splice(0)) {
      // It may be listed twice: left, taken, and left again in one frame.
      const isTaken = this.#slotOf.get(this.#idOf[slot] as number) === slot;
      if (isTaken && this.#heldOf[slot] === undefined) this.#miss(slot, nowMs);
    }
    for (const [slot, sinceMs] of this.#missing) {
      if (this.#heldOf[slot] !== undefined) this.#missing.delete(slot);
      else if (!isPartial || nowMs - sinceMs > MISSING_MAX_MS) this.#release(slot);
    }
    const enter: number[] = [];
    const leave: number[] = [];
    const touched = this.#touched;
    let update = this.#updates;
    if (touched.size > 0) {
      update = update.filter((id) => !touched.has(id));
      for (const [id, was] of touched) {
        const is = this.#slotOf.has(id);
        if (was && is) update.push(id);
        else if (is) enter.push(id);
        else if (was) leave.push(id);
      }
      touched.clear();
    }
    this.#updates = [];
    this.#frame++;
    return { enter, leave, update };
  }

  /** Its cell has let go of it: another one that holds it takes over, or it is missing. */
  #miss(slot: number, nowMs: number): void {
    const id = this.#idOf[slot] as number;
    const others = (this.#doubles.get(id) ?? []).filter((other) => {
      return this.cells.get(other.cell) === other && rowOf(other.rows, id) >= 0;
    });
    this.#doubles.delete(id);
    const [first, ...rest] = others.sort((a, b) => b.rows.tick - a.rows.tick);
    if (first === undefined) {
      this.#missing.set(slot, nowMs);
      return;
    }
    if (rest.length > 0) this.#doubles.set(id, rest);
    this.#heldOf[slot] = first;
    first.slots[rowOf(first.rows, id)] = slot;
  }

  #release(slot: number): void {
    const id = this.#idOf[slot] as number;
    this.#missing.delete(slot);
    this.#touched.set(id, this.#touched.get(id) ?? true);
    this.#slotOf.delete(id);
    this.#idOf[slot] = 0;
    this.#free.push(slot);
    this.#hearSlot(slot, 0);
  }
}

/** The row of an id, or −1. */
export function rowOf({ ids, count }: CellRows, id: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] as number) < id) low = middle + 1;
    else high = middle;
  }
  return low < count && ids[low] === id ? low : -1;
}
