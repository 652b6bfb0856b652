/** Opens the prefabs of a world: its repository, its record, its components. */
import { openControl } from '@leasehold/control';
import type { ComponentSchema } from '@leasehold/protocol';
import { checkedComponents } from './prefab.ts';
import { openRepository, type PrefabRepository, type PrefabSource } from './repository.ts';
import { WorldPrefabs } from './world-prefabs.ts';

export type OpenPrefabsOptions = {
  readonly world: string;
  /** The world's folder. */
  readonly folder: string;
  readonly source: PrefabSource;
  /** All components that the module declares. */
  readonly schemas: readonly ComponentSchema[];
  /** Where copies of remote repositories are kept. */
  readonly cache: string;
  readonly redisUrl: string;
};

export type OpenPrefabs = {
  readonly prefabs: WorldPrefabs;
  readonly repository: PrefabRepository;
  close(): Promise<void>;
};

/**
 * Errors: `PREFAB_INVALID` for a world without the component, `REPOSITORY_UNREADABLE`,
 * `REDIS_UNREACHABLE`.
 */
export async function openWorldPrefabs({
  world,
  folder,
  source: { repository: address, folder: subfolder, ref },
  schemas,
  cache,
  redisUrl,
}: OpenPrefabsOptions): Promise<OpenPrefabs> {
  const components = checkedComponents(schemas);
  const source = { repository: address, folder: subfolder, ref };
  const repository = await openRepository(source, { home: folder, cache });
  const control = await openControl(redisUrl);
  const now = (): string => new Date().toISOString();
  const prefabs = new WorldPrefabs({ world, control, repository, components, now });
  return { prefabs, repository, close: () => control.close() };
}
