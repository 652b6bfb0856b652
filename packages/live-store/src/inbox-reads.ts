/** Reads what waits in inboxes, and tells whoever holds the cells that something does. */
import { cellOfAddress, layerOfAddress, POSTS_PER_READ_MAX, type Post } from '@leasehold/protocol';
import type { RawEntry } from './chain.ts';
import { readStreams } from './follower.ts';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';

/** Streams in one read: the answer names only those that have something. */
const INBOXES_PER_READ_MAX = 1_024;

/** Where an inbox is read from: its posts have greater numbers. */
export type InboxPosition = { readonly cell: number; readonly after: number };

/** See `Store.inboxes`. */
export async function readInboxes(
  link: Link,
  keys: Keys,
  positions: readonly InboxPosition[],
): Promise<(readonly Post[])[]> {
  const found: (readonly Post[])[] = [];
  for (let i = 0; i < positions.length; i += INBOXES_PER_READ_MAX) {
    found.push(...(await readSome(link, keys, positions.slice(i, i + INBOXES_PER_READ_MAX))));
  }
  return found;
}

async function readSome(
  link: Link,
  keys: Keys,
  positions: readonly InboxPosition[],
): Promise<(readonly Post[])[]> {
  const names = positions.map(({ cell }) => keys.cell(cell).inbox);
  const after = positions.map((position) => `${position.after}-0`);
  const [outcome] = await link.exec(
    [['XREAD', 'COUNT', POSTS_PER_READ_MAX, 'STREAMS', ...names, ...after]],
    'bytes',
  );
  const streams = readStreams(outcome);
  return names.map((name) => (streams.get(name) ?? []).map(readPost));
}

/** Fields are `i s b`, in this order. */
function readPost([id, fields]: RawEntry): Post {
  const body = fields[5] ?? Buffer.alloc(0);
  return {
    seq: Number.parseInt(id.toString('latin1'), 10),
    id: fields[1]?.toString() ?? '',
    body: new Uint8Array(body.buffer, body.byteOffset, body.byteLength),
  };
}

/** A pod, or '' where nobody holds them, and the cells of one layer to which something was posted. */
export type Told = { readonly pod: string; readonly layer: number; readonly cells: number[] };

/** Cells to which something was posted, by the pod that holds them. `layer` −1: the store's own. */
export function holdersOf(
  posted: readonly { readonly cell: number; readonly nonce: string }[],
): Told[] {
  const holders = new Map<string, Told>();
  for (const { cell: address, nonce } of posted) {
    const pod = nonce.slice(0, Math.max(0, nonce.lastIndexOf('.')));
    const layer = layerOfAddress(address);
    const key = `${layer} ${pod}`;
    const told = holders.get(key) ?? { pod, layer, cells: [] };
    holders.set(key, told);
    const cell = cellOfAddress(address);
    if (!told.cells.includes(cell)) told.cells.push(cell);
  }
  return [...holders.values()];
}
