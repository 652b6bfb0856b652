import type { CellLoad } from '@leasehold/protocol';
import type { CommitCounts } from './committer.ts';
import type { Halo } from './halo.ts';
import type { Holding } from './holding.ts';
import type { Rounds } from './rounds.ts';

/** Less is that of a cell in which nothing happens. */
const QUIET_TICK_MS = 0.001;

/** Nothing has changed there for longer than anybody asks. */
const EVER_MS = 1e9;

/**
 * What was measured of each cell in which anything happens. `isAsleep`: nobody is to hold it;
 * `pauses`: as `TickCosts` has them.
 */
export function cellLoads(
  holdings: ReadonlyMap<number, Holding>,
  isAsleep: (cell: number) => boolean,
  pauses: number,
): CellLoad[] {
  const loads: CellLoad[] = [];
  for (const holding of holdings.values()) {
    const { cell } = holding;
    const tickMs = holding.tickMs * pauses;
    const entities = holding.state.table.count;
    // Whom it tells something may sleep as well, and in another layer where nobody hears of it.
    const isTelling = holding.isTelling && isAsleep(cell);
    if (entities === 0 && tickMs <= QUIET_TICK_MS && !isTelling) continue;
    loads.push({ cell, tickMs, entities, ...(isTelling ? {} : stillness(holding)) });
  }
  return loads;
}

function stillness(holding: Holding): Pick<CellLoad, 'stillMs'> {
  const { state, stillMs } = holding;
  if (state.table.count === 0) return { stillMs: EVER_MS };
  return stillMs > 0 && holding.isCalm(stillMs) ? { stillMs } : {};
}

export type PodReport = Readonly<Record<string, number>>;

/** What a pod says of itself, by name; every value is a number so that faces need no schema. */
export function podReport(
  holdings: ReadonlyMap<number, Holding>,
  halo: Halo,
  counts: CommitCounts,
  rounds: Rounds,
  targetTick: number,
): PodReport {
  let entities = 0;
  let busy = 0;
  let frozen = 0;
  let oldest = Number.POSITIVE_INFINITY;
  let tick = 0;
  let dilation = 1;
  let dilatedCells = 0;
  for (const { state, isFrozen, settledTick, dilation: every } of holdings.values()) {
    entities += state.table.count;
    if (state.table.count > 0) busy++;
    if (isFrozen) frozen++;
    if (every > 1) dilatedCells++;
    dilation = Math.max(dilation, every);
    oldest = Math.min(oldest, settledTick);
    tick = Math.max(tick, settledTick);
  }
  return {
    cells: holdings.size,
    busyCells: busy,
    entities,
    frozen,
    dilation,
    dilatedCells,
    ghosts: halo.size,
    resyncs: halo.resyncs,
    tick,
    behindTicks: holdings.size === 0 ? 0 : Math.max(0, targetTick - oldest),
    ...counts,
    ...rounds.counts,
    tickMsP50: rounds.tickMs.at(0.5),
    tickMsP99: rounds.tickMs.at(0.99),
    commitMsP50: rounds.commitMs.at(0.5),
    commitMsP99: rounds.commitMs.at(0.99),
  };
}
