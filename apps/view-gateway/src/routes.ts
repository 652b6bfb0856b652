/** Everything that the gateway answers besides /health, /ready and /metrics. */
import fastifyRateLimit from '@fastify/rate-limit';
import { addressOf, checkHost, isLoopbackAddress, type Log } from '@leasehold/service';
import type { ViewHub } from '@leasehold/view';
import type { FastifyInstance } from 'fastify';
import { answerFaults } from './answers.ts';
import type { loadConfig } from './config.ts';
import { addKillRoute } from './kill-route.ts';
import { addQueryRoutes, rateExceeded } from './query-routes.ts';
import type { ViewConnections } from './view-connections.ts';
import { addViewRoute } from './view-route.ts';
import { addViewerFiles } from './viewer-files.ts';

export type GatewayParts = {
  readonly config: ReturnType<typeof loadConfig>;
  readonly hub: ViewHub;
  readonly connections: ViewConnections;
  readonly log: Log;
  /** Names of the pods that the store knows. */
  readonly pods: () => Promise<readonly string[]>;
};

export async function addRoutes(app: FastifyInstance, parts: GatewayParts): Promise<void> {
  const { config, hub, connections, log, pods } = parts;
  const { allowedOrigins, queriesPerS, killToken: token } = config;
  answerFaults(app, (facts, message) => log.warn(facts, message));
  if (isLoopbackAddress(config.host)) {
    app.addHook('onRequest', async ({ headers }) => checkHost(headers.host));
  }
  await app.register(fastifyRateLimit, {
    global: false,
    keyGenerator: ({ ip }) => addressOf(ip),
    errorResponseBuilder: ({ ip }, { max }) => rateExceeded(max, addressOf(ip)),
  });
  await addViewRoute(app, {
    connections,
    allowedOrigins,
    isReady: () => hub.isReady,
    drainMs: config.drainMs / 2,
  });
  addQueryRoutes(app, { hub, allowedOrigins, queriesPerS });
  const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  addKillRoute(app, { token, pods, say });
  await addViewerFiles(app, config.viewerDist);
}
