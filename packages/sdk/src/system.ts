/**
 * Systems: functions over the rows of matching entities, with their access declared. What is
 * declared here decides the order in which systems run (`order.ts`) and what a row lets a system
 * do.
 */
import { checkName, LeaseholdError, type Random } from '@leasehold/kernel';
import type { Grid } from '@leasehold/spatial';
import type { AnyComponent, Components, ComponentValue, ReadonlyRow, Row } from './component.ts';
import type { AnyEvent, EventRow, Events, EventValue } from './event.ts';

/**
 * Settings of a world that a system reads, with the values they have when the manifest has none.
 */
export type Params = Readonly<Record<string, unknown>>;

// `NonNullable<unknown>` is `{}`: a system that declares none of a sort has no rows of that sort.
type None = Readonly<Record<never, never>>;

/**
 * Somebody within the radius. The object is reused: take what you need before the next turn, and
 * change what you want to change in its turn.
 *
 * `isOwn`: whether the system may change and end this one, because it is sequential and both are in
 * the same cell. What is written holds at once, for everybody who acts later. A write to one who is
 * not own fails the system.
 */
export type Neighbour<N extends Components, M extends Components = None> = {
  readonly id: number;
  /** The shortest way from here to there, along x and y, in the units of the space. */
  readonly dx: number;
  readonly dy: number;
  /** On a plane or torus in its units; on WGS84 in metres along the great circle. */
  readonly distance: number;
} & { readonly [K in keyof N]: ReadonlyRow<N[K]> } & (
    | ({ readonly isOwn: true } & { readonly [K in keyof M]: Row<M[K]> })
    | ({ readonly isOwn: false } & { readonly [K in keyof M]: ReadonlyRow<M[K]> })
  );

/**
 * All others within the radius, or in the squares around, that have the components the system reads or writes of them,
 * ascending by id, as of the end of the previous tick; in a sequential system, those of the own
 * cell as they are now, without those who were despawned. The centre is where the entity stood when
 * `each` began. Who belongs to the list is settled when it is first looked at. Loops may be nested.
 */
export interface Neighbours<N extends Components, M extends Components = None>
  extends Iterable<Neighbour<N, M>> {
  readonly count: number;
  /**
   * How many entities of its cell stand within `radius` of any point of it right now, itself
   * included, of those that the system sees: 0 says that a place is free. In sequential systems
   * only, on a plane or torus. Of a system that declares squares, those in the square of the point
   * and so many squares around it as are asked for, by default none.
   */
  countAt(x: number, y: number, radius?: number): number;
  /**
   * Who stands in the square of a point right now, ascending by id, the entity itself left out. For
   * systems that declare squares; the square is one of those around the place where the entity stood
   * when `each` began, else the system fails.
   */
  at(x: number, y: number): Iterable<Neighbour<N, M>>;
}

/** What a system may know and do beyond its row. Valid during one call of `each`. */
export interface Context<
  N extends Components = Components,
  P extends Params = Params,
  M extends Components = None,
> {
  /** The entity whose row it is. */
  readonly id: number;
  readonly tick: number;
  /** The length of a tick: always the same. */
  readonly dtS: number;
  readonly dtMs: number;
  /** Draws that depend on world seed, entity, tick and system alone. */
  readonly random: Random;
  readonly params: Readonly<P>;
  readonly space: Grid;
  readonly neighbours: Neighbours<N, M>;
  /** Bears an entity at the end of this tick; it runs from the next one on. Returns its id. */
  readonly spawn: (...values: readonly ComponentValue[]) => number;
  /**
   * Ends the entity at the end of this tick. Without an id: itself. Another entity may be named
   * only by a sequential system, and only one of the same cell (`isOwn`); else the system fails.
   * Whom a sequential system ends acts no more in this tick, and no sequential system finds whoever
   * was ended.
   */
  readonly despawn: (id?: number) => void;
  /**
   * Sends an event to an entity, wherever it is, this one included; it takes effect with the next
   * tick there if it is in this or a neighbouring cell. From one entity to another events take effect
   * once and in the order in which they were emitted. The event must be among `emits`. Answers false,
   * and sends nothing, when the cell has sent as much in this tick as it may (384 KB): try again
   * later.
   */
  readonly emit: (to: number, event: EventValue) => boolean;
  /** In a system with `on`: the entity that emitted the event; 0: the outside. */
  readonly from: number;
  /** Gives the entity a component, or replaces its values, at the end of this tick. */
  readonly add: (value: ComponentValue) => void;
  /** Takes a component from the entity at the end of this tick. */
  readonly remove: (component: AnyComponent) => void;
}

