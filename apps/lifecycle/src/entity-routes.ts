/** Entities: made, read, changed and ended, each by a request to the cell that has it. */
import { type Birth, birthPosts, encodeRequest, groupsOf, reservedIds } from '@leasehold/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { ApiRoutes, App } from './api.ts';
import { readEntity } from './entity-reading.ts';
import { isKnown, matchOf, tagOf } from './entity-tag.ts';
import { findRow } from './finding.ts';
import { newRequestId, requestState } from './request-desk.ts';
import {
  bodyProblems,
  CREATE_BODY,
  ENTITY,
  ENTITY_PARAMS,
  MATCH_HEADERS,
  PATCH_BODY,
  problems,
  READ_HEADERS,
  REQUEST_PARAMS,
  REQUEST_STATE,
  SELECTION,
  TAKEN,
  WAIT,
  WORLD_PARAMS,
  WRITE_HEADERS,
} from './shapes.ts';
import { cellOf, checkMatch, checkValues, layersOf } from './values.ts';
import type { OpenWorld } from './worlds.ts';
import { carryOut, replyWith, type Write } from './writes.ts';

/** 512 entities of 8 KB. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;
const tags = ['entities'];

export function addEntityRoutes(app: App, routes: ApiRoutes): void {
  addCreate(app, routes);
  addRead(app, routes);
  addPatch(app, routes);
  addDelete(app, routes);
  addRequest(app, routes);
}

async function answer(
  reply: FastifyReply,
  open: OpenWorld,
  request: FastifyRequest,
  write: Write,
): Promise<FastifyReply> {
  return replyWith(reply, await carryOut(open, request, write));
}

function addCreate(app: App, { worlds }: ApiRoutes): void {
  const schema = {
    ...{ tags, operationId: 'createEntities', params: WORLD_PARAMS, querystring: WAIT },
    ...{ headers: WRITE_HEADERS, body: CREATE_BODY },
    summary: 'Makes one entity, or up to 512. Ids are answered at once.',
    response: { 201: TAKEN, 202: TAKEN, ...bodyProblems(422, 504) },
  };
  app.post('/entities', { schema, bodyLimit: BODY_BYTES_MAX }, async (request, reply) => {
    const open = await worlds.open(request.params.world);
    const [layer] = open.layers;
    const { body } = request;
    const given = 'entities' in body ? body.entities : [body];
    const births = given.map(({ components }, i): Birth => {
      const values = components as Birth['components'];
      const at = 'entities' in body ? `entities.${i}` : 'components';
      checkValues(open.components, values, at);
      return { cell: cellOf(open.grid, layer, values, at), components: values };
    });
    const groups = groupsOf(births);
    return answer(reply, open, request, {
      layer,
      decide: async () => {
        return { request: newRequestId(groups.length), ids: await reservedIds(layer, births) };
      },
      posts: ({ ids }) => birthPosts(births, groups, ids),
      appliedStatus: 201,
      tellsEntities: true,
    });
  });
}

function addRead(app: App, { worlds }: ApiRoutes): void {
  const schema = {
    ...{ tags, operationId: 'readEntity', params: ENTITY_PARAMS, querystring: SELECTION },
    headers: READ_HEADERS,
    summary: 'Reads an entity as it is committed now.',
    response: { 200: ENTITY, 304: Type.Null(), ...problems() },
  };
  app.get('/entities/:id', { schema }, async (request, reply) => {
    const open = await worlds.open(request.params.world);
    const names = request.query.components?.split(',');
    layersOf(open, names ?? []);
    const wanted = names === undefined ? undefined : new Set(names);
    const found = await readEntity(open, Number(request.params.id), wanted);
    const tag = tagOf(found.components);
    reply.header('etag', tag).header('cache-control', 'no-cache');
    if (isKnown(request.headers['if-none-match'], tag)) return reply.code(304).send(null);
    return reply.code(200).send(found);
  });
}

function addPatch(app: App, { worlds }: ApiRoutes): void {
  const schema = {
    ...{ tags, operationId: 'patchEntity', params: ENTITY_PARAMS, querystring: WAIT },
    ...{ headers: MATCH_HEADERS, body: PATCH_BODY },
    summary: 'Changes fields, gives components and takes them; with If-Match only as it was read.',
    response: { 200: TAKEN, 202: TAKEN, ...bodyProblems(412, 422, 504) },
  };
  app.patch('/entities/:id', { schema }, async (request, reply) => {
    const open = await worlds.open(request.params.world);
    const { remove = [] } = request.body;
    const set = (request.body.set ?? {}) as Birth['components'];
    const match = matchOf(request.headers['if-match']);
    const changed = [...Object.keys(set), ...remove];
    layersOf(open, [...changed, ...(match?.components ?? [])]);
    checkValues(open.components, set, 'set');
    checkMatch(open, match, changed);
    const id = Number(request.params.id);
    const asked = { kind: 'patch', id, set, remove, ...(match && { match }) } as const;
    return answer(reply, open, request, oneCell(open, id, encodeRequest(asked)));
  });
}

function addDelete(app: App, { worlds }: ApiRoutes): void {
  const schema = {
    ...{ tags, operationId: 'deleteEntity', params: ENTITY_PARAMS, querystring: WAIT },
    headers: MATCH_HEADERS,
    summary: 'Ends an entity; with If-Match only as it was read.',
    response: { 200: TAKEN, 202: TAKEN, ...bodyProblems(412, 422, 504) },
  };
  app.delete('/entities/:id', { schema }, async (request, reply) => {
    const open = await worlds.open(request.params.world);
    const match = matchOf(request.headers['if-match']);
    // Who says who lives ends it.
    checkMatch(open, match, []);
    const id = Number(request.params.id);
    const asked = { kind: 'delete', id, ...(match && { match }) } as const;
    return answer(reply, open, request, oneCell(open, id, encodeRequest(asked)));
  });
}

/**
 * A request to the cell that has an entity, in the layer that says where it is: that one hands on what
 * others are to do.
 */
export function oneCell(open: OpenWorld, id: number, body: Uint8Array): Write {
  return {
    layer: open.layers[0],
    decide: async () => {
      const { cell } = await findRow(open, id);
      return { request: newRequestId(1), ids: [], cell };
    },
    posts: ({ cell = 0 }) => [{ cell, body }],
    appliedStatus: 200,
    tellsEntities: false,
  };
}

function addRequest(app: App, { worlds }: ApiRoutes): void {
  const schema = {
    ...{ tags, operationId: 'readRequest', params: REQUEST_PARAMS },
    summary: 'What became of a request: answers are kept for an hour.',
    response: { 200: REQUEST_STATE, ...problems() },
  };
  app.get('/requests/:request', { schema }, async (request) => {
    const { layers } = await worlds.open(request.params.world);
    return requestState(layers[0], request.params.request);
  });
}
