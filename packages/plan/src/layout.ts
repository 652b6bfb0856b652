/**
 * Cuts that can be shifted: the parts of a rectangle under a tree of cuts, where each cut may lie
 * elsewhere than it did. Parts keep their order and never become empty.
 */
import type { Rect } from '@leasehold/protocol';
import { cutOf } from './rects.ts';
import type { Node } from './tree.ts';
import type { Weights } from './weights.ts';

type Cut = Extract<Node, { kind: 'cut' }>;
type Size = { readonly columns: number; readonly rows: number };

const EXTENT = { column: 'columns', row: 'rows' } as const;

type Shift = {
  readonly cut: Cut;
  readonly at: number;
  readonly parts: { readonly leaf: number; readonly rect: Rect; readonly ratio: number }[];
};

/** By leaf: what it may carry, in budgets. */
export type Capacities = (leaf: number) => number;

export class Layout {
  readonly root: Node;
  readonly rect: Rect;
  /** By leaf. */
  readonly rects = new Map<number, Rect>();
  readonly #weights: Weights;
  readonly #capacities: Capacities;
  readonly #lines = new Map<Cut, number>();
  readonly #sizes = new Map<Node, Size>();
  readonly #shares = new Map<Node, number>();

  /** `root` has no knot in it, and `rect` room for its parts. */
  constructor(root: Node, rect: Rect, weights: Weights, capacities: Capacities) {
    this.root = root;
    this.rect = rect;
    this.#weights = weights;
    this.#capacities = capacities;
    this.#measure(root);
  }

  /**
   * Places all cuts, from the first down. A cut stays where it is if no side has more than
   * 1 + `tolerance` times its share; else it is shifted just so far, or as far as it helps.
   */
  place(tolerance: number): this {
    this.#place(this.root, this.rect, tolerance);
    return this;
  }

  /**
   * Shifts single cuts by single cells, away from whoever has most, until nobody has more than
   * `enough` means or no shift helps.
   *
   * PERF: a shift changes only the parts that touch the cut, and only these are weighed again.
   */
  polish(meanMs: number, enough: number): this {
    const above = new Map<number, Cut[]>();
    climb(this.root, [], above);
    const ratios = new Map<number, number>();
    for (const [leaf, rect] of this.rects) ratios.set(leaf, this.#ratio(leaf, rect, meanMs));
    // Each step lowers the worst of some parts, so it ends by itself; this is for the time it takes.
    for (let steps = 4 * this.rects.size; steps > 0; steps--) {
      let worst = 0;
      let fullest = -1;
      for (const [leaf, ratio] of ratios) if (ratio > worst) [worst, fullest] = [ratio, leaf];
      if (worst <= enough) break;
      const shift = this.#bestShift(fullest, above.get(fullest)!, worst, meanMs);
      if (shift === undefined) break;
      this.#lines.set(shift.cut, shift.at);
      for (const { leaf, rect, ratio } of shift.parts) {
        this.rects.set(leaf, rect);
        ratios.set(leaf, ratio);
      }
    }
    return this;
  }

  /** Of the cuts along the sides of a part, the one whose shift leaves the least to its worst. */
  #bestShift(leaf: number, cuts: readonly Cut[], worst: number, meanMs: number): Shift | undefined {
    const own = this.rects.get(leaf)!;
    let best: Shift | undefined;
    let least = worst - 1e-9;
    for (const cut of cuts) {
      const at = this.#lines.get(cut)!;
      const end = own[cut.axis] + own[EXTENT[cut.axis]];
      const step = end === at ? -1 : own[cut.axis] === at ? 1 : 0;
      if (step === 0) continue;
      const parts = this.#shifted(cut, step, meanMs);
      if (parts === undefined) continue;
      let most = 0;
      for (const { ratio } of parts) most = Math.max(most, ratio);
      if (most < least) [best, least] = [{ cut, at: at + step, parts }, most];
    }
    return best;
  }

