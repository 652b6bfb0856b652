/**
 * What a system gets as `neighbours`: a list that is searched when it is first looked at, and whose
 * loops allocate nothing.
 */
import type { LayerSchema } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import type { Components } from './component.ts';
import type { Neighbourhood } from './neighbourhood.ts';
import { Cursor, rowView } from './rows.ts';
import type { Neighbour, Neighbours } from './system.ts';

type Item = { id: number; dx: number; dy: number; distance: number };
type Turn = IteratorResult<Neighbour<Components>, undefined>;

const DONE: Turn = Object.freeze({ done: true, value: undefined });

export class NeighbourList implements Neighbours<Components> {
  readonly #pool: Neighbourhood;
  readonly #grid: Grid;
  readonly #makeItem: (cursor: Cursor) => Item;
  /** One per depth of nested loops over the same list. */
  readonly #loops: Loop[] = [];
  #open = 0;
  #isFound = false;
  #id = 0;
  #x = 0;
  #y = 0;

  constructor(pool: Neighbourhood, grid: Grid, schema: LayerSchema, reads: Components) {
    this.#pool = pool;
    this.#grid = grid;
    this.#makeItem = (cursor) => {
      const item: Item & Record<string, unknown> = { id: 0, dx: 0.5, dy: 0.5, distance: 0.5 };
      for (const [name, { schema: component }] of Object.entries(reads)) {
        const c = schema.components.findIndex((known) => known.name === component.name);
        item[name] = rowView(component.fields, pool.slots[c] ?? [], cursor, false);
      }
      return item;
    };
  }

  /** Turns the list to the entity that asks. Searches nothing yet. */
  begin(id: number, x: number, y: number): void {
    this.#id = id;
    this.#x = x;
    this.#y = y;
    this.#isFound = false;
    this.#open = 0;
  }

  #find(): void {
    if (this.#isFound) return;
    this.#pool.find(this.#id, this.#x, this.#y);
    this.#isFound = true;
  }

  get count(): number {
    this.#find();
    return this.#pool.foundCount;
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
    const cursor = new Cursor();
    return new Loop(this, cursor, this.#makeItem(cursor));
  }

  /** Fills an item with the n-th neighbour; false beyond the last. */
  load(n: number, cursor: Cursor, item: Item): boolean {
    const pool = this.#pool;
    if (n >= pool.foundCount) return false;
    const row = pool.found[n] as number;
    const x = pool.x[row] as number;
    const y = pool.y[row] as number;
    cursor.row = row;
    item.id = pool.ids[row] as number;
    item.dx = this.#grid.deltaX(this.#x, x);
    item.dy = this.#grid.deltaY(this.#y, y);
    item.distance = this.#grid.distance(this.#x, this.#y, x, y);
    return true;
  }

  close(): void {
    if (this.#open > 0) this.#open--;
  }
}

class Loop implements Iterator<Neighbour<Components>, undefined> {
  readonly #list: NeighbourList;
  readonly #cursor: Cursor;
  readonly #item: Item;
  readonly #turn: Turn;
  #n = 0;

  constructor(list: NeighbourList, cursor: Cursor, item: Item) {
    this.#list = list;
    this.#cursor = cursor;
    this.#item = item;
    this.#turn = { done: false, value: item as unknown as Neighbour<Components> };
  }

  restart(): void {
    this.#n = 0;
  }

  next(): Turn {
    if (this.#list.load(this.#n, this.#cursor, this.#item)) {
      this.#n++;
      return this.#turn;
    }
    this.#list.close();
    return DONE;
  }

  return(): Turn {
    this.#list.close();
    return DONE;
  }
}
