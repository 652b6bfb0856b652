/** Grids, pods and loads for the tests of this package, seeded; and what every plan must keep. */
import { createRandom } from '@leasehold/kernel';
import type { Plan } from '@leasehold/protocol';
import { expect } from 'vitest';
import { type Loads, type PlanGrid, type PlanPod, validatePlan } from './index.ts';

export const gridOf = (columns: number, rows: number, wraps = false): PlanGrid => ({
  columns,
  rows,
  wrapsX: wraps,
  wrapsY: wraps,
});

export const podsOf = (count: number): PlanPod[] =>
  Array.from({ length: count }, (_, n) => ({ pod: `p${n}`, state: 'ready' }));

export function loadsOf(tickMs: Float64Array, atMs = 0): Loads {
  const entities = tickMs.map((ms) => ms * 1_000);
  return { atMs, tickMs, entities, stillMs: tickMs.map(() => 0), lies: [] };
}

/** Some cells busy, most not. */
export function patchyLoads(grid: PlanGrid, seed: number): Loads {
  const random = createRandom(seed);
  const tickMs = new Float64Array(grid.columns * grid.rows);
  for (let cell = 0; cell < tickMs.length; cell++) {
    tickMs[cell] = random.chance(0.3) ? random.float() ** 4 * 5 : 0;
  }
  return loadsOf(tickMs);
}

/** Covers, overlaps nowhere, names pods that live, and says truly who is across. */
export function expectSound(plan: Plan, grid: PlanGrid, pods: readonly PlanPod[]): void {
  expect(validatePlan(plan, grid, pods)).toEqual([]);
  const byId = new Map(plan.regions.map((region) => [region.id, region]));
  for (const { id, edges } of plan.regions) {
    for (const edge of edges) {
      const other = byId.get(edge.region);
      expect(edge.pod, `pod across region ${id}`).toBe(other?.pod);
      const back = other?.edges.filter(({ region }) => region === id) ?? [];
      expect(back.map(({ cells }) => cells)).toContain(edge.cells);
    }
  }
}