  /** The parts that touch a cut, were it shifted; undefined if one of them had no cell left. */
  #shifted(cut: Cut, step: number, meanMs: number): Shift['parts'] | undefined {
    const { axis } = cut;
    const extent = EXTENT[axis];
    const parts: Shift['parts'] = [];
    const change = (leaf: number, isLow: boolean): boolean => {
      const old = this.rects.get(leaf)!;
      const size = old[extent] + (isLow ? step : -step);
      if (size < 1) return false;
      const rect = { ...old, [axis]: old[axis] + (isLow ? 0 : step), [extent]: size };
      parts.push({ leaf, rect, ratio: this.#ratio(leaf, rect, meanMs) });
      return true;
    };
    const isPossible =
      along(cut.low, axis, 'high').every((leaf) => change(leaf, true)) &&
      along(cut.high, axis, 'low').every((leaf) => change(leaf, false));
    return isPossible ? parts : undefined;
  }

  #ratio(leaf: number, rect: Rect, meanMs: number): number {
    return this.#weights.of(rect) / (this.#capacities(leaf) * meanMs);
  }

  #place(node: Node, rect: Rect, tolerance: number): void {
    if (node.kind !== 'cut') {
      this.rects.set(node.leaves[0]!, rect);
      return;
    }
    const { axis, low, high } = node;
    const extent = EXTENT[axis];
    const from = rect[axis] + this.#sizes.get(low)![extent];
    const to = rect[axis] + rect[extent] - this.#sizes.get(high)![extent];
    let at = Math.max(from, Math.min(node.at, to));
    let worst = this.#unevenness(node, rect, at);
    for (const step of [-1, 1]) {
      while (worst > 1 + tolerance && at + step >= from && at + step <= to) {
        const next = this.#unevenness(node, rect, at + step);
        if (next >= worst) break;
        [at, worst] = [at + step, next];
      }
    }
    this.#lines.set(node, at);
    const [lower, higher] = cutOf(rect, axis, at);
    this.#place(low, lower, tolerance);
    this.#place(high, higher, tolerance);
  }

  #unevenness(cut: Cut, rect: Rect, at: number): number {
    const total = Math.max(this.#weights.of(rect), Number.MIN_VALUE);
    const low = this.#weights.of(cutOf(rect, cut.axis, at)[0]);
    const ofLow = this.#shares.get(cut.low)!;
    const ofHigh = this.#shares.get(cut.high)!;
    return (Math.max(low / ofLow, (total - low) / ofHigh) / total) * (ofLow + ofHigh);
  }

  /** The least room and the share of each node. */
  #measure(node: Node): Size {
    if (node.kind !== 'cut') {
      this.#shares.set(node, this.#capacities(node.leaves[0]!));
      this.#sizes.set(node, { columns: 1, rows: 1 });
      return this.#sizes.get(node)!;
    }
    const low = this.#measure(node.low);
    const high = this.#measure(node.high);
    this.#lines.set(node, node.at);
    this.#shares.set(node, this.#shares.get(node.low)! + this.#shares.get(node.high)!);
    const isColumn = node.axis === 'column';
    this.#sizes.set(node, {
      columns: isColumn ? low.columns + high.columns : Math.max(low.columns, high.columns),
      rows: isColumn ? Math.max(low.rows, high.rows) : low.rows + high.rows,
    });
    return this.#sizes.get(node)!;
  }
}

/** The leaves of a node that lie along one end of it. */
function along(node: Node, axis: Cut['axis'], end: 'low' | 'high'): readonly number[] {
  if (node.kind !== 'cut') return node.leaves;
  if (node.axis === axis) return along(node[end], axis, end);
  return [...along(node.low, axis, end), ...along(node.high, axis, end)];
}

/** The cuts above each leaf. */
function climb(node: Node, cuts: readonly Cut[], above: Map<number, Cut[]>): void {
  if (node.kind !== 'cut') {
    above.set(node.leaves[0]!, [...cuts]);
    return;
  }
  climb(node.low, [...cuts, node], above);
  climb(node.high, [...cuts, node], above);
}
