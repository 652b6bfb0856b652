/** Fills a new world: what `seed` spawns becomes entry 1 of the cells it stands in. */
import { assert, createRandom, entityId } from '@leasehold/kernel';
import { encodeCommit, Table } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import type { Placement } from './births.ts';
import type { AnyComponent, ComponentValue } from './component.ts';
import type { Simulation } from './simulation.ts';
import type { Params } from './system.ts';

/** Entry 1 of a cell, tick 0. */
export type SeedCommit = {
  readonly body: Uint8Array;
  readonly idCounter: number;
  /** Entities in it. */
  readonly count: number;
};

export type SeedOptions = {
  readonly grid: Grid;
  readonly placement: Placement;
  readonly seed: number;
  readonly tickHz: number;
  readonly params: Params;
  readonly known: ReadonlyMap<string, AnyComponent>;
  /** Every layer has a row for every entity. */
  readonly isLayered: boolean;
};

/**
 * Runs a simulation's `seed`. The same seed and parameters give the same bytes; every layer gives
 * an entity the same id, because ids follow the spatial component whatever layer it is in.
 */
export async function seedWorld(
  simulation: Simulation,
  { grid, placement, seed, tickHz, params, known, isLayered }: SeedOptions,
): Promise<Map<number, SeedCommit>> {
  const spatial = [...known.values()].find(({ schema }) => schema.spatial !== undefined);
  const tables = new Map<number, Table>();
  const counters = new Map<number, number>();
  let isOpen = true;
  const spawn = (...values: readonly ComponentValue[]): number => {
    assert(isOpen, 'seed awaits what it started');
    const inside = values.filter((value) => placement.valueIndex(value, 'seed.spawn') !== -1);
    const cell = cellOf(values, spatial, grid);
    const counter = (counters.get(cell) ?? 0) + 1;
    counters.set(cell, counter);
    const id = entityId(cell, counter);
    if (inside.length === 0 && !isLayered) return id;
    const table = tables.get(cell) ?? new Table(placement.schema);
    tables.set(cell, table);
    placement.append(table, id, inside, 'seed.spawn');
    return id;
  };
  await simulation.seed({ random: createRandom(seed), params, space: grid, tickHz, spawn });
  isOpen = false;
  const commits = new Map<number, SeedCommit>();
  for (const cell of [...counters.keys()].sort((a, b) => a - b)) {
    const births = tables.get(cell) ?? new Table(placement.schema);
    const idCounter = counters.get(cell) ?? 0;
    const parts = { tick: 0, idCounter, arrivals: [], births, deaths: [], departures: [] };
    const body = encodeCommit(new Table(placement.schema), parts);
    commits.set(cell, { body, idCounter, count: births.count });
  }
  return commits;
}

function cellOf(
  values: readonly ComponentValue[],
  spatial: AnyComponent | undefined,
  grid: Grid,
): number {
  const place = values.find((value) => value.component === spatial);
  if (place === undefined || spatial === undefined) return 0;
  const [x, y] = (spatial.schema.spatial ?? []).map((name) => {
    const field = spatial.schema.fields.findIndex((candidate) => candidate.name === name);
    return place.values[field] as number;
  });
  return grid.cellAt(x as number, y as number);
}
