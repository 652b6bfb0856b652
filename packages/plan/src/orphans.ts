/** Regions whose pod is gone or drains: who gets them, whole or in parts. */
import type { Rect } from '@leasehold/protocol';
import { type Draft, type DraftRegion, UNRELIEVED } from './draft.ts';
import { edgesOf } from './edges.ts';
import { cellsIn } from './rects.ts';
import { recut } from './recut.ts';

/** A region that is too much for one heir goes to at most so many. */
const HEIRS_MAX = 3;

/**
 * Gives each region without a pod that carries away. One whose pod is gone goes to its standby,
 * which has taken it over by now; one whose pod drains first of all to a pod that has nothing.
 */
export function giveOrphans(draft: Draft, draining: ReadonlySet<string>): void {
  for (const region of draft.regions.filter(({ pod }) => !draft.carriers.has(pod))) {
    const isGone = region.pod === '' || !draining.has(region.pod);
    give(draft, region, isGone);
  }
}

function give(draft: Draft, region: DraftRegion, isGone: boolean): void {
  const left =
    region.pod === '' ? 'nobody has it' : `pod ${region.pod} ${isGone ? 'is gone' : 'drains'}`;
  const takers = new Map(draft.takers.map((taker) => [taker.pod, taker.capacity]));
  if (takers.size === 0) {
    if (region.pod !== '') place(draft, region, [['', region.rect]], `${left}, and no pod is left`);
    return;
  }
  const standby = takers.has(region.standby) ? region.standby : undefined;
  if (isGone && standby !== undefined) {
    place(draft, region, [[standby, region.rect]], `${left}; ${standby} followed it`);
    return;
  }
  const scores = draft.scores();
  const ratioOf = (pod: string): number => scores.get(pod)! / takers.get(pod)!;
  const order = (pods: Iterable<string>): string[] =>
    [...pods].sort((a, b) => ratioOf(a) - ratioOf(b) || (a < b ? -1 : 1));
  const idle = order([...takers.keys()].filter((pod) => scores.get(pod) === 0))[0];
  if (idle !== undefined) {
    place(draft, region, [[idle, region.rect]], `${left}; ${idle} had nothing yet`);
    return;
  }
  const near = order(besideOf(draft, region).filter((pod) => takers.has(pod)));
  const heirs = near.length > 0 ? near : order(takers.keys()).slice(0, 1);
  const { tickBudgetMs, spare } = draft.weights.settings;
  const fits = (pod: string): boolean =>
    scores.get(pod)! + draft.weights.of(region.rect) <=
    takers.get(pod)! * tickBudgetMs * (1 - spare);
  const heir = standby !== undefined && fits(standby) ? standby : heirs[0]!;
  if (fits(heir) || heirs.length < 2 || cellsIn(region.rect) < 2) {
    place(draft, region, [[heir, region.rect]], `${left}; ${heir} is near and has most room`);
    return;
  }
  const several = heirs.slice(0, HEIRS_MAX);
  const most = ratioOf(several.at(-1)!) * 1.01 + draft.weights.of(region.rect);
  const rooms = several.map((pod) => Math.max(most - ratioOf(pod), Number.MIN_VALUE));
  const parts = recut(region.rect, rooms, draft.shares);
  const shares = parts.map((rect, slot): [string, Rect] => [several[slot]!, rect]);
  place(draft, region, shares, `${left}; it is too much for one of those beside it`);
}

function besideOf(draft: Draft, region: DraftRegion): string[] {
  const edges = edgesOf(draft.weights.grid, draft.regions)[draft.regions.indexOf(region)]!;
  return [...new Set(edges.map(({ pod }) => pod))];
}

/** The first part keeps the region's id. */
function place(
  draft: Draft,
  region: DraftRegion,
  shares: readonly (readonly [pod: string, rect: Rect])[],
  why: string,
): void {
  const hot = Math.max(...shares.map(([, rect]) => draft.weights.heaviest(rect).ms));
  const parts = shares.map(([pod, rect], slot) => ({
    ...region,
    ...{ pod, rect, standby: '', id: slot === 0 ? region.id : draft.nextId() },
    // What was done for one cell goes with it.
    ...(draft.weights.heaviest(rect).ms < hot ? UNRELIEVED : {}),
  }));
  draft.decide(
    'move',
    () => [...draft.regions.filter((one) => one !== region), ...parts],
    () =>
      `Region ${region.id} goes to ${shares.map(([pod]) => (pod === '' ? 'nobody' : pod)).join(', ')}: ${why}.`,
  );
}
