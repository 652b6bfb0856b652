/**
 * A system made ready for a layer: masks, row object, context. One per engine, for all its cells.
 */
import { LeaseholdError, Random, saltOf } from '@leasehold/kernel';
import type { Table } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import type { Placement, Requests } from './births.ts';
import type { AnyComponent, Components, ComponentValue } from './component.ts';
import { EventValue } from './event.ts';
import { printable } from './kinds.ts';
import type { Lattice } from './lattice.ts';
import { type Loop, loopOf } from './loop.ts';
import type { Neighbourhood } from './neighbourhood.ts';
import { NeighbourList } from './neighbours.ts';
import type { Cursor, RowSet, Slot } from './rows.ts';
import { SquareList } from './squares.ts';
import type { Context, Params, System } from './system.ts';

type List = NeighbourList | SquareList;

/** An event that reached an entity: its row, who sent it, and its values. */
export type Delivery = {
  readonly row: number;
  readonly from: number;
  readonly payload: Readonly<Record<string, unknown>>;
};

/** What a cell lends to the systems while they run on it. */
export interface Host {
  readonly table: Table;
  readonly requests: Requests;
  /** Whether its layer says who lives. */
  readonly isHome: boolean;
  nextId(): number;
}

export type RunningOptions = {
  readonly system: System;
  readonly params: Params;
  readonly placement: Placement;
  readonly rows: RowSet;
  readonly grid: Grid;
  readonly seed: number;
  readonly tickHz: number;
  readonly radius: number;
  /** How many squares around are looked at; undefined where a radius says who is near. */
  readonly squares: number | undefined;
  readonly pool: Neighbourhood | undefined;
  readonly lattice: Lattice | undefined;
};

const nothing = (): void => undefined;

/** Bits of some components as a signed integer, which is what bit operations answer. */
function maskOf(components: Iterable<AnyComponent>, placement: Placement, by: string): number {
  let mask = 0;
  for (const component of components) mask |= 2 ** placement.indexOf(component, by);
  return mask;
}

export class RunningSystem {
  readonly name: string;
  readonly each: System['each'];
  readonly isSequential: boolean;
  /** All bits must be set, none may be, one must be among the changed (0: no such filter). */
  readonly required: number;
  readonly forbidden: number;
  readonly changed: number;
  /** The event it takes; undefined: it runs on all matching rows. */
  readonly on: System['on'];
  /** What each receives as its row. */
  readonly row: object;
  readonly context: SystemContext;
  readonly loop: Loop;
  /** Radius 0 and mask 0 without neighbours. */
  readonly radius: number;
  readonly squares: number | undefined;
  readonly neighbourMask: number;
  /** Whether it writes where its neighbours are. */
  readonly movesNeighbours: boolean;
  readonly #begin: (row: number) => void;
  readonly #optional: readonly { name: string; bit: number; view: object }[];

