/**
 * A baseline: the grid in equal rectangles, one for each pod by name, whatever the load is. It
 * changes only with the number and the names of pods.
 */
import type { Rect } from '@leasehold/protocol';
import { plannedOf } from './baseline.ts';
import type { PlanInput, Planned, Policy } from './policy.ts';

export const staticGrid: Policy = { name: 'static-grid', plan };

function plan(input: PlanInput): Planned {
  const pods = input.pods
    .filter(({ state }) => state !== 'draining')
    .map(({ pod }) => pod)
    .sort();
  const rects = equalRects(input.grid.columns, input.grid.rows, Math.max(1, pods.length));
  return plannedOf(
    input,
    rects.map((rect, index) => ({ rect, pod: pods[index] ?? '' })),
    `The grid is cut into ${rects.length} equal parts.`,
  );
}

/** As near to squares as the count allows; fewer when there are not so many cells. */
function equalRects(columns: number, rows: number, count: number): Rect[] {
  let best = 1;
  let worst = Infinity;
  for (let across = 1; across <= Math.min(count, columns); across++) {
    if (count % across !== 0 || count / across > rows) continue;
    const ratio = columns / across / (rows / (count / across));
    const skew = Math.max(ratio, 1 / ratio);
    if (skew < worst) [best, worst] = [across, skew];
  }
  if (worst === Infinity) return equalRects(columns, rows, count - 1);
  const up = count / best;
  const rects: Rect[] = [];
  for (let y = 0; y < up; y++) {
    for (let x = 0; x < best; x++) {
      const column = Math.floor((x * columns) / best);
      const row = Math.floor((y * rows) / up);
      rects.push({
        ...{ column, row },
        columns: Math.floor(((x + 1) * columns) / best) - column,
        rows: Math.floor(((y + 1) * rows) / up) - row,
      });
    }
  }
  return rects;
}
