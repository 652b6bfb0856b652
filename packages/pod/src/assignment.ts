/**
 * Which pod should hold which block when no plan says so: rendezvous hashing with bounded loads
 * (Thaler and Ravishankar 1998; Mirrokni, Thorup and Zadimoghaddam 2016). Every pod computes the
 * same answer from the same list of pods, so nobody needs to be asked, and a pod that comes or goes
 * moves few blocks. Being wrong costs a handover; leases alone decide who may write.
 */
import { saltOf } from '@leasehold/kernel';

/** Room above the fair share: with none, every pod that comes or goes would move blocks of all. */
const SLACK = 1.25;

function score(pod: number, block: number): number {
  let h = Math.imul(pod ^ Math.imul(block + 1, 0x9e3779b1), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Block number → pod. `pods` in any order; '' where there are no pods. */
export function assignBlocks(blocks: number, pods: readonly string[]): string[] {
  const owners = new Array<string>(blocks).fill('');
  if (pods.length === 0) return owners;
  const sorted = [...pods].sort();
  const salts = sorted.map(saltOf);
  const capacity = Math.ceil((blocks / sorted.length) * SLACK);
  const loads = new Array<number>(sorted.length).fill(0);
  for (let block = 0; block < blocks; block++) {
    let best = -1;
    let bestScore = -1;
    for (let pod = 0; pod < sorted.length; pod++) {
      if ((loads[pod] as number) >= capacity) continue;
      const points = score(salts[pod] as number, block);
      if (points > bestScore) {
        best = pod;
        bestScore = points;
      }
    }
    loads[best] = (loads[best] as number) + 1;
    owners[block] = sorted[best] as string;
  }
  return owners;
}

/** Most scores that are computed to know whose heir a pod is: some ten milliseconds. */
const SCORES_MAX = 2_000_000;

/**
 * Blocks that `pod` gets when one of the others is gone, whichever that is. None in a world so
 * large that knowing it would delay its ticks.
 */
export function inheritedBlocks(blocks: number, pods: readonly string[], pod: string): number[] {
  if (blocks * pods.length ** 2 > SCORES_MAX) return [];
  const owners = assignBlocks(blocks, pods);
  const inherited: number[] = [];
  for (const gone of pods) {
    if (gone === pod) continue;
    const heirs = assignBlocks(
      blocks,
      pods.filter((other) => other !== gone),
    );
    for (let block = 0; block < blocks; block++) {
      if (owners[block] === gone && heirs[block] === pod) inherited.push(block);
    }
  }
  return inherited;
}
