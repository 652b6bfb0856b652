/** Which snapshots of a world are kept. Pure. */

export type Retention = {
  /** The newest so many, whenever they were taken. */
  readonly keep?: number;
  /** The newest of each of the last so many hours that have one. */
  readonly hourly?: number;
  /** The same for days, in UTC. */
  readonly daily?: number;
};

export type Kept = { readonly id: string; readonly takenAtMs: number };

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Ids that may go, oldest first. What any of the rules keeps, stays. */
export function dispensable(snapshots: readonly Kept[], retention: Retention): string[] {
  const { keep = 0, hourly = 0, daily = 0 } = retention;
  const newest = [...snapshots].sort((a, b) => b.takenAtMs - a.takenAtMs || (a.id < b.id ? 1 : -1));
  const kept = new Set(newest.slice(0, Math.max(0, keep)).map(({ id }) => id));
  for (const id of newestOfEach(newest, HOUR_MS, hourly)) kept.add(id);
  for (const id of newestOfEach(newest, DAY_MS, daily)) kept.add(id);
  return newest.flatMap(({ id }) => (kept.has(id) ? [] : [id])).reverse();
}

function newestOfEach(newest: readonly Kept[], spanMs: number, count: number): string[] {
  const spans = new Map<number, string>();
  for (const { id, takenAtMs } of newest) {
    const span = Math.floor(takenAtMs / spanMs);
    if (!spans.has(span) && spans.size < count) spans.set(span, id);
  }
  return [...spans.values()];
}