/** A row as `each` receives it, by the names of the declaration. */
export type SystemRow<
  R extends Components,
  W extends Components,
  O extends Components,
  E extends Events = None,
> = {
  readonly [K in keyof R]: ReadonlyRow<R[K]>;
} & { readonly [K in keyof W]: Row<W[K]> } & {
  readonly [K in keyof O]: ReadonlyRow<O[K]> | undefined;
} & { readonly [K in keyof E]: EventRow<E[K]> };

/** `writes` of neighbours exist in sequential order only. */
type NeighbourOptions<N extends Components, P extends Params, M extends Components> =
  | {
      readonly order?: 'sequential';
      readonly neighbours?: NeighbourReads<N, P> & { readonly writes?: never };
    }
  | {
      /**
       * Agents act one by one, in a new random order each tick, and see what others of their cell
       * did.
       */
      readonly order: 'sequential';
      readonly neighbours: NeighbourReads<N, P> & {
        /** Components a neighbour must have, given mutable if it `isOwn`, else readonly. */
        readonly writes: M;
      };
    };

type Near<P extends Params> =
  | {
      /**
       * In the unit of `distance`; at most `space.radiusMax()`. Nobody in reach is missed as long as
       * radius and the way an entity goes, or is moved, in one tick are together no more than that.
       */
      readonly radius: number | ((params: Readonly<P>) => number);
      readonly squares?: never;
    }
  | {
      /**
       * How many squares around, diagonals included: 0 is the own square alone. Whole numbers of x
       * and y are the edges of squares, whose side is 1. Neighbours come square by square, from low
       * y to high and then from low x to high, and in a square ascending by id. On a plane, or a
       * torus whose sides are whole numbers; one square more is at most `space.radiusMax()`.
       */
      readonly squares: number | ((params: Readonly<P>) => number);
      readonly radius?: never;
    };

type NeighbourReads<N extends Components, P extends Params> = Near<P> & {
  /** Components a neighbour must have, given readonly. */
  readonly reads?: N;
};

export type SystemOptions<
  R extends Components,
  W extends Components,
  O extends Components,
  N extends Components,
  P extends Params,
  M extends Components = None,
  E extends Events = None,
> = NeighbourOptions<N, P, M> & {
  readonly name: string;
  /** Components an entity must have, given readonly. */
  readonly reads?: R;
  /** Components an entity must have, given mutable. */
  readonly writes?: W;
  /** Components an entity may have, given readonly or undefined. */
  readonly optional?: O;
  /** Components an entity must have, or must not have, that `each` does not receive. */
  readonly with?: readonly AnyComponent[];
  readonly without?: readonly AnyComponent[];
  /**
   * Only entities of which one of these components changed during the previous tick: a field took
   * another value, or the component was added or removed. Who was born or arrived in this cell with
   * the previous tick counts as changed.
   */
  readonly changed?: readonly AnyComponent[];
  /**
   * One event, by the name under which `each` receives it: then `each` runs once for every event of
   * that type that reached a matching entity with this tick, in the order in which they were emitted,
   * and not at all for the others. Not in sequential order, nor with `changed`.
   */
  readonly on?: E;
  /** The events that it sends. */
  readonly emits?: readonly AnyEvent[];
  /** Names of systems that must have run before, or must run after. */
  readonly after?: readonly string[];
  readonly before?: readonly string[];
  readonly params?: P;
  each(row: SystemRow<R, W, O, E>, context: Context<N, P, M>): void;
};