  constructor(options: RunningOptions) {
    const { system, placement, rows } = options;
    const { name } = system;
    this.name = name;
    this.each = system.each;
    this.isSequential = system.order === 'sequential';
    const needed = [
      ...Object.values(system.reads),
      ...Object.values(system.writes),
      ...system.with,
    ];
    // Who stands nowhere has no neighbours.
    const here = options.pool && system.neighbours ? 2 ** (placement.spatial?.component ?? 0) : 0;
    this.required = maskOf(needed, placement, `${name}.reads`) | here;
    this.forbidden = maskOf(system.without, placement, `${name}.without`);
    this.changed = maskOf(system.changed, placement, `${name}.changed`);
    const { reads = {}, writes = {} } = system.neighbours ?? {};
    const seen = [...Object.values(reads), ...Object.values(writes)];
    this.neighbourMask = maskOf(seen, placement, `${name}.neighbours`);
    this.movesNeighbours = Object.values(writes).some(({ schema }) => schema.spatial !== undefined);
    this.radius = options.radius;
    this.squares = options.squares;
    const row: Record<string, object | undefined> = {};
    const bind = (components: Components, views: readonly object[]): void => {
      for (const [key, component] of Object.entries(components)) {
        row[key] = views[placement.indexOf(component, name)];
      }
    };
    bind(system.reads, rows.readable);
    bind(system.writes, rows.writable);
    bind(system.optional, rows.readable);
    if (system.on !== undefined) row[system.on.key] = undefined;
    this.on = system.on;
    this.row = row;
    this.#optional = Object.entries(system.optional).map(([key, component]) => {
      const c = placement.indexOf(component, name);
      return { name: key, bit: (2 ** c) | 0, view: rows.readable[c] as object };
    });
    const list = system.neighbours === undefined ? undefined : this.#listOf(options, reads, writes);
    this.context = new SystemContext(options, list);
    const { each, context } = this;
    const begin = this.#beginOf(list, options);
    const end = this.#endOf(options);
    this.#begin = begin;
    this.loop = loopOf({ name, each, row, context, cursor: rows.cursor, begin, end });
  }

  #listOf(
    { pool, lattice, rows, grid, placement, squares }: RunningOptions,
    reads: Components,
    writes: Components,
  ): List | undefined {
    const isLive = this.isSequential;
    const { spatial } = placement;
    if (squares !== undefined && lattice && spatial) {
      return new SquareList({
        ...{ lattice, rows, grid, spatial, reads, writes, isLive },
        reach: squares,
      });
    }
    return pool && new NeighbourList({ pool, rows, grid, reads, writes, isLive });
  }

  /** What is to be done before each row, if anything. */
  #beginOf(list: List | undefined, { rows, placement }: RunningOptions): (row: number) => void {
    const { spatial } = placement;
    const hasOptional = this.#optional.length > 0;
    if (list === undefined || spatial === undefined) {
      return hasOptional ? (row) => this.showOptional(this.context.maskOf(row)) : nothing;
    }
    const xs = rows.slots[spatial.component]?.[spatial.x] as Slot<Float64Array>;
    const ys = rows.slots[spatial.component]?.[spatial.y] as Slot<Float64Array>;
    return (row) => {
      list.begin(row, this.context.id, xs.column[row] as number, ys.column[row] as number);
      if (hasOptional) this.showOptional(this.context.maskOf(row));
    };
  }

  /** Who acted one by one may have gone elsewhere, or have changed what others read of it. */
  #endOf({ pool, lattice, rows, squares, system }: RunningOptions): (row: number) => void {
    if (!this.isSequential || pool === undefined || this.radius === 0) return nothing;
    if (squares === undefined) return (row) => pool.refresh(rows, row);
    const moves = Object.values(system.writes).some(({ schema }) => schema.spatial !== undefined);
    return moves && lattice !== undefined ? (row) => lattice.settle(row) : nothing;
  }

  get hasOptional(): boolean {
    return this.#optional.length > 0;
  }

  /** Whether nothing has to be made ready for a row. */
  get isPlain(): boolean {
    return !this.isSequential && !this.hasOptional && this.radius === 0;
  }

  /** Runs once for each delivery, whose rows are all matching. */
  take(deliveries: readonly Delivery[], cursor: Cursor): void {
    const { row: view, context } = this;
    const key = this.on?.key ?? '';
    for (const { row, from, payload } of deliveries) {
      cursor.row = row;
      context.from = from;
      (view as Record<string, unknown>)[key] = payload;
      this.#begin(row);
      this.each(view, context);
    }
    context.from = 0;
    (view as Record<string, unknown>)[key] = undefined;
  }

  /** Shows only those optional components that a row has. */
  showOptional(mask: number): void {
    const row = this.row as Record<string, object | undefined>;
    for (const { name, bit, view } of this.#optional) {
      row[name] = (mask & bit) === 0 ? undefined : view;
    }
  }
}

/**
 * What `each` receives beside its row. Functions are properties, not methods, so that they may be
 * taken out of it by destructuring.
 */
export class SystemContext implements Context {
  tick = 0;
  declare readonly dtS: number;
  declare readonly dtMs: number;
  readonly params: Params;
  readonly space: Grid;
  readonly spawn: Context['spawn'];
  readonly despawn: Context['despawn'];
  readonly add: Context['add'];
  readonly remove: Context['remove'];
  readonly emit: Context['emit'];
  /** Who sent the event that is taken. */
  from = 0;
  readonly #system: System;
  readonly #placement: Placement;
  readonly #random = new Random();
  readonly #list: List | undefined;
  readonly #seed: number;
  readonly #salt: number;
  readonly #orderSalt: number;
  readonly #cursor: Cursor;
  #host: Host | undefined;
  #ids: Float64Array = new Float64Array(0);
  #masks: Uint32Array = new Uint32Array(0);
  /** The row whose stream of draws is open, or −1. */
  #keyedRow = -1;

