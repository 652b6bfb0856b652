/** The HTTP face that every process has: /health, /ready and /metrics. */
import { LeaseholdError } from '@leasehold/kernel';
import { type FastifyInstance, type FastifyServerOptions, fastify } from 'fastify';
import type { Registry } from 'prom-client';
import { systemClock } from './clock.ts';

/** Health faces get no bodies worth the name; an app that needs more says so. */
export const BODY_BYTES_MAX = 64 * 1024;
/** A scrape and a few people; more is somebody who does not close. */
export const CONNECTIONS_MAX = 256;
export const REQUEST_MS_MAX = 10_000;
export const HEADERS_MS_MAX = 5_000;
export const REQUESTS_PER_CONNECTION_MAX = 10_000;
/** A dependency that needs longer to say that it is well is not. */
export const READY_MS_MAX = 2_000;

export type HttpOptions = {
  /** 0 = any free one. */
  readonly port: number;
  /** Only this machine, unless told otherwise. */
  readonly host?: string;
  /** Why the process is not ready to work; empty when it is. */
  readonly ready: () => readonly string[] | Promise<readonly string[]>;
  readonly metrics: Pick<Registry, 'metrics' | 'contentType'>;
  /** For a process that others stay connected to; scrapes and people come on top. */
  readonly clientsMax?: number;
  /** In which a request must have come; for bodies that take long to send. */
  readonly requestMs?: number;
  /** Answers addresses that cannot be read, which no route and no error handler ever sees. */
  readonly answerMalformed?: NonNullable<FastifyServerOptions['frameworkErrors']>;
  /** Answers what is no HTTP, to the connection it came by. */
  readonly answerUnreadable?: NonNullable<FastifyServerOptions['clientErrorHandler']>;
  /** More routes, added before the face listens. */
  readonly routes?: (app: FastifyInstance) => void | Promise<void>;
};

export type Http = {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
};

/**
 * Opens the face. Errors: `PORT_IN_USE`; `SETTING_INVALID` for a host or port that this process
 * cannot have.
 */
export async function openHttp(options: HttpOptions): Promise<Http> {
  const { port, host = '127.0.0.1', ready, metrics, answerUnreadable } = options;
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: options.requestMs ?? REQUEST_MS_MAX,
    connectionTimeout: REQUEST_MS_MAX,
    maxRequestsPerSocket: REQUESTS_PER_CONNECTION_MAX,
    forceCloseConnections: true,
    ...(options.answerMalformed === undefined ? {} : { frameworkErrors: options.answerMalformed }),
    ...(answerUnreadable === undefined ? {} : { clientErrorHandler: answerUnreadable }),
    // By default a wrong body is silently changed until it fits.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    http: { headersTimeout: HEADERS_MS_MAX },
  });
  app.server.maxConnections = CONNECTIONS_MAX + (options.clientsMax ?? 0);
  app.get('/health', () => ({ status: 'ok' }));
  app.get('/ready', async (_request, reply) => {
    const reasons = await reasonsOf(ready);
    const isReady = reasons.length === 0;
    reply.code(isReady ? 200 : 503);
    return { status: isReady ? 'ready' : 'not ready', reasons };
  });
  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.contentType);
    return metrics.metrics();
  });
  try {
    await options.routes?.(app);
    await app.listen({ port, host });
  } catch (error) {
    await app.close();
    throw listenFault(error, host, port);
  }
  const address = app.server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  const shown = host.includes(':') ? `[${host}]` : host;
  return { port: bound, url: `http://${shown}:${bound}`, close: () => app.close() };
}

/** A check that throws or does not answer is a reason like any other. */
async function reasonsOf(ready: HttpOptions['ready']): Promise<readonly string[]> {
  const over = new AbortController();
  const late = systemClock
    .sleep(READY_MS_MAX, over.signal)
    .then(() => [`no answer from a dependency in ${READY_MS_MAX} ms`]);
  const asked = (async () => ready())().catch((error: unknown) => [
    error instanceof Error ? error.message : String(error),
  ]);
  const reasons = await Promise.race([asked, late]);
  over.abort();
  return reasons;
}

function listenFault(error: unknown, host: string, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const options = { cause: error };
  if (code === 'EADDRINUSE') {
    const message = `port ${port} on ${host} is taken by another process`;
    const remedy = 'Set PORT to another one, or to 0 for any free one.';
    const detail = { field: 'PORT', value: String(port), remedy };
    return new LeaseholdError('PORT_IN_USE', message, detail, options);
  }
  if (code === 'EACCES') {
    const message = `port ${port} is not for this user`;
    const remedy = 'Set PORT to one from 1024 to 65535, or to 0 for any free one.';
    const detail = { field: 'PORT', value: String(port), remedy };
    return new LeaseholdError('SETTING_INVALID', message, detail, options);
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const message = `${host} is no address of this machine`;
    const remedy = 'Set HOST to 127.0.0.1, or to 0.0.0.0 for every address.';
    const detail = { field: 'HOST', value: host, remedy };
    return new LeaseholdError('SETTING_INVALID', message, detail, options);
  }
  return error;
}
