/**
 * Rectangles that fill a rectangle, as a tree of cuts. The tree is not stored anywhere: it is found
 * again from the rectangles alone, so that whoever reads a plan can go on from it.
 */
import type { Rect } from '@leasehold/protocol';
import { aroundOf } from './rects.ts';

export type Axis = 'column' | 'row';

export type Node =
  | { readonly kind: 'leaf'; readonly rect: Rect; readonly leaves: readonly number[] }
  | {
      readonly kind: 'cut';
      readonly rect: Rect;
      readonly leaves: readonly number[];
      readonly axis: Axis;
      /** The first column or row of `high`. */
      readonly at: number;
      readonly low: Node;
      readonly high: Node;
    }
  /** No straight cut goes through it, such as four rectangles around a fifth. */
  | { readonly kind: 'knot'; readonly rect: Rect; readonly leaves: readonly number[] };

/** The rectangles must fill the smallest rectangle around them. `leaves` are places in `rects`. */
export function treeOf(rects: readonly Rect[]): Node {
  return nodeOf(
    rects,
    rects.map((_, index) => index),
  );
}

function nodeOf(rects: readonly Rect[], leaves: readonly number[]): Node {
  const rect = leaves.map((leaf) => rects[leaf]!).reduce(aroundOf);
  if (leaves.length === 1) return { kind: 'leaf', rect, leaves };
  const [best] = [...linesOf(rects, leaves, 'column'), ...linesOf(rects, leaves, 'row')].sort(
    (a, b) => a.uneven - b.uneven || a.length - b.length || a.at - b.at,
  );
  if (best === undefined) return { kind: 'knot', rect, leaves };
  const { axis, at } = best;
  const low = leaves.filter((leaf) => rects[leaf]![axis] < at);
  const high = leaves.filter((leaf) => rects[leaf]![axis] >= at);
  return {
    kind: 'cut',
    rect,
    leaves,
    axis,
    at,
    low: nodeOf(rects, low),
    high: nodeOf(rects, high),
  };
}

type Line = {
  readonly axis: Axis;
  readonly at: number;
  /** Rectangles more on one side than on the other: the evenest tree is the lowest. */
  readonly uneven: number;
  readonly length: number;
};

/** The lines that cut none of the rectangles. */
function linesOf(rects: readonly Rect[], leaves: readonly number[], axis: Axis): Line[] {
  const extent = axis === 'column' ? 'columns' : 'rows';
  const sorted = leaves.map((leaf) => rects[leaf]!).sort((a, b) => a[axis] - b[axis]);
  const { [axis === 'column' ? 'rows' : 'columns']: length } = sorted.reduce(aroundOf);
  const lines: Line[] = [];
  let end = -1;
  sorted.forEach((rect, before) => {
    if (before > 0 && rect[axis] >= end) {
      lines.push({ axis, at: rect[axis], uneven: Math.abs(sorted.length - 2 * before), length });
    }
    end = Math.max(end, rect[axis] + rect[extent]);
  });
  return lines;
}
