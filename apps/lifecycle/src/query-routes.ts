/** `GET entities`: those of an area, page by page, or the nearest to a point. */
import { LeaseholdError } from '@leasehold/kernel';
import type { LayerSchema } from '@leasehold/protocol';
import { areaFromText, NEAREST_COUNT_MAX, numbersFromText } from '@leasehold/view';
import type { Static } from 'typebox';
import type { ApiRoutes, App } from './api.ts';
import { nearestOf, pageOf, type Selection } from './finding-many.ts';
import { PAGE, problems, QUERY, WORLD_PARAMS } from './shapes.ts';
import { layerOf } from './values.ts';
import { predicateOf } from './where.ts';

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;
const NEAREST_DEFAULT = 10;
const AREAS = ['box', 'circle', 'polygon', 'around', 'world'] as const;

type Query = Static<typeof QUERY>;

export function addQueryRoutes(app: App, { worlds }: ApiRoutes): void {
  const schema = {
    ...{ tags: ['entities'], operationId: 'queryEntities', params: WORLD_PARAMS },
    querystring: QUERY,
    summary: 'What is in an area, or nearest to a point.',
    response: { 200: PAGE, ...problems() },
  };
  app.get('/entities', { schema }, async (request) => {
    const open = await worlds.open(request.params.world);
    const { query } = request;
    const kind = kindOf(query);
    const names = [...namesOf(query.components), ...namesOf(query.with)];
    const layer = layerOf(open, names);
    const selection = selectionOf(layer.schema, query);
    const { world } = open;
    if (kind === 'near') {
      const [x, y] = numbersFromText('near', query.near ?? '', 2) as [number, number];
      const count = limitOf(query, NEAREST_DEFAULT, NEAREST_COUNT_MAX);
      const radius =
        query.radius === undefined
          ? {}
          : { radius: numbersFromText('radius', query.radius, 1)[0] as number };
      return { world, ...(await nearestOf(open, layer, { x, y, count, ...radius }, selection)) };
    }
    const area = areaFromText(kind, query[kind] ?? '');
    const limit = limitOf(query, PAGE_DEFAULT, PAGE_MAX);
    const after = Number(query.cursor ?? 0);
    return { world, ...(await pageOf(open, layer, area, { selection, limit, after })) };
  });
}

function kindOf(query: Query): (typeof AREAS)[number] | 'near' {
  const given = [...AREAS, 'near' as const].filter((name) => query[name] !== undefined);
  const [kind] = given;
  if (kind !== undefined && given.length === 1) return kind;
  throw new LeaseholdError('AREA_INVALID', `${given.length} areas`, {
    field: 'area',
    value: given.join(', ') || 'nothing',
    remedy: `Give exactly one of ${AREAS.join(', ')} and near.`,
  });
}

const namesOf = (text: string | undefined): string[] => text?.split(',') ?? [];

function limitOf({ limit }: Query, fallback: number, most: number): number {
  const value = limit === undefined ? fallback : Number(limit);
  if (value <= most) return value;
  throw new LeaseholdError('LIMIT_EXCEEDED', `limit: ${value} is more than ${most}`, {
    field: 'limit',
    value: String(value),
    remedy: `Ask for at most ${most}, and for the next page with cursor.`,
  });
}

function selectionOf(schema: LayerSchema, query: Query): Selection {
  const { components, where = [] } = query;
  const wanted = components === undefined ? undefined : new Set(components.split(','));
  const having = new Set(namesOf(query.with));
  let mask = 0;
  for (const [c, { name }] of schema.components.entries()) if (having.has(name)) mask |= 1 << c;
  const terms = typeof where === 'string' ? [where] : where;
  return { wanted, mask: mask >>> 0, predicate: predicateOf(schema, terms) };
}
