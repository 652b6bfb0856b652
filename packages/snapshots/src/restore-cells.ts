/** Writes the cells of a snapshot into an incarnation that nobody works on yet (S1). */
import { LeaseholdError } from '@leasehold/kernel';
import {
  type CellRestore,
  type CellSeedReply,
  type ChannelRestore,
  channelKind,
  type Departure,
  decodeCheckpoint,
  decodeRows,
  encodeCheckpoint,
  encodeCommit,
  entryHash,
  inspectRows,
  type LayerSchema,
  layerOfAddress,
  rebaseCheckpoint,
  type SchemaResolver,
  SEED_EPOCH,
  type Store,
  Table,
  type WorldAdmin,
} from '@leasehold/protocol';
import type { CapturedCell, CapturedFlight } from '@leasehold/snapshot-store';

export type RestoreLayer = {
  readonly schema: LayerSchema;
  /** Of schemas that bodies of the snapshot are written in. */
  readonly older: SchemaResolver;
  readonly admin: Pick<WorldAdmin, 'layer' | 'restoreCells' | 'restoreChannels'>;
  readonly store: Pick<Store, 'post'>;
};

export type RestoreParts = {
  readonly cells: AsyncIterable<CapturedCell> | Iterable<CapturedCell>;
  /** Read first: they are in memory until they are written. */
  readonly flights: AsyncIterable<CapturedFlight> | Iterable<CapturedFlight>;
  /** Lockstep: the next tick needs to know who was seen leaving at the cut (T1). */
  readonly isExact: boolean;
};

export type RestoreTotals = {
  readonly cells: number;
  /** Rows of the first layer. */
  readonly entities: number;
  readonly bytes: number;
};

/** Written in one go: what is in memory at once. */
const CELLS_PER_WRITE = 128;
const BYTES_PER_WRITE = 8 * 1024 * 1024;
/** Of one channel in one call. */
const ENTRIES_PER_CALL = 256;
const BYTES_PER_CALL = 768 * 1024;
const ATTEMPTS_MAX = 6;

/** Errors: `REDIS_REFUSED` naming the cell; those of the sources. Repeating it changes nothing. */
export async function restoreCells(
  layers: readonly RestoreLayer[],
  { cells, flights, isExact }: RestoreParts,
): Promise<RestoreTotals> {
  const totals = { cells: 0, entities: 0, bytes: 0 };
  const sent = await byPlace(flights);
  const waiting = layers.map((): CellRestore[] => []);
  let bytes = 0;
  const flush = async (): Promise<void> => {
    for (const [layer, list] of waiting.entries()) {
      await write(list, (some) => (layers[layer] as RestoreLayer).admin.restoreCells(some));
      list.length = 0;
    }
    bytes = 0;
  };
  for await (const captured of cells) {
    const { layer, count } = captured;
    const flight = isExact ? sent.get(placeOf(captured)) : undefined;
    const parts = isExact
      ? exactParts(captured, flight, layers[layer] as RestoreLayer)
      : { checkpoint: rebaseCheckpoint(captured.rows, captured) };
    const { checkpoint } = parts;
    waiting[layer]?.push({ ...positionOf(captured), ...parts });
    totals.cells++;
    totals.bytes += checkpoint.length;
    if (layer === 0) totals.entities += count;
    bytes += checkpoint.length;
    const isFull = (waiting[layer]?.length ?? 0) >= CELLS_PER_WRITE || bytes >= BYTES_PER_WRITE;
    if (isFull) await flush();
  }
  await flush();
  for (const flight of sent.values()) {
    const { admin, store } = layers[flight.layer] as RestoreLayer;
    await write(partsOf(flight), (some) => admin.restoreChannels(some));
    const posts = flight.posts.map((post) => ({ ...post, cell: flight.cell }));
    await write(posts, async (some) => (await store.post(some)).map(asSeedReply));
    if (flight.layer === 0) totals.entities += rowsIn(flight);
  }
  return totals;
}

const placeOf = ({ layer, cell }: Pick<CapturedCell, 'layer' | 'cell'>): string =>
  `${layer}:${cell}`;

async function byPlace(flights: RestoreParts['flights']): Promise<Map<string, CapturedFlight>> {
  const found = new Map<string, CapturedFlight>();
  for await (const flight of flights) found.set(placeOf(flight), flight);
  return found;
}

