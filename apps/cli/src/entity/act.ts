/** `leasehold entity get`, `create`, `patch` and `delete`: one entity, through the API. */
import type { Output } from '../output.ts';
import { type Api, type ApiAddress, type Asked, openApi } from './api.ts';
import type { Fields, Values } from './values.ts';
import { type Entity, entityLines } from './words.ts';

/** What the API answers to whatever changes something. */
export type Taken = {
  readonly request: string;
  readonly state: 'pending' | 'applied';
  readonly entities?: readonly number[];
  readonly tick?: number;
};

export async function get(
  address: ApiAddress,
  { id, components }: { readonly id: number; readonly components: readonly string[] },
  output: Output,
): Promise<void> {
  const api = await openApi(address);
  const { entity, tag } = await readEntity(api, id, components);
  output.json({ world: api.world, ...entity, etag: tag });
  output.print(entityLines(api.world, entity, output.colors).join('\n'));
}

/** Errors: `ENTITY_UNKNOWN`, and those of `Api`. */
async function readEntity(api: Api, id: number, components: readonly string[]) {
  const query: Asked['query'] =
    components.length === 0 ? [] : [['components', components.join(',')]];
  const { body, tag } = await api.ask('GET', `/entities/${id}`, { query });
  return { entity: body as Entity, tag };
}

export async function create(
  address: ApiAddress,
  { components, isWaiting }: { readonly components: Values; readonly isWaiting: boolean },
  output: Output,
): Promise<void> {
  const { taken, world } = await posted(address, 'POST', '/entities', {
    body: { components },
    isWaiting,
  });
  const ids = taken.entities?.join(', ') ?? '';
  tell({ taken, world, done: `created ${ids}`, asked: `${ids} is to be created` }, output);
}

export async function patch(
  address: ApiAddress,
  change: {
    readonly id: number;
    readonly set: Values;
    readonly remove: readonly string[];
    readonly isWaiting: boolean;
  },
  output: Output,
): Promise<void> {
  const { id, set, remove, isWaiting } = change;
  const body: Fields = { set, remove };
  const { taken, world } = await posted(address, 'PATCH', `/entities/${id}`, { body, isWaiting });
  tell({ taken, world, done: `changed ${id}`, asked: `${id} is to be changed` }, output);
}

export async function remove(
  address: ApiAddress,
  { id, isWaiting }: { readonly id: number; readonly isWaiting: boolean },
  output: Output,
): Promise<void> {
  const { taken, world } = await posted(address, 'DELETE', `/entities/${id}`, { isWaiting });
  tell({ taken, world, done: `deleted ${id}`, asked: `${id} is to be deleted` }, output);
}

/** Asks for a change. Errors: those of `Api`. */
export async function posted(
  address: ApiAddress,
  method: string,
  path: string,
  { body, isWaiting }: { readonly body?: Fields; readonly isWaiting: boolean },
): Promise<{ readonly taken: Taken; readonly world: string }> {
  const api = await openApi(address);
  const query: Asked['query'] = isWaiting ? [['wait', 'applied']] : [];
  const answer = await api.ask(method, path, { query, ...(body === undefined ? {} : { body }) });
  return { taken: answer.body as Taken, world: api.world };
}

export function tell(
  {
    taken,
    world,
    done,
    asked,
  }: {
    readonly taken: Taken;
    readonly world: string;
    readonly done: string;
    readonly asked: string;
  },
  output: Output,
): void {
  output.json({ world, ...taken });
  const at = taken.tick === undefined ? '' : ` at tick ${taken.tick}`;
  if (taken.state === 'applied') output.print(`${done}${at}`);
  else output.print(`${asked}: leasehold entity request ${taken.request}`);
}
