/** Makes a part of a running world what it was: asks its cells as anybody may, and waits for answers. */
import { randomUUID } from 'node:crypto';
import { type Clock, LeaseholdError } from '@leasehold/kernel';
import {
  type Birth,
  birthPosts,
  encodeRequest,
  groupsOf,
  type RequestAnswer,
  type RequestPost,
  reservedIds,
  type Store,
} from '@leasehold/protocol';
import type { AreaPlan } from './area-plan.ts';

const POSTS_PER_CALL = 256;
const LOOK_MS = 50;
/** An inbox that takes nothing, and pods that answer nothing, for so long: somebody is to look. */
const PATIENCE_MS = 30_000;

export type AreaWorld = {
  readonly store: Pick<Store, 'post' | 'answers' | 'reserveIds'>;
  readonly grid: { cellAt(x: number, y: number): number };
  readonly clock: Clock;
  readonly progress?: (at: { readonly answered: number; readonly total: number }) => void;
};

/** Entities. */
export type AreaRestored = {
  readonly born: number;
  readonly died: number;
  readonly changed: number;
  readonly refused: number;
  /** Each once: it went or died meanwhile, or its values are none that the world takes. */
  readonly reasons: readonly string[];
};

/** What is asked of a cell, and of how many entities. */
type Asking = RequestPost & { readonly kind: 'born' | 'died' | 'changed'; readonly count: number };

/** Throws `WORLD_NOT_READY` when nobody answers: what was asked is still done when somebody does. */
export async function restoreArea(world: AreaWorld, plan: AreaPlan): Promise<AreaRestored> {
  const asked = await askedOf(world, plan);
  const run = randomUUID();
  const counts = { born: 0, died: 0, changed: 0, refused: 0 };
  const reasons = new Set<string>();
  for (let from = 0; from < asked.length; from += POSTS_PER_CALL) {
    const some = asked.slice(from, from + POSTS_PER_CALL);
    const ids = some.map((_, i) => `area-${run}.${from + i}`);
    await post(world, some, ids);
    for (const [i, answer] of (await answersTo(world, ids)).entries()) {
      const { kind, count } = some[i] as Asking;
      counts[answer.tag === 'REFUSED' ? 'refused' : kind] += count;
      if (answer.tag === 'REFUSED') reasons.add(answer.message);
    }
    world.progress?.({ answered: from + some.length, total: asked.length });
  }
  return { ...counts, reasons: [...reasons] };
}

/** Who goes, goes first: there may be no room for both. */
async function askedOf({ store, grid }: AreaWorld, plan: AreaPlan): Promise<Asking[]> {
  const births = plan.births.map(({ x, y, components }): Birth => {
    return { cell: grid.cellAt(x ?? 0, y ?? 0), components };
  });
  const ids = await reservedIds({ store }, births);
  const groups = groupsOf(births);
  return [
    ...plan.deaths.map(({ id, cell }): Asking => {
      return { cell, body: encodeRequest({ kind: 'delete', id }), kind: 'died', count: 1 };
    }),
    ...plan.changes.map(({ cell, id, set, remove }): Asking => {
      const body = encodeRequest({ kind: 'patch', id, set, remove });
      return { cell, body, kind: 'changed', count: 1 };
    }),
    ...birthPosts(births, groups, ids).map((birth, i): Asking => {
      return { ...birth, kind: 'born', count: groups[i]?.of.length ?? 0 };
    }),
  ];
}

/** M1: a post that was taken is known by its id, so what was not heard is said again. */
async function post(
  { store, clock }: AreaWorld,
  posts: readonly RequestPost[],
  ids: readonly string[],
): Promise<void> {
  const untilMs = clock.nowMs() + PATIENCE_MS;
  let left = posts.map((each, i) => ({ ...each, id: ids[i] ?? '' }));
  while (left.length > 0) {
    const replies = await store.post(left);
    const fault = replies.find(({ tag }) => tag !== 'OK' && tag !== 'FULL' && tag !== 'UNKNOWN');
    if (fault !== undefined) throw notReady(`the store answers ${fault.tag}`);
    left = left.filter((_, i) => replies[i]?.tag !== 'OK');
    if (left.length === 0) return;
    if (clock.nowMs() > untilMs) throw notReady(`the inbox of cell ${left[0]?.cell} is full`);
    await clock.sleep(LOOK_MS);
  }
}

async function answersTo(
  { store, clock }: AreaWorld,
  ids: readonly string[],
): Promise<RequestAnswer[]> {
  const untilMs = clock.nowMs() + PATIENCE_MS;
  for (;;) {
    const answers = await store.answers(ids);
    const known = answers.filter((answer) => answer !== undefined);
    if (known.length === ids.length) return known;
    if (clock.nowMs() > untilMs) throw notReady('no pod answers');
    await clock.sleep(LOOK_MS);
  }
}

function notReady(why: string): LeaseholdError {
  return new LeaseholdError('WORLD_NOT_READY', `the area is not restored yet: ${why}`, {
    field: 'world',
    value: why,
    remedy: 'Start the world with leasehold run: what was asked is done then. Then restore again.',
  });
}
