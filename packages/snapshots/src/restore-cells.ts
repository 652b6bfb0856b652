/** Writes the cells of a snapshot into an incarnation that nobody works on yet (S1). */
import { LeaseholdError } from '@leasehold/kernel';
import {
  type CellRestore,
  type CellSeedReply,
  type ChannelRestore,
  channelKind,
  inspectRows,
  layerOfAddress,
  rebaseCheckpoint,
  type Store,
  type WorldAdmin,
} from '@leasehold/protocol';
import type { CapturedCell, CapturedFlight } from '@leasehold/snapshot-store';

export type RestoreLayer = {
  readonly admin: Pick<WorldAdmin, 'layer' | 'restoreCells' | 'restoreChannels'>;
  readonly store: Pick<Store, 'post'>;
};

export type RestoreParts = {
  readonly cells: AsyncIterable<CapturedCell> | Iterable<CapturedCell>;
  /** Behind the cells. */
  readonly flights: AsyncIterable<CapturedFlight> | Iterable<CapturedFlight>;
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
  { cells, flights }: RestoreParts,
): Promise<RestoreTotals> {
  const totals = { cells: 0, entities: 0, bytes: 0 };
  const waiting = layers.map((): CellRestore[] => []);
  let bytes = 0;
  const flush = async (): Promise<void> => {
    for (const [layer, list] of waiting.entries()) {
      await write(list, (some) => (layers[layer] as RestoreLayer).admin.restoreCells(some));
      list.length = 0;
    }
    bytes = 0;
  };
  for await (const { layer, cursors, rows, count, ...cell } of cells) {
    const checkpoint = rebaseCheckpoint(rows, cell);
    const from = cursors.map(([address, seq]) => ({ cell: address, seq }));
    waiting[layer]?.push({ ...cell, checkpoint, cursors: from });
    totals.cells++;
    totals.bytes += checkpoint.length;
    if (layer === 0) totals.entities += count;
    bytes += checkpoint.length;
    const isFull = (waiting[layer]?.length ?? 0) >= CELLS_PER_WRITE || bytes >= BYTES_PER_WRITE;
    if (isFull) await flush();
  }
  await flush();
  for await (const flight of flights) {
    const { admin, store } = layers[flight.layer] as RestoreLayer;
    await write(partsOf(flight), (some) => admin.restoreChannels(some));
    const posts = flight.posts.map((post) => ({ ...post, cell: flight.cell }));
    await write(posts, async (some) => (await store.post(some)).map(asSeedReply));
    if (flight.layer === 0) totals.entities += rowsIn(flight);
  }
  return totals;
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
