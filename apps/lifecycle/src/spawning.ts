/** Entities of a prefab as what is created of them, at once or by a job. Pure. */

import { type SpawnRequest, spawnedEntities } from '@leasehold/prefabs';
import type { Birth } from '@leasehold/protocol';
import { type ComponentValues, PREFAB_COMPONENT } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import type { FoundPrefab } from './prefabs.ts';

/** The same ones for the same request. Errors: `AREA_INVALID`, `SETTING_INVALID`. */
export function spawnedBirths(
  found: FoundPrefab,
  grid: Grid,
  spread: Pick<SpawnRequest, 'count' | 'area' | 'seed'>,
): Birth[] {
  // Ids are reserved for births, as for those that come one by one.
  const byCell = spawnedEntities({ ...found, grid, ...spread }, () => 0);
  return [...byCell].flatMap(([cell, entities]) =>
    entities.map(({ components }): Birth => ({ cell, components })),
  );
}

/** What a job gives each of them besides its place. */
export function spawnTemplate({ prefab, version }: FoundPrefab): {
  readonly components: ComponentValues;
} {
  const { name, components } = prefab;
  return { components: { ...components, [PREFAB_COMPONENT]: { name, version } } };
}
