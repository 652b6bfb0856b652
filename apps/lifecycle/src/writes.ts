/**
 * One way for everything that changes entities: what is to be posted is decided once for each
 * idempotency key, then posted, then, if somebody waits, waited for.
 */
import type { RequestPost } from '@leasehold/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  type Answered,
  claimKey,
  type Decided,
  type KeyRecord,
  keepAnswer,
  requestHash,
} from './idempotency.ts';
import { postRequest, type RequestState, waitApplied } from './request-desk.ts';
import type { OpenLayer, OpenWorld } from './worlds.ts';

export type Write = {
  readonly layer: OpenLayer;
  /** Asked once for a key: ids are reserved and cells looked for here. */
  decide(): Promise<Decided>;
  posts(decided: Decided): readonly RequestPost[] | Promise<readonly RequestPost[]>;
  /** Status of an applied request; taken ones are 202. */
  readonly appliedStatus: 200 | 201;
  /** Whether ids are told. */
  readonly tellsEntities: boolean;
};

/** What is made of a request and its headers. */
type WriteRequest = FastifyRequest & {
  readonly headers: { readonly 'idempotency-key'?: string };
  readonly query: { readonly wait?: 'applied' };
};

export type Replied = Answered & { readonly isReplayed: boolean };

/** Errors: those of `claimKey`, `postRequest` and `waitApplied`. */
export function carryOut(open: OpenWorld, request: FastifyRequest, write: Write): Promise<Replied> {
  const { query } = request as WriteRequest;
  return decideOnce(open, request, {
    decide: () => write.decide(),
    act: async (decided) => {
      await postRequest(write.layer, decided.request, await write.posts(decided));
      const state =
        query.wait === 'applied' ? await waitApplied(write.layer, decided.request) : undefined;
      return answerOf(write, decided, state);
    },
  });
}

type Deed = {
  decide(): Promise<Decided>;
  /** Done again for a repetition whose first request got no answer. */
  act(decided: Decided): Promise<Answered>;
};

/**
 * Decides once for each key, and acts until there is an answer. `body` is what tells requests with
 * one key apart. Errors: those of `claimKey`.
 */
export async function decideOnce(
  open: OpenWorld,
  request: FastifyRequest,
  deed: Deed,
  body: unknown = request.body,
): Promise<Replied> {
  const { headers } = request as WriteRequest;
  const key = headers['idempotency-key'];
  const path = request.url.split('?')[0] ?? '';
  const hash = requestHash(request.method, path, { body, match: headers['if-match'] ?? '' });
  const record: KeyRecord =
    key === undefined
      ? { hash, decided: await deed.decide() }
      : await claimKey(open.records, { key, hash }, () => deed.decide());
  if (record.answer !== undefined) return { ...record.answer, isReplayed: true };
  const answer = await deed.act(record.decided);
  if (key !== undefined) await keepAnswer(open.records, key, record, answer);
  return { ...answer, isReplayed: false };
}

export function replyWith(
  reply: FastifyReply,
  { status, body, isReplayed }: Replied,
): FastifyReply {
  if (isReplayed) reply.header('idempotency-replayed', 'true');
  return reply.code(status).send(body);
}

function answerOf(write: Write, decided: Decided, state: RequestState | undefined): Answered {
  const { request, ids } = decided;
  return {
    status: state === undefined ? 202 : write.appliedStatus,
    body: {
      request,
      state: state === undefined ? 'pending' : 'applied',
      ...(write.tellsEntities ? { entities: ids } : {}),
      ...(state?.tick === undefined ? {} : { tick: state.tick }),
    },
  };
}
