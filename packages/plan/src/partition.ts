/**
 * A rectangle cut for several pods from nothing: across the long axis at the load median, parts in
 * proportion to what the pods can carry; another cut where it divides so much better that a longer
 * border is worth it.
 */
import type { Rect } from '@leasehold/protocol';
import { cellsIn, cutOf } from './rects.ts';
import type { Axis } from './tree.ts';
import type { Weights } from './weights.ts';

/** How much a cut may be worse than the best in balance, to be the one expected. */
export type Taste = {
  /** For each border cell's cost, in means. */
  readonly border: number;
  /** For cutting along the long axis. */
  readonly longAxis: number;
  /** For giving one side all pods but one. */
  readonly uneven: number;
};

export const TASTES: readonly Taste[] = [
  { border: 0.5, longAxis: 0.1, uneven: 0.1 },
  { border: 0.2, longAxis: 0.02, uneven: 0.02 },
  { border: 0, longAxis: 0, uneven: 0 },
];

/**
 * One rectangle for each capacity, in the same order; fewer when there are more pods than cells,
 * and then those of the last pods are missing.
 */
export function partition(
  rect: Rect,
  capacities: readonly number[],
  weights: Weights,
  taste: Taste = TASTES[0]!,
): Rect[] {
  const count = Math.min(capacities.length, cellsIn(rect));
  const rects: Rect[] = [];
  divide(rect, capacities.slice(0, count), weights, taste, rects);
  return rects;
}

type Choice = { readonly axis: Axis; readonly at: number; readonly pods: number };

function divide(
  rect: Rect,
  capacities: readonly number[],
  weights: Weights,
  taste: Taste,
  rects: Rect[],
): void {
  if (capacities.length < 2) {
    rects.push(rect);
    return;
  }
  const { axis, at, pods } = choose(rect, capacities, weights, taste);
  const [low, high] = cutOf(rect, axis, at);
  divide(low, capacities.slice(0, pods), weights, taste, rects);
  divide(high, capacities.slice(pods), weights, taste, rects);
}

function choose(rect: Rect, capacities: readonly number[], weights: Weights, taste: Taste): Choice {
  // Capacity of the first pods, so that a side's share is one look-up.
  const upTo = [0];
  for (const capacity of capacities) upTo.push(upTo.at(-1)! + capacity);
  const capacity = upTo.at(-1)!;
  // A world without any weight is cut anywhere.
  const total = Math.max(weights.of(rect), Number.MIN_VALUE);
  const mean = total / capacity;
  let best: Choice | undefined;
  let least = Infinity;
  for (const axis of ['column', 'row'] as const) {
    const length = axis === 'column' ? rect.columns : rect.rows;
    const isAlong = length < (axis === 'column' ? rect.rows : rect.columns);
    const width = cellsIn(rect) / length;
    for (let from = 1; from < length; from++) {
      const at = rect[axis] + from;
      const [low] = cutOf(rect, axis, at);
      const lowMs = weights.of(low);
      const ideal = placeOf(upTo, (lowMs / total) * capacity);
      for (const guess of [ideal, ideal + 1]) {
        const pods = Math.max(
          Math.max(1, capacities.length - (length - from) * width),
          Math.min(guess, Math.min(capacities.length - 1, from * width)),
        );
        const worst = Math.max(lowMs / upTo[pods]!, (total - lowMs) / (capacity - upTo[pods]!));
        const cost =
          worst / mean -
          1 +
          (taste.border * weights.cutMs(rect, axis, at)) / mean +
          (isAlong ? taste.longAxis : 0) +
          taste.uneven * Math.abs(1 - (2 * upTo[pods]!) / capacity);
        if (cost < least) {
          least = cost;
          best = { axis, at, pods };
        }
      }
    }
  }
  return best!;
}

/** How many of the first pods have no more than this capacity together. */
function placeOf(upTo: readonly number[], capacity: number): number {
  let low = 0;
  let high = upTo.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (upTo[middle]! <= capacity) low = middle;
    else high = middle - 1;
  }
  return low;
}
