/** Which layer does what is asked of an entity, in a world of several. */
import type { EntityRequest } from '@leasehold/protocol';

/** What is known of the other layers of a world. */
export type MailLayers = {
  /** Of the own layer. */
  readonly index: number;
  /** Of the layer that says who lives and where. */
  readonly home: number;
  /** The layer that takes an event; undefined: the own one. */
  takerOf(event: string): number | undefined;
  /** The layer that a component is of; undefined: there is no such component. */
  layerOf(component: string): number | undefined;
};

type Patch = Extract<EntityRequest, { kind: 'patch' }>;

/** The layer that what is asked for is done in first; undefined: this one. */
export function layerFor(
  request: Exclude<EntityRequest, { kind: 'create' }>,
  layers: MailLayers | undefined,
): number | undefined {
  if (layers === undefined || request.kind === 'ended') return undefined;
  if (request.kind === 'event') return layers.takerOf(request.event);
  if (request.kind === 'delete') return layers.home === layers.index ? undefined : layers.home;
  const named = [...Object.keys(request.set), ...request.remove];
  const found = named.map((name) => layers.layerOf(name) ?? layers.index);
  if (found.length === 0 || found.includes(layers.index)) return undefined;
  return Math.min(...found);
}

/** What of a patch is for this layer, and what for others: the first of them gets the rest. */
export function splitPatch(
  request: Patch,
  layers: MailLayers | undefined,
): { readonly own: Patch; readonly rest: Patch; readonly layer?: number } {
  if (layers === undefined) return { own: request, rest: request };
  const isOwn = (name: string): boolean => (layers.layerOf(name) ?? layers.index) === layers.index;
  const part = (wanted: boolean): Patch => ({
    ...{ kind: 'patch', id: request.id },
    set: Object.fromEntries(Object.entries(request.set).filter(([name]) => isOwn(name) === wanted)),
    remove: request.remove.filter((name) => isOwn(name) === wanted),
  });
  const rest = part(false);
  const named = [...Object.keys(rest.set), ...rest.remove];
  const others = named.map((name) => layers.layerOf(name) ?? 0);
  const own = part(true);
  return others.length === 0 ? { own, rest } : { own, rest, layer: Math.min(...others) };
}
