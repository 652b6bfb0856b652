/** Whose regions go where: pods that are gone or drain leave theirs, pods that come get a part. */
import type { Draft, DraftRegion } from './draft.ts';
import { edgesOf } from './edges.ts';
import { partition } from './partition.ts';
import { cellsIn } from './rects.ts';
import { treeOf } from './tree.ts';

const rounded = (ms: number): string => `${Number(ms.toPrecision(3))} ms`;

/** Gives each region without a pod that carries to its standby, or to whoever is beside it. */
export function giveOrphans(draft: Draft): void {
  for (const { id } of draft.regions.filter(({ pod }) => !draft.carriers.has(pod))) {
    const region = draft.regions.find((one) => one.id === id)!;
    const heir = heirOf(draft, region);
    if (heir === region.pod) continue;
    const from = region.pod === '' ? 'nobody has it' : `its pod ${region.pod} leaves or is gone`;
    const why =
      heir === ''
        ? 'there is no pod'
        : heir === region.standby
          ? `${heir} follows it already`
          : `${heir} is nearest and has room`;
    draft.decide(
      'move',
      () =>
        draft.regions.map((one) =>
          one.id === id ? { ...one, pod: heir, standby: '', relief: undefined } : one,
        ),
      () => `Region ${id} moves as ${from}; ${why}.`,
    );
  }
}

/** The standby; else of the pods beside the region, else of all, the one with the most room. */
function heirOf(draft: Draft, region: DraftRegion): string {
  const takers = new Map(draft.takers.map((taker) => [taker.pod, taker]));
  if (takers.has(region.standby)) return region.standby;
  const scores = draft.scores();
  const edges = edgesOf(draft.weights.grid, draft.regions)[draft.regions.indexOf(region)]!;
  const beside = new Set(edges.map(({ pod }) => pod).filter((pod) => takers.has(pod)));
  const idle = [...takers.keys()].filter((pod) => scores.get(pod) === 0);
  const choice = beside.size > 0 ? [...beside, ...idle] : [...takers.keys()];
  let best = '';
  let least = Infinity;
  for (const pod of [...new Set(choice)].sort()) {
    const score = scores.get(pod)! / takers.get(pod)!.capacity;
    if (score < least) [best, least] = [pod, score];
  }
  return best;
}

/** One region of two that are cut from each other, where both have the same pod. */
export function mergeKin(draft: Draft): void {
  for (;;) {
    const pair = kinOf(draft);
    if (pair === undefined) return;
    const [a, b] = pair;
    draft.decide(
      'merge',
      () => [
        ...draft.regions.filter((region) => region !== a && region !== b),
        // The higher id stays, so that no id is ever given twice.
        { ...(a.id > b.id ? a : b), rect: treeOf([a.rect, b.rect]).rect, relief: undefined },
      ],
      () => `Regions ${a.id} and ${b.id} lie beside each other and ${a.pod} has both.`,
    );
  }
}

function kinOf(draft: Draft): [DraftRegion, DraftRegion] | undefined {
  const { regions } = draft;
  if (regions.length < 2) return undefined;
  const open = [treeOf(regions.map(({ rect }) => rect))];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind !== 'cut') continue;
    if (node.low.kind === 'leaf' && node.high.kind === 'leaf') {
      const a = regions[node.low.leaves[0]!]!;
      const b = regions[node.high.leaves[0]!]!;
      if (a.pod === b.pod) return [a, b];
    }
    open.push(node.low, node.high);
  }
  return undefined;
}

/**
 * Cuts the heaviest regions so that each pod without one gets a part. A pod for which there is no
 * cell stays a spare.
 */
export function welcome(draft: Draft): void {
  const scores = draft.scores();
  const busy = new Set(draft.regions.map(({ pod }) => pod));
  const newcomers = draft.takers.filter(({ pod }) => !busy.has(pod));
  for (const { pod, capacity } of newcomers) {
    const donor = draft.regions
      .filter(({ rect, pod: held }) => cellsIn(rect) > 1 && draft.carriers.has(held))
      .sort((a, b) => draft.weights.of(b.rect) - draft.weights.of(a.rect) || a.id - b.id)[0];
    if (donor === undefined) return;
    const own = draft.carriers.get(donor.pod)!.capacity;
    const [first, second] = partition(donor.rect, [own, capacity], draft.weights);
    const [kept, given] =
      cellsIn(first!) >= cellsIn(second!) ? [first!, second!] : [second!, first!];
    const id = draft.nextId();
    draft.decide(
      'split',
      () => [
        ...draft.regions.map((one) =>
          one === donor ? { ...one, rect: kept, relief: undefined } : one,
        ),
        { id, rect: given, pod, standby: '', relief: undefined },
      ],
      (cells) =>
        `Pod ${pod} came: it gets ${cells} cells of ${donor.pod}, which had the heaviest region ` +
        `(${rounded(scores.get(donor.pod) ?? 0)}).`,
    );
  }
}
