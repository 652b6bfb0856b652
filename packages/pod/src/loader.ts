/**
 * From a granted lease to a cell that can tick: barrier, checkpoint ⊕ log, and what the channels
 * around it hold for it. Acts on nothing that a failover could take back (design: barrier).
 *
 * PERF: a cell that was followed, among cells that are followed or held, costs one round trip: its
 * last entries and all channels come with one poll. Its own channel is read when there is time.
 */
import { assert } from '@leasehold/kernel';
import type {
  AcquireReply,
  ChannelEntry,
  Claim,
  FollowCursor,
  FollowNews,
  Head,
  Store,
} from '@leasehold/protocol';
import type { CellState } from '@leasehold/sdk/engine';
import type { Halo } from './halo.ts';
import { Holding } from './holding.ts';
import type { PodParts } from './settings.ts';
import { Slices } from './slices.ts';

export type Grant = Extract<AcquireReply, { tag: 'GRANTED' }>;

/** A cell whose lease is here and which cannot tick yet. */
export type Loading = {
  readonly claim: Claim;
  /** What is routed to it meanwhile. */
  readonly early: ChannelEntry[];
  /** When its lease was granted or extended last. */
  renewedMs: number;
  /** The lease has ended meanwhile. */
  isLost: boolean;
};

export type LoadParts = {
  readonly halo: Halo;
  readonly holdings: ReadonlyMap<number, Holding>;
  readonly loading: ReadonlyMap<number, Loading>;
  readonly counts: { warmCells: number; coldCells: number };
  /** Takes what the granted cells had sent before, for the cells that are held already. */
  readonly route: (entry: ChannelEntry) => void;
};