/** A declared system, its access laid open for ordering and for the engine. */
export interface System {
  readonly name: string;
  readonly reads: Components;
  readonly writes: Components;
  readonly optional: Components;
  readonly with: readonly AnyComponent[];
  readonly without: readonly AnyComponent[];
  readonly changed: readonly AnyComponent[];
  /** The event it takes and its name in the row; undefined: it runs for every matching entity. */
  readonly on: { readonly key: string; readonly event: AnyEvent } | undefined;
  readonly emits: readonly AnyEvent[];
  readonly after: readonly string[];
  readonly before: readonly string[];
  readonly order: 'simultaneous' | 'sequential';
  readonly params: Params;
  readonly neighbours:
    | {
        readonly radius: number | ((params: Params) => number);
        readonly squares: number | ((params: Params) => number) | undefined;
        readonly reads: Components;
        readonly writes: Components;
      }
    | undefined;
  readonly each: (row: object, context: Context) => void;
}

const KEYS = new Set([
  ...['name', 'reads', 'writes', 'optional', 'with', 'without', 'changed', 'after', 'before'],
  ...['order', 'params', 'neighbours', 'each', 'on', 'emits'],
]);
/** Names that a neighbour has of its own. */
const NEIGHBOUR_KEYS = new Set(['id', 'dx', 'dy', 'distance', 'isOwn']);
const NEIGHBOUR_SETTINGS = new Set(['radius', 'squares', 'reads', 'writes']);

/**
 * Declares a system.
 *
 * `each` runs for every entity that has all of `reads`, `writes` and `with` and none of `without`,
 * in ascending order of ids. It must be a function of what it is given: no clock, dice or network.
 *
 * Errors: `NAME_INVALID`, `SYSTEM_INVALID` (unknown key, one component declared twice, no `each`,
 * writes of neighbours without sequential order, `on` that is not one event).
 */
export function system<
  R extends Components = None,
  W extends Components = None,
  O extends Components = None,
  N extends Components = None,
  P extends Params = None,
  M extends Components = None,
  E extends Events = None,
>(options: SystemOptions<R, W, O, N, P, M, E>): System {
  const { name } = options;
  checkName('system name', name);
  for (const key of Object.keys(options)) {
    if (!KEYS.has(key))
      throw invalid(name, key, `it has no setting ${key}`, 'Remove or rename it.');
  }
  if (typeof options.each !== 'function') {
    throw invalid(name, 'each', 'it has no function each', 'Give it each(row, context).');
  }
  if (options.order !== undefined && options.order !== 'sequential') {
    throw invalid(
      name,
      'order',
      `order is ${String(options.order)}`,
      "Leave it out or 'sequential'.",
    );
  }
  const declared = {
    name,
    reads: options.reads ?? {},
    writes: options.writes ?? {},
    optional: options.optional ?? {},
    with: options.with ?? [],
    without: options.without ?? [],
    changed: options.changed ?? [],
    on: onOf(name, options.on),
    emits: options.emits ?? [],
    after: options.after ?? [],
    before: options.before ?? [],
    order: options.order ?? 'simultaneous',
    params: options.params ?? {},
    neighbours: neighboursOf(options.neighbours as Partial<System['neighbours']>),
    each: options.each as unknown as System['each'],
  } satisfies System;
  checkAccess(declared);
  return Object.freeze(declared);
}

function neighboursOf(given: Partial<System['neighbours']>): System['neighbours'] {
  if (given === undefined) return undefined;
  // A radius left out is found, with its bounds, when the space is known.
  const { radius = Number.NaN, squares } = given;
  return { ...given, radius, squares, reads: given.reads ?? {}, writes: given.writes ?? {} };
}

