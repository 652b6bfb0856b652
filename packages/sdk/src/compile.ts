/**
 * From declarations to an engine: everything that can be wrong with a simulation in a given world
 * is found here, before the first tick.
 */
import { LeaseholdError } from '@leasehold/kernel';
import { type LayerSchema, type SchemaResolver, Table } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import { Placement } from './births.ts';
import { type CellKit, CellState } from './cell.ts';
import type { AnyComponent } from './component.ts';
import { type AnyEvent, Undelivered as UndeliveredEvent } from './event.ts';
import { printable } from './kinds.ts';
import { Lattice, SQUARES_MAX, squaresOf } from './lattice.ts';
import { type Layer, type Layers, layersOf } from './layers.ts';
import { Neighbourhood } from './neighbourhood.ts';
import { orderSystems } from './order.ts';
import { Others } from './others.ts';
import { RowSet } from './rows.ts';
import { Runner } from './runner.ts';
import { RunningSystem } from './running.ts';
import { type SeedCommit, seedWorld } from './seed.ts';
import type { Simulation } from './simulation.ts';
import type { Params, System } from './system.ts';
import { classesOf } from './told.ts';
import type { SpatialFields, ViewField } from './view.ts';

export type CompileOptions = {
  readonly layer: string;
  readonly grid: Grid;
  /** The world's seed, 32 bits. */
  readonly seed: number;
  readonly tickHz: number;
  /** From the manifest; they override the values that systems declare. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Names of components by layer, as in the manifest; if left out, all are in this one. */
  readonly layers?: Readonly<Record<string, readonly string[]>>;
  /** A monotonic clock in ms, for the time per system. */
  readonly time?: () => number;
};

/** A simulation made ready to run the cells of one layer. */
export interface Engine {
  readonly schema: LayerSchema;
  readonly grid: Grid;
  /** The largest neighbour radius, 0 if no system has neighbours. */
  readonly radius: number;
  /** Whether neighbouring cells must be followed. */
  readonly needsHalo: boolean;
  /** Where the schema keeps positions; undefined for a layer without a space of its own. */
  readonly spatial: SpatialFields | undefined;
  /** Names in the order in which they run. */
  readonly systems: readonly string[];
  /** Milliseconds spent in each of `systems` so far; zeros without a clock. */
  readonly systemMs: Float64Array;
  /** Whether some system wants to know what found nobody. */
  readonly takesUndelivered: boolean;
  /** Names of all layers of the world, in the order of their numbers. */
  readonly layers: readonly string[];
  /** The number of this one, and of the one that says who lives and where. */
  readonly layer: number;
  readonly home: number;
  /** The schemas of all of them. */
  readonly schemas: readonly LayerSchema[];
  /** Whether some of its components are copied here. */
  reads(layer: number): boolean;
  /** A cell of another layer, by its number, as this one reads it: its log is followed, no more. */
  createForeign(layer: number, cell: number, older?: SchemaResolver): CellState;
  /** An empty cell at tick 0. `older` knows schemas that stored bodies may be written in. */
  createCell(cell: number, older?: SchemaResolver): CellState;
  /** Entry 1 (tick 0) of every cell that the simulation's `seed` fills. Errors: those of `seed`. */
  seed(): Promise<Map<number, SeedCommit>>;
}

/**
 * Compiles a simulation for one layer of a world.
 *
 * Errors: `COMPONENT_INVALID`, `COMPONENT_UNKNOWN`, `FIELD_KIND_MISMATCH`, `NAME_INVALID`,
 * `SYSTEM_INVALID`, `SYSTEM_CONFLICT`, `RADIUS_TOO_LARGE`, `MANIFEST_INVALID` (a parameter of the
 * wrong type).
 */
