/**
 * A simulation: what a world's module exports. It declares; the engine compiles and runs it.
 */
import { LeaseholdError, type Random } from '@leasehold/kernel';
import type { Grid } from '@leasehold/spatial';
import type { AnyComponent, ComponentValue } from './component.ts';
import type { Params, System } from './system.ts';

/** What `seed` is given. */
export interface SeedContext<P extends Params = Params> {
  /** Draws that depend on the world's seed alone. */
  readonly random: Random;
  readonly params: Readonly<P>;
  readonly space: Grid;
  readonly tickHz: number;
  /**
   * Puts an entity into the world at tick 0 and returns its id. It lives in the cell of its spatial
   * component; without one, in cell 0.
   */
  readonly spawn: (...values: readonly ComponentValue[]) => number;
}

export type SimulationOptions<P extends Params> = {
  readonly components: readonly AnyComponent[];
  readonly systems: readonly System[];
  readonly params?: P;
  /** Fills a new world, once. May read files that belong to the module; never runs again. */
  seed?(context: SeedContext<P>): void | Promise<void>;
};

export interface Simulation {
  readonly components: readonly AnyComponent[];
  readonly systems: readonly System[];
  readonly params: Params;
  readonly seed: (context: SeedContext) => void | Promise<void>;
}

// A registered symbol: a module that resolved another copy of this package is still understood.
const BRAND = Symbol.for('leasehold.simulation');
type None = Readonly<Record<never, never>>;

/**
 * Declares a simulation: a world module's default export. What is wrong with it as a whole (order,
 * unknown components, radii) is told when it is compiled for a world, since it depends on its
 * space.
 *
 * Errors: `MODULE_INVALID` when `components` or `systems` is no list.
 */
export function simulation<P extends Params = None>(options: SimulationOptions<P>): Simulation {
  for (const key of ['components', 'systems'] as const) {
    if (Array.isArray(options[key])) continue;
    throw new LeaseholdError('MODULE_INVALID', `simulation: ${key} is no list`, {
      field: key,
      value: String(options[key]),
      remedy: `Give simulation({ ${key}: [...] }).`,
    });
  }
  const nothing = (): void => undefined;
  const declared = {
    [BRAND]: 1,
    components: [...options.components],
    systems: [...options.systems],
    params: options.params ?? {},
    seed: (options.seed?.bind(options) ?? nothing) as Simulation['seed'],
  };
  return Object.freeze(declared);
}

/** Whether a module's export is a simulation, whichever copy of this package made it. */
export function isSimulation(value: unknown): value is Simulation {
  return typeof value === 'object' && value !== null && BRAND in value;
}