  constructor(options: RunningOptions, list: List | undefined) {
    const { system, placement, tickHz } = options;
    this.dtS = 1 / tickHz;
    this.dtMs = 1000 / tickHz;
    this.params = options.params;
    this.space = options.grid;
    this.#system = system;
    this.#placement = placement;
    this.#seed = options.seed;
    this.#salt = saltOf(system.name);
    this.#orderSalt = saltOf(`${system.name}:order`);
    this.#list = list;
    this.#cursor = options.rows.cursor;
    this.spawn = (...values) => this.#spawn(values);
    this.despawn = (id = this.id) => this.#despawn(id);
    this.add = (value) => this.#exchange(value.component, value);
    this.remove = (component) => this.#exchange(component, undefined);
    this.emit = (to, event) => this.#emit(to, event);
  }

  /** Turns the context to a cell; `undefined` when the system is over. */
  host(host: Host | undefined, tick: number): void {
    this.#host = host;
    if (host !== undefined) {
      this.#ids = host.table.ids;
      this.#masks = host.table.masks;
    }
    this.tick = tick;
    this.#keyedRow = -1;
    this.#list?.expire();
  }

  /** The components of a row, as bits. */
  maskOf(row: number): number {
    return this.#masks[row] as number;
  }

  get id(): number {
    return this.#ids[this.#cursor.row] ?? 0;
  }

  get random(): Random {
    const { row } = this.#cursor;
    if (this.#keyedRow === row) return this.#random;
    this.#keyedRow = row;
    return this.#random.key(this.#seed, this.id, this.tick, this.#salt);
  }

  /**
   * The order in which a sequential system takes rows, shuffled in place (Fisher and Yates 1938).
   */
  shuffle(rows: Int32Array, count: number, cell: number): void {
    const random = this.#random.key(this.#seed, cell, this.tick, this.#orderSalt);
    for (let i = count - 1; i > 0; i--) {
      const j = random.below(i + 1);
      const row = rows[i] as number;
      rows[i] = rows[j] as number;
      rows[j] = row;
    }
  }

  get neighbours(): List {
    if (this.#list !== undefined) return this.#list;
    const remedy = 'Declare neighbours: { radius, reads }.';
    throw this.#misuse('neighbours', 'it declares no neighbours', remedy);
  }

  #spawn(values: readonly ComponentValue[]): number {
    const host = this.#open('spawn');
    const id = host.nextId();
    host.requests.bear(id, values, `${this.#system.name}.spawn`);
    return id;
  }

  #despawn(id: number): void {
    const { table, requests, isHome } = this.#open('despawn');
    const isSequential = this.#system.order === 'sequential';
    const isItself = id === this.id;
    const row = isItself ? this.#cursor.row : isSequential ? table.find(id) : -1;
    if (row === -1) {
      const remedy = 'Let the entity end itself, or end one that isOwn in a sequential system.';
      throw this.#misuse('despawn', `it may not end entity ${id}`, remedy);
    }
    if (!isHome) {
      requests.endings.push(id);
      return;
    }
    requests.end(row, isSequential);
    if (isSequential) this.#list?.drop(row);
  }

  #exchange(component: AnyComponent, value: ComponentValue | undefined): void {
    const host = this.#open(value === undefined ? 'remove' : 'add');
    const by = `${this.#system.name}.${value === undefined ? 'remove' : 'add'}`;
    const index =
      value === undefined
        ? this.#placement.indexOf(component, by)
        : this.#placement.valueIndex(value, by);
    if (index === -1 || this.#placement.isCopy(index)) {
      throw this.#misuse(by, 'the component is of another layer', 'Leave it to its layer.');
    }
    host.requests.exchanges.push({ id: this.id, component: index, value });
  }

  #emit(to: number, value: EventValue): boolean {
    const host = this.#open('emit');
    if (!(value instanceof EventValue) || !this.#system.emits.includes(value.type)) {
      const what = value instanceof EventValue ? value.type.event : printable(value);
      throw this.#misuse('emit', `it sends ${what}`, 'Name the event in emits, and call it.');
    }
    if (!Number.isSafeInteger(to) || to <= 0) {
      throw this.#misuse('emit', `it sends to ${printable(to)}`, 'Give the id of an entity.');
    }
    return host.requests.emit(to, this.id, value);
  }

  #open(what: string): Host {
    if (this.#host !== undefined) return this.#host;
    throw this.#misuse(
      what,
      'its context was used after each returned',
      'Use it during each only.',
    );
  }

  #misuse(field: string, what: string, remedy: string): LeaseholdError {
    const { name } = this.#system;
    return new LeaseholdError('SYSTEM_INVALID', `system ${name}: ${what}`, {
      field: `${name}.${field}`,
      value: what,
      remedy,
    });
  }
}
