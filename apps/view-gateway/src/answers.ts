/** Faults as HTTP answers: every refusal is JSON with code, message, field, value and remedy. */
import { type ErrorCode, faultReport, LeaseholdError } from '@leasehold/kernel';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  ORIGIN_REFUSED: 403,
  TOKEN_REFUSED: 403,
  ENTITY_UNKNOWN: 404,
  POD_UNKNOWN: 404,
  LIMIT_EXCEEDED: 400,
  RATE_EXCEEDED: 429,
  SNAPSHOT_UNKNOWN: 404,
  SNAPSHOT_INCOMPLETE: 409,
  SNAPSHOT_TOO_NEW: 409,
  SNAPSHOT_INVALID: 409,
  SCHEMA_INCOMPATIBLE: 409,
  WORLD_MISMATCH: 409,
  SNAPSHOTS_OFF: 503,
  DATABASE_UNREACHABLE: 503,
  DATABASE_AUTH: 503,
  DATABASE_MISSING: 503,
  DATABASE_REFUSED: 503,
  DATABASE_TOO_NEW: 503,
  POSTGIS_MISSING: 503,
  WORLD_NOT_READY: 503,
  REDIS_UNREACHABLE: 503,
  GATEWAY_CLOSING: 503,
  AREA_INVALID: 400,
  COMPONENT_UNKNOWN: 400,
  NAME_INVALID: 400,
  VIEW_MESSAGE_INVALID: 400,
};

/** Makes thrown faults answers, and keeps what nobody foresaw out of them. */
/** Answers with the report of a fault; `status` where the code alone does not tell it. */
export function answerFaults(
  app: FastifyInstance,
  warn: (facts: object, message: string) => void,
): void {
  app.setErrorHandler((error: FastifyError | LeaseholdError, request, reply) => {
    if (error instanceof LeaseholdError) return answerFault(reply, error);
    const status = (error as FastifyError).statusCode ?? 500;
    // What the server itself refuses, such as a path that cannot be decoded: it tells no secrets.
    if (status < 500) return reply.code(status).send(plain(error.message, request));
    warn({ err: error, url: request.url }, 'a request failed');
    return reply.code(500).send(faultReport(new Error('the gateway failed; its log says why')));
  });
  app.setNotFoundHandler((request, reply) => reply.code(404).send(plain('not found', request)));
}

/** Answers with the report of a fault; `status` where the code alone does not tell it. */
export function answerFault(reply: FastifyReply, error: LeaseholdError, status?: number) {
  return reply.code(status ?? STATUS[error.code] ?? 500).send(faultReport(error));
}

function plain(message: string, request: FastifyRequest) {
  return {
    code: 'VIEW_MESSAGE_INVALID',
    message,
    field: 'url',
    value: request.url.slice(0, 200),
    remedy: 'Ask for /, /view, /query, /nearest, /snapshots, /health, /ready or /metrics.',
  };
}
