/** Everything that the service answers besides /health, /ready and /metrics. */
import fastifyRateLimit from '@fastify/rate-limit';
import fastifySwagger from '@fastify/swagger';
import { addressOf } from '@leasehold/service';
import type { FastifyInstance } from 'fastify';
import { checkAccess } from './access.ts';
import type { ApiRoutes, App } from './api.ts';
import type { Config } from './config.ts';
import { addEntityRoutes } from './entity-routes.ts';
import { addEventRoutes } from './event-routes.ts';
import { JobFollowers } from './job-progress.ts';
import { addJobRoutes } from './job-routes.ts';
import { addPrefabRoutes } from './prefab-routes.ts';
import { answerProblems, rateExceeded } from './problems.ts';
import { addQueryRoutes } from './query-routes.ts';
import { addScheduleRoutes } from './schedule-routes.ts';
import { addSnapshotRoutes, addWorldSnapshotRoutes } from './snapshot-routes.ts';
import { addWebhookRoute } from './webhook-route.ts';
import { addWorldRoutes, addWorldsRoute } from './world-routes.ts';

const OPENAPI = {
  openapi: '3.1.0',
  info: {
    title: 'Leasehold lifecycle',
    version: '1',
    description:
      'Entities of worlds: created, read, changed, deleted, found; prefabs; events; bulk jobs; snapshots; time. ' +
      'Whatever changes something is a request to the cell that has the entity: 202 with its id, ' +
      'or with wait=applied what became of it.',
  },
  components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  security: [{ token: [] }, {}],
} as const;

export async function addRoutes(
  server: FastifyInstance,
  routes: ApiRoutes,
  config: Pick<Config, 'host' | 'apiToken' | 'requestsPerS' | 'webhookSecret'>,
): Promise<void> {
  const app = server.withTypeProvider() as unknown as App;
  answerProblems(server, (facts, message) => routes.log.warn(facts, message));
  const rules = { listensAt: config.host, token: config.apiToken };
  await app.register(fastifyRateLimit, {
    max: config.requestsPerS,
    timeWindow: 1_000,
    keyGenerator: ({ ip }) => addressOf(ip),
    errorResponseBuilder: ({ ip }, { max }) => rateExceeded(max, addressOf(ip)),
  });
  await app.register(fastifySwagger, { openapi: structuredClone(OPENAPI) as never });
  const followers = new JobFollowers();
  await app.register((scope, _options, done) => {
    const api = scope as unknown as App;
    // Else a text would be looked at where JSON is meant.
    scope.removeContentTypeParser('text/plain');
    api.addHook('onRequest', async ({ method, headers }) => {
      const { host, origin, authorization } = headers;
      checkAccess({ method, host, origin, authorization }, rules);
    });
    addWorldsRoute(api, routes);
    addSnapshotRoutes(api, routes, followers);
    api.register(worldRoutes(routes, followers), { prefix: '/v1/worlds/:world' });
    done();
  });
  const secret = config.webhookSecret;
  await app.register((scope, _options, done) => {
    addWebhookRoute(scope, routes, { rules, secret });
    done();
  });
  app.get('/openapi.json', { schema: { hide: true } as never }, async () => server.swagger());
}

const worldRoutes =
  (routes: ApiRoutes, followers: JobFollowers) =>
  (scope: FastifyInstance, _options: object, done: () => void): void => {
    const api = scope as unknown as App;
    addWorldRoutes(api, routes);
    addEntityRoutes(api, routes);
    addQueryRoutes(api, routes);
    addEventRoutes(api, routes);
    addJobRoutes(api, routes, followers);
    addPrefabRoutes(api, routes);
    addWorldSnapshotRoutes(api, routes);
    addScheduleRoutes(api, routes);
    done();
  };
