/** Regions that become one as one pod has both, and pods that come and get a part. */
import { type Carrier, type Draft, type DraftRegion, UNRELIEVED } from './draft.ts';
import { aroundOf, cellsIn } from './rects.ts';
import { recut } from './recut.ts';
import { treeOf } from './tree.ts';

/** One region of two that are cut from each other, where both have the same pod. */
export function mergeKin(draft: Draft): void {
  for (;;) {
    const pair = kinOf(draft.regions);
    if (pair === undefined) return;
    const [a, b] = pair;
    draft.decide(
      'merge',
      () => [
        ...draft.regions.filter((region) => region !== a && region !== b),
        {
          ...a,
          id: Math.max(a.id, b.id),
          rect: aroundOf(a.rect, b.rect),
        },
      ],
      () => `Regions ${a.id} and ${b.id} lie side by side and pod ${a.pod} has both.`,
    );
  }
}

function kinOf(regions: readonly DraftRegion[]): [DraftRegion, DraftRegion] | undefined {
  // Nothing to look for, in most plans: each pod has one region.
  if (new Set(regions.map(({ pod }) => pod)).size === regions.length) return undefined;
  const open = [treeOf(regions.map(({ rect }) => rect))];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind !== 'cut') continue;
    if (node.low.kind === 'leaf' && node.high.kind === 'leaf') {
      const a = regions[node.low.leaves[0]!]!;
      const b = regions[node.high.leaves[0]!]!;
      // What is done for a hot cell is not done for all that its pod has.
      const isCalm = a.relief === undefined && b.relief === undefined;
      if (a.pod === b.pod && isCalm) return [a, b];
    }
    open.push(node.low, node.high);
  }
  return undefined;
}

/**
 * Cuts the heaviest regions so that each pod without one gets a part; a region that gives to
 * several is cut for all of them at once. A pod for which there is no cell stays a spare.
 */
export function welcome(draft: Draft): void {
  const busy = new Set(draft.regions.map(({ pod }) => pod));
  const guests = new Map<DraftRegion, Carrier[]>();
  const unseated: string[] = [];
  for (const newcomer of draft.takers) {
    if (busy.has(newcomer.pod)) continue;
    const host = heaviestOf(draft, guests);
    if (host === undefined) unseated.push(newcomer.pod);
    else guests.set(host, [...(guests.get(host) ?? []), newcomer]);
  }
  for (const [host, newcomers] of guests) seat(draft, host, newcomers);
  for (const pod of unseated) if (!passOn(draft, pod)) return;
}

/** A whole region of a pod that has several, where none can be cut any more. */
function passOn(draft: Draft, pod: string): boolean {
  const counts = new Map<string, number>();
  for (const region of draft.regions) counts.set(region.pod, (counts.get(region.pod) ?? 0) + 1);
  const given = draft.regions
    .filter((region) => draft.carriers.has(region.pod) && counts.get(region.pod)! > 1)
    .sort((a, b) => draft.weights.of(b.rect) - draft.weights.of(a.rect) || a.id - b.id)[0];
  if (given === undefined) return false;
  draft.decide(
    'move',
    () => draft.regions.map((one) => (one === given ? { ...one, pod, standby: '' } : one)),
    () => `${pod} came: ${given.pod} has several regions and gives it region ${given.id}.`,
  );
  return true;
}

/** The region with most load for each of those who are to share it, and a cell for one more. */
function heaviestOf(
  draft: Draft,
  guests: ReadonlyMap<DraftRegion, readonly Carrier[]>,
): DraftRegion | undefined {
  let heaviest: DraftRegion | undefined;
  let most = 0;
  for (const region of draft.regions) {
    const own = draft.carriers.get(region.pod);
    const others = guests.get(region) ?? [];
    if (own === undefined || cellsIn(region.rect) < others.length + 2) continue;
    let capacity = own.capacity;
    for (const other of others) capacity += other.capacity;
    const each = draft.shares.of(region.rect) / capacity;
    if (each > most) [heaviest, most] = [region, each];
  }
  return heaviest;
}

function seat(draft: Draft, host: DraftRegion, newcomers: readonly Carrier[]): void {
  const { shares, weights } = draft;
  const own = draft.carriers.get(host.pod)!;
  const all = [own, ...newcomers];
  const capacities = all.map(({ capacity }) => capacity);
  const rects = recut(host.rect, capacities, shares);
  // The host keeps what is most work to hand over, of the parts that are meant for one like it.
  const worth = rects.map((rect, slot) =>
    capacities[slot] === own.capacity
      ? cellsIn(rect) / cellsIn(host.rect) + weights.of(rect) / weights.of(host.rect)
      : -1,
  );
  const kept = worth.indexOf(Math.max(...worth));
  [rects[0], rects[kept]] = [rects[kept]!, rects[0]!];
  const names = newcomers.map(({ pod }) => pod).join(', ');
  draft.decide(
    'split',
    () => [
      ...draft.regions.filter((region) => region !== host),
      ...rects.map((rect, slot) =>
        slot === 0
          ? { ...host, rect }
          : { id: draft.nextId(), rect, pod: all[slot]!.pod, standby: '', ...UNRELIEVED },
      ),
    ],
    (cells) =>
      `${names} came: region ${host.id} of ${host.pod} has most load and gives ${cells} cells.`,
  );
}
