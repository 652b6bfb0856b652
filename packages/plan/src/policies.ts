/** Every policy by the name that a command line knows it by. */
import { greedyByCell } from './greedy-by-cell.ts';
import type { Policy } from './policy.ts';
import { regionsByLoad } from './regions-by-load.ts';
import { staticGrid } from './static-grid.ts';

export const POLICIES: ReadonlyMap<string, Policy> = new Map(
  [regionsByLoad, staticGrid, greedyByCell].map((policy) => [policy.name, policy]),
);
