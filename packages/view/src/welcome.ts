/** What a client is told first: the world, its space, its components, and what it may ask for. */
import { VIEW_PROTOCOL, type Welcome } from '@leasehold/protocol/view';
import type { HubParts } from './hub.ts';
import type { ViewLimits } from './limits.ts';

export function welcomeOf(
  parts: Pick<HubParts, 'facts' | 'grid' | 'schema' | 'spatial' | 'past'>,
  limits: ViewLimits,
): Welcome {
  const { gateway, world, incarnation, layer, tickHz, mode, canKill } = parts.facts;
  const { columns, rows, cellSize, originX, originY, width, height, wrapsX, wrapsY } = parts.grid;
  const { spec: space } = parts.grid;
  const { components } = parts.schema;
  const place = parts.spatial && components[parts.spatial.component];
  const spatial =
    place?.spatial === undefined
      ? null
      : { component: place.name, x: place.spatial[0], y: place.spatial[1] };
  const grid = { columns, rows, cellSize, originX, originY, width, height, wrapsX, wrapsY };
  const facts = { gateway, world, incarnation, layer, tickHz, mode, canKill };
  return {
    ...{ protocol: VIEW_PROTOCOL, ...facts, space, grid, components, spatial },
    // Who may open none has none to choose from.
    limits: { ...limits, ...(parts.past === undefined ? { snapshotsMax: 0 } : {}) },
  };
}
