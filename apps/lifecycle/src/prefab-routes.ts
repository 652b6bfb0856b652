/** Prefabs of a world: which are in force, what they give, and entities made of them. */
import { randomInt, randomUUID } from 'node:crypto';
import { birthPosts, CREATES_PER_REQUEST_MAX, groupsOf, reservedIds } from '@leasehold/protocol';
import type { Static } from 'typebox';
import type { ApiRoutes, App } from './api.ts';
import type { Decided } from './idempotency.ts';
import { readFollowed } from './prefab-following.ts';
import { newRequestId } from './request-desk.ts';
import {
  bodyProblems,
  PREFAB,
  PREFAB_PARAMS,
  PREFABS,
  problems,
  SPAWN_BODY,
  SPAWN_TAKEN,
  TAKEN,
  WAIT,
  WORLD_PARAMS,
  WRITE_HEADERS,
} from './shapes.ts';
import { spawnedBirths, spawnTemplate } from './spawning.ts';
import { spreadArea } from './spread-area.ts';
import type { OpenWorld } from './worlds.ts';
import { carryOut, decideOnce, replyWith, type Write } from './writes.ts';

/** Seeds are 32 bits wide. */
const SEEDS = 2 ** 32;
const tags = ['prefabs'];

export function addPrefabRoutes(app: App, routes: ApiRoutes): void {
  addReads(app, routes);
  addSpawn(app, routes);
}

function addReads(app: App, { worlds, prefabs }: ApiRoutes): void {
  const list = {
    ...{ tags, operationId: 'listPrefabs', params: WORLD_PARAMS },
    summary: 'The prefabs that are in force, and the commit that they are of.',
    response: { 200: PREFABS, ...problems() },
  };
  app.get('/prefabs', { schema: list }, async (request) => {
    const open = await worlds.open(request.params.world);
    const { commit: version, appliedAt, names } = await prefabs.version(open);
    const found = [...names].sort().map((name) => ({ name, version }));
    const followed = await readFollowed(open);
    return { version, appliedAt, prefabs: found, ...(followed === undefined ? {} : { followed }) };
  });

  const read = {
    ...{ tags, operationId: 'readPrefab', params: PREFAB_PARAMS },
    summary: 'A prefab: the values that it gives, by component.',
    response: { 200: PREFAB, ...problems(409) },
  };
  app.get('/prefabs/:name', { schema: read }, async (request) => {
    const open = await worlds.open(request.params.world);
    const { commit } = await prefabs.version(open);
    const { prefab, version } = await prefabs.find(open, commit, request.params.name);
    const { name, description, components } = prefab;
    return { name, version, description, components };
  });
}

type SpawnAsked = Static<typeof SPAWN_BODY> & { readonly name: string };

function addSpawn(app: App, routes: ApiRoutes): void {
  const { worlds } = routes;
  const schema = {
    ...{ tags, operationId: 'spawnPrefab', params: PREFAB_PARAMS, querystring: WAIT },
    ...{ headers: WRITE_HEADERS, body: SPAWN_BODY },
    summary: `Makes entities of a prefab, spread over an area; more than ${CREATES_PER_REQUEST_MAX} by a job.`,
    response: { 201: TAKEN, 202: SPAWN_TAKEN, ...bodyProblems(409, 422, 504) },
  };
  app.post('/prefabs/:name/spawn', { schema }, async (request, reply) => {
    const open = await worlds.open(request.params.world);
    const asked = { ...request.body, name: request.params.name };
    const answered =
      asked.count <= CREATES_PER_REQUEST_MAX
        ? await carryOut(open, request, spawnWrite(routes, open, asked))
        : await decideOnce(open, request, spawnJob(routes, open, asked));
    return replyWith(reply, answered);
  });
}

function spawnWrite(routes: ApiRoutes, open: OpenWorld, asked: SpawnAsked): Write {
  const [layer] = open.layers;
  const { name, count } = asked;
  const area = spreadArea(asked.area);
  const births = async ({ version, seed }: Spawn) => {
    const found = await routes.prefabs.find(open, version, name);
    return spawnedBirths(found, open.grid, { count, area, seed });
  };
  return {
    layer,
    decide: async () => {
      const spawn = await decidedSpawn(routes, open, asked);
      const those = await births(spawn);
      const request = newRequestId(groupsOf(those).length);
      return { request, ids: await reservedIds(layer, those), spawn };
    },
    posts: async ({ ids, spawn }) => {
      const those = await births(spawn as Spawn);
      return birthPosts(those, groupsOf(those), ids);
    },
    appliedStatus: 201,
    tellsEntities: true,
  };
}

function spawnJob(routes: ApiRoutes, open: OpenWorld, asked: SpawnAsked) {
  const { name, count } = asked;
  const area = spreadArea(asked.area);
  return {
    decide: async (): Promise<Decided> => {
      const spawn = await decidedSpawn(routes, open, asked);
      return { request: randomUUID(), ids: [], spawn };
    },
    act: async ({ request: job, spawn }: Decided) => {
      const { version, seed } = spawn as Spawn;
      const found = await routes.prefabs.find(open, version, name);
      const template = { ...spawnTemplate(found), count, area, seed };
      return { status: 202, body: await routes.jobs.add(open, { template }, job) };
    },
  };
}

type Spawn = NonNullable<Decided['spawn']>;

/** What a repetition is to do again, whatever version is in force by then. */
async function decidedSpawn(
  { prefabs }: ApiRoutes,
  open: OpenWorld,
  { name, seed = randomInt(SEEDS) }: SpawnAsked,
): Promise<Spawn> {
  const { commit: version } = await prefabs.version(open);
  await prefabs.find(open, version, name);
  return { version, seed };
}