function positionOf({ cell, seq, hash, tick, idCounter, asked, outSeq, cursors }: CapturedCell) {
  const from = cursors.map(([address, at]) => ({ cell: address, seq: at }));
  return { cell, seq, hash, tick, idCounter, asked, outSeq, cursors: from };
}

/**
 * The cell as others saw it at the end of the cut's tick, with those who were leaving, and the commit by
 * which these left: so the view of that tick is as exact as it was.
 */
function exactParts(
  { rows, hash, seq, tick, idCounter }: CapturedCell,
  flight: CapturedFlight | undefined,
  { schema, older }: RestoreLayer,
): Pick<CellRestore, 'tick' | 'checkpoint' | 'last'> {
  const { table } = decodeCheckpoint(rows, schema, older);
  const departures: Departure[] = [];
  for (const entry of flight?.channel ?? []) {
    const isLeaving = entry.tick === tick && layerOfAddress(entry.to) === -1;
    if (!isLeaving || channelKind(entry.body) !== 'rows') continue;
    const leaving = decodeRows(entry.body, schema, older).rows;
    table.merge(leaving);
    const ids = [...leaving.ids.subarray(0, leaving.count)];
    departures.push({ to: entry.to, seq: entry.seq, ids });
  }
  table.clearDirty();
  const none = { arrivals: [], births: new Table(schema, 1), deaths: [] };
  const body = encodeCommit(table, { tick, idCounter, ...none, departures });
  const before = Math.max(0, tick - 1);
  return {
    tick: before,
    checkpoint: encodeCheckpoint(table, { tick: before, idCounter }),
    last: { hash: entryHash(hash, seq + 1, SEED_EPOCH, tick, body), tick, body },
  };
}

/** Entities on their way within the layer. */
function rowsIn({ channel }: CapturedFlight): number {
  let rows = 0;
  for (const { to, body } of channel) {
    if (channelKind(body) === 'rows' && layerOfAddress(to) === -1)
      rows += inspectRows(body).ids.length;
  }
  return rows;
}

/** A channel in calls that fit. */
function partsOf({ cell, channel }: CapturedFlight): ChannelRestore[] {
  const parts: { cell: number; outs: CapturedFlight['channel'][number][] }[] = [];
  let bytes = 0;
  for (const entry of channel) {
    const last = parts.at(-1);
    const isFull = last === undefined || last.outs.length === ENTRIES_PER_CALL;
    if (isFull || bytes + entry.body.length > BYTES_PER_CALL) {
      parts.push({ cell, outs: [entry] });
      bytes = entry.body.length;
    } else {
      last.outs.push(entry);
      bytes += entry.body.length;
    }
  }
  return parts;
}

/** L4: a reply that was lost is asked for again; what was written stays as it is. */
async function write<T extends { readonly cell: number }>(
  items: readonly T[],
  send: (some: readonly T[]) => Promise<readonly CellSeedReply[]>,
): Promise<void> {
  let left = items;
  for (let attempt = 1; left.length > 0; attempt++) {
    const replies = await send(left);
    const unknown: T[] = [];
    for (const [i, item] of left.entries()) {
      const reply: CellSeedReply = replies[i] ?? { tag: 'UNKNOWN', message: 'no reply' };
      if (reply.tag === 'OK' || reply.tag === 'ALREADY') continue;
      const isLost = reply.tag === 'UNKNOWN' && attempt < ATTEMPTS_MAX;
      if (!isLost) throw refused(item.cell, reply);
      unknown.push(item);
    }
    left = unknown;
  }
}

type PostReply = Awaited<ReturnType<Store['post']>>[number];

const asSeedReply = (reply: PostReply): CellSeedReply =>
  reply.tag === 'OK' || reply.tag === 'FULL'
    ? reply.tag === 'OK'
      ? { tag: 'OK' }
      : { tag: 'REFUSED', message: 'the inbox is full' }
    : reply;

function refused(cell: number, reply: CellSeedReply): LeaseholdError {
  const message = 'message' in reply ? reply.message : '';
  return new LeaseholdError(
    'REDIS_REFUSED',
    `cell ${cell}: the store answers ${reply.tag} ${message}`,
    {
      field: `cell ${cell}`,
      value: reply.tag,
      remedy: 'Look at the memory, replicas and disk of Redis, then restore again.',
    },
  );
}
