/** The plan of the authority and its journal as people read them. Pure. */
import type { JournalItem, PlanRegion, PlanView, Side } from '@leasehold/client';
import { listed, short, whole } from './format.ts';

/** As many as a gateway tells a newcomer, and some. */
const ENTRIES_MAX = 60;
const SIDES: readonly Side[] = ['north', 'east', 'south', 'west'];

/** Newest first, each once: after a reconnect the last ones come again. */
export function mergeJournal(
  known: readonly JournalItem[],
  items: readonly JournalItem[],
): readonly JournalItem[] {
  const ids = new Set(known.map(({ id }) => id));
  const fresh = items.filter(({ id }) => !ids.has(id)).reverse();
  return [...fresh, ...known].slice(0, ENTRIES_MAX);
}

/** Share of the time that a tick may take, 0 … 1 and beyond. */
export const shareOf = ({ tickMs }: PlanRegion, tickHz: number): number =>
  (tickMs * tickHz) / 1_000;

/** The dearest first, in steps of a tenth of a tick: a list that one points at must not jump. */
export function byLoad(regions: readonly PlanRegion[], tickHz: number): PlanRegion[] {
  const step = (region: PlanRegion): number => Math.round(shareOf(region, tickHz) * 10);
  return [...regions].sort((a, b) => step(b) - step(a) || a.id - b.id);
}

export const percent = (share: number): string => `${whole(share * 100)} %`;

/** What is done for a region whose only cell is too much for a pod; '' = nothing. */
export function reliefText({ relief, dilation }: PlanRegion): string {
  const word = relief === 'overloaded' ? 'OVERLOADED' : (relief ?? '');
  return dilation === undefined ? word : `${word}, time at 1/${dilation}`;
}

/** What a region costs: "14.2 ms · 28 %". */
export function loadText(region: PlanRegion, tickHz: number): string {
  return `${short(region.tickMs)} ms · ${percent(shareOf(region, tickHz))}`;
}

/** Who is across each side, a line each; a side without anybody is the end of the world. */
export function edgeLines({ edges }: PlanRegion): string[] {
  return SIDES.flatMap((side) => {
    const across = edges
      .filter((edge) => edge.side === side)
      .map(({ region, pod, cells }) => `region ${region} of ${pod || 'nobody'} (${whole(cells)})`);
    return across.length === 0 ? [] : [`${side}: ${listed(across)}`];
  });
}

/** All about one region, on several lines. */
export function regionText(region: PlanRegion, tickHz: number): string {
  const { id, rect, pod, standby, entities } = region;
  const relief = reliefText(region);
  return [
    `region ${id} of ${pod || 'nobody'}, ${rect.columns} × ${rect.rows} cells`,
    `${loadText(region, tickHz)} of a tick, ${whole(entities)} entities`,
    ...(relief === '' ? [] : [relief]),
    ...(standby === '' ? [] : [`standby: ${standby}`]),
    ...edgeLines(region),
  ].join('\n');
}

/**
 * Tick time of the busiest pod by the mean of all that could carry something: 1 is perfect.
 * Undefined where nothing costs anything.
 */
export function imbalanceOf({ regions }: PlanView, living: readonly string[]): number | undefined {
  const loads = new Map(living.map((pod): [string, number] => [pod, 0]));
  for (const { pod, tickMs } of regions) {
    if (pod !== '') loads.set(pod, (loads.get(pod) ?? 0) + tickMs);
  }
  const all = [...loads.values()];
  const total = all.reduce((sum, load) => sum + load, 0);
  return total > 0 ? (Math.max(...all) * all.length) / total : undefined;
}

/** What each pod carried, and what it was to carry; '' where nothing was said. */
export function changeText({ before, expected }: JournalItem): string {
  const pods = [...new Set([...Object.keys(before), ...Object.keys(expected)])].sort();
  const ms = (load: number | undefined): string => (load === undefined ? '–' : short(load));
  return pods.map((pod) => `${pod} ${ms(before[pod])} → ${ms(expected[pod])} ms`).join(', ');
}

/** By cell, 1 = it sleeps. */
export function asleepCells({ asleep }: PlanView, cells: number): Uint8Array {
  const found = new Uint8Array(cells);
  for (const [first, count] of asleep) found.fill(1, first, first + count);
  return found;
}

/** Cells that sleep. */
export const asleepCount = ({ asleep }: PlanView): number =>
  asleep.reduce((sum, [, cells]) => sum + cells, 0);
