/**
 * Calls of the function library on many cells: grouped within the limits of a call, all groups in
 * one round trip, each cell answered on its own.
 */
import { BYTES_PER_CALL_MAX, CELLS_PER_CALL_MAX } from '@leasehold/protocol';
import { faultReply, isFunctionMissing } from './faults.ts';
import { ensureLibrary } from './library.ts';
import type { Link, Outcome, Request } from './link.ts';
import {
  type LuaFunction,
  type PackedItem,
  packCall,
  packItem,
  readReplies,
} from './lua-function.ts';

export type Unknown = { readonly tag: 'UNKNOWN'; readonly message: string };
type Fault = Unknown | { readonly tag: 'REFUSED'; readonly message: string };

export type CallOptions = {
  readonly library: string;
  /** Cells of different blocks must not share a call: they may be on different nodes. */
  readonly perBlock: boolean;
};

/** The items that travel in one call, and their positions. */
type Group = { readonly at: number[]; readonly members: PackedItem[]; bytes: number };

/** Calls a function on all items in one round trip. Answers are in the order of the items. */
export async function callCells<Call, Item, Reply extends { readonly tag: string }>(
  link: Link,
  options: CallOptions,
  fn: LuaFunction<Call, Item, Reply>,
  call: Call,
  items: readonly Item[],
): Promise<(Reply | Fault)[]> {
  if (items.length === 0) return [];
  const groups: Group[] = [];
  const name = `${options.library}_${fn.name}`;
  const request = ({ members }: Group): Request => [
    fn.isReadOnly ? 'FCALL_RO' : 'FCALL',
    name,
    ...packCall(fn, call, members),
  ];
  const requests = function* (): Generator<Request> {
    for (const group of groupsOf(fn, items, options.perBlock)) {
      groups.push(group);
      yield request(group);
    }
  };

  const outcomes = await link.stream(requests());
  const missing = groups.filter((_, i) => isMissing(outcomes[i]));
  if (missing.length > 0) {
    // Nothing of these calls has run: loading and repeating is not a second execution.
    const reloaded = await ensureLibrary(link, options.library).then(
      () => link.stream(missing.map(request)),
      (error: Error) => missing.map((): Outcome => ({ error })),
    );
    missing.forEach((group, i) => {
      outcomes[groups.indexOf(group)] = reloaded[i] as Outcome;
    });
  }

  const replies: (Reply | Fault)[] = new Array(items.length);
  groups.forEach(({ at }, i) => {
    const { value, error } = outcomes[i] as Outcome;
    const answers = error === undefined ? readReplies(fn, value, at.length) : undefined;
    const fault = error === undefined ? undefined : faultReply(error);
    at.forEach((position, j) => {
      replies[position] = (answers?.[j] ?? fault) as Reply | Fault;
    });
  });
  return replies;
}

const isMissing = (outcome: Outcome | undefined): boolean =>
  outcome?.error !== undefined && isFunctionMissing(outcome.error);

/**
 * Packs items into calls, in order; one item alone may be larger than a call of many. Each call is
 * given out as soon as it is full.
 */
function* groupsOf<Call, Item, Reply extends { readonly tag: string }>(
  fn: LuaFunction<Call, Item, Reply>,
  items: readonly Item[],
  perBlock: boolean,
): Generator<Group> {
  const open = new Map<string, Group>();
  for (const [i, item] of items.entries()) {
    const packed = packItem(fn, item);
    const block = perBlock ? (packed.keys[0] as string) : '';
    let group = open.get(block);
    const isFull =
      group !== undefined &&
      (group.at.length >= CELLS_PER_CALL_MAX || group.bytes + packed.bytes > BYTES_PER_CALL_MAX);
    if (group !== undefined && isFull) yield group;
    if (group === undefined || isFull) {
      group = { at: [], members: [], bytes: 0 };
      open.set(block, group);
    }
    group.at.push(i);
    group.members.push(packed);
    group.bytes += packed.bytes;
  }
  yield* open.values();
}
