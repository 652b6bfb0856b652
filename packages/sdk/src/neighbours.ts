/**
 * What a system gets as `neighbours`: a list that is searched when it is first looked at, and whose
 * loops allocate nothing.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { Grid } from '@leasehold/spatial';
import type { Components } from './component.ts';
import type { Neighbourhood } from './neighbourhood.ts';
import { Cursor, type RowSet, rowView, type WriteThrough, writeThroughView } from './rows.ts';
import type { Neighbour, Neighbours } from './system.ts';

type Item = { id: number; dx: number; dy: number; distance: number; isOwn: boolean };
type Turn = IteratorResult<Neighbour<Components>, undefined>;

export type NeighbourListOptions = {
  readonly pool: Neighbourhood;
  /** Rows of the table that is worked on. */
  readonly rows: RowSet;
  readonly grid: Grid;
  readonly reads: Components;
  readonly writes: Components;
  /** Whether those of the own cell are seen as they are now. */
  readonly isLive: boolean;
};

/** Instead of a row of the table: the neighbour is of another cell, or its turn is over. */
const ELSEWHERE = -1;
const OVER = -2;

const DONE: Turn = Object.freeze({ done: true, value: undefined });

export class NeighbourList implements Neighbours<Components> {
  readonly #pool: Neighbourhood;
  readonly #grid: Grid;
  readonly #isLive: boolean;
  readonly #isSphere: boolean;
  readonly #makeItem: (place: Place) => Item;
  /** One per depth of nested loops over the same list. */
  readonly #loops: Loop[] = [];
  #open = 0;
  #isFound = false;
  #id = 0;
  #x = 0;
  #y = 0;

  constructor({ pool, rows, grid, reads, writes, isLive }: NeighbourListOptions) {
    this.#pool = pool;
    this.#isLive = isLive;
    this.#isSphere = grid.spec.kind === 'wgs84';
    this.#grid = grid;
    this.#makeItem = (place) => {
      const { cursor } = place;
      const item: Item & Record<string, unknown> = {
        ...{ id: 0, dx: 0.5, dy: 0.5, distance: 0.5 },
        isOwn: false,
      };
      for (const [name, { schema }] of Object.entries(reads)) {
        item[name] = rowView(schema.fields, pool.slotsOf(schema.name), cursor, false);
      }
      for (const [name, { schema }] of Object.entries(writes)) {
        const copies = pool.slotsOf(schema.name);
        const table = rows.slots[pool.slots.indexOf(copies)] ?? [];
        item[name] = writeThroughView(schema.fields, { copies, table }, cursor, place);
      }
      return item;
    };
  }

  /** Turns the list to the entity that asks. Searches nothing yet. */
  begin(_row: number, id: number, x: number, y: number): void {
    this.#id = id;
    this.#x = x;
    this.#y = y;
    this.#isFound = false;
    this.#open = 0;
    this.expire();
  }

  /** Ends the turns of all neighbours: who kept one cannot write to it any more. */
  expire(): void {
    for (const loop of this.#loops) loop.place.target.row = OVER;
  }

  /** A row of the table is found no more, in loops that have begun neither. */
  drop(row: number): void {
    this.#pool.drop(row);
  }

  #find(): void {
    if (this.#isFound) return;
    this.#pool.find(this.#id, this.#x, this.#y);
    this.#isFound = true;
  }

  countAt(x: number, y: number, radius?: number): number {
    if (radius === undefined) {
      throw misused('countAt', 'countAt was given no radius', 'Give it one, or declare squares.');
    }
    if (this.#isLive && !this.#isSphere) return this.#pool.countOwn(x, y, radius);
    const what = 'countAt is for sequential systems, on a plane or torus';
    const remedy = "Add order: 'sequential', or look at the neighbours one by one.";
    throw misused('countAt', what, remedy);
  }

  at(): never {
    const what = 'at is for systems whose neighbours are declared by squares';
    throw misused('at', what, 'Declare neighbours: { squares }, or look at them one by one.');
  }

  get count(): number {
    this.#find();
    return this.#pool.foundCount - this.#pool.goneCount;
  }

  [Symbol.iterator](): Iterator<Neighbour<Components>, undefined> {
    this.#find();
    const depth = this.#open++;
    const loop = this.#loops[depth] ?? this.#makeLoop();
    this.#loops[depth] = loop;
    loop.restart();
    return loop;
  }

  #makeLoop(): Loop {
    const place = new Place(this.#pool);
    return new Loop(this, place, this.#makeItem(place));
  }

  /** Fills an item with the first neighbour from the n-th on; −1 beyond the last, else which. */
  load(n: number, { cursor, target }: Place, item: Item): number {
    const pool = this.#pool;
    while (n < pool.foundCount && pool.isGone(pool.found[n] as number)) n++;
    if (n >= pool.foundCount) return -1;
    const row = pool.found[n] as number;
    const x = pool.x[row] as number;
    const y = pool.y[row] as number;
    cursor.row = row;
    target.row = pool.rows[row] as number;
    item.isOwn = target.row !== ELSEWHERE;
    item.id = pool.ids[row] as number;
    const dx = this.#grid.deltaX(this.#x, x);
    const dy = this.#grid.deltaY(this.#y, y);
    item.dx = dx;
    item.dy = dy;
    item.distance = this.#isSphere
      ? this.#grid.distance(this.#x, this.#y, x, y)
      : Math.sqrt(dx * dx + dy * dy);
    return n;
  }

  close(): void {
    if (this.#open > 0) this.#open--;
  }
}

function misused(field: string, what: string, remedy: string): LeaseholdError {
  return new LeaseholdError('SYSTEM_INVALID', what, { field, value: what, remedy });
}

/** Whom an item shows: a row of the pool, and of the table if it may be changed. */
class Place implements WriteThrough {
  readonly cursor = new Cursor();
  readonly target = new Cursor();
  readonly #pool: Neighbourhood;

  constructor(pool: Neighbourhood) {
    this.#pool = pool;
    this.target.row = OVER;
  }

  check(field: string): void {
    const { row } = this.target;
    if (row >= 0) return;
    const id = this.#pool.ids[this.cursor.row];
    const [what, remedy] =
      row === OVER
        ? [`${field} of a neighbour was set after its turn`, 'Change it within the loop.']
        : [
            `${field} of entity ${id} is readonly: it is in another cell`,
            'Change only neighbours whose isOwn is true; let others change themselves.',
          ];
    throw new LeaseholdError('SYSTEM_INVALID', what, { field, value: what, remedy });
  }

  moved(): void {
    this.#pool.move(this.cursor.row);
  }
}

class Loop implements Iterator<Neighbour<Components>, undefined> {
  readonly place: Place;
  readonly #list: NeighbourList;
  readonly #item: Item;
  readonly #turn: Turn;
  #n = 0;

  constructor(list: NeighbourList, place: Place, item: Item) {
    this.place = place;
    this.#list = list;
    this.#item = item;
    this.#turn = { done: false, value: item as unknown as Neighbour<Components> };
  }

  restart(): void {
    this.#n = 0;
  }

  next(): Turn {
    const n = this.#list.load(this.#n, this.place, this.#item);
    if (n !== -1) {
      this.#n = n + 1;
      return this.#turn;
    }
    this.place.target.row = OVER;
    this.#list.close();
    return DONE;
  }

  return(): Turn {
    this.#list.close();
    return DONE;
  }
}
