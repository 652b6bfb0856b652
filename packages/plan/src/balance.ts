/**
 * Evens out: takes the pod with most, looks at ways to make its part smaller, nearest first, and
 * takes the one that gains most for what it moves, if it gains enough. On a load that stands still
 * each change lowers the most that any of its pods has, so it comes to an end.
 */

import type { Rect } from '@leasehold/protocol';
import { type Candidate, candidatesToShare, candidatesUnder, type Scene } from './candidates.ts';
import { type Draft, type DraftRegion, UNRELIEVED } from './draft.ts';
import { cellsIn, isSameRect, overlapOf } from './rects.ts';
import { type Node, treeOf } from './tree.ts';
import type { Weights } from './weights.ts';

/** Pods that are looked at for one plan; the next plan looks again. */
const REPAIRS_MAX = 8;
/** What it costs to move all cells, or all load, in means of one pod. */
const CELLS_COST = 0.3;
const LOAD_COST = 0.5;
/** A way that costs no more than this, in means, is good enough not to look for a better one. */
const GOOD = 1.1;
/**
 * PERF: no more than so many parts are cut anew for one pod, unless it has far too much, and for
 * one plan: a world of a hundred pods is never cut anew for the sake of one. What there is no time
 * for is looked at in the next plan.
 */
const PARTS_MAX = 32;
const FAR = 1.6;
const PARTS_PER_PLAN_MAX = 320;

export function balance(draft: Draft): void {
  const givenUp = new Set<string>();
  const work = { parts: PARTS_PER_PLAN_MAX };
  for (let repair = 0; repair < REPAIRS_MAX; repair++) {
    const scene = sceneOf(draft);
    const heavy = heaviestOf(draft, scene, givenUp);
    if (heavy === undefined) return;
    const best = bestOf(draft, scene, heavy, work);
    if (best === undefined) givenUp.add(heavy.pod);
    else apply(draft, heavy, best);
  }
}

type Heavy = { readonly pod: string; readonly ratio: number };

function sceneOf({ regions, carriers, shares: weights }: Draft): Scene {
  const tree = treeOf(regions.map(({ rect }) => rect));
  let totalMs = 0;
  let capacity = 0;
  for (const { rect } of regions) totalMs += weights.of(rect);
  for (const pod of new Set(regions.map((region) => region.pod))) {
    capacity += carriers.get(pod)?.capacity ?? 0;
  }
  return { regions, tree, weights, carriers, meanMs: totalMs / Math.max(capacity, 0.01) };
}

function heaviestOf(draft: Draft, scene: Scene, givenUp: ReadonlySet<string>): Heavy | undefined {
  const { settings } = scene.weights;
  const scores = scoresOf(scene, scene.regions);
  let heaviest: Heavy | undefined;
  for (const [pod, score] of [...scores].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const share = scene.meanMs * (draft.carriers.get(pod)?.capacity ?? 1);
    const ratio = score / share;
    if (givenUp.has(pod) || ratio <= settings.imbalanceMax) continue;
    if (score - share < settings.excessMinMs) continue;
    if (ratio > (heaviest?.ratio ?? 0)) heaviest = { pod, ratio };
  }
  return heaviest;
}

function scoresOf(
  { weights }: Scene,
  regions: Iterable<{ readonly pod: string; readonly rect: DraftRegion['rect'] }>,
): Map<string, number> {
  const scores = new Map<string, number>();
  for (const { pod, rect } of regions) {
    scores.set(pod, (scores.get(pod) ?? 0) + weights.of(rect));
  }
  return scores;
}

/**
 * PERF: nearest first, and no farther than needed: what is found near moves less than what a larger
 * part of the world would be cut anew for, and costs a fraction of it to find.
 */
function bestOf(
  draft: Draft,
  scene: Scene,
  heavy: Heavy,
  work: { parts: number },
): Candidate | undefined {
  let best: Candidate | undefined;
  let least = heavy.ratio - scene.weights.settings.gainMin;
  const weigh = (candidates: readonly Candidate[]): void => {
    for (const candidate of candidates) {
      const cost = costOf(draft, scene, candidate, heavy);
      if (cost < least) [best, least] = [candidate, cost];
    }
  };
  const own = scene.regions.filter(({ pod }) => pod === heavy.pod);
  if (own.length === 1) weigh(candidatesToShare(scene, own[0]!));
  for (const node of closedNodes(scene, heavy.pod)) {
    const parts = node.leaves.length;
    if (least <= GOOD || parts > work.parts) break;
    if (parts > PARTS_MAX && heavy.ratio < FAR) break;
    // Its pods cannot have less than their mean.
    if (meanUnder(scene, node) >= least) continue;
    work.parts -= parts;
    weigh(candidatesUnder(scene, node));
  }
  return best;
}

