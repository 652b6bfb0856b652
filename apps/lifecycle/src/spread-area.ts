/** The area that a body gives to spread entities over: one of these, as text; the world by default. */
import type { AreaSpec } from '@leasehold/spatial';
import { areaFromText } from '@leasehold/view';
import type { Static } from 'typebox';
import type { AREA } from './shapes.ts';

const AREAS = ['box', 'circle', 'polygon', 'world'] as const;

/** Errors: `AREA_INVALID`. */
export function spreadArea(area: Static<typeof AREA> = { world: '' }): AreaSpec {
  const kind = AREAS.find((name) => area[name] !== undefined) ?? 'world';
  // None of these kinds is around an entity.
  return areaFromText(kind, area[kind] ?? '') as AreaSpec;
}
