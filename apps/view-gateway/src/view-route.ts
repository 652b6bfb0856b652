/** `/view`: everything that is checked before a connection becomes a WebSocket. */
import fastifyWebsocket from '@fastify/websocket';
import { LeaseholdError } from '@leasehold/kernel';
import { addressOf, checkOrigin } from '@leasehold/service';
import type { FastifyInstance } from 'fastify';
import { answerFault } from './answers.ts';
import { CLOSE_MS, MESSAGE_BYTES_MAX, type ViewConnections } from './view-connections.ts';

export type ViewRouteOptions = {
  readonly connections: ViewConnections;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly isReady: () => boolean;
  /** How long clients may take to leave when the gateway closes. */
  readonly drainMs: number;
};

const TOO_MANY = 429;

export async function addViewRoute(
  app: FastifyInstance,
  { connections, allowedOrigins, isReady, drainMs }: ViewRouteOptions,
): Promise<void> {
  const ws = { perMessageDeflate: false, maxPayload: MESSAGE_BYTES_MAX, closeTimeout: CLOSE_MS };
  await app.register(fastifyWebsocket, {
    options: { ...ws, clientTracking: false },
    // A peer that breaks the protocol is closed by `ws` itself, with a code of the WebSocket.
    errorHandler: () => undefined,
    preClose: () => connections.close(drainMs),
  });
  // Left alone, the plugin makes a WebSocket of any path first, and then closes it.
  app.addHook('onRequest', async (request, reply) => {
    if (request.ws && request.routeOptions.url !== '/view') await reply.callNotFound();
  });
  app.get(
    '/view',
    {
      websocket: true,
      preValidation: (request, reply, done) => {
        try {
          checkOrigin(request.headers.origin, request.headers.host, allowedOrigins);
          connections.checkRoom(addressOf(request.ip));
          if (!isReady()) throw notReady();
          done();
        } catch (error) {
          if (!(error instanceof LeaseholdError)) done(error as Error);
          else answerFault(reply, error, error.code === 'LIMIT_EXCEEDED' ? TOO_MANY : undefined);
        }
      },
    },
    (socket, request) => connections.take(socket, addressOf(request.ip)),
  );
}

function notReady(): LeaseholdError {
  return new LeaseholdError('WORLD_NOT_READY', 'the gateway has not read the world yet', {
    field: 'world',
    value: 'not ready',
    remedy: 'Try again in a second; GET /ready says why it takes longer.',
  });
}