/** Loads granted cells. */
export async function loadHoldings(
  parts: PodParts,
  grants: readonly Grant[],
  load: LoadParts,
): Promise<Holding[]> {
  const { store, engine, clock } = parts;
  const { loading, route } = load;
  const { sources } = load.halo;
  const startedMs = clock.nowMs();
  const { runId } = store.status();
  await store.barrier();
  // M1: with its first tick already, or whoever dies of a post would have committed ticks without it.
  const inboxes = grants.map(({ head }) => ({ cell: head.cell, after: head.inboxCursor }));
  const [channels, posts] = await Promise.all([
    readAround(parts, load, grants),
    store.inboxes(inboxes),
  ]);
  const states = await loadStates(parts, load, grants, channels);
  await store.barrier();
  expectRun(store, runId);
  return grants.map((grant, i) => {
    const { cell } = grant.claim;
    const { state, isWarm } = states[i] as Loaded;
    const block = engine.grid.blockOf(cell);
    const { renewedMs = startedMs } = loading.get(cell) ?? {};
    const holding = new Holding(grant.claim, block, state, grant.head, renewedMs);
    for (const other of [...engine.grid.neighbours(cell), cell, ...sources.foreign(cell)]) {
      for (const entry of channels.get(other) ?? []) {
        if (sources.cellFor(entry) === cell) holding.queue({ ...entry, to: cell });
      }
    }
    for (const entry of loading.get(cell)?.early ?? []) holding.queue(entry);
    holding.queuePosts(posts[i] ?? []);
    if (!isWarm) {
      holding.learnChannel(channels.get(cell) ?? []);
      // E1: what the former holder sent last, nobody here has read who did not follow it. From now
      // on this cell is held here and not followed, so it is passed on here or never.
      for (const entry of channels.get(cell) ?? []) route(entry);
    }
    const { cause, from, lastAtMs } = grant;
    holding.takeover = { cause, from, lastAtMs, isBusy: state.table.count > 0 };
    holding.triesBefore = grant.attempts - 1;
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
  const isSame = runId !== '' && store.status().runId === runId;
  assert(isSame, 'the server was another when it was read');
}

type Loaded = { readonly state: CellState; readonly isWarm: boolean };
/** Channel entries behind the positions asked for, by source cell. */
type Channels = Map<number, ChannelEntry[]>;

async function loadStates(
  parts: PodParts,
  { halo, counts }: LoadParts,
  grants: readonly Grant[],
  channels: Channels,
): Promise<Loaded[]> {
  const { store, engine, schemaOf, clock } = parts;
  const states = new Array<Loaded | undefined>(grants.length);
  const cold: { readonly grant: Grant; readonly i: number }[] = [];
  for (const [i, grant] of grants.entries()) {
    const { head } = grant;
    const followed = halo.surrender(head.cell, head.seq, head.hash);
    if (followed !== undefined) {
      states[i] = { state: followed, isWarm: true };
      counts.warmCells++;
    } else cold.push({ grant, i });
  }
  const written = cold.filter(({ grant: { head } }) => head.seq > 0);
  counts.coldCells += written.length;
  const [images] = await Promise.all([
    store.load(written.map(({ grant: { head } }) => loadRequest(head))),
    readChannels(
      store,
      cold.map(({ grant: { head } }) => [head.cell, 0]),
      channels,
    ),
  ]);
  for (const { grant, i } of cold) {
    states[i] = { state: engine.createCell(grant.head.cell, schemaOf), isWarm: false };
  }
  const slices = new Slices(clock);
  for (const [k, { grant, i }] of written.entries()) {
    await slices.rest();
    const image = images[k];
    assert(image !== undefined, 'the store answers every cell it is asked for');
    const { state } = states[i] as Loaded;
    state.restore(image);
    const last = image.entries.at(-1) ?? image.checkpoint;
    assert(
      (last?.seq ?? 0) === grant.head.seq && (last?.hash ?? '') === grant.head.hash,
      `cell ${grant.head.cell} was read at ${last?.seq ?? 0}, not at ${grant.head.seq}`,
    );
  }
  return states as Loaded[];
}

/** Neighbours may still need the view of the tick before the last, in flight and all. */
function loadRequest(head: Head): { cell: number; beforeTick: number; head: Head } {
  return { cell: head.cell, beforeTick: Math.max(0, head.tick - 1), head };
}

/**
 * What the granted cells that are followed here lack up to their heads, and the channels of the
 * cells around from the oldest cursor on: of those whose position is known, all in one poll.
 */
async function readAround(
  { store, engine }: PodParts,
  { halo, holdings }: LoadParts,
  grants: readonly Grant[],
): Promise<Channels> {
  const after = new Map<number, number>();
  for (const { head } of grants) {
    // Its own channel, too: letters to those who are in it.
    const own = [...engine.grid.neighbours(head.cell), head.cell];
    for (const other of [...own, ...halo.sources.foreign(head.cell)]) {
      const cursor = head.cursors.get(other) ?? 0;
      after.set(other, Math.min(after.get(other) ?? Number.POSITIVE_INFINITY, cursor));
    }
  }
  const cursors = new Map<number, FollowCursor>();
  // A poll waits for the replicas: where nothing is followed, reading channels alone is sooner.
  const isFollowed = grants.some(({ head }) => halo.position(head.cell) !== undefined);
  for (const [cell, seq] of isFollowed ? after : []) {
    const known = halo.position(cell) ?? positionOf(holdings.get(cell));
    if (known !== undefined) cursors.set(cell, { ...known, outSeq: Math.min(seq, known.outSeq) });
  }
  for (const { head } of grants) {
    const known = halo.position(head.cell);
    if (known === undefined || known.seq >= head.seq || cursors.has(head.cell)) continue;
    cursors.set(head.cell, known);
  }
  const channels: Channels = new Map();
  const unknown = [...after].filter(([cell]) => !cursors.has(cell));
  const [news] = await Promise.all([
    cursors.size === 0 ? NO_NEWS : store.poll([...cursors.values()], 0),
    readChannels(store, unknown, channels),
  ]);
  for (const cell of cursors.keys()) channels.set(cell, []);
  const lost: [number, number][] = [];
  for (const each of news) {
    halo.take(each);
    if (each.resync) lost.push([each.cell, after.get(each.cell) ?? 0]);
    else channels.set(each.cell, [...each.out]);
  }
  await readChannels(store, lost, channels);
  return channels;
}

const NO_NEWS: readonly FollowNews[] = [];

function positionOf(holding: Holding | undefined): Required<FollowCursor> | undefined {
  if (holding === undefined) return undefined;
  const { cell, seq, hash, outSeq } = holding;
  return { cell, seq, hash, outSeq };
}

/** Reads these channels behind these positions. */
async function readChannels(
  store: Store,
  sources: readonly (readonly [cell: number, after: number])[],
  into: Channels,
): Promise<void> {
  const entries = await Promise.all(sources.map(([cell, after]) => store.channel(cell, after)));
  for (const [i, [cell]] of sources.entries()) into.set(cell, entries[i] as ChannelEntry[]);
}
