/** Stored worlds as the registry knows them: enough to open their stores without their folders. */
import type { Registry, RegistryRecord } from '@leasehold/protocol';
import { Grid, type SpaceSpec } from '@leasehold/spatial';
import type { LoadedWorld } from './load.ts';

export type Known = {
  readonly world: string;
  readonly incarnation: number;
  /** The one that says who lives and where. */
  readonly layer: string;
  /** All others, in the order of the manifest. */
  readonly others: readonly string[];
  readonly grid: Grid;
};

/** The layer of worlds that were seeded before the registry knew it. */
const LAYER_DEFAULT = 'main';

/** The layer with the component that says where entities are: it says who lives and where. */
export function homeLayer({ manifest, simulation }: LoadedWorld): string {
  const spatial = simulation.components.find(({ schema }) => schema.spatial !== undefined);
  const layers = Object.entries(manifest.layers);
  const home = layers.find(([, names]) => names.includes(spatial?.schema.name ?? ''));
  return (home ?? layers[0])?.[0] ?? LAYER_DEFAULT;
}

/** Those that are seeded, but for what an older version has seeded. */
export async function knownWorlds(registry: Registry): Promise<Known[]> {
  const found: Known[] = [];
  for (const name of await registry.worlds()) {
    const record = await registry.read(name);
    const known = record?.state === 'ready' ? knownOf(record) : undefined;
    if (known !== undefined) found.push(known);
  }
  return found;
}

/** Undefined where the record does not say how the world is cut into cells. */
export function knownOf({
  world,
  incarnation,
  layer = LAYER_DEFAULT,
  others = {},
  fixed,
}: RegistryRecord): Known | undefined {
  if (fixed?.['space.kind'] === undefined) return undefined;
  const spec = Object.fromEntries(
    ['kind', 'width', 'height', 'cell'].map((key) => [key, fixed[`space.${key}`]]),
  ) as unknown as SpaceSpec;
  const blockCells = fixed['blockCells'];
  const grid = new Grid(spec, typeof blockCells === 'number' ? { blockCells } : {});
  return { world, incarnation, layer, others: Object.keys(others), grid };
}
