/** A rectangle cut for several pods from nothing, in the best of the ways that come to mind. */
import type { Rect } from '@leasehold/protocol';
import { Layout } from './layout.ts';
import { partition, TASTES } from './partition.ts';
import { treeOf } from './tree.ts';
import type { Weights } from './weights.ts';

/** Shifting single cells ends when nobody has more means than this. */
export const ENOUGH = 1.04;

/** In means: what a way less to the taste must be better by. */
const WORTH = 0.02;

/** One way for each taste: a rectangle for each capacity, fewer when there are too few cells. */
export function recuts(rect: Rect, capacities: readonly number[], weights: Weights): Rect[][] {
  const meanMs = meanOf(rect, capacities, weights);
  return TASTES.map((taste) => {
    const rects = partition(rect, capacities, weights, taste);
    const layout = new Layout(treeOf(rects), rect, weights, (leaf) => capacities[leaf]!);
    const polished = layout.place(Infinity).polish(meanMs, ENOUGH).rects;
    return rects.map((_, slot) => polished.get(slot)!);
  });
}

/** The one of them whose fullest part, with what its borders cost, has least. */
export function recut(rect: Rect, capacities: readonly number[], weights: Weights): Rect[] {
  const meanMs = meanOf(rect, capacities, weights);
  let best: Rect[] = [];
  let least = Infinity;
  for (const rects of recuts(rect, capacities, weights)) {
    let worst = 0;
    let border = 0;
    rects.forEach((part, slot) => {
      worst = Math.max(worst, weights.of(part) / (capacities[slot]! * meanMs));
      border += weights.borderMs(part);
    });
    const cost = worst + border / (rects.length * meanMs);
    // The first taste is the one for whole regions: others must be worth it.
    if (cost < least - WORTH) [best, least] = [rects, cost];
  }
  return best;
}

function meanOf(rect: Rect, capacities: readonly number[], weights: Weights): number {
  let capacity = 0;
  for (const one of capacities) capacity += one;
  return Math.max(weights.of(rect) / capacity, Number.MIN_VALUE);
}
