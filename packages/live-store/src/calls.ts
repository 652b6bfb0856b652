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

/** Positions of the items that travel in one call. */
type Group = { readonly at: number[]; bytes: number };

/** Calls a function on all items in one round trip. Answers are in the order of the items. */
export async function callCells<Call, Item, Reply extends { readonly tag: string }>(
  link: Link,
  options: CallOptions,
  fn: LuaFunction<Call, Item, Reply>,
  call: Call,
  items: readonly Item[],
): Promise<(Reply | Fault)[]> {
  if (items.length === 0) return [];
  const packed = items.map((item) => packItem(fn, item));
  const groups = groupsOf(packed, options.perBlock);
  const name = `${options.library}_${fn.name}`;
  const request = ({ at }: Group): Request => {
    const members = at.map((i) => packed[i] as PackedItem);
    return [fn.isReadOnly ? 'FCALL_RO' : 'FCALL', name, ...packCall(fn, call, members)];
  };

  const outcomes = await link.exec(groups.map(request));
  const missing = groups.filter((_, i) => isMissing(outcomes[i]));
  if (missing.length > 0) {
    // Nothing of these calls has run: loading and repeating is not a second execution.
    const reloaded = await ensureLibrary(link, options.library).then(
      () => link.exec(missing.map(request)),
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

/** Packs items into calls, in order; one item alone may be larger than a call of many. */
function groupsOf(items: readonly PackedItem[], perBlock: boolean): Group[] {
  const groups: Group[] = [];
  const open = new Map<string, Group>();
  items.forEach((item, i) => {
    const block = perBlock ? (item.keys[0] as string) : '';
    let group = open.get(block);
    const isFull =
      group === undefined ||
      group.at.length >= CELLS_PER_CALL_MAX ||
      group.bytes + item.bytes > BYTES_PER_CALL_MAX;
    if (group === undefined || isFull) {
      group = { at: [], bytes: 0 };
      groups.push(group);
      open.set(block, group);
    }
    group.at.push(i);
    group.bytes += item.bytes;
  });
  return groups;
}
