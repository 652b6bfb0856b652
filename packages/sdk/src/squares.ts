/**
 * What a system gets as `neighbours` that declares `squares`: who stands in the squares around, and
 * in any of them. Loops allocate nothing.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { Grid } from '@leasehold/spatial';
import type { Components } from './component.ts';
import { Found, type Lattice } from './lattice.ts';
import { Cursor, type RowSet, splitView, type WriteThrough } from './rows.ts';
import type { Neighbour, Neighbours } from './system.ts';
import type { SpatialFields } from './view.ts';

type Turn = IteratorResult<Neighbour<Components>, undefined>;

export type SquareListOptions = {
  readonly lattice: Lattice;
  readonly rows: RowSet;
  readonly grid: Grid;
  readonly spatial: SpatialFields;
  readonly reads: Components;
  readonly writes: Components;
  /** How many squares around. */
  readonly reach: number;
  /** Whether those of the own cell are seen as they are now. */
  readonly isLive: boolean;
};

/** Instead of a row of the table: the neighbour is of another cell, or its turn is over. */
const ELSEWHERE = -1;
const OVER = -2;

const DONE: Turn = Object.freeze({ done: true, value: undefined });

export class SquareList implements Neighbours<Components> {
  /** Where the entity stood when its turn began. */
  x = 0;
  y = 0;
  readonly options: SquareListOptions;
  readonly #lattice: Lattice;
  readonly #reach: number;
  readonly #isLive: boolean;
  readonly #around: Sight;
  /** Of squares that were asked for with `at`: one for each that can be looked at at once. */
  readonly #there: Sight[] = [];
  #self = 0;
  #isFound = false;

  constructor(options: SquareListOptions) {
    this.options = options;
    this.#lattice = options.lattice;
    this.#reach = options.reach;
    this.#isLive = options.isLive;
    this.#around = new Sight(this);
  }

