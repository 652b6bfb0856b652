/**
 * The twin against the real server: the same calls at the same time of the store's clock, and every
 * answer compared. What the simulation proves on the twin holds on Redis as far as this holds.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Random } from '@leasehold/kernel';
import type { LiveStore } from '@leasehold/live-store';
import type { ColdStore, Head, Store } from '@leasehold/protocol';
import {
  openTwinAdmin,
  openTwinStore,
  type TwinDefect,
  type TwinServer,
  twinServer,
} from '@leasehold/twin-store';
import { Hub } from '../model/hub.ts';
import { GRACE_MS, LAYER, Lane, START_MS } from '../model/lane.ts';
import { startServers } from '../model/servers.ts';
import { stream } from '../simulation/plan.ts';
import { CELLS, Drawer, type Step } from './draw.ts';

/** Calls of one trace: beyond, too much of it would be of the past. */
const TRACE_STEPS = 120;
/** Traces that run side by side, so that neither side waits for the other. */
const LANES = 8;

export type Difference = {
  readonly trace: number;
  readonly step: number;
  readonly call: string;
  readonly server: string;
  readonly twin: string;
};

export type Duel = {
  readonly traces: number;
  readonly calls: number;
  /** How often a cell left the server. */
  readonly cooled: number;
  /** Answers by call and tag: which ways were gone at all. */
  readonly answers: Readonly<Record<string, number>>;
  readonly differences: readonly Difference[];
};

export type DuelOptions = {
  /** At least so many are made on both. */
  readonly calls: number;
  readonly firstTrace?: number;
  /** Rules that the twin breaks. */
  readonly defects?: readonly TwinDefect[];
  /**
   * Where the server's cells sleep: whenever one may, it goes there, between any two calls. The twin
   * has no such thing.
   */
  readonly cold?: (world: string) => ColdStore;
};

/** Plays traces on both, up to the first difference. Starts a server of its own, and ends it. */
export async function duel(options: DuelOptions): Promise<Duel> {
  const servers = await startServers(false);
  const hub = new Hub(servers.urls);
  try {
    await hub.open();
    return await playAll(hub, options);
  } finally {
    await hub.close();
    await servers.close();
  }
}

async function playAll(hub: Hub, options: DuelOptions): Promise<Duel> {
  const { calls, firstTrace = 1, defects = [], cold } = options;
  const answers = new Map<string, number>();
  const differences: Difference[] = [];
  let done = 0;
  let cooled = 0;
  let next = firstTrace;
  const run = async (number: number): Promise<void> => {
    const world = `duel${number}`;
    const lane = new Lane(hub, world, CELLS, cold !== undefined);
    lane.cold = cold?.(world);
    await lane.open();
    while (done < calls && differences.length === 0) {
      const trace = next++;
      const played = await play(lane, { trace, defects }, answers);
      done += played.calls;
      cooled += played.cooled;
      if (played.difference !== undefined) differences.push(played.difference);
    }
    await lane.cold?.close();
  };
  await Promise.all(Array.from({ length: LANES }, (_, number) => run(number)));
  const sorted = [...answers].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    traces: next - firstTrace,
    calls: done,
    cooled,
    answers: Object.fromEntries(sorted),
    differences,
  };
}

/** One trace, to its end or to the first answer that differs. */
async function play(
  lane: Lane,
  { trace, defects }: { readonly trace: number; readonly defects: readonly TwinDefect[] },
  answers: Map<string, number>,
): Promise<{ calls: number; cooled: number; difference?: Difference }> {
  await lane.reset(0);
  const twin = await openTwin(lane, defects);
  const random: Random = stream(trace, 'duel');
  const isCooling = lane.cold !== undefined;
  const drawer = new Drawer(random, isCooling);
  let calls = 0;
  let cooled = 0;
  for (let step = 0; step < TRACE_STEPS; step++) {
    const drawn = drawer.next();
    if ('ms' in drawn) {
      await lane.step(drawn.ms);
      twin.server.stepClock(drawn.ms);
      continue;
    }
    calls++;
    if (isCooling) cooled += await coolAll(lane.store());
    const [real, other] = await Promise.all([
      answer(drawn, lane.store()),
      answer(drawn, twin.store),
    ]);
    tally(drawn.kind, real, answers);
    const isSame = isCooling ? isTheSameState(drawn.kind) : isDeepStrictEqual;
    if (!isSame(plain(real), plain(other))) {
      const told = { server: shown(real), twin: shown(other) };
      return { calls, cooled, difference: { trace, step, call: drawn.kind, ...told } };
    }
    drawn.learn?.(real as never);
  }
  return { calls, cooled };
}

