/**
 * Works off a bulk job, step by step. Where it stands is kept beside the world before anything is
 * posted, with the ids of the step, so whoever goes on asks for the same entities once more, and an
 * entity that lives or lived is passed over.
 */
import type { LiveRecords } from '@leasehold/live-store';
import type { RequestAnswer } from '@leasehold/protocol';
import {
  type Birth,
  birthPosts,
  groupsOf,
  type RequestPost,
  reservedIds,
} from '@leasehold/protocol';
import { systemClock } from '@leasehold/service';
import type { BulkSource } from './bulk-plan.ts';
import type { OpenLayer } from './worlds.ts';

export type BulkState = {
  /** The step that is due. */
  readonly step: number;
  /** Its ids, once they are reserved. */
  readonly ids?: readonly number[];
  readonly posted: number;
  readonly created: number;
  readonly refused: number;
  /** Why the first of those was refused. */
  readonly message?: string;
};

export const BULK_START: BulkState = { step: 0, posted: 0, created: 0, refused: 0 };
/** As long as a job is listed. */
const KEPT_S = 7 * 24 * 3_600;
/** Posts of one round trip. */
const POSTS_PER_CALL_MAX = 256;
const FULL_PAUSE_MS = 200;
const LOOK_MS = 50;

export async function readBulkState(records: LiveRecords, job: string): Promise<BulkState> {
  const text = await records.read('job', job);
  return text === undefined ? BULK_START : (JSON.parse(text) as BulkState);
}

export type BulkParts = {
  readonly job: string;
  readonly plan: BulkSource;
  readonly layer: OpenLayer;
  readonly records: LiveRecords;
  /** Whether it is to end before it is done. */
  readonly isCancelled: () => Promise<boolean>;
  readonly onStep: (state: BulkState) => Promise<void>;
};

/** Returns where it stands when it is done, or cancelled. Errors: those of the store. */
export async function workOff(parts: BulkParts): Promise<BulkState> {
  const { job, plan, layer, records } = parts;
  let state = await readBulkState(records, job);
  const keep = async (next: BulkState): Promise<void> => {
    state = next;
    await records.write('job', job, JSON.stringify(next), KEPT_S);
  };
  while (state.step < plan.steps && !(await parts.isCancelled())) {
    const births = await plan.births(state.step);
    if (state.ids === undefined) await keep({ ...state, ids: await reservedIds(layer, births) });
    const groups = groupsOf(births);
    const posts = birthPosts(births, groups, state.ids ?? []);
    const sizes = groups.map(({ of }) => of.length);
    const answers = await posted(parts, state.step, posts);
    if (answers === undefined) return state;
    const { ids: _, ...done } = counted(state, births, sizes, answers);
    await keep({ ...done, step: state.step + 1 });
    await parts.onStep(state);
  }
  return state;
}

function counted(
  state: BulkState,
  births: readonly Birth[],
  sizes: readonly number[],
  answers: readonly RequestAnswer[],
): BulkState {
  let { created, refused, message } = state;
  for (const [i, answer] of answers.entries()) {
    if (answer.tag === 'APPLIED') created += sizes[i] ?? 0;
    else {
      refused += sizes[i] ?? 0;
      message ??= answer.message;
    }
  }
  const posted = state.posted + births.length;
  return { ...state, posted, created, refused, ...(message === undefined ? {} : { message }) };
}

/** Posts a step, again and again where inboxes are full, and waits for all answers. */
async function posted(
  { job, layer: { store }, isCancelled }: BulkParts,
  step: number,
  posts: readonly RequestPost[],
): Promise<readonly RequestAnswer[] | undefined> {
  const ids = posts.map((_, i) => `${job}.${step}.${i}`);
  const answers: (RequestAnswer | undefined)[] = await store.answers(ids);
  let left = posts.map((_, i) => i).filter((i) => answers[i] === undefined);
  while (left.length > 0) {
    const full: number[] = [];
    for (let from = 0; from < left.length; from += POSTS_PER_CALL_MAX) {
      const some = left.slice(from, from + POSTS_PER_CALL_MAX);
      const items = some.map((i) => ({ ...(posts[i] as RequestPost), id: ids[i] as string }));
      const replies = await store.post(items);
      for (const [j, reply] of replies.entries()) {
        if (reply.tag === 'OK') continue;
        if (reply.tag === 'FULL' || reply.tag === 'UNKNOWN') full.push(some[j] as number);
        else throw new Error(`the store answers ${reply.tag} to a post of job ${job}`);
      }
    }
    left = full;
    if (left.length === 0) break;
    if (await isCancelled()) return undefined;
    await systemClock.sleep(FULL_PAUSE_MS);
  }
  let open = ids.map((_, i) => i).filter((i) => answers[i] === undefined);
  while (open.length > 0) {
    const found = await store.answers(open.map((i) => ids[i] as string));
    for (const [j, answer] of found.entries()) answers[open[j] as number] = answer;
    open = open.filter((i) => answers[i] === undefined);
    if (open.length === 0) break;
    if (await isCancelled()) return undefined;
    await systemClock.sleep(LOOK_MS);
  }
  return answers.filter((answer) => answer !== undefined);
}
