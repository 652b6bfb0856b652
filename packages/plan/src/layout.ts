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

  get hasRoom(): boolean {
    const { columns, rows } = this.#sizes.get(this.root)!;
    return columns <= this.rect.columns && rows <= this.rect.rows;
  }

  /** How much the fullest part has of what it should have. */
  worst(meanMs: number): number {
    let worst = 0;
    for (const [leaf, rect] of this.rects) worst = Math.max(worst, this.#ratio(leaf, rect, meanMs));
    return worst;
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
   */
  polish(meanMs: number, enough: number): this {
    // Each step lowers the worst of some parts, so it ends by itself; this is for the time it takes.
    for (let steps = 4 * this.rects.size; steps > 0; steps--) {
      let worst = 0;
      let fullest = -1;
      for (const [leaf, rect] of this.rects) {
        const ratio = this.#ratio(leaf, rect, meanMs);
        if (ratio > worst) [worst, fullest] = [ratio, leaf];
      }
      if (worst <= enough || !this.#relieve(fullest, worst, meanMs)) break;
    }
    return this;
  }

  #relieve(leaf: number, worst: number, meanMs: number): boolean {
    const own = this.rects.get(leaf)!;
    let best: { rects: Map<number, Rect>; cut: Cut; at: number } | undefined;
    let least = worst - 1e-9;
    for (let node = this.root, rect = this.rect; node.kind === 'cut'; ) {
      const at = this.#lines.get(node)!;
      const [low, high] = cutOf(rect, node.axis, at);
      const isLow = node.low.leaves.includes(leaf);
      const side = isLow ? low : high;
      const end = own[node.axis] + (node.axis === 'column' ? own.columns : own.rows);
      if ((isLow ? end : own[node.axis]) === at) {
        const trial = this.#shifted(node, rect, isLow ? at - 1 : at + 1);
        const ratio = trial === undefined ? Infinity : this.#worstOf(trial, meanMs);
        if (trial !== undefined && ratio < least) {
          least = ratio;
          best = { rects: trial, cut: node, at: isLow ? at - 1 : at + 1 };
        }
      }
      node = isLow ? node.low : node.high;
      rect = side;
    }
    if (best === undefined) return false;
    this.#lines.set(best.cut, best.at);
    for (const [part, rect] of best.rects) this.rects.set(part, rect);
    return true;
  }

  /** The parts under a cut if it lay elsewhere and all cuts below stayed; none if one had no room. */
  #shifted(cut: Cut, rect: Rect, at: number): Map<number, Rect> | undefined {
    const parts = new Map<number, Rect>();
    const before = this.#lines.get(cut)!;
    this.#lines.set(cut, at);
    const isPossible = this.#collect(cut, rect, parts);
    this.#lines.set(cut, before);
    return isPossible ? parts : undefined;
  }

  #collect(node: Node, rect: Rect, parts: Map<number, Rect>): boolean {
    if (rect.columns < 1 || rect.rows < 1) return false;
    if (node.kind !== 'cut') {
      parts.set(node.leaves[0]!, rect);
      return true;
    }
    const [low, high] = cutOf(rect, node.axis, this.#lines.get(node)!);
    return this.#collect(node.low, low, parts) && this.#collect(node.high, high, parts);
  }

  #worstOf(parts: ReadonlyMap<number, Rect>, meanMs: number): number {
    let worst = 0;
    for (const [leaf, rect] of parts) worst = Math.max(worst, this.#ratio(leaf, rect, meanMs));
    return worst;
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
    const extent = axis === 'column' ? 'columns' : 'rows';
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