  /** Turns the list to the entity that asks. Searches nothing yet. */
  begin(row: number, id: number, x: number, y: number): void {
    this.#self = this.#isLive ? row : this.#lattice.copyOf(id);
    this.x = x;
    this.y = y;
    this.#isFound = false;
    this.#around.close();
    for (const sight of this.#there) sight.close();
  }

  /** Ends the turns of all neighbours: who kept one cannot write to it any more. */
  expire(): void {
    this.#around.close();
    for (const sight of this.#there) sight.close();
  }

  /** A row of the table is found no more, in loops that have begun neither. */
  drop(row: number): void {
    this.#lattice.drop(row);
  }

  #look(): Sight {
    if (!this.#isFound) {
      this.#lattice.find(this.#around.found, this.#self, this.x, this.y, this.#reach);
      this.#isFound = true;
    }
    return this.#around;
  }

  get count(): number {
    return this.#look().count;
  }

  [Symbol.iterator](): Iterator<Neighbour<Components>, undefined> {
    return this.#look().loop();
  }

  at(x: number, y: number): Iterable<Neighbour<Components>> {
    if (!this.#lattice.isNear(this.x, this.y, x, y, this.#reach)) {
      const what = `the square of (${x}, ${y}) is more than ${this.#reach} away`;
      const remedy = 'Ask for squares within the declared reach, or declare more squares.';
      throw new LeaseholdError('SYSTEM_INVALID', what, { field: 'at', value: what, remedy });
    }
    let free = 0;
    while (this.#there[free]?.isOpen === true) free++;
    this.#there[free] ??= new Sight(this);
    const sight = this.#there[free] as Sight;
    this.#lattice.find(sight.found, this.#self, x, y, 0);
    return sight;
  }

  countAt(x: number, y: number, squares = 0): number {
    if (this.#isLive) return this.#lattice.countOwn(x, y, squares);
    const what = 'countAt is for sequential systems';
    const remedy = "Add order: 'sequential', or look at the neighbours one by one.";
    throw new LeaseholdError('SYSTEM_INVALID', what, { field: 'countAt', value: what, remedy });
  }
}

/** What one search found, and the loops over it: one for each depth at which they are nested. */
class Sight implements Iterable<Neighbour<Components>> {
  readonly found = new Found();
  readonly #list: SquareList;
  readonly #lattice: Lattice;
  readonly #loops: Loop[] = [];
  #open = 0;

  constructor(list: SquareList) {
    this.#list = list;
    this.#lattice = list.options.lattice;
  }

  get isOpen(): boolean {
    return this.#open > 0;
  }

  get count(): number {
    const { found } = this;
    if (this.#lattice.drops === 0) return found.count;
    let count = 0;
    for (let i = 0; i < found.count; i++) {
      if (!this.#lattice.isGone(found.who[i] as number)) count++;
    }
    return count;
  }

  [Symbol.iterator](): Iterator<Neighbour<Components>, undefined> {
    return this.loop();
  }

  loop(): Loop {
    const depth = this.#open++;
    if (depth === this.#loops.length) this.#loops.push(new Loop(this, this.#list));
    const loop = this.#loops[depth] as Loop;
    loop.restart();
    return loop;
  }

  leave(): void {
    if (this.#open > 0) this.#open--;
  }

  /** Ends all loops, and the turns of all neighbours. */
  close(): void {
    this.#open = 0;
    for (let i = 0; i < this.#loops.length; i++) (this.#loops[i] as Loop).end();
  }
}

/**
 * PERF: what a turn needs of the search is copied when the loop begins, and only a system that writes
 * pays for what a write needs. Each of both is a quarter of a loop that adds something up.
 */
class Loop implements Iterator<Neighbour<Components>, undefined> {
  readonly #sight: Sight;
  readonly #lattice: Lattice;
  readonly #place: Place;
  readonly #cursor: Cursor;
  readonly #turn: Turn;
  readonly #writes: boolean;
  #who: Int32Array;
  #count = 0;
  #next = 0;

  constructor(sight: Sight, list: SquareList) {
    this.#sight = sight;
    this.#lattice = list.options.lattice;
    this.#place = new Place(this.#lattice);
    this.#cursor = this.#place.cursor;
    this.#who = sight.found.who;
    this.#writes = Object.keys(list.options.writes).length > 0;
    const value = itemOf(list, this.#place) as unknown as Neighbour<Components>;
    this.#turn = { done: false, value };
  }

  restart(): void {
    this.#who = this.#sight.found.who;
    this.#count = this.#sight.found.count;
    this.#next = 0;
  }

  end(): void {
    if (this.#writes) this.#place.target.row = OVER;
  }

  next(): Turn {
    let i = this.#next;
    if (this.#lattice.drops > 0) i = this.#skip(i);
    this.#next = i + 1;
    if (i < this.#count) {
      const n = this.#who[i] as number;
      this.#cursor.row = n;
      if (this.#writes) this.#place.open(n);
      return this.#turn;
    }
    this.end();
    this.#sight.leave();
    return DONE;
  }

  /** Passes over those who were dropped. */
  #skip(from: number): number {
    let i = from;
    while (i < this.#count && this.#lattice.isGone(this.#who[i] as number)) i++;
    return i;
  }

  return(): Turn {
    this.#sight.leave();
    return DONE;
  }
}

/** Whom an item shows: a number of the lattice, and a row of the table if it may be changed. */
class Place implements WriteThrough {
  readonly cursor = new Cursor();
  readonly target = new Cursor();
  /** Where it stood when its turn began. */
  x = 0.5;
  y = 0.5;
  readonly #lattice: Lattice;

  constructor(lattice: Lattice) {
    this.#lattice = lattice;
    this.target.row = OVER;
  }

  /** Lets a neighbour be changed, who may be moved by that. */
  open(n: number): void {
    this.target.row = n < this.#lattice.own ? n : ELSEWHERE;
    this.x = this.#lattice.xOf(n);
    this.y = this.#lattice.yOf(n);
  }

  check(field: string): void {
    if (this.target.row >= 0) return;
    const id = this.#lattice.idOf(this.cursor.row);
    const [what, remedy] =
      this.target.row === OVER
        ? [`${field} of a neighbour was set after its turn`, 'Change it within the loop.']
        : [
            `${field} of entity ${id} is readonly: it is in another cell`,
            'Change only neighbours whose isOwn is true; let others change themselves.',
          ];
    throw new LeaseholdError('SYSTEM_INVALID', what, { field, value: what, remedy });
  }

  moved(): void {
    this.#lattice.settle(this.target.row);
  }
}

/**
 * PERF: what is the same for all neighbours is computed when it is asked for, by accessors of the
 * item's own. Filled in for each turn, the fields of items of many shapes cost more than all else.
 */
function itemOf(list: SquareList, place: Place): object {
  const { lattice, rows, grid, reads, writes } = list.options;
  const { cursor } = place;
  const isMoved = Object.values(writes).some(({ schema }) => schema.spatial !== undefined);
  const dx = (): number => grid.deltaX(list.x, isMoved ? place.x : lattice.xOf(cursor.row));
  const dy = (): number => grid.deltaY(list.y, isMoved ? place.y : lattice.yOf(cursor.row));
  const own = {
    id: () => lattice.idOf(cursor.row),
    dx,
    dy,
    distance: () => Math.sqrt(dx() ** 2 + dy() ** 2),
    isOwn: () => cursor.row < lattice.own,
  };
  const access = {};
  for (const [name, get] of Object.entries(own)) {
    Object.defineProperty(access, name, { get, enumerable: true });
  }
  const item = Object.create(access) as Record<string, unknown>;
  const { pool } = lattice;
  for (const [components, through] of [
    [reads, undefined],
    [writes, place],
  ] as const) {
    for (const [name, { schema }] of Object.entries(components)) {
      const copies = pool.slotsOf(schema.name);
      const table = rows.slots[pool.slots.indexOf(copies)] ?? [];
      item[name] = splitView(schema.fields, { copies, table }, cursor, lattice, through);
    }
  }
  return item;
}