function checkAccess(declared: System): void {
  const { name, reads, writes, optional } = declared;
  const seen = new Map<string, string>();
  const rowNames = new Set<string>();
  for (const [sort, components] of Object.entries({ reads, writes, optional })) {
    for (const [rowName, used] of Object.entries(components as Components)) {
      requireComponent(name, `${sort}.${rowName}`, used);
      const before = seen.get(used.schema.name);
      if (before !== undefined || rowNames.has(rowName)) {
        const what = `${rowName} (${used.schema.name}) is declared twice`;
        throw invalid(name, sort, what, 'Declare it once: writes may also read.');
      }
      seen.set(used.schema.name, sort);
      rowNames.add(rowName);
    }
  }
  for (const sort of ['with', 'without', 'changed'] as const) {
    for (const [i, used] of declared[sort].entries()) {
      requireComponent(name, `${sort}[${i}]`, used);
    }
  }
  checkEvents(declared, rowNames);
  checkNeighbours(declared);
}

function onOf(name: string, on: Events | undefined): System['on'] {
  if (on === undefined) return undefined;
  const [first, ...rest] = Object.entries(on);
  if (first === undefined || rest.length > 0) {
    const remedy = 'Declare one event, and another system for another event.';
    throw invalid(name, 'on', `it takes ${rest.length === 0 ? 'no event' : 'several'}`, remedy);
  }
  return { key: first[0], event: first[1] };
}

function checkEvents(declared: System, rowNames: ReadonlySet<string>): void {
  const { name, on, emits } = declared;
  for (const [i, used] of [...(on ? [on.event] : []), ...emits].entries()) {
    if (typeof used?.event === 'string') continue;
    const field = on && i === 0 ? 'on' : 'emits';
    throw invalid(name, field, 'it names what is no event', 'Give it what event() returned.');
  }
  if (on === undefined) return;
  if (rowNames.has(on.key)) throw invalid(name, 'on', `${on.key} is taken`, 'Rename the event.');
  if (declared.order === 'sequential' || declared.changed.length > 0) {
    const what = declared.order === 'sequential' ? 'sequential' : 'of what changed';
    const remedy = 'Take the event in a system of its own, which writes what the other reads.';
    throw invalid(name, 'on', `it takes events and is ${what}`, remedy);
  }
}

function checkNeighbours({ name, neighbours, order }: System): void {
  if (neighbours === undefined) return;
  for (const key of Object.keys(neighbours)) {
    if (NEIGHBOUR_SETTINGS.has(key)) continue;
    throw invalid(name, `neighbours.${key}`, `it has no setting ${key}`, 'Remove or rename it.');
  }
  const { radius, reads, writes } = neighbours;
  if (neighbours.squares !== undefined && !Number.isNaN(radius)) {
    const remedy = 'Declare one of them: both say who is near.';
    throw invalid(name, 'neighbours.squares', 'it declares a radius and squares', remedy);
  }
  if (order !== 'sequential' && Object.keys(writes).length > 0) {
    const remedy = "Add order: 'sequential', or let each entity change itself by what it reads.";
    throw invalid(name, 'neighbours.writes', 'it writes neighbours simultaneously', remedy);
  }
  const seen = new Set<AnyComponent>();
  for (const [sort, components] of Object.entries({ reads, writes })) {
    for (const [rowName, used] of Object.entries(components)) {
      const field = `neighbours.${sort}.${rowName}`;
      requireComponent(name, field, used);
      if (NEIGHBOUR_KEYS.has(rowName)) {
        throw invalid(name, field, `${rowName} is taken`, 'Rename the row.');
      }
      if (sort === 'writes' && (seen.has(used) || rowName in reads)) {
        const what = `${rowName} (${used.schema.name}) is declared twice`;
        throw invalid(name, field, what, 'Declare it once: writes may also read.');
      }
      seen.add(used);
    }
  }
}

function requireComponent(name: string, field: string, used: AnyComponent | undefined): void {
  if (used?.schema !== undefined) return;
  throw new LeaseholdError('COMPONENT_UNKNOWN', `system ${name}: ${field} is no component`, {
    field: `${name}.${field}`,
    value: String(used),
    remedy: 'Give it what component() returned; a circular import leaves it undefined.',
  });
}

function invalid(name: string, field: string, what: string, remedy: string): LeaseholdError {
  return new LeaseholdError('SYSTEM_INVALID', `system ${name}: ${what}`, {
    field: `${name}.${field}`,
    value: what,
    remedy,
  });
}
