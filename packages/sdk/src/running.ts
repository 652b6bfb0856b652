/**
 * A system made ready for a layer: masks, row object, context. One per engine, for all its cells.
 */
import { LeaseholdError, Random, saltOf } from '@leasehold/kernel';
import type { Column, Table } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import type { Placement, Requests } from './births.ts';
import type { AnyComponent, Components, ComponentValue } from './component.ts';
import { type Loop, loopOf } from './loop.ts';
import type { Neighbourhood } from './neighbourhood.ts';
import { NeighbourList } from './neighbours.ts';
import type { Cursor, RowSet } from './rows.ts';
import type { Context, Params, System } from './system.ts';
import type { SpatialFields } from './view.ts';

/** What a cell lends to the systems while they run on it. */
export interface Host {
  readonly table: Table;
  readonly requests: Requests;
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
  readonly pool: Neighbourhood | undefined;
};

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
  /** What each receives as its row. */
  readonly row: object;
  readonly context: SystemContext;
  readonly loop: Loop;
  /** Radius 0 and mask 0 without neighbours. */
  readonly radius: number;
  readonly neighbourMask: number;
  /** Whether it writes where its neighbours are. */
  readonly movesNeighbours: boolean;
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
    const row: Record<string, object | undefined> = {};
    const bind = (components: Components, views: readonly object[]): void => {
      for (const [key, component] of Object.entries(components)) {
        row[key] = views[placement.indexOf(component, name)];
      }
    };
    bind(system.reads, rows.readable);
    bind(system.writes, rows.writable);
    bind(system.optional, rows.readable);
    this.row = row;
    this.#optional = Object.entries(system.optional).map(([key, component]) => {
      const c = placement.indexOf(component, name);
      return { name: key, bit: (2 ** c) | 0, view: rows.readable[c] as object };
    });
    const list =
      options.pool && system.neighbours
        ? new NeighbourList({
            ...{ pool: options.pool, rows, grid: options.grid, reads, writes },
            isLive: this.isSequential,
          })
        : undefined;
    this.context = new SystemContext(options, list);
    const { each, context } = this;
    this.loop = loopOf({ name, each, row, context, cursor: rows.cursor });
  }

  get hasOptional(): boolean {
    return this.#optional.length > 0;
  }

  /** Whether nothing has to be made ready for a row. */
  get isPlain(): boolean {
    return !this.isSequential && !this.hasOptional && this.radius === 0;
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
  readonly #system: System;
  readonly #placement: Placement;
  readonly #random = new Random();
  readonly #list: NeighbourList | undefined;
  readonly #spatial: SpatialFields | undefined;
  readonly #seed: number;
  readonly #salt: number;
  readonly #cursor: Cursor;
  #host: Host | undefined;
  #ids: Float64Array = new Float64Array(0);
  /** The row whose stream of draws is open, or −1. */
  #keyedRow = -1;

  constructor(options: RunningOptions, list: NeighbourList | undefined) {
    const { system, placement, tickHz } = options;
    this.dtS = 1 / tickHz;
    this.dtMs = 1000 / tickHz;
    this.params = options.params;
    this.space = options.grid;
    this.#system = system;
    this.#placement = placement;
    this.#spatial = placement.spatial;
    this.#seed = options.seed;
    this.#salt = saltOf(system.name);
    this.#list = list;
    this.#cursor = options.rows.cursor;
    this.spawn = (...values) => this.#spawn(values);
    this.despawn = (id = this.id) => this.#despawn(id);
    this.add = (value) => this.#exchange(value.component, value);
    this.remove = (component) => this.#exchange(component, undefined);
  }

  /** Turns the context to a cell; `undefined` when the system is over. */
  host(host: Host | undefined, tick: number): void {
    this.#host = host;
    if (host !== undefined) this.#ids = host.table.ids;
    this.tick = tick;
    this.#keyedRow = -1;
    this.#list?.expire();
  }

  /**
   * Turns the neighbours to the row of the cursor; only where there are any. All else that depends
   * on the row looks where the cursor is.
   */
  begin(): void {
    const { table } = this.#host as Host;
    if (this.#list === undefined || this.#spatial === undefined) return;
    const { row } = this.#cursor;
    const columns = table.columns[this.#spatial.component] as Column[];
    const x = columns[this.#spatial.x]?.[row] as number;
    this.#list.begin(this.id, x, columns[this.#spatial.y]?.[row] as number);
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
    const salt = saltOf(`${this.#system.name}:order`);
    const random = this.#random.key(this.#seed, cell, this.tick, salt);
    for (let i = count - 1; i > 0; i--) {
      const j = random.below(i + 1);
      const row = rows[i] as number;
      rows[i] = rows[j] as number;
      rows[j] = row;
    }
  }

  get neighbours(): NeighbourList {
    if (this.#list !== undefined) return this.#list;
    const remedy = 'Declare neighbours: { radius, reads }.';
    throw this.#misuse('neighbours', 'it declares no neighbours', remedy);
  }

  #spawn(values: readonly ComponentValue[]): number {
    const host = this.#open('spawn');
    const id = host.nextId();
    this.#placement.append(host.requests.births, id, values, `${this.#system.name}.spawn`);
    return id;
  }

  #despawn(id: number): void {
    const { table, requests } = this.#open('despawn');
    const isSequential = this.#system.order === 'sequential';
    const row = isSequential ? table.find(id) : -1;
    if (id !== this.id && row === -1) {
      const remedy = 'Let the entity end itself, or end one that isOwn in a sequential system.';
      throw this.#misuse('despawn', `it may not end entity ${id}`, remedy);
    }
    requests.deaths.add(id);
    if (!isSequential) return;
    requests.ended.add(id);
    this.#list?.drop(row);
  }

  #exchange(component: AnyComponent, value: ComponentValue | undefined): void {
    const host = this.#open(value === undefined ? 'remove' : 'add');
    const by = `${this.#system.name}.${value === undefined ? 'remove' : 'add'}`;
    const index =
      value === undefined
        ? this.#placement.indexOf(component, by)
        : this.#placement.valueIndex(value, by);
    if (index === -1) {
      throw this.#misuse(by, 'the component is of another layer', 'Leave it to its layer.');
    }
    host.requests.exchanges.push({ id: this.id, component: index, value });
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

/** Whether an entity of this mask is one that a system runs on, change filter apart. */
export function matches(system: RunningSystem, mask: number): boolean {
  return (mask & system.required) === system.required && (mask & system.forbidden) === 0;
}
