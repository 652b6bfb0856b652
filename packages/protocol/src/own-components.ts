/** What of a layer's schema a module has declared for that layer: no copies, and nothing of the engine's. */
import { type ComponentSchema, type LayerSchema, layerSchema } from './schema.ts';

/** Names of what the engine keeps with an entity begin so. */
const ENGINE_PREFIX = '_';

/** The component of a module by which an entity remembers the prefab that it was made from. */
export const PREFAB_COMPONENT = 'prefab';

export const isOwnComponent = ({ name, copyOf }: ComponentSchema): boolean =>
  copyOf === undefined && !name.startsWith(ENGINE_PREFIX);

/** The schema without all else. Its components have other indices than those of rows. */
export function ownSchema({ layer, components }: LayerSchema): LayerSchema {
  return layerSchema(layer, components.filter(isOwnComponent));
}
