/** What a cell's channel carries, held against the departures its log names (E1). */
import { inspectRows, layerOfAddress } from '@leasehold/protocol';
import type { Custody } from './custody.ts';
import type { Findings } from './findings.ts';
import type { OutReading } from './reading.ts';
import type { CellTrack } from './track.ts';

/** Compares entries of one channel, ascending, with what departed; returns how many it compared. */
export function compareChannel(
  track: CellTrack,
  entries: readonly OutReading[],
  { findings, custody }: { readonly findings: Findings; readonly custody: Custody },
): number {
  const { cell } = track;
  const departures = new Map(track.unseenOut.map((departure) => [departure.seq, departure]));
  const first = entries[0]?.seq ?? 0;
  let compared = 0;
  for (const entry of entries) {
    if (entry.seq > track.outSeq) break;
    const departure = departures.get(entry.seq);
    departures.delete(entry.seq);
    compared++;
    const ids = idsOf(entry.body);
    if (departure === undefined) {
      findings.violation('E1', cell, `channel entry ${entry.seq} has no departure`, { ids });
    } else if (departure.to !== entry.to || !carries(entry, ids, departure.ids)) {
      const message = `channel entry ${entry.seq} carries other entities than departed`;
      findings.violation('E1', cell, message, { ids: departure.ids });
    }
  }
  const last = entries.at(-1)?.seq ?? 0;
  for (const [seq, { ids }] of departures) {
    if (seq < first || seq > last) continue;
    findings.violation('E1', cell, `channel entry ${seq} is missing`, { ids });
    custody.lose(ids, cell);
  }
  track.unseenOut = track.unseenOut.filter(({ seq }) => seq < first);
  return compared;
}

/** Rows for another layer are of those who are born there, and depart from nowhere. */
function carries({ to }: OutReading, found: readonly number[], named: readonly number[]): boolean {
  return layerOfAddress(to) !== -1 || found.join() === named.join();
}

/** The entities in a body; none when it cannot be read, which its cell's replay tells. */
export function idsOf(body: Uint8Array): number[] {
  try {
    return inspectRows(body).ids;
  } catch {
    return [];
  }
}