export function compile(simulation: Simulation, options: CompileOptions): Engine {
  const { grid } = options;
  const known = knownComponents(simulation);
  const layers = layersOf(
    simulation,
    known,
    options.layers ?? { [options.layer]: [...known.keys()] },
  );
  const own = ownLayer(options.layer, layers);
  const events = knownEvents(simulation.systems);
  const { schema } = own;
  const placement = new Placement(schema, grid, known);
  const systems = orderSystems(own.systems);
  const params = worldParams(simulation, systems, options.params);
  const squares = systems.map((system) => squaresAround(system, params, placement));
  const radii = systems.map((system, s) => radiusOf(system, params, placement, squares[s]));
  const viewFields = viewFieldsOf(schema, systems);
  const rows = new RowSet(new Table(schema));
  // Who sends must know who is in the cells around.
  const sends = systems.some(({ emits }) => emits.length > 0);
  const isLayered = layers.all.length > 1;
  const needsHalo = sends || isLayered || radii.some((radius) => radius > 0);
  const { spatial } = placement;
  const pool =
    needsHalo && spatial ? new Neighbourhood(grid, schema, viewFields, spatial) : undefined;
  const isLattice = squares.some((reach) => reach !== undefined);
  const lattice = pool && spatial && isLattice ? new Lattice(grid, pool, rows, spatial) : undefined;
  const running = systems.map(
    (system, s) =>
      new RunningSystem({
        ...{ system, placement, rows, grid, pool, lattice, squares: squares[s] },
        ...{ seed: options.seed, tickHz: options.tickHz, radius: radii[s] as number },
        params: paramsOf(system.params, params),
      }),
  );
  const time = options.time;
  const parts = { grid, placement, systems: running, rows, pool, lattice, viewFields, time };
  const runner = new Runner(parts);
  const usesChanged = running.some((system) => system.changed !== 0);
  const bound = { layers, own, known, events, viewFields, placement };
  const others = new Others({ ...bound, grid, tickHz: options.tickHz });
  const takesUndelivered = simulation.systems.some(({ on }) => on?.event === UndeliveredEvent);
  const about = { tickHz: options.tickHz, takesUndelivered };
  const mail = { placement, events, ...about, layers: others.mail };
  const classes = classesOf(schema);
  const used = { needsHalo, usesChanged };
  const kit: CellKit = {
    ...{ grid, placement, runner, mail, viewFields, classes, ...used },
    ...{ layers: others.kit, isRead: false },
  };
  return {
    schema,
    grid,
    radius: Math.max(0, ...radii),
    needsHalo,
    spatial,
    systems: systems.map((system) => system.name),
    systemMs: runner.systemMs,
    takesUndelivered,
    layers: layers.all.map(({ name }) => name),
    layer: own.index,
    home: layers.home,
    schemas: layers.all.map((layer) => layer.schema),
    reads: (layer) => others.reads(layer),
    createForeign: (layer, cell, older) => others.createCell(layer, cell, older),
    createCell: (cell, older) => new CellState(kit, cell, older),
    seed: () =>
      seedWorld(simulation, {
        ...{ grid, placement, seed: options.seed, tickHz: options.tickHz, known, isLayered },
        params: paramsOf(simulation.params, params),
      }),
  };
}

function knownComponents(simulation: Simulation): Map<string, AnyComponent> {
  const known = new Map<string, AnyComponent>();
  let spatial = '';
  simulation.components.forEach((component, i) => {
    const schema = component?.schema;
    if (schema === undefined) {
      throw invalid(`components[${i}]`, printable(component), 'Give it what component() returned.');
    }
    if (known.has(schema.name)) {
      throw invalid(schema.name, 'declared twice', 'Give every component a name of its own.');
    }
    if (schema.spatial !== undefined) {
      if (spatial !== '') {
        const remedy = 'Let one component say where an entity is.';
        throw invalid(`${schema.name}.spatial`, `also ${spatial} is spatial`, remedy);
      }
      spatial = schema.name;
    }
    known.set(schema.name, component);
  });
  return known;
}

/** Every event that some system takes or sends. Two of one name are one, or a mistake. */
function knownEvents(systems: readonly System[]): Map<string, AnyEvent> {
  const known = new Map<string, AnyEvent>([[UndeliveredEvent.event, UndeliveredEvent]]);
  for (const { name, on, emits } of systems) {
    for (const event of [...(on ? [on.event] : []), ...emits]) {
      const before = known.get(event.event) ?? event;
      if (before !== event) {
        const remedy = 'Declare it once, and import it where it is used.';
        throw systemInvalid(name, `another event is called ${event.event}, too`, remedy);
      }
      known.set(event.event, event);
    }
  }
  return known;
}

function invalid(field: string, value: string, remedy: string): LeaseholdError {
  const message = `component ${field}: ${value}`;
  return new LeaseholdError('COMPONENT_INVALID', message, { field, value, remedy });
}

function ownLayer(name: string, { all }: Layers): Layer {
  const own = all.find((layer) => layer.name === name);
  if (own !== undefined) return own;
  const names = all.map((layer) => layer.name).join(', ');
  throw new LeaseholdError('MANIFEST_INVALID', `the world has no layer ${printable(name)}`, {
    field: 'layer',
    value: name,
    remedy: `It has ${names}.`,
  });
}

