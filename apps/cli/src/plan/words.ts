/** Decisions of a journal, places and times, as people read them. */
import type { JournalEntry, Rect, Region } from '@leasehold/protocol';
import type { Colors } from '../output.ts';
import { plain } from '../text-table.ts';

/** Of the own time zone. */
export const timeOf = (atMs: number): string => new Date(atMs).toLocaleString('sv');

export const placeOf = ({ column, row, columns, rows }: Rect): string =>
  `${columns} × ${rows} at ${column}, ${row}`;

/** What is done for a region that is beyond a pod; '' = nothing. */
export function reliefText({ relief, dilation }: Pick<Region, 'relief' | 'dilation'>): string {
  const word = relief === 'overloaded' ? 'OVERLOADED' : (relief ?? '');
  return dilation === undefined ? word : `${word}, time at 1/${dilation}`;
}

/** When, which plan it led to, what and why. */
export function entryLine(entry: JournalEntry, { bold, dim }: Colors): string {
  const { atMs, version, kind, cause } = entry;
  return `${dim(timeOf(atMs))}  plan ${version}  ${bold(kind.padEnd(7))}  ${plain(cause)}`;
}

/** What each pod carried, and what it was to carry afterwards; none where nothing was said. */
export function loadLine({ before, expected }: JournalEntry): string | undefined {
  const pods = [...new Set([...Object.keys(before), ...Object.keys(expected)])].sort();
  if (pods.length === 0) return undefined;
  const ms = (value: number | undefined): string => value?.toFixed(2) ?? '-';
  return pods.map((pod) => `${plain(pod)} ${ms(before[pod])} → ${ms(expected[pod])} ms`).join(', ');
}
