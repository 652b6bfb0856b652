/**
 * Puts requests into the inboxes of cells, once each, and looks for their answers. A request is one
 * post or several; its id tells how many, so any replica can look for the answers of all.
 */
import { randomUUID } from 'node:crypto';
import { LeaseholdError } from '@leasehold/kernel';
import type { AsleepCode, RequestAnswer, RequestPost } from '@leasehold/protocol';
import { systemClock } from '@leasehold/service';
import type { OpenLayer } from './worlds.ts';

/** What became of a request so far. */
export type RequestState = {
  readonly request: string;
  /** `pending`: some of it was not answered yet. `refused`: some of it was. */
  readonly state: 'pending' | 'applied' | 'refused';
  readonly posts: number;
  readonly answered: number;
  /** The latest tick of the answers. */
  readonly tick?: number;
  readonly refusal?: Extract<RequestAnswer, { tag: 'REFUSED' }>;
};

/** Entities of one request may stand in so many cells. */
export const POSTS_PER_REQUEST_MAX = 512;
/** Below the time after which a connection that is silent is closed. */
export const WAIT_MS_MAX = 8_000;
const LOOK_MS_MIN = 10;
const LOOK_MS_MAX = 100;
const ASLEEP_REMEDIES: Readonly<Record<AsleepCode, string>> = {
  CELL_COLD: 'Repeat the request with the same idempotency key when PostgreSQL answers.',
  CELL_LOST: 'Is SNAPSHOTS_URL the database of the pods? Else restore a snapshot of the world.',
};
const ID_PATTERN = /^([0-9a-f-]{36})-(\d{1,3})$/;

export function newRequestId(posts: number): string {
  return `${randomUUID()}-${posts}`;
}

export const postIds = (request: string): string[] => {
  const posts = Number(ID_PATTERN.exec(request)?.[2] ?? 0);
  return Array.from(
    { length: Math.min(posts, POSTS_PER_REQUEST_MAX) },
    (_, i) => `${request}.${i}`,
  );
};

/**
 * Posts a request; what was posted or answered before is not done again. Errors: `INBOX_FULL`, of
 * which nothing or a part was taken; `REDIS_UNREACHABLE`, `WORLD_NOT_READY`, `CELL_COLD`, `CELL_LOST`.
 * Repeat it after any.
 */
export async function postRequest(
  { store }: OpenLayer,
  request: string,
  posts: readonly RequestPost[],
): Promise<void> {
  const ids = postIds(request);
  // M1: an inbox remembers its last posts only, an answer stays longer.
  const answers = await store.answers(ids);
  const items = posts
    .map(({ cell, body }, i) => ({
      cell,
      body,
      id: ids[i] ?? '',
      isDone: answers[i] !== undefined,
    }))
    .filter(({ isDone }) => !isDone);
  const replies = await store.post(items);
  for (const [i, reply] of replies.entries()) {
    if (reply.tag === 'OK') continue;
    throw postFault(reply, items[i]?.cell ?? -1);
  }
}

function postFault(
  reply: { readonly tag: string; readonly message?: string; readonly code?: AsleepCode },
  cell: number,
): LeaseholdError {
  const { tag, message = '', code: asleep } = reply;
  if (tag === 'FULL') {
    return new LeaseholdError('INBOX_FULL', `too many requests wait for cell ${cell}`, {
      field: 'cell',
      value: String(cell),
      remedy: 'Repeat the request after the time that retry-after tells.',
    });
  }
  if (asleep !== undefined) {
    return new LeaseholdError(asleep, `cell ${cell} sleeps: ${message}`, {
      field: 'cell',
      value: String(cell),
      remedy: ASLEEP_REMEDIES[asleep],
    });
  }
  const isGone = tag === 'NOWORLD' || tag === 'SEALED';
  const code = isGone
    ? 'WORLD_NOT_READY'
    : tag === 'BADARG'
      ? 'LIMIT_EXCEEDED'
      : tag === 'REFUSED'
        ? 'REDIS_REFUSED'
        : 'REDIS_UNREACHABLE';
  return new LeaseholdError(code, `the store answers ${tag} ${message}`, {
    field: 'cell',
    value: String(cell),
    remedy: isGone
      ? 'The world was replaced or forgotten: ask again in a moment.'
      : 'Repeat the request with the same idempotency key: that is harmless.',
  });
}

/** Errors: `REQUEST_UNKNOWN` for an id that no request has. */
export async function requestState({ store }: OpenLayer, request: string): Promise<RequestState> {
  const ids = postIds(request);
  if (ids.length === 0) {
    throw new LeaseholdError('REQUEST_UNKNOWN', `${request.slice(0, 64)} is no request`, {
      field: 'request',
      value: request.slice(0, 64),
      remedy: 'Ask with the id that was answered when the request was taken.',
    });
  }
  return stateOf(request, await store.answers(ids));
}

function stateOf(request: string, answers: readonly (RequestAnswer | undefined)[]): RequestState {
  const given = answers.filter((answer) => answer !== undefined);
  const refusal = given.find((answer) => answer.tag === 'REFUSED');
  const isWhole = given.length === answers.length;
  const tick = given.length === 0 ? undefined : Math.max(...given.map((answer) => answer.tick));
  return {
    request,
    state: !isWhole ? 'pending' : refusal === undefined ? 'applied' : 'refused',
    posts: answers.length,
    answered: given.length,
    ...(tick === undefined ? {} : { tick }),
    ...(refusal === undefined ? {} : { refusal }),
  };
}

/** Waits until everything is answered. Errors: `WAIT_EXPIRED`; the refusal of any part. */
export async function waitApplied(layer: OpenLayer, request: string): Promise<RequestState> {
  const deadlineMs = systemClock.nowMs() + WAIT_MS_MAX;
  for (let lookMs = LOOK_MS_MIN; ; lookMs = Math.min(LOOK_MS_MAX, lookMs * 1.5)) {
    const state = await requestState(layer, request);
    if (state.state === 'applied') return state;
    if (state.state === 'refused' && state.refusal !== undefined) throw refusalFault(state.refusal);
    if (systemClock.nowMs() + lookMs > deadlineMs) throw waitFault(request);
    await systemClock.sleep(lookMs);
  }
}

function refusalFault({ code, message }: NonNullable<RequestState['refusal']>): LeaseholdError {
  const field = 'request';
  const value = code;
  if (code === 'MATCH_FAILED') {
    return new LeaseholdError('MATCH_FAILED', message, {
      ...{ field, value },
      remedy: 'Read the entity again, and send the change with its new entity tag.',
    });
  }
  if (code === 'ENTITY_GONE') {
    return new LeaseholdError('ENTITY_UNKNOWN', message, {
      ...{ field, value },
      remedy: 'It died, or never was: look for another one.',
    });
  }
  if (code === 'EVENT_POISON') {
    return new LeaseholdError('EVENT_POISON', message, {
      ...{ field, value },
      remedy: 'Mend the system that handles the event.',
    });
  }
  return new LeaseholdError('VALUE_INVALID', message, {
    ...{ field, value },
    remedy: 'Send what the components and events of the module declare.',
  });
}

function waitFault(request: string): LeaseholdError {
  const message = `the request was taken, and not applied within ${WAIT_MS_MAX / 1_000} s`;
  return new LeaseholdError('WAIT_EXPIRED', message, {
    field: 'request',
    value: request,
    remedy: 'Look for its answer at requests/:request; it is applied when a pod has the cell.',
  });
}
