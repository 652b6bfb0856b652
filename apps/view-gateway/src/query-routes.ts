/** `GET /query`, `/nearest` and `/snapshots`: one answer each, as JSON or, of entities, GeoJSON. */
import { LeaseholdError } from '@leasehold/kernel';
import { checkOrigin } from '@leasehold/service';
import type { Found, FoundEntity, ViewHub } from '@leasehold/view';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { areaQuestion, type Format, nearestQuestion } from './query-words.ts';

export type QueryOptions = {
  readonly hub: ViewHub;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly queriesPerS: number;
};

export function addQueryRoutes(
  app: FastifyInstance,
  { hub, allowedOrigins, queriesPerS }: QueryOptions,
): void {
  // One account for all: an address has so many questions, whichever they are.
  const rateLimit = { max: queriesPerS, timeWindow: 1_000, groupId: 'queries' };
  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { origin, host } = request.headers;
    reply.header('vary', 'origin').header('cache-control', 'no-store');
    checkOrigin(origin, host, allowedOrigins);
    if (origin === undefined) return;
    reply.header('access-control-allow-origin', origin);
    reply.header('cross-origin-resource-policy', 'cross-origin');
  };
  const { world } = hub.facts;
  app.get('/query', { config: { rateLimit }, onRequest }, async (request, reply) => {
    const { of, limit, selection, format, asOf } = areaQuestion(searchOf(request));
    const found =
      'id' in of
        ? await hub.entity(of.id, selection, asOf)
        : await hub.query(of.area, selection, limit, asOf);
    return answer(reply, world, found, format);
  });
  app.get('/nearest', { config: { rateLimit }, onRequest }, async (request, reply) => {
    const { selection, format, asOf, ...question } = nearestQuestion(searchOf(request));
    return answer(reply, world, await hub.nearest(question, selection, asOf), format);
  });
  app.get('/snapshots', { config: { rateLimit }, onRequest }, async () => {
    return { world, snapshots: await hub.past.list() };
  });
}

/** As it was sent: the framework's own reading makes lists of what is given twice. */
function searchOf({ raw }: FastifyRequest): string {
  const url = raw.url ?? '';
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at + 1);
}

function answer(reply: FastifyReply, world: string, found: Found, format: Format) {
  const { tick, entities, isTruncated: truncated } = found;
  if (format === 'geojson') {
    reply.type('application/geo+json; charset=utf-8');
    const features = entities.map(featureOf);
    return JSON.stringify({ type: 'FeatureCollection', world, tick, truncated, features });
  }
  reply.type('application/json; charset=utf-8');
  const rows = entities.map(({ id, cell, distance, components }) => ({
    ...{ id, cell, components },
    ...(distance === undefined ? {} : { distance }),
  }));
  return JSON.stringify({ world, tick, entities: rows, truncated });
}

function featureOf({ id, cell, x, y, distance, components }: FoundEntity) {
  const geometry =
    x === undefined || y === undefined ? null : { type: 'Point', coordinates: [x, y] };
  const properties = { cell, ...(distance === undefined ? {} : { distance }), ...components };
  return { type: 'Feature', id, geometry, properties };
}

/** The answer to too many questions, whichever route they went to. */
export function rateExceeded(max: number, address: string): LeaseholdError {
  return new LeaseholdError('RATE_EXCEEDED', `more than ${max} requests in a second`, {
    field: 'rate',
    value: address,
    remedy: 'Wait as long as retry-after says; subscribe to /view for what changes all the time.',
  });
}
