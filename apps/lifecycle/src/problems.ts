/** Faults as HTTP answers: RFC 9457 problem details, with the code, field, value and remedy. */
import type { Socket } from 'node:net';
import { ERROR_CATALOGUE, type ErrorCode, LeaseholdError } from '@leasehold/kernel';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  TOKEN_REFUSED: 401,
  ORIGIN_REFUSED: 403,
  WORLD_UNKNOWN: 404,
  ENTITY_UNKNOWN: 404,
  REQUEST_UNKNOWN: 404,
  JOB_UNKNOWN: 404,
  PREFAB_UNKNOWN: 404,
  SNAPSHOT_UNKNOWN: 404,
  SCHEDULE_UNKNOWN: 404,
  WORLD_RUNS: 409,
  WORLD_EXISTS: 409,
  SNAPSHOT_EXISTS: 409,
  SNAPSHOT_INCOMPLETE: 409,
  SNAPSHOT_BUSY: 409,
  SNAPSHOT_TOO_NEW: 409,
  EVENT_POISON: 409,
  PREFAB_INVALID: 409,
  MATCH_FAILED: 412,
  IDEMPOTENCY_MISMATCH: 422,
  RATE_EXCEEDED: 429,
  INBOX_FULL: 429,
  WORLD_NOT_READY: 503,
  REPOSITORY_UNREADABLE: 503,
  REDIS_UNREACHABLE: 503,
  REDIS_REFUSED: 503,
  REDIS_READONLY: 503,
  REDIS_AUTH: 503,
  DATABASE_UNREACHABLE: 503,
  DATABASE_AUTH: 503,
  DATABASE_REFUSED: 503,
  DATABASE_MISSING: 503,
  DATABASE_TOO_OLD: 503,
  DATABASE_TOO_NEW: 503,
  POSTGIS_MISSING: 503,
  SNAPSHOTS_OFF: 503,
  CELL_COLD: 503,
  CELL_LOST: 503,
  WAIT_EXPIRED: 504,
};

/** What is wrong with what was asked; whatever else is the service's own. */
const ASKED: ReadonlySet<ErrorCode> = new Set([
  'AREA_INVALID',
  'COMPONENT_UNKNOWN',
  'FIELD_KIND_MISMATCH',
  'LIMIT_EXCEEDED',
  'NAME_INVALID',
  'REQUEST_INVALID',
  'SETTING_INVALID',
  'SPATIAL_NOT_FINITE',
  'VALUE_INVALID',
]);

/** Who was refused for now may come back after this. */
const RETRY_AFTER_S = 1;
const VALUE_SHOWN_MAX = 200;
const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';
/** How a request begins that wants no body. */
const HEAD = 'HEAD ';
/** By what the parser says of it. */
const UNREADABLE: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
};
/** The field that a fault of size is of when it is the whole body's. */
export const BODY = 'body';
/** Of what nobody foresaw: no code of the catalogue. */
const INTERNAL = 'INTERNAL';

/** Makes whatever is thrown an answer, and keeps what nobody foresaw out of it. */
export function answerProblems(
  app: FastifyInstance,
  warn: (facts: object, message: string) => void,
): void {
  app.setErrorHandler((error: FastifyError | LeaseholdError, request, reply) => {
    const problem = problemOf(error, request);
    if (problem.code === INTERNAL) warn({ err: error, url: request.url }, 'a request failed');
    return send(reply, problem);
  });
  app.setNotFoundHandler((request, reply) =>
    answerFault(reply, request, refused('no such route', request), 404),
  );
}

/** What is told of an error, whatever it is. */
export function problemOf(error: FastifyError | LeaseholdError | Error, request: FastifyRequest) {
  const fault = faultOf(error as FastifyError, request);
  if (fault !== undefined) return told(request, fault, statusOf(fault));
  const { statusCode: status = 500, message } = error as FastifyError;
  if (status === 413) return told(request, tooBig(message), status);
  if (status < 500) return told(request, refused(message, request), status);
  return {
    ...{ type: 'about:blank', title: 'Internal Server Error', status: 500 },
    ...{ detail: 'the service failed; its log says why', instance: request.url, code: INTERNAL },
    ...{ field: '', value: '' },
    remedy: 'This is a defect of the product; report it with the log.',
  };
}

/** Answers an address that cannot be read. */
export function answerMalformed(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  answerFault(reply, request, refused(error.message.slice(0, VALUE_SHOWN_MAX), request), 400);
}

/**
 * Answers what is no HTTP, or has more headers than are read: there is no request then, only the
 * connection. Whoever is gone gets nothing.
 */
