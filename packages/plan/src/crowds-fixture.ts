/** Recorded loads as pods would have reported them, of worlds that are made up and seeded. */
import { createRandom, type Random } from '@leasehold/kernel';
import type { PlanGrid, ReplaySample } from './index.ts';

export type Crowd = {
  readonly grid: PlanGrid;
  readonly pods: number;
  readonly seconds: number;
  readonly seed: number;
  /** Ticks are measured with an error of up to this part. */
  readonly noise?: number;
};

const ENTITY_MS = 0.005;
const ENTITIES = 20_000;

/** One dense crowd that walks across the grid from corner to corner, and back for half the way. */
export function walkingCrowd(crowd: Crowd & { readonly widthCells: number }): ReplaySample[] {
  const { grid, seconds, widthCells } = crowd;
  return samplesOf(crowd, (second) => {
    const way = (second / seconds) * 1.5;
    const part = way <= 1 ? way : 2 - way;
    return [
      {
        x: (0.1 + 0.8 * part) * grid.columns,
        y: (0.1 + 0.8 * part) * grid.rows,
        widthCells,
        part: 1,
      },
    ];
  });
}

/** Many places of different size, as cities are to flights; each breathes, and none moves. */
export function hotSpots(crowd: Crowd & { readonly places: number }): ReplaySample[] {
  const { grid, seed, places } = crowd;
  const random = createRandom(seed);
  const spots = Array.from({ length: places }, () => ({
    x: random.float() * grid.columns,
    y: random.float() * grid.rows,
    widthCells: 0.5 + random.float() * 2.5,
    size: random.float() ** 3 + 0.02,
    phase: random.float() * 2 * Math.PI,
  }));
  return samplesOf(crowd, (second) => {
    const now = spots.map((spot) => ({
      ...spot,
      part: spot.size * (1 + 0.5 * Math.sin(second / 60 + spot.phase)),
    }));
    const all = now.reduce((sum, { part }) => sum + part, 0);
    return now.map((spot) => ({ ...spot, part: spot.part / all }));
  });
}

export type Spot = {
  readonly x: number;
  readonly y: number;
  readonly widthCells: number;
  /** Of all entities. */
  readonly part: number;
};

/** A sample a second. All pods live all the time; who reports a cell is of no matter to a policy. */
function samplesOf(crowd: Crowd, spotsAt: (second: number) => Spot[]): ReplaySample[] {
  const random = createRandom(crowd.seed + 1);
  return Array.from({ length: crowd.seconds }, (_, second) => {
    const density = densityOf(crowd.grid, spotsAt(second));
    const cells = Array.from(density, (part, cell) => {
      const entities = Math.round(part * ENTITIES);
      const tickMs = entities * ENTITY_MS * noiseOf(random, crowd.noise ?? 0);
      return { cell, tickMs, entities };
    });
    const pods = Array.from({ length: crowd.pods }, (_, n) => ({
      pod: `p${n}`,
      state: 'ready' as const,
      cells: n === 0 ? cells : [],
    }));
    return { atMs: second * 1_000, pods };
  });
}

/** Tick time by cell of what stands at some spots. */
export function spotLoads(grid: PlanGrid, spots: readonly Spot[], totalMs: number): Float64Array {
  const density = densityOf(grid, spots);
  const all = spots.reduce((sum, { part }) => sum + part, 0);
  return density.map((part) => (part / all) * totalMs);
}

const noiseOf = (random: Random, noise: number): number => random.between(1 - noise, 1 + noise);

function densityOf({ columns, rows }: PlanGrid, spots: readonly Spot[]): Float64Array {
  const density = new Float64Array(columns * rows);
  for (const { x, y, widthCells, part } of spots) {
    const across = bell(columns, x, widthCells);
    const up = bell(rows, y, widthCells);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        density[row * columns + column]! += part * across[column]! * up[row]!;
      }
    }
  }
  return density;
}

function bell(length: number, centre: number, width: number): Float64Array {
  const values = new Float64Array(length);
  let sum = 0;
  for (let n = 0; n < length; n++) {
    values[n] = Math.exp(-(((n + 0.5 - centre) / width) ** 2) / 2);
    sum += values[n]!;
  }
  return values.map((value) => value / sum);
}
