/**
 * Ways to make a pod's part smaller: the cuts around it shifted, everything under one cut cut anew,
 * or a light pod taken from elsewhere to share it.
 */
import type { Rect } from '@leasehold/protocol';
import type { Carrier, DraftRegion } from './draft.ts';
import { type Capacities, Layout } from './layout.ts';
import { cellsIn, overlapOf } from './rects.ts';
import { ENOUGH, recut, recuts } from './recut.ts';
import type { Node } from './tree.ts';
import type { Weights } from './weights.ts';

/** What some pods have now, and would have. */
export type Candidate = {
  readonly how: 'shift' | 'recut' | 'share';
  readonly before: readonly DraftRegion[];
  readonly after: readonly { readonly pod: string; readonly rect: Rect }[];
};

export type Scene = {
  readonly regions: readonly DraftRegion[];
  readonly tree: Node;
  readonly weights: Weights;
  readonly carriers: ReadonlyMap<string, Carrier>;
  /** Of a pod with the usual budget. */
  readonly meanMs: number;
};

/** A cut is left where it is while no side has more than this above its share. */
const TOLERANCES = [0.1, 0.03];
/** Lightest pods that are looked at to share the load of another. */
const LIGHT_MAX = 4;

/** Everything under one node, whose pods have nothing elsewhere. */
export function candidatesUnder(scene: Scene, node: Node): Candidate[] {
  const { regions, weights, meanMs, carriers } = scene;
  const before = node.leaves.map((leaf) => regions[leaf]!);
  const pods = [...new Set(before.map(({ pod }) => pod))];
  const candidates: Candidate[] = [];
  if (pods.length === before.length && !hasKnot(node)) {
    const capacities: Capacities = (leaf) => capacityOf(scene, regions[leaf]!.pod);
    const layout = (tolerance: number) =>
      new Layout(node, node.rect, weights, capacities).place(tolerance).polish(meanMs, ENOUGH);
    for (const tolerance of [Infinity, ...TOLERANCES]) {
      const { rects } = layout(tolerance);
      const after = [...rects].map(([leaf, rect]) => ({ pod: regions[leaf]!.pod, rect }));
      candidates.push({ how: 'shift', before, after });
    }
  }
  const capacities = pods.map((pod) => capacityOf(scene, pod));
  for (const rects of recuts(node.rect, capacities, weights)) {
    const cut = rects.map((rect, slot) => ({ rect, capacity: capacities[slot]! }));
    candidates.push({ how: 'recut', before, after: matched(weights, before, cut, carriers) });
  }
  return candidates;
}

/** Gives each part to the pod of equal capacity that has most of it already. */
export function matched(
  weights: Weights,
  before: readonly DraftRegion[],
  parts: readonly { readonly rect: Rect; readonly capacity: number }[],
  carriers: Scene['carriers'],
): Candidate['after'] {
  const pairs: { pod: string; part: number; kept: number }[] = [];
  const byPod = Map.groupBy(before, ({ pod }) => pod);
  for (const [pod, own] of byPod) {
    const capacity = carriers.get(pod)?.capacity ?? 1;
    parts.forEach(({ rect, capacity: wanted }, part) => {
      if (wanted !== capacity) return;
      let kept = 0;
      for (const region of own) {
        const overlap = overlapOf(region.rect, rect);
        if (overlap === undefined) continue;
        kept += cellsIn(overlap) / weights.cells + weights.of(overlap) / weights.totalMs;
      }
      if (kept > 0) pairs.push({ pod, part, kept });
    });
  }
  pairs.sort((a, b) => b.kept - a.kept || a.part - b.part || (a.pod < b.pod ? -1 : 1));
  const after = new Map<number, string>();
  const placed = new Set<string>();
  for (const { pod, part } of pairs) {
    if (placed.has(pod) || after.has(part)) continue;
    placed.add(pod);
    after.set(part, pod);
  }
  for (const pod of byPod.keys()) {
    if (placed.has(pod)) continue;
    const capacity = carriers.get(pod)?.capacity ?? 1;
    const part = parts.findIndex((one, n) => one.capacity === capacity && !after.has(n));
    if (part !== -1) after.set(part, pod);
  }
  return [...after].map(([part, pod]) => ({ pod, rect: parts[part]!.rect }));
}

/**
 * A light pod leaves its region to those it was cut from, and takes a part of the heavy one. Both
 * must have one region.
 */
export function candidatesToShare(scene: Scene, heavy: DraftRegion): Candidate[] {
  const { regions, weights, tree } = scene;
  const counts = new Map<string, number>();
  for (const { pod } of regions) counts.set(pod, (counts.get(pod) ?? 0) + 1);
  const light = regions
    .filter(({ pod }) => scene.carriers.get(pod)?.state === 'ready' && counts.get(pod) === 1)
    .filter((region) => region !== heavy)
    .map((region) => ({ region, ms: weights.of(region.rect) }))
    .sort((a, b) => a.ms - b.ms || a.region.id - b.region.id)
    .slice(0, LIGHT_MAX);
  return light.flatMap(({ region }) => {
    const parent = parentOf(tree, regions.indexOf(region));
    if (parent === undefined || hasKnot(parent)) return [];
    const own = regions.indexOf(region);
    const sibling = parent.low.leaves.includes(own) ? parent.high : parent.low;
    const capacities: Capacities = (leaf) => capacityOf(scene, regions[leaf]!.pod);
    const { rects } = new Layout(sibling, parent.rect, weights, capacities).place(0.1);
    const heavyRect = rects.get(regions.indexOf(heavy)) ?? heavy.rect;
    if (cellsIn(heavyRect) < 2) return [];
    const shares = [capacityOf(scene, heavy.pod), capacityOf(scene, region.pod)];
    const [first, second] = recut(heavyRect, shares, weights) as [Rect, Rect];
    const others = [...rects]
      .map(([leaf, rect]) => ({ pod: regions[leaf]!.pod, rect }))
      .filter(({ pod }) => pod !== heavy.pod);
    const before = [...new Set([...parent.leaves.map((leaf) => regions[leaf]!), heavy])];
    const after = [...others, { pod: heavy.pod, rect: first }, { pod: region.pod, rect: second }];
    return [{ how: 'share', before, after }];
  });
}

const capacityOf = ({ carriers }: Scene, pod: string): number => carriers.get(pod)?.capacity ?? 1;

function hasKnot(node: Node): boolean {
  if (node.kind === 'cut') return hasKnot(node.low) || hasKnot(node.high);
  return node.kind === 'knot';
}

function parentOf(tree: Node, leaf: number): Extract<Node, { kind: 'cut' }> | undefined {
  for (let node = tree; node.kind === 'cut'; ) {
    const next = node.low.leaves.includes(leaf) ? node.low : node.high;
    if (next.kind === 'leaf') return node;
    node = next;
  }
  return undefined;
}
