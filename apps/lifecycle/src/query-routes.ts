/** `GET entities`: those of an area, page by page, or the nearest to a point. */
import { LeaseholdError } from '@leasehold/kernel';
import { isOwnComponent } from '@leasehold/protocol';
import { areaFromText, NEAREST_COUNT_MAX, numbersFromText } from '@leasehold/view';
import type { Static } from 'typebox';
import type { ApiRoutes, App } from './api.ts';
import { type Filter, nearestOf, pageOf, type Selection } from './finding-many.ts';
import { PAGE, problems, QUERY, WORLD_PARAMS } from './shapes.ts';
import { layersOf } from './values.ts';
import { predicateOf, termsOf } from './where.ts';
import type { OpenWorld } from './worlds.ts';

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
    layersOf(open, [...namesOf(query.components), ...namesOf(query.with)]);
    const selection = selectionOf(open, query);
    const { world } = open;
    if (kind === 'near') {
      const [x, y] = numbersFromText('near', query.near ?? '', 2) as [number, number];
      const count = limitOf(query, NEAREST_DEFAULT, NEAREST_COUNT_MAX);
      const radius =
        query.radius === undefined
          ? {}
          : { radius: numbersFromText('radius', query.radius, 1)[0] as number };
      return { world, ...(await nearestOf(open, { x, y, count, ...radius }, selection)) };
    }
    const area = areaFromText(kind, query[kind] ?? '');
    const limit = limitOf(query, PAGE_DEFAULT, PAGE_MAX);
    const after = Number(query.cursor ?? 0);
    return { world, ...(await pageOf(open, area, { selection, limit, after })) };
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

function selectionOf({ layers }: OpenWorld, query: Query): Selection {
  const { components, where = [] } = query;
  const wanted = components === undefined ? undefined : new Set(components.split(','));
  const having = new Set(namesOf(query.with));
  const terms = termsOf(layers, typeof where === 'string' ? [where] : where);
  const filters = new Map<(typeof layers)[number], Filter>();
  for (const layer of layers) {
    let mask = 0;
    for (const [c, each] of layer.schema.components.entries()) {
      if (having.has(each.name) && isOwnComponent(each)) mask |= 1 << c;
    }
    const its = terms.get(layer) ?? [];
    if (mask === 0 && its.length === 0) continue;
    filters.set(layer, { mask: mask >>> 0, predicate: predicateOf(layer.schema, its) });
  }
  return { wanted, filters };
}
