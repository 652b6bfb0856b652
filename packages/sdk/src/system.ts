/**
 * Systems: functions over the rows of matching entities, with their access declared. What is
 * declared here decides the order in which systems run (`order.ts`) and what a row lets a system
 * do.
 */
import { checkName, LeaseholdError, type Random } from '@leasehold/kernel';
import type { Grid } from '@leasehold/spatial';
import type { AnyComponent, Components, ComponentValue, ReadonlyRow, Row } from './component.ts';

/**
 * Settings of a world that a system reads, with the values they have when the manifest has none.
 */
export type Params = Readonly<Record<string, unknown>>;

/** Somebody within the radius. The object is reused: take what you need before the next turn. */
export type Neighbour<N extends Components> = {
  readonly id: number;
  /** The shortest way from here to there, along x and y, in the units of the space. */
  readonly dx: number;
  readonly dy: number;
  /** On a plane or torus in its units; on WGS84 in metres along the great circle. */
  readonly distance: number;
} & { readonly [K in keyof N]: ReadonlyRow<N[K]> };

/**
 * All others within the radius that have the components the system reads of them, ascending by id,
 * as of the end of the previous tick; in a sequential system, those of the own cell as they are
 * now. The centre is where the entity stood when `each` began. Loops may be nested.
 */
export interface Neighbours<N extends Components> extends Iterable<Neighbour<N>> {
  readonly count: number;
}

/** What a system may know and do beyond its row. Valid during one call of `each`. */
export interface Context<N extends Components = Components, P extends Params = Params> {
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
  readonly neighbours: Neighbours<N>;
  /** Bears an entity at the end of this tick; it runs from the next one on. Returns its id. */
  readonly spawn: (...values: readonly ComponentValue[]) => number;
  /**
   * Ends the entity at the end of this tick. Without an id: itself. Another entity may be named
   * only by a sequential system, and only one of the same cell; else the system fails.
   */
  readonly despawn: (id?: number) => void;
  /** Gives the entity a component, or replaces its values, at the end of this tick. */
  readonly add: (value: ComponentValue) => void;
  /** Takes a component from the entity at the end of this tick. */
  readonly remove: (component: AnyComponent) => void;
}

/** A row as `each` receives it, by the names of the declaration. */
export type SystemRow<R extends Components, W extends Components, O extends Components> = {
  readonly [K in keyof R]: ReadonlyRow<R[K]>;
} & { readonly [K in keyof W]: Row<W[K]> } & {
  readonly [K in keyof O]: ReadonlyRow<O[K]> | undefined;
};

export type SystemOptions<
  R extends Components,
  W extends Components,
  O extends Components,
  N extends Components,
  P extends Params,
> = {
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
  /** Names of systems that must have run before, or must run after. */
  readonly after?: readonly string[];
  readonly before?: readonly string[];
  /**
   * Agents act one by one, in a new random order each tick, and see what others of their cell did.
   */
  readonly order?: 'sequential';
  readonly params?: P;
  readonly neighbours?: {
    /**
     * In the unit of `distance`; at most `space.radiusMax()`. Nobody in reach is missed as long as
     * radius and the way an entity goes in one tick are together no more than that.
     */
    readonly radius: number | ((params: Readonly<P>) => number);
    /** Components a neighbour must have, given readonly. */
    readonly reads: N;
  };
  each(row: SystemRow<R, W, O>, context: Context<N, P>): void;
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
  readonly after: readonly string[];
  readonly before: readonly string[];
  readonly order: 'simultaneous' | 'sequential';
  readonly params: Params;
  readonly neighbours:
    | { readonly radius: number | ((params: Params) => number); readonly reads: Components }
    | undefined;
  readonly each: (row: object, context: Context) => void;
}

const KEYS = new Set([
  ...['name', 'reads', 'writes', 'optional', 'with', 'without', 'changed', 'after', 'before'],
  ...['order', 'params', 'neighbours', 'each'],
]);
/** Names that a neighbour has of its own. */
const NEIGHBOUR_KEYS = new Set(['id', 'dx', 'dy', 'distance']);

// `NonNullable<unknown>` is `{}`: a system that declares none of a sort has no rows of that sort.
type None = Readonly<Record<never, never>>;

/**
 * Declares a system.
 *
 * `each` runs for every entity that has all of `reads`, `writes` and `with` and none of `without`,
 * in ascending order of ids. It must be a function of what it is given: no clock, dice or network.
 *
 * Errors: `NAME_INVALID`, `SYSTEM_INVALID` (unknown key, one component declared twice, no `each`).
 */
export function system<
  R extends Components = None,
  W extends Components = None,
  O extends Components = None,
  N extends Components = None,
  P extends Params = None,
>(options: SystemOptions<R, W, O, N, P>): System {
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
    after: options.after ?? [],
    before: options.before ?? [],
    order: options.order ?? 'simultaneous',
    params: options.params ?? {},
    neighbours: options.neighbours as System['neighbours'],
    each: options.each as unknown as System['each'],
  } satisfies System;
  checkAccess(declared);
  return Object.freeze(declared);
}

function checkAccess(declared: System): void {
  const { name, reads, writes, optional, neighbours } = declared;
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
  for (const [rowName, used] of Object.entries(neighbours?.reads ?? {})) {
    requireComponent(name, `neighbours.reads.${rowName}`, used);
    if (!NEIGHBOUR_KEYS.has(rowName)) continue;
    throw invalid(name, `neighbours.reads.${rowName}`, `${rowName} is taken`, 'Rename the row.');
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
