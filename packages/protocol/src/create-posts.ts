/** New entities as posts: each to the cell that its position is in, as many in a post as it takes. */
import { entityId } from '@leasehold/kernel';
import { IDS_PER_CALL_MAX, type LifeStore } from './life-store.ts';
import {
  type ComponentValues,
  CREATES_PER_REQUEST_MAX,
  encodeRequest,
  type NewEntity,
} from './request.ts';

/** What is put into the inbox of a cell. */
export type RequestPost = { readonly cell: number; readonly body: Uint8Array };

export type Birth = { readonly cell: number; readonly components: ComponentValues };

/** Births of one post, by their positions in the request. */
export type BirthGroup = { readonly cell: number; readonly of: readonly number[] };

/** Below the bytes of a post, with room for what stands around the entities. */
const POST_BYTES_MAX = 60 * 1024;
/** `{"id":9007199254740991,"components":}` and a comma. */
const BIRTH_BYTES = 40;

/** The same groups for the same births: a repetition makes the same posts. */
export function groupsOf(births: readonly Birth[]): BirthGroup[] {
  const groups: { cell: number; of: number[]; bytes: number }[] = [];
  const open = new Map<number, (typeof groups)[number]>();
  for (const [i, { cell, components }] of births.entries()) {
    const bytes = Buffer.byteLength(JSON.stringify(components)) + BIRTH_BYTES;
    let group = open.get(cell);
    const isFull =
      group !== undefined &&
      (group.of.length >= CREATES_PER_REQUEST_MAX || group.bytes + bytes > POST_BYTES_MAX);
    if (group === undefined || isFull) {
      group = { cell, of: [], bytes: 0 };
      open.set(cell, group);
      groups.push(group);
    }
    group.of.push(i);
    group.bytes += bytes;
  }
  return groups;
}

/** Ids that nobody else gets, in the order of the births. */
export async function reservedIds(
  { store }: { readonly store: Pick<LifeStore, 'reserveIds'> },
  births: readonly Birth[],
): Promise<number[]> {
  const byCell = new Map<number, number[]>();
  for (const [i, { cell }] of births.entries()) {
    const known = byCell.get(cell);
    if (known === undefined) byCell.set(cell, [i]);
    else known.push(i);
  }
  const ids: number[] = new Array(births.length).fill(0);
  await Promise.all(
    [...byCell].map(async ([cell, of]) => {
      for (let from = 0; from < of.length; from += IDS_PER_CALL_MAX) {
        const some = of.slice(from, from + IDS_PER_CALL_MAX);
        const first = await store.reserveIds(cell, some.length);
        for (const [i, birth] of some.entries()) ids[birth] = entityId(cell, first + i, 1);
      }
    }),
  );
  return ids;
}

export function birthPosts(
  births: readonly Birth[],
  groups: readonly BirthGroup[],
  ids: readonly number[],
): RequestPost[] {
  return groups.map(({ cell, of }) => {
    const entities = of.map((i): NewEntity => {
      return { id: ids[i] as number, components: births[i]?.components ?? {} };
    });
    return { cell, body: encodeRequest({ kind: 'create', entities }) };
  });
}
