/** Snapshots as moments on a line that ends with now. Pure. */
import type { Snapshot } from '@leasehold/client';
import { whole } from './format.ts';

/** Its place among the snapshots, oldest first; behind the last one for now and what is not there. */
export function momentOf(snapshots: readonly Snapshot[], asOf: string): number {
  const index = snapshots.findIndex(({ id }) => id === asOf);
  return index < 0 ? snapshots.length : index;
}

/** "morning · tick 1,234 · 08:15:00, 2 May". */
export function timeText({ id, tick, takenAtMs }: Snapshot): string {
  const at = new Date(takenAtMs);
  const time = at.toLocaleTimeString('en-GB');
  const day = at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return `${id} · tick ${whole(tick)} · ${time}, ${day}`;
}

/** Where a key moves a divider to, 0 … 1; undefined for a key that does not. */
export function dividerAfter(key: string, share: number): number | undefined {
  const moved = {
    ...{ ArrowLeft: share - STEP, ArrowDown: share - STEP },
    ...{ ArrowRight: share + STEP, ArrowUp: share + STEP },
    ...{ PageDown: share - PAGE, PageUp: share + PAGE, Home: 0, End: 1 },
  };
  return Object.hasOwn(moved, key) ? within(moved[key as keyof typeof moved]) : undefined;
}

/** A share of the map's width, 0 … 1. */
export const within = (share: number): number => Math.min(1, Math.max(0, share));

const STEP = 0.02;
const PAGE = 0.1;
