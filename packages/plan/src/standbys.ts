/** Who follows a region to take it over: a spare pod, else one of those beside it. */
import type { Draft } from './draft.ts';
import { edgesOf } from './edges.ts';

/** Chooses anew only where the standby is gone, holds the region itself, or is no neighbour. */
export function chooseStandbys(draft: Draft): void {
  const { regions, weights } = draft;
  const edges = edgesOf(weights.grid, regions);
  const expected = draft.scores();
  const able = new Map(draft.takers.map((taker) => [taker.pod, taker.capacity]));
  const held = new Set(regions.map(({ pod }) => pod));
  const spare = [...able.keys()].filter((pod) => !held.has(pod));
  const near = regions.map(({ pod }, index) => {
    const beside = edges[index]!.map((edge) => edge.pod);
    return new Set([...beside, ...spare].filter((other) => other !== pod && able.has(other)));
  });
  regions.forEach((region, index) => {
    const isKept =
      near[index]!.has(region.standby) || (near[index]!.size === 0 && able.has(region.standby));
    if (!isKept || region.standby === region.pod) region.standby = '';
    else inherit(region.standby, index);
  });
  // The heaviest choose first, while there is a choice.
  const order = regions
    .map((_, index) => index)
    .filter((index) => regions[index]!.standby === '')
    .sort((a, b) => weights.of(regions[b]!.rect) - weights.of(regions[a]!.rect) || a - b);
  for (const index of order) {
    const region = regions[index]!;
    const choice = near[index]!.size > 0 ? [...near[index]!] : [...able.keys()];
    let least = Infinity;
    for (const pod of choice.sort()) {
      if (pod === region.pod) continue;
      const score = expected.get(pod)! / able.get(pod)!;
      if (score < least) [region.standby, least] = [pod, score];
    }
    if (region.standby !== '') inherit(region.standby, index);
  }

  function inherit(pod: string, index: number): void {
    expected.set(pod, expected.get(pod)! + weights.of(regions[index]!.rect));
  }
}
