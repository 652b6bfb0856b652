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

export type AreaRestored = {
  readonly born: number;
  readonly died: number;
  readonly changed: number;
  /** What was refused, and why: it went or died meanwhile. */
  readonly refused: readonly string[];
};

/** Throws `WORLD_NOT_READY` when nobody answers: what was asked is still done when somebody does. */
export async function restoreArea(world: AreaWorld, plan: AreaPlan): Promise<AreaRestored> {
  const posts = await postsOf(world, plan);
  const run = randomUUID();
  const ids = posts.map((_, i) => `area-${run}.${i}`);
  const refused: string[] = [];
  for (let from = 0; from < posts.length; from += POSTS_PER_CALL) {
    const some = ids.slice(from, from + POSTS_PER_CALL);
    await post(world, posts.slice(from, from + POSTS_PER_CALL), some);
    for (const answer of await answersTo(world, some)) {
      if (answer.tag === 'REFUSED') refused.push(answer.message);
    }
    world.progress?.({ answered: from + some.length, total: posts.length });
  }
  const { births, deaths, changes } = plan;
  return { born: births.length, died: deaths.length, changed: changes.length, refused };
}

/** Who goes, goes first: there may be no room for both. */
async function postsOf({ store, grid }: AreaWorld, plan: AreaPlan): Promise<RequestPost[]> {
  const births = plan.births.map(({ x, y, components }): Birth => {
    return { cell: grid.cellAt(x ?? 0, y ?? 0), components };
  });
  const ids = await reservedIds({ store }, births);
  return [
    ...plan.deaths.map(({ id, cell }) => ({ cell, body: encodeRequest({ kind: 'delete', id }) })),
    ...plan.changes.map(({ cell, id, set, remove }) => {
      return { cell, body: encodeRequest({ kind: 'patch', id, set, remove }) };
    }),
    ...birthPosts(births, groupsOf(births), ids),
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
