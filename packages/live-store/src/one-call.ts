/** Calls of the function library whose caller has a use for an answer only: faults become errors. */
import { assert, type ErrorCode, LeaseholdError } from '@leasehold/kernel';
import { type CallOptions, callCells } from './calls.ts';
import type { Link } from './link.ts';
import type { LuaFunction } from './lua-function.ts';

type FaultTag = 'NOWORLD' | 'SEALED' | 'BADARG' | 'TOOBIG' | 'REFUSED' | 'BROKEN' | 'UNKNOWN';
export type Answer<Reply> = Exclude<Reply, { readonly tag: FaultTag }>;

const REFUSED = {
  code: 'REDIS_REFUSED',
  remedy: 'Look at the memory, replicas and disk of Redis, then repeat.',
} as const;
const ABSENT = {
  code: 'WORLD_NOT_READY',
  remedy: 'Seed the world, or read its incarnation from the registry again.',
} as const;

const FAULTS: Readonly<Record<string, { readonly code: ErrorCode; readonly remedy: string }>> = {
  NOWORLD: ABSENT,
  SEALED: ABSENT,
  BADARG: { code: 'SETTING_INVALID', remedy: 'Call it with what its description asks for.' },
  TOOBIG: { code: 'LIMIT_EXCEEDED', remedy: 'Send less at once.' },
  REFUSED,
  BROKEN: REFUSED,
  UNKNOWN: { code: 'REDIS_UNREACHABLE', remedy: 'Repeat the call: that is harmless.' },
};

/** Calls a function on all items in one round trip; rejects with what stands in the way. */
export async function callAll<Call, Item, Reply extends { readonly tag: string }>(
  link: Link,
  options: CallOptions,
  fn: LuaFunction<Call, Item, Reply>,
  { call, items }: { readonly call: Call; readonly items: readonly Item[] },
): Promise<Answer<Reply>[]> {
  const replies = await callCells(link, options, fn, call, items);
  return replies.map((reply) => {
    const fault = FAULTS[reply.tag];
    if (fault === undefined) return reply as Answer<Reply>;
    const { message = '' } = reply as { readonly message?: string };
    throw new LeaseholdError(fault.code, `${fn.name}: the store answers ${reply.tag} ${message}`, {
      field: fn.name,
      value: reply.tag,
      remedy: fault.remedy,
    });
  });
}

/** The same on one item. */
export async function callOne<Call, Item, Reply extends { readonly tag: string }>(
  link: Link,
  options: CallOptions,
  fn: LuaFunction<Call, Item, Reply>,
  { call, item }: { readonly call: Call; readonly item: Item },
): Promise<Answer<Reply>> {
  const [reply] = await callAll(link, options, fn, { call, items: [item] });
  assert(reply !== undefined, 'one item has one reply');
  return reply;
}