/** All that may leave does. One that was never written keeps its lease's past, as the twin does. */
async function coolAll(store: LiveStore): Promise<number> {
  const cells = [...Array(CELLS).keys()];
  const heads = await store.heads(cells);
  const written = cells.filter((_, i) => ((heads[i] as Head | undefined)?.seq ?? 0) > 0);
  const replies = await store.cool(written);
  return replies.filter((reply) => reply.tag === 'COLD' && reply.hasLeft).length;
}

async function openTwin(
  { grid }: Lane,
  defects: readonly TwinDefect[],
): Promise<{ server: TwinServer; store: Store }> {
  const at = { world: 'twin', incarnation: 1, layer: LAYER };
  const clock = { nowMs: () => 0 };
  const facts = { grid, graceMs: GRACE_MS, epochMs: START_MS };
  const server = twinServer({ ...facts, clock, defects });
  await openTwinAdmin(server, at).createBlocks();
  return { server, store: openTwinStore(server, at) };
}

/** A rejection is an answer as well; by its name, since words are for people. */
async function answer(step: Step & { call: unknown }, store: Store): Promise<unknown> {
  try {
    return await (step.call as (store: Store) => Promise<unknown>)(store);
  } catch (error) {
    return { rejected: error instanceof Error ? error.name : String(error) };
  }
}

/** Without what may differ: the words of a refusal, and the kind of array that bytes are in. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return [...value].sort(([a], [b]) => a - b).map(plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key, of]) => key !== 'message' && of !== undefined);
  return Object.fromEntries(kept.map(([key, of]) => [key, plain(of)]));
}

/** A repeated end of a lease is known as long as the cell is here (L4); what it does shows later. */
const ENDING: ReadonlySet<string> = new Set(['release', 'handover', 'revoke']);

/** What is left out of the comparison where cells sleep: how a state is kept, not what it is. */
const KEPT: ReadonlySet<string> = new Set(['checkpoints', 'restoredSeq', 'coldMark']);

function isTheSameState(kind: string): (a: unknown, b: unknown) => boolean {
  if (ENDING.has(kind)) return () => true;
  return (server, twin) => {
    // Whoever has just looked at a head hears a second later that the cell has gone.
    const isLate = kind === 'poll' && Array.isArray(server) && server.length === 0;
    return isLate || isDeepStrictEqual(stateOf(server), stateOf(twin));
  };
}

/** Of an image its end, as what is before it may be in a checkpoint; of news that there is more. */
function stateOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stateOf);
  if (typeof value !== 'object' || value === null) return value;
  const of = value as Readonly<Record<string, unknown>>;
  if ('resync' in of) return {};
  // Who is not the holder is told so, and of a cell that sleeps there is none: also who ended it before.
  if (of['tag'] === 'FENCED') return { tag: 'FENCED' };
  // What all have read may be gone from a channel.
  if ('from' in of && 'to' in of && 'body' in of) return {};
  if ('entries' in of) {
    const last = (of['entries'] as readonly object[]).at(-1) ?? of['checkpoint'] ?? {};
    const { seq, hash, tick } = last as Readonly<Record<string, unknown>>;
    return { cell: of['cell'], seq, hash, tick };
  }
  const kept = Object.entries(of).filter(([key]) => !KEPT.has(key));
  return Object.fromEntries(kept.map(([key, each]) => [key, stateOf(each)]));
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_key, of: unknown) => {
    return of instanceof Map ? [...of] : of;
  });
}

function tally(kind: string, replies: unknown, answers: Map<string, number>): void {
  for (const reply of Array.isArray(replies) ? replies : [replies]) {
    const tag = (reply as { readonly tag?: string } | null)?.tag ?? 'answer';
    answers.set(`${kind} ${tag}`, (answers.get(`${kind} ${tag}`) ?? 0) + 1);
  }
}