export function answerUnreadable(
  error: Error & { readonly code?: string; readonly rawPacket?: unknown },
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, phrase] = UNREADABLE[error.code ?? ''] ?? [400, 'Bad Request'];
  const problem = told(
    { url: '' },
    new LeaseholdError('REQUEST_INVALID', error.message.slice(0, VALUE_SHOWN_MAX), {
      field: 'request',
      value: error.code ?? '',
      remedy: 'Send HTTP/1.1 with headers of at most 16 KB, and within a minute.',
    }),
    status,
  );
  const body = JSON.stringify(problem);
  const head = `HTTP/1.1 ${status} ${phrase}\r\ncontent-type: ${PROBLEM_TYPE}\r\n`;
  const length = `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  // Who asked for the head only would take a body for the next answer.
  const { rawPacket } = error;
  const isHead = Buffer.isBuffer(rawPacket) && rawPacket.toString('latin1', 0, 5) === HEAD;
  // Ended and not destroyed, so that what was written is read.
  socket.end(`${head}${length}${isHead ? '' : body}`);
}

function faultOf(
  error: FastifyError | LeaseholdError,
  request: FastifyRequest,
): LeaseholdError | undefined {
  if (error instanceof LeaseholdError) return isForeseen(error) ? error : undefined;
  if (isUnreachable(error)) {
    return new LeaseholdError('REDIS_UNREACHABLE', 'Redis does not answer', {
      field: 'REDIS_URL',
      value: error.message.slice(0, VALUE_SHOWN_MAX),
      remedy: 'Repeat the request in a moment; with an idempotency key that is harmless.',
    });
  }
  const first = (error as FastifyError).validation?.[0];
  if (first === undefined) return undefined;
  const context = (error as FastifyError).validationContext ?? 'request';
  const extra = Object.values(first.params ?? {}).join(', ');
  return new LeaseholdError('REQUEST_INVALID', error.message, {
    field: `${context}${first.instancePath.replaceAll('/', '.')}`.slice(0, VALUE_SHOWN_MAX),
    value: extra.slice(0, VALUE_SHOWN_MAX),
    remedy: `Send what /openapi.json describes for ${request.method} ${request.routeOptions.url}.`,
  });
}

const isForeseen = ({ code }: LeaseholdError): boolean =>
  STATUS[code] !== undefined || ASKED.has(code);

/** What the clients of Redis say of a connection that is not there: nothing of it is a class. */
function isUnreachable({ message }: Error): boolean {
  return /max retries per request|Connection is closed|writeable|Command timed out|connected to two servers|Socket closed|client is (closed|offline)/i.test(
    message,
  );
}

/** Of a body; its other limits are those of what it says. */
function tooBig(message: string): LeaseholdError {
  return new LeaseholdError('LIMIT_EXCEEDED', message, {
    field: BODY,
    value: 'not shown',
    remedy: 'Send several smaller requests, or the entities of a job line by line.',
  });
}

function statusOf({ code, detail }: LeaseholdError): number {
  return code === 'LIMIT_EXCEEDED' && detail.field === BODY ? 413 : (STATUS[code] ?? 400);
}

function refused(message: string, request: FastifyRequest): LeaseholdError {
  return new LeaseholdError('REQUEST_INVALID', message, {
    field: 'request',
    value: `${request.method} ${request.url}`.slice(0, VALUE_SHOWN_MAX),
    remedy: 'GET /openapi.json describes every route.',
  });
}

function answerFault(
  reply: FastifyReply,
  request: FastifyRequest,
  error: LeaseholdError,
  status: number,
) {
  return send(reply, told(request, error, status));
}

function told(
  { url }: Pick<FastifyRequest, 'url'>,
  { code, message, detail }: LeaseholdError,
  status: number,
) {
  return {
    type: `urn:leasehold:${code}`,
    title: ERROR_CATALOGUE[code],
    status,
    detail: message,
    instance: url.slice(0, VALUE_SHOWN_MAX),
    code,
    ...detail,
  };
}

function send(
  reply: FastifyReply,
  problem: Readonly<Record<string, unknown>> & { readonly status: number },
) {
  const { status } = problem;
  if ((status === 429 || status === 503) && !reply.hasHeader('retry-after')) {
    reply.header('retry-after', RETRY_AFTER_S);
  }
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(problem);
}

/** What is thrown when an address asks too often. */
export function rateExceeded(max: number, address: string): LeaseholdError {
  return new LeaseholdError('RATE_EXCEEDED', `more than ${max} requests in a second`, {
    field: 'rate',
    value: address,
    remedy: 'Wait as long as retry-after says; create many entities with a job.',
  });
}

/** What is thrown when a replica tells as many as it can how far their jobs have come. */
export function tooManyFollowed(max: number): LeaseholdError {
  return new LeaseholdError('RATE_EXCEEDED', `${max} jobs are being followed here`, {
    field: 'accept',
    value: String(max),
    remedy: 'Ask without Accept: application/x-ndjson now and then, or ask another replica.',
  });
}