const neighbourComponents = ({ neighbours }: System): AnyComponent[] => [
  ...Object.values(neighbours?.reads ?? {}),
  ...Object.values(neighbours?.writes ?? {}),
];

function systemInvalid(field: string, value: string, remedy: string): LeaseholdError {
  return new LeaseholdError('SYSTEM_INVALID', `${field}: ${value}`, { field, value, remedy });
}

/** The manifest's parameters, checked against every declaration of theirs. */
function worldParams(
  simulation: Simulation,
  systems: readonly System[],
  given: Readonly<Record<string, unknown>>,
): Params {
  for (const declared of [simulation.params, ...systems.map((system) => system.params)]) {
    for (const [name, initial] of Object.entries(declared)) {
      const value = given[name];
      if (value === undefined || sortOf(value) === sortOf(initial)) continue;
      throw new LeaseholdError('MANIFEST_INVALID', `params.${name} is no ${sortOf(initial)}`, {
        field: `params.${name}`,
        value: printable(value),
        remedy: `Give a ${sortOf(initial)}, such as ${printable(initial)}.`,
      });
    }
  }
  return given;
}

function sortOf(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) return 'finite number';
  return Array.isArray(value) ? 'list' : typeof value;
}

function paramsOf(declared: Params, given: Params): Params {
  return Object.freeze({ ...declared, ...given });
}

/** How many squares around a system looks at; undefined if it declares none. */
function squaresAround(system: System, given: Params, { grid }: Placement): number | undefined {
  const { neighbours, name } = system;
  if (neighbours?.squares === undefined) return undefined;
  const { squares } = neighbours;
  const value = typeof squares === 'function' ? squares(paramsOf(system.params, given)) : squares;
  const field = `${name}.neighbours.squares`;
  if (!Number.isInteger(value) || value < 0) {
    const remedy = 'Give a whole number from 0, or a function of params that returns one.';
    throw systemInvalid(field, printable(value), remedy);
  }
  const { kind } = grid.spec;
  const isWhole = Number.isInteger(grid.width) && Number.isInteger(grid.height);
  if (kind === 'wgs84' || (kind === 'torus' && !isWhole)) {
    const remedy = 'Use a plane, a torus whose sides are whole numbers, or a radius.';
    throw systemInvalid(field, 'the space has no squares of side 1', remedy);
  }
  if (squaresOf(grid, value) > SQUARES_MAX) {
    const remedy = `Use cells of at most ${SQUARES_MAX} squares, or a radius.`;
    throw systemInvalid(field, `a cell has ${squaresOf(grid, value)} squares`, remedy);
  }
  return value;
}

/** Of squares: so far that nobody in them is farther along an axis. */
function radiusOf(
  system: System,
  given: Params,
  { grid, spatial }: Placement,
  squares: number | undefined,
): number {
  const { neighbours, name } = system;
  if (neighbours === undefined) return 0;
  const radius = squares === undefined ? neighbours.radius : squares + 1;
  const value = typeof radius === 'function' ? radius(paramsOf(system.params, given)) : radius;
  if (!(typeof value === 'number' && value > 0 && Number.isFinite(value))) {
    const remedy = 'Give a number above 0, or a function of params that returns one.';
    throw systemInvalid(`${name}.neighbours.radius`, printable(value), remedy);
  }
  if (spatial === undefined) {
    const remedy = 'Give a component of this layer spatial: [x, y].';
    throw systemInvalid(`${name}.neighbours`, 'no component says where entities are', remedy);
  }
  const most = grid.radiusMax();
  if (value <= most) return value;
  throw new LeaseholdError('RADIUS_TOO_LARGE', `system ${name}: radius ${value} is above ${most}`, {
    field: `${name}.neighbours.${squares === undefined ? 'radius' : 'squares'}`,
    value: String(value),
    remedy: `Use at most ${most}, or larger cells: neighbours are sought in adjacent cells only.`,
  });
}

function viewFieldsOf(schema: LayerSchema, systems: readonly System[]): ViewField[] {
  const names = new Set(
    systems.flatMap((system) =>
      neighbourComponents(system).map((component) => component.schema.name),
    ),
  );
  return schema.components.flatMap(({ name, fields }, component) =>
    names.has(name) ? fields.map((_, field) => ({ component, field })) : [],
  );
}
