/** Events to entities, and letters that found nobody: listed, and sent once more. */

import { createHash } from 'node:crypto';
import { hasCode } from '@leasehold/kernel';
import { DEAD_LETTERS_MAX, type DeadLetter, encodeRequest, type Json } from '@leasehold/protocol';
import type { ApiRoutes, App } from './api.ts';
import { oneCell } from './entity-routes.ts';
import { findRow } from './finding.ts';
import { postRequest } from './request-desk.ts';
import {
  bodyProblems,
  EVENT_BODY,
  LETTERS,
  LETTERS_QUERY,
  problems,
  REPLAY_BODY,
  REPLAYED,
  TAKEN,
  WAIT,
  WORLD_PARAMS,
  WRITE_HEADERS,
} from './shapes.ts';
import type { OpenLayer, OpenWorld } from './worlds.ts';
import { carryOut, replyWith } from './writes.ts';

const LETTERS_DEFAULT = 100;
const LETTERS_MAX = 1_000;
const tags = ['events'];

export function addEventRoutes(app: App, { worlds }: ApiRoutes): void {
  const emit = {
    ...{ tags, operationId: 'emitEvent', params: WORLD_PARAMS, querystring: WAIT },
    ...{ headers: WRITE_HEADERS, body: EVENT_BODY },
    summary: 'Sends an event to an entity.',
    response: { 200: TAKEN, 202: TAKEN, ...bodyProblems(409, 422, 504) },
  };
  app.post('/events', { schema: emit }, async (request, reply) => {
    const open = await worlds.open(request.params.world);
    const { entity: id, event } = request.body;
    const payload = (request.body.payload ?? {}) as Readonly<Record<string, Json>>;
    const body = encodeRequest({ kind: 'event', id, event, payload });
    const write = oneCell(open, id, body);
    return replyWith(reply, await carryOut(open, request, write));
  });

  const list = {
    ...{ tags, operationId: 'listDeadLetters', params: WORLD_PARAMS },
    querystring: LETTERS_QUERY,
    summary: 'Events and requests that could not take effect, oldest first.',
    response: { 200: LETTERS, ...problems() },
  };
  app.get('/dead-letters', { schema: list }, async (request) => {
    const { layers } = await worlds.open(request.params.world);
    const count = Math.min(Number(request.query.limit ?? LETTERS_DEFAULT), LETTERS_MAX);
    return { letters: (await lettersOf(layers, count)).map(({ letter }) => letter) };
  });

  const replay = {
    ...{ tags, operationId: 'replayDeadLetters', params: WORLD_PARAMS, body: REPLAY_BODY },
    summary: 'Sends letters once more, and drops those that were sent.',
    response: { 200: REPLAYED, ...bodyProblems() },
  };
  app.post('/dead-letters/replay', { schema: replay }, async (request) => {
    const open = await worlds.open(request.params.world);
    return replayed(open, request.body.ids);
  });
}

type KeptLetter = { readonly layer: OpenLayer; readonly letter: DeadLetter };

/** The oldest of all layers: each keeps those of its own. */
async function lettersOf(layers: OpenWorld['layers'], count: number): Promise<KeptLetter[]> {
  const all = await Promise.all(
    layers.map(async (layer) =>
      (await layer.store.deadLetters(count)).map((letter) => ({ layer, letter })),
    ),
  );
  return all
    .flat()
    .sort((a, b) => a.letter.atMs - b.letter.atMs)
    .slice(0, count);
}

async function replayed(open: OpenWorld, ids: readonly string[]) {
  const all = await lettersOf(open.layers, DEAD_LETTERS_MAX * open.layers.length);
  const kept = new Map(all.map((each) => [each.letter.id, each]));
  const sent: KeptLetter[] = [];
  const gone: string[] = [];
  for (const each of ids.flatMap((id) => kept.get(id) ?? [])) {
    if (await isSent(open, each.letter)) sent.push(each);
    else gone.push(each.letter.id);
  }
  for (const layer of open.layers) {
    const its = sent.filter((each) => each.layer === layer);
    if (its.length > 0) await layer.store.dropDeadLetters(its.map(({ letter }) => letter.id));
  }
  return { replayed: sent.length, unknown: ids.filter((id) => !kept.has(id)), gone };
}

/** False: the entity is still nowhere, and the letter stays. */
async function isSent(open: OpenWorld, letter: DeadLetter): Promise<boolean> {
  const [layer] = open.layers;
  const { id, to, event, payload, from } = letter;
  try {
    const { cell } = await findRow(open, to);
    const body = encodeRequest({ kind: 'event', id: to, event, payload, from });
    // M1: of two replays at once the second is the same post.
    await postRequest(layer, `${uuidOf(id)}-1`, [{ cell, body }]);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENTITY_UNKNOWN')) return false;
    throw error;
  }
}

function uuidOf(id: string): string {
  const hex = createHash('sha256').update(id).digest('hex');
  return [8, 12, 16, 20, 32].map((end, i) => hex.slice([0, 8, 12, 16, 20][i], end)).join('-');
}
