/**
 * A baseline: the heaviest cells first, each to its pod of before if that has room, else to the pod
 * with the most. It balances as well as cells allow and knows nothing of borders.
 */
import { plannedOf } from './baseline.ts';
import { ownersOf } from './edges.ts';
import type { PlanInput, Planned, Policy } from './policy.ts';
import { Weights } from './weights.ts';

export const greedyByCell: Policy = { name: 'greedy-by-cell', plan };

/** How far above the mean a pod may come by keeping a cell. */
const ROOM = 1.1;

function plan(input: PlanInput): Planned {
  const { grid, previous } = input;
  const cells = grid.columns * grid.rows;
  const pods = input.pods
    .filter(({ state }) => state !== 'draining')
    .map(({ pod }) => pod)
    .sort();
  const weights = new Weights(input).byCell;
  const before = podsBefore(input, pods);
  const load = new Float64Array(pods.length);
  const room = (weights.reduce((sum, weight) => sum + weight, 0) / pods.length) * ROOM;
  const order = Array.from({ length: cells }, (_, cell) => cell);
  order.sort((a, b) => weights[b]! - weights[a]! || a - b);
  const podOf = new Int32Array(cells).fill(-1);
  for (const cell of order) {
    const kept = before[cell]!;
    const hasRoom = kept !== -1 && load[kept]! + weights[cell]! <= room;
    const pod = hasRoom ? kept : lightest(load);
    podOf[cell] = pod;
    if (pod !== -1) load[pod]! += weights[cell]!;
  }
  const parts = Array.from(podOf, (pod, cell) => ({
    rect: {
      column: cell % grid.columns,
      row: Math.floor(cell / grid.columns),
      columns: 1,
      rows: 1,
    },
    pod: pods[pod] ?? '',
  }));
  return plannedOf(input, parts, `${previous === undefined ? 'All' : 'Some'} cells are dealt out.`);
}

function podsBefore({ grid, previous }: PlanInput, pods: readonly string[]): Int32Array {
  const before = new Int32Array(grid.columns * grid.rows).fill(-1);
  if (previous === undefined) return before;
  const owners = ownersOf(
    grid,
    previous.regions.map(({ rect }) => rect),
  );
  const places = new Map(pods.map((pod, index) => [pod, index]));
  for (let cell = 0; cell < before.length; cell++) {
    const region = previous.regions[owners[cell]!];
    before[cell] = region === undefined ? -1 : (places.get(region.pod) ?? -1);
  }
  return before;
}

function lightest(load: Float64Array): number {
  let best = -1;
  for (let pod = 0; pod < load.length; pod++) {
    if (best === -1 || load[pod]! < load[best]!) best = pod;
  }
  return best;
}
