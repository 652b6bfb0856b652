/** The models as worlds of the sdk, small and large, and what each is measured against. */
import type { Random } from '@leasehold/kernel';
import type { Simulation, TestWorldOptions } from '@leasehold/sdk';
import type { CellState } from '@leasehold/sdk/engine';
import * as byHand from './by-hand.ts';
import flocking from './flocking.ts';
import schelling from './schelling.ts';
import wolfSheep from './wolf-sheep.ts';

export type Model = {
  readonly name: string;
  readonly isLarge: boolean;
  readonly file: string;
  readonly steps: number;
  readonly simulation: Simulation;
  readonly space: TestWorldOptions['space'];
  readonly params: Readonly<Record<string, number>>;
  hand(random: Random): byHand.Run;
  /** As `outcome` of the run by hand. */
  outcome(cell: CellState): number;
};

/** One cell: so everybody sees all others as they are at that moment, as the models ask. */
const square = (kind: 'torus' | 'plane', extent: number) =>
  ({ kind, width: extent, height: extent, cell: extent }) as const;

const column = ({ table }: CellState, component: string, field: string): ArrayLike<number> => {
  const c = table.schema.components.findIndex(({ name }) => name === component);
  const f = table.schema.components[c]?.fields.findIndex(({ name }) => name === field) ?? -1;
  return table.columns[c]?.[f] as Float64Array;
};

const sumOf = (cell: CellState, component: string, field: string): number => {
  const values = column(cell, component, field);
  let sum = 0;
  for (let row = 0; row < cell.table.count; row++) sum += values[row] as number;
  return sum;
};

const flock = (size: byHand.FlockingSize, isLarge: boolean): Model => ({
  ...{ name: 'flocking', file: 'flocking.ts', steps: 100, simulation: flocking, isLarge },
  space: square('torus', size.extent),
  params: { birds: size.birds, sight: size.sight },
  hand: (random) => byHand.flocking(size, random),
  outcome: (cell) =>
    Math.hypot(sumOf(cell, 'bird', 'vx'), sumOf(cell, 'bird', 'vy')) / cell.table.count,
});

const herds = ({ extent, ...size }: byHand.WolfSheepSize, isLarge: boolean): Model => ({
  ...{ name: 'wolf-sheep', file: 'wolf-sheep.ts', steps: 100, simulation: wolfSheep, isLarge },
  space: square('torus', extent),
  params: { ...size, sheepGain: 5, wolfGain: 13 },
  hand: (random) => byHand.wolfSheep({ extent, ...size }, random),
  outcome({ table }): number {
    const c = table.schema.components.findIndex(({ name }) => name === 'sheep');
    return table.masks.subarray(0, table.count).filter((mask) => ((mask >>> c) & 1) === 1).length;
  },
});

const town = ({ extent, ...size }: byHand.SchellingSize, isLarge: boolean): Model => ({
  ...{ name: 'Schelling', file: 'schelling.ts', steps: 20, simulation: schelling, isLarge },
  space: square('plane', extent),
  params: size,
  hand: (random) => byHand.schelling({ extent, ...size }, random),
  outcome: (cell) => sumOf(cell, 'home', 'isHappy') / cell.table.count,
});

export const MODELS: readonly Model[] = [
  flock({ extent: 100, birds: 200, sight: 5 }, false),
  flock({ extent: 150, birds: 400, sight: 15 }, true),
  herds(
    { extent: 25, sheep: 60, wolves: 40, regrowth: 20, sheepBirths: 0.2, wolfBirths: 0.1 },
    false,
  ),
  herds(
    { extent: 100, sheep: 1000, wolves: 500, regrowth: 10, sheepBirths: 0.4, wolfBirths: 0.2 },
    true,
  ),
  town({ extent: 40, agents: 1000, reach: 1, wanted: 3 }, false),
  town({ extent: 100, agents: 8000, reach: 2, wanted: 8 }, true),
];