/** In means of all. */
function meanUnder(scene: Scene, node: Node): number {
  const pods = new Set(node.leaves.map((leaf) => scene.regions[leaf]!.pod));
  let capacity = 0;
  for (const pod of pods) capacity += scene.carriers.get(pod)?.capacity ?? 0;
  return scene.weights.of(node.rect) / (capacity * scene.meanMs);
}

/** Nodes with all regions of the pod, whose pods have nothing elsewhere; the smallest first. */
function closedNodes(scene: Scene, pod: string): Node[] {
  const { regions, tree } = scene;
  const counts = new Map<string, number>();
  for (const region of regions) counts.set(region.pod, (counts.get(region.pod) ?? 0) + 1);
  const nodes: Node[] = [];
  for (let node: Node | undefined = tree; node !== undefined; ) {
    const inside = new Map<string, number>();
    for (const leaf of node.leaves) {
      const held = regions[leaf]!.pod;
      inside.set(held, (inside.get(held) ?? 0) + 1);
    }
    const isClosed = [...inside].every(([held, count]) => counts.get(held) === count);
    if (isClosed && node.leaves.length > 1) nodes.unshift(node);
    const children: Node[] = node.kind === 'cut' ? [node.low, node.high] : [];
    node = children.find(
      ({ leaves }) =>
        leaves.filter((leaf) => regions[leaf]!.pod === pod).length === counts.get(pod),
    );
  }
  return nodes;
}

/** The most that one of its pods has afterwards, in means, and what the way there costs. */
function costOf(draft: Draft, scene: Scene, { before, after }: Candidate, heavy: Heavy): number {
  const { weights, meanMs } = scene;
  const relieved = new Set(before.filter(({ relief }) => relief).map(({ pod }) => pod));
  let cells = 0;
  let load = 0;
  const byPod = Map.groupBy(before, ({ pod }) => pod);
  for (const { pod, rect } of after) {
    let gainedCells = cellsIn(rect);
    let gainedLoad = weights.of(rect);
    for (const region of byPod.get(pod) ?? []) {
      const kept = overlapOf(region.rect, rect);
      if (kept === undefined) continue;
      gainedCells -= cellsIn(kept);
      gainedLoad -= weights.of(kept);
    }
    const mayGain = draft.carriers.get(pod)?.state === 'ready' && !relieved.has(pod);
    if (gainedCells > 0 && !mayGain) return Infinity;
    cells += gainedCells;
    load += gainedLoad;
  }
  const scores = scoresOf(scene, after);
  let worst = 0;
  for (const [pod, score] of scores) {
    worst = Math.max(worst, score / (draft.carriers.get(pod)!.capacity * meanMs));
  }
  // A border that gets shorter is no reason to load a pod: it would be a reason to go back, too.
  if (worst > heavy.ratio - weights.settings.gainMin) return Infinity;
  const moves = (CELLS_COST * cells) / weights.cells + (LOAD_COST * load) / weights.totalMs;
  const border = borderOf(weights, after) - borderOf(weights, before);
  // The border is paid by all of them together, so each pays a part of it.
  return worst + moves + border / (scores.size * meanMs);
}

function borderOf(weights: Weights, regions: readonly { readonly rect: Rect }[]): number {
  let sum = 0;
  for (const { rect } of regions) sum += weights.borderMs(rect);
  return sum;
}

const HOW: Readonly<Record<Candidate['how'], string>> = {
  shift: 'borders between its region and those it was cut from are shifted',
  recut: 'its surroundings are cut anew',
  share: 'a pod with little to do takes a part of it',
};

function apply(draft: Draft, heavy: Heavy, candidate: Candidate): void {
  const { how, before, after } = candidate;
  const kind = how === 'share' ? 'split' : 'shift';
  const change = (): DraftRegion[] => {
    const rest = draft.regions.filter((region) => !before.includes(region));
    return [...rest, ...renamed(draft, before, after)];
  };
  draft.decide(
    kind,
    change,
    (cells) =>
      `Pod ${heavy.pod} has ${heavy.ratio.toFixed(2)} times the mean: ${HOW[how]} (${cells} cells).`,
  );
}

/** Each pod's part keeps the id of the largest region the pod had; so ids do not move with pods. */
function renamed(
  draft: Draft,
  before: readonly DraftRegion[],
  after: Candidate['after'],
): DraftRegion[] {
  const taken = new Set<number>();
  return after.map(({ pod, rect }) => {
    const own = before
      .filter((region) => region.pod === pod && !taken.has(region.id))
      .sort((a, b) => cellsIn(b.rect) - cellsIn(a.rect) || a.id - b.id)[0];
    if (own === undefined) {
      return { id: draft.nextId(), rect, pod, standby: '', ...UNRELIEVED };
    }
    taken.add(own.id);
    return isSameRect(own.rect, rect) ? own : { ...own, rect };
  });
}
