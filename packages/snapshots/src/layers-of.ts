/** The layers of a stored world in the order of their numbers, as its registry tells them. */
import { LeaseholdError } from '@leasehold/kernel';
import type { RegistryRecord } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import { knownOf } from '@leasehold/world';

export type StoredLayers = {
  readonly world: string;
  readonly incarnation: number;
  readonly grid: Grid;
  /** The first says who lives and where. */
  readonly layers: readonly { readonly layer: string; readonly schemaHash: string }[];
};

/** Throws `SETTING_INVALID` for a world of an older version, or whose first layer has no positions. */
export function layersOf(record: RegistryRecord): StoredLayers {
  const { world, fixed, others = {}, schemaHash } = record;
  const known = knownOf(record);
  if (known === undefined) {
    throw invalid(world, `${world} was seeded by an older version`, 'Seed it anew with --fresh.');
  }
  const { incarnation, grid, layer: home } = known;
  const named = fixed?.['layers'];
  const names = typeof named === 'string' ? named.split(', ') : [home];
  if (names[0] !== home) {
    const remedy = `Name ${home}, which says where entities are, first among the layers.`;
    throw invalid(world, `the first layer of ${world} is ${names[0]}, not ${home}`, remedy);
  }
  const layers = names.map((layer) => {
    return { layer, schemaHash: layer === home ? schemaHash : (others[layer] ?? '') };
  });
  return { world, incarnation, grid, layers };
}

function invalid(world: string, message: string, remedy: string): LeaseholdError {
  return new LeaseholdError('SETTING_INVALID', message, { field: 'world', value: world, remedy });
}
