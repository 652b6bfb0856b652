/** What a reader gets of a cell: whole, or what follows its cursor, chain verified. */
import type {
  CellImage,
  ChannelEntry,
  FollowCursor,
  FollowNews,
  LogEntry,
} from '@leasehold/protocol';
import type { CellRecord } from './cell.ts';
import type { TwinDefect } from './defects.ts';

/** Most entries of a cell that one poll returns; the next poll returns the rest. */
const ENTRIES_PER_POLL_MAX = 128;

/** `beforeTick`: the newest checkpoint below it, else the log from its first entry, else any. */
export function imageOf(number: number, cell: CellRecord, beforeTick?: number): CellImage {
  const kept = cell.checkpoints.filter((found) => found !== undefined);
  kept.sort((a, b) => b.seq - a.seq);
  const below = kept.find((found) => beforeTick === undefined || found.tick < beforeTick);
  const isWhole = cell.log[0]?.seq === 1;
  const checkpoint = below ?? (isWhole ? undefined : kept.at(-1));
  const from = checkpoint?.seq ?? 0;
  const entries = cell.log.filter((entry) => entry.seq > from);
  return checkpoint === undefined
    ? { cell: number, entries }
    : { cell: number, checkpoint: { ...checkpoint }, entries };
}

export function newsOf(
  cursor: FollowCursor,
  cell: CellRecord | undefined,
  defects: ReadonlySet<TwinDefect>,
): FollowNews {
  const { seq, hash, outSeq } = cursor;
  const resync: FollowNews = { cell: cursor.cell, entries: [], out: [], resync: true };
  if (cell === undefined) {
    const isAhead = seq > 0 || (outSeq ?? 0) > 0;
    return isAhead ? resync : { ...resync, resync: false };
  }
  const isBack = seq > cell.seq || (seq === cell.seq && hash !== cell.hash);
  if (defects.has('no-chain')) {
    const entries = cell.log.filter((entry) => entry.seq > seq);
    return { cell: cursor.cell, entries, out: outOf(cursor, cell), resync: false };
  }
  if (isBack || (outSeq !== undefined && outSeq > cell.outSeq)) return resync;
  const entries = next(cell.log, seq, hash);
  if (entries === undefined) return resync;
  return { cell: cursor.cell, entries, out: outOf(cursor, cell), resync: false };
}

/** As the reader names the cell: by its number, or by its address in another layer. */
function outOf({ cell, outSeq }: FollowCursor, { out }: CellRecord): ChannelEntry[] {
  if (outSeq === undefined) return [];
  return out.filter(({ seq }) => seq > outSeq).map((entry) => ({ ...entry, from: cell }));
}

/** Entries that follow (seq, hash), or undefined where the chain does not. */
function next(log: readonly LogEntry[], seq: number, hash: string): LogEntry[] | undefined {
  const found: LogEntry[] = [];
  let at = { seq, hash };
  for (const entry of log) {
    if (entry.seq <= seq) continue;
    // L3: an entry counts only if it is the next and names its predecessor.
    if (entry.seq !== at.seq + 1 || entry.prevHash !== at.hash) return undefined;
    found.push(entry);
    if (found.length === ENTRIES_PER_POLL_MAX) break;
    at = entry;
  }
  return found;
}
