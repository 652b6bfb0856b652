/**
 * The prefabs of worlds: which version is in force, as the record of a world says, and what is in a
 * version, as its repository says. It reads; which version is in force is decided elsewhere.
 */
import { openControl, type PrefabVersion } from '@leasehold/control';
import { LeaseholdError } from '@leasehold/kernel';
import {
  type Components,
  checkedComponents,
  openRepository,
  type Prefab,
  type PrefabRepository,
  type PrefabSet,
  type PrefabSource,
  WorldPrefabs,
} from '@leasehold/prefabs';
import type { OpenWorld } from './worlds.ts';

export type PrefabsOptions = {
  /** Redis that holds the worlds, and their records. */
  readonly redisUrl: string;
  /** Where copies of remote repositories are kept. */
  readonly cache: string;
};

/** A prefab of a version, and what its values are checked against. */
export type FoundPrefab = {
  readonly prefab: Prefab;
  readonly version: string;
  readonly components: Components;
};

/** Versions that were read: what is in a commit does not change. */
const SETS_MAX = 64;

type Place = { readonly source: PrefabSource; readonly home: string };

export class Prefabs {
  readonly #options: PrefabsOptions;
  readonly #sets = new Map<string, Promise<PrefabSet>>();

  constructor(options: PrefabsOptions) {
    this.#options = options;
  }

  /** The version in force. Errors: `PREFAB_UNKNOWN` for a world without, `REDIS_UNREACHABLE`. */
  async version({ world }: OpenWorld): Promise<PrefabVersion> {
    const control = await openControl(this.#options.redisUrl);
    try {
      const version = (await control.prefabs(world))?.versions.at(-1);
      if (version !== undefined) return version;
    } finally {
      await control.close();
    }
    throw new LeaseholdError('PREFAB_UNKNOWN', `${world} has no prefabs`, {
      field: 'world',
      value: world,
      remedy: 'Commit some and run leasehold prefabs apply in the folder of the world.',
    });
  }

  /**
   * A prefab of a version. Errors: `PREFAB_UNKNOWN`, `PREFAB_INVALID` where it no longer fits the
   * world, `REPOSITORY_UNREADABLE`, `REDIS_UNREACHABLE`.
   */
  async find(open: OpenWorld, version: string, name: string): Promise<FoundPrefab> {
    const components = checkedComponents(open.components);
    const { prefabs } = await this.#set(open, version, components);
    const prefab = prefabs.get(name);
    if (prefab !== undefined) return { prefab, version, components };
    throw new LeaseholdError('PREFAB_UNKNOWN', `${open.world} has no prefab ${name}`, {
      field: 'name',
      value: name,
      remedy: `It has ${[...prefabs.keys()].join(', ') || 'none'}.`,
    });
  }

  #set(open: OpenWorld, commit: string, components: Components): Promise<PrefabSet> {
    const key = `${open.world} ${open.schemaMark} ${commit}`;
    const known = this.#sets.get(key);
    if (known !== undefined) return known;
    const [oldest] = this.#sets.keys();
    if (this.#sets.size >= SETS_MAX && oldest !== undefined) this.#sets.delete(oldest);
    const reading = this.#read(open.world, commit, components);
    this.#sets.set(key, reading);
    reading.catch(() => this.#sets.delete(key));
    return reading;
  }

  #read(world: string, commit: string, components: Components): Promise<PrefabSet> {
    return withWorldPrefabs(this.#options, { world, components }, ({ prefabs }) =>
      prefabs.at(commit),
    );
  }
}

export type Opened = {
  readonly prefabs: WorldPrefabs;
  readonly repository: PrefabRepository;
};

/**
 * The prefabs of a world with their repository, which is asked for what is new if it is behind a
 * URL. Errors: `PREFAB_UNKNOWN`, `REPOSITORY_UNREADABLE`, `REDIS_UNREACHABLE`, and those of `use`.
 */
export async function withWorldPrefabs<T>(
  { redisUrl, cache }: PrefabsOptions,
  { world, components }: { readonly world: string; readonly components: Components },
  use: (opened: Opened) => Promise<T>,
): Promise<T> {
  const control = await openControl(redisUrl);
  try {
    const [index, applied] = await Promise.all([control.prefabs(world), control.world(world)]);
    const { source, home } = placeOf(world, index, applied?.folder);
    const repository = await openRepository(source, { home, cache });
    const now = (): string => new Date().toISOString();
    const prefabs = new WorldPrefabs({ world, control, repository, components, now });
    return await use({ prefabs, repository });
  } finally {
    await control.close();
  }
}

/** A repository on this machine is named from the folder that the world was applied from. */
function placeOf(
  world: string,
  index: PrefabSource | undefined,
  folder: string | undefined,
): Place {
  if (index === undefined) {
    throw new LeaseholdError('PREFAB_UNKNOWN', `${world} has no prefabs any more`, {
      field: 'world',
      value: world,
      remedy: 'Run leasehold prefabs apply in the folder of the world.',
    });
  }
  const { repository, folder: subfolder, ref } = index;
  const source = { repository, folder: subfolder, ref };
  if (folder !== undefined || /^(\/|https?:)/.test(repository))
    return { source, home: folder ?? '/' };
  throw new LeaseholdError('REPOSITORY_UNREADABLE', `nobody noted which folder ${world} is of`, {
    field: 'prefabs.repository',
    value: repository,
    remedy: 'Run leasehold world apply in the folder of the world.',
  });
}
