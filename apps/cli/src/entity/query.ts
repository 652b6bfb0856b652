/** `leasehold entity query`: what is in an area, or nearest to a point, as a table. */
import type { Output } from '../output.ts';
import { type Api, type ApiAddress, openApi } from './api.ts';
import type { QueryOptions } from './options.ts';
import { type Entity, entityTable } from './words.ts';

/** As many as the API puts into one answer. */
const PAGE_MAX = 1_000;

type Page = {
  readonly tick: number;
  readonly entities: readonly Entity[];
  readonly next?: string;
};

export async function query(
  address: ApiAddress,
  options: QueryOptions,
  output: Output,
): Promise<void> {
  const api = await openApi(address);
  const { tick, entities, next } = await pages(api, options);
  output.json({ world: api.world, tick, entities, hasMore: next !== undefined });
  const { dim } = output.colors;
  if (entities.length > 0) {
    const { lines, left } = entityTable(entities, output.columns);
    output.print(lines.join('\n'));
    if (left > 0) output.print(dim(`  ${left} columns more: choose with --components, or --json`));
  }
  const more = next === undefined ? '' : ', and there are more: --limit';
  const noun = entities.length === 1 ? 'entity' : 'entities';
  output.print(dim(`  ${entities.length} ${noun} of ${api.world} at tick ${tick}${more}`));
}

/** Page by page, until there are as many as asked for. Each page is of the tick it was read at. */
async function pages(api: Api, { query, limit, isNearest }: QueryOptions): Promise<Page> {
  const entities: Entity[] = [];
  let tick = 0;
  let next: string | undefined;
  do {
    const count = isNearest ? limit : Math.min(limit - entities.length, PAGE_MAX);
    const cursor: typeof query = next === undefined ? [] : [['cursor', next]];
    const asked = { query: [...query, ['limit', String(count)] as const, ...cursor] };
    const page = (await api.ask('GET', '/entities', asked)).body as Page;
    entities.push(...page.entities);
    ({ tick, next } = { next: undefined, ...page });
  } while (next !== undefined && !isNearest && entities.length < limit);
  return { tick, entities, ...(next === undefined ? {} : { next }) };
}
