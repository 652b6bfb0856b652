/**
 * From a granted lease to a cell that can tick: barrier, checkpoint ⊕ log, and what the channels
 * around it hold for it. Acts on nothing that a failover could take back (design: barrier).
 */
import { assert } from '@leasehold/kernel';
import type { AcquireReply, ChannelEntry, Head, Store } from '@leasehold/protocol';
import type { CellState } from '@leasehold/sdk/engine';
import type { Halo } from './halo.ts';
import { Holding } from './holding.ts';
import type { PodParts } from './settings.ts';

export type Grant = Extract<AcquireReply, { tag: 'GRANTED' }>;

export type LoadParts = {
  readonly halo: Halo;
  /** What is routed to the granted cells while they are loaded. */
  readonly early: ReadonlyMap<number, ChannelEntry[]>;
  readonly counts: { warmCells: number; coldCells: number };
  /** Takes what the granted cells had sent before, for the cells that are held already. */
  readonly route: (entry: ChannelEntry) => void;
};

/** Loads granted cells. */
export async function loadHoldings(
  parts: PodParts,
  grants: readonly Grant[],
  { halo, early, route, counts }: LoadParts,
): Promise<Holding[]> {
  const { store, engine, clock } = parts;
  const startedMs = clock.nowMs();
  const { runId } = store.status();
  await store.barrier();
  const [states, channels] = await Promise.all([
    loadStates(parts, { halo, counts }, grants),
    readChannels(parts, grants),
  ]);
  await store.barrier();
  expectRun(store, runId);
  return grants.map((grant, i) => {
    const { cell } = grant.claim;
    const state = states[i] as CellState;
    const block = engine.grid.blockOf(cell);
    const holding = new Holding(grant.claim, block, state, grant.head, startedMs);
    for (const other of engine.grid.neighbours(cell)) {
      for (const entry of channels.get(other) ?? []) if (entry.to === cell) holding.queue(entry);
    }
    for (const entry of early.get(cell) ?? []) holding.queue(entry);
    for (const entry of channels.get(cell) ?? []) {
      holding.unread.push({ seq: entry.seq, to: entry.to });
      // E1: what the former holder sent last, nobody who followed it may have read. From now on
      // this cell is held here and not followed, so it is passed on here or never.
      route(entry);
    }
    const { cause, from, lastAtMs } = grant;
    holding.takeover = { cause, from, lastAtMs };
    holding.isIsolated = grant.attempts > 1;
    holding.isUnproven = grant.attempts > 1;
    return holding;
  });
}

/**
 * What one server said is not proven by another's barrier, which may have gone back in time in
 * between: whoever takes in what was sent in a lost past has entities that are elsewhere (E1).
 */
export function expectRun(store: Store, runId: string): void {
  assert(store.status().runId === runId, 'the server was another when it was read');
}

async function loadStates(
  parts: PodParts,
  { halo, counts }: Pick<LoadParts, 'halo' | 'counts'>,
  grants: readonly Grant[],
): Promise<CellState[]> {
  const { store, engine, schemaOf } = parts;
  const states = new Array<CellState | undefined>(grants.length);
  await halo.catchUp(grants.map(({ head }) => head));
  const cold: { readonly grant: Grant; readonly i: number }[] = [];
  for (const [i, grant] of grants.entries()) {
    const { head } = grant;
    states[i] = halo.surrender(head.cell, head.seq, head.hash);
    if (states[i] !== undefined) counts.warmCells++;
    else if (head.seq === 0) states[i] = engine.createCell(head.cell, schemaOf);
    if (states[i] === undefined) cold.push({ grant, i });
  }
  counts.coldCells += cold.length;
  const images = await store.load(cold.map(({ grant: { head } }) => loadRequest(head)));
  for (const [k, { grant, i }] of cold.entries()) {
    const image = images[k];
    assert(image !== undefined, 'the store answers every cell it is asked for');
    const state = engine.createCell(grant.head.cell, schemaOf);
    state.restore(image);
    const last = image.entries.at(-1) ?? image.checkpoint;
    assert(
      (last?.seq ?? 0) === grant.head.seq && (last?.hash ?? '') === grant.head.hash,
      `cell ${grant.head.cell} was read at ${last?.seq ?? 0}, not at ${grant.head.seq}`,
    );
    states[i] = state;
  }
  return states as CellState[];
}

/** Neighbours may still need the view of the tick before the last, in flight and all. */
function loadRequest(head: Head): { cell: number; beforeTick: number; head: Head } {
  return { cell: head.cell, beforeTick: Math.max(0, head.tick - 1), head };
}

/** The granted cells' own channels, whole, and their neighbours' from the oldest cursor on. */
async function readChannels(
  { store, engine }: PodParts,
  grants: readonly Grant[],
): Promise<Map<number, ChannelEntry[]>> {
  const after = new Map<number, number>();
  for (const { head } of grants) {
    for (const other of engine.grid.neighbours(head.cell)) {
      const cursor = head.cursors.get(other) ?? 0;
      after.set(other, Math.min(after.get(other) ?? Number.POSITIVE_INFINITY, cursor));
    }
  }
  for (const { head } of grants) after.set(head.cell, 0);
  const sources = [...after];
  const entries = await Promise.all(sources.map(([cell, seq]) => store.channel(cell, seq)));
  return new Map(sources.map(([cell], i) => [cell, entries[i] as ChannelEntry[]]));
}
