/** How far jobs have come: at once, or line by line until they have ended. */
import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';
import { systemClock } from '@leasehold/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isOver } from './jobs.ts';
import { problemOf, tooManyFollowed } from './problems.ts';
import { NDJSON } from './shapes.ts';

/** Who follows progress costs some look-ups a second. */
const FOLLOWED_MAX = 128;

const LOOK_MS = 200;
/** A line comes at least so often: a connection that is silent for longer is closed. */
const TELL_MS = 2_000;

type Facts = { readonly state: string };

/** All that are followed here, of whatever kind: each costs the same. */
export class JobFollowers {
  #followed = 0;

  /** Answers with how far it is; whoever asks for lines is told until its end. Errors: `look`'s. */
  async answer(
    request: FastifyRequest,
    reply: FastifyReply,
    look: () => Promise<Facts>,
  ): Promise<FastifyReply> {
    const facts = await look();
    const isFollowed = request.method === 'GET' && acceptsLines(request.headers.accept);
    if (!isFollowed) return reply.type('application/json; charset=utf-8').send(facts);
    if (this.#followed >= FOLLOWED_MAX && !isOver(facts)) throw tooManyFollowed(FOLLOWED_MAX);
    this.#followed++;
    const left = new AbortController();
    reply.raw.once('close', () => {
      this.#followed--;
      left.abort();
    });
    const faulty = (error: unknown): object => problemOf(error as Error, request);
    const lines = progressLines(facts, look, faulty, left.signal);
    return reply.type(NDJSON).send(Readable.from(lines, { objectMode: false }));
  }
}

/** Whether lines are asked for by name: who takes anything gets one answer. */
const acceptsLines = (accept = ''): boolean =>
  accept.split(',').some((each) => each.split(';')[0]?.trim().toLowerCase() === NDJSON);

/**
 * A line whenever something has changed; the last is that of a job that is over, or what `faulty`
 * makes of an error. Ends when the signal says that nobody listens.
 */
async function* progressLines(
  first: Facts,
  look: () => Promise<Facts>,
  faulty: (error: unknown) => object,
  signal: AbortSignal,
): AsyncGenerator<string> {
  setMaxListeners(0, signal);
  let told = JSON.stringify(first);
  let toldAtMs = systemClock.nowMs();
  yield `${told}\n`;
  let facts = first;
  while (!isOver(facts) && !signal.aborted) {
    await systemClock.sleep(LOOK_MS, signal).catch(() => undefined);
    try {
      facts = await look();
    } catch (error) {
      yield `${JSON.stringify(faulty(error))}\n`;
      return;
    }
    const text = JSON.stringify(facts);
    if (text === told && systemClock.nowMs() - toldAtMs < TELL_MS) continue;
    told = text;
    toldAtMs = systemClock.nowMs();
    yield `${text}\n`;
  }
}
