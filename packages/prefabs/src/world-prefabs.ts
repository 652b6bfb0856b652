/**
 * The prefabs of one world: which version it has, what another one would change, and the change.
 */
import type { Control, PrefabIndex, PrefabVersion } from '@leasehold/control';
import { hasCode, LeaseholdError } from '@leasehold/kernel';
import type { Grid } from '@leasehold/spatial';
import type { Descendant } from './descendants.ts';
import { olderPrefabs, parsePrefabs } from './parse.ts';
import { type PatchPost, patchOf, patchPost } from './patches.ts';
import { type Components, isSame } from './prefab.ts';
import type { PrefabRepository } from './repository.ts';
import {
  NO_PREFABS,
  type PrefabDifference,
  type PrefabSet,
  prefabDifferences,
} from './versions.ts';

/** Older ones are in git all the same; so many can be gone back to. */
const VERSIONS_MAX = 100;
/** More ids are not read by anybody; how many there are is said. */
const IDS_TOLD_MAX = 1_000;

export type WorldPrefabsOptions = {
  readonly world: string;
  readonly control: Pick<Control, 'prefabs' | 'putPrefabs'>;
  readonly repository: PrefabRepository;
  readonly components: Components;
  /** ISO 8601. */
  readonly now: () => string;
};

export type PrefabPlan = {
  readonly world: string;
  /** '' = the world has no prefabs yet. */
  readonly from: string;
  readonly to: string;
  readonly differences: readonly PrefabDifference[];
};

/** Where the living descendants of a prefab are. */
export type Descent = {
  readonly prefab: string;
  readonly count: number;
  /** The first of them, ascending by cell. */
  readonly ids: readonly number[];
  /** By cell, most first: its corner and its side, in units of the space. */
  readonly areas: readonly {
    readonly cell: number;
    readonly minX: number;
    readonly minY: number;
    readonly size: number;
    readonly count: number;
  }[];
};

export type LivePatches = {
  readonly posts: readonly PatchPost[];
  /** Descendants that keep what they have: nothing of it is their prefab's any more. */
  readonly kept: number;
  /** Descendants of versions that the repository no longer has: they are left alone. */
  readonly unknown: number;
};

export class WorldPrefabs {
  readonly #options: WorldPrefabsOptions;
  readonly #older = new Map<string, Promise<PrefabSet | undefined>>();

  constructor(options: WorldPrefabsOptions) {
    this.#options = options;
  }

  /** Undefined: none was ever applied. */
  index(): Promise<PrefabIndex | undefined> {
    return this.#options.control.prefabs(this.#options.world);
  }

  /** A version, checked. Errors: `PREFAB_INVALID`, `REPOSITORY_UNREADABLE`, `LIMIT_EXCEEDED`. */
  async at(commit: string): Promise<PrefabSet> {
    const { repository, components } = this.#options;
    const files = await repository.files(commit);
    const where = `${repository.source.folder} at ${commit.slice(0, 12)}`;
    return { commit, prefabs: parsePrefabs(files, components, where) };
  }

  /** Whether what the world has now still fits its components. Errors: those of `at`. */
  async check(): Promise<void> {
    const commit = (await this.index())?.versions.at(-1)?.commit;
    if (commit !== undefined) await this.at(commit);
  }

  /** What the world has now. One that the repository has lost counts as having nothing in it. */
  async current(): Promise<PrefabSet> {
    const commit = (await this.index())?.versions.at(-1)?.commit;
    if (commit === undefined) return NO_PREFABS;
    return (await this.#olderAt(commit)) ?? { ...NO_PREFABS, commit };
  }

  /** What a version would change. Nothing is written. */
  async plan(next: PrefabSet): Promise<PrefabPlan> {
    const current = await this.current();
    return {
      world: this.#options.world,
      from: current.commit,
      to: next.commit,
      differences: prefabDifferences(current, next),
    };
  }

  /** Makes a version the current one. Applied again, nothing changes. */
  async apply(next: PrefabSet): Promise<void> {
    const index = await this.index();
    if (index?.versions.at(-1)?.commit === next.commit) return;
    const names = [...next.prefabs.keys()];
    const version = { commit: next.commit, names, appliedAt: this.#options.now() };
    await this.#put([...(index?.versions ?? []), version].slice(-VERSIONS_MAX));
  }

  /** The version before the current one. Errors: `PREFAB_UNKNOWN` when there is none. */
  async previous(): Promise<PrefabSet> {
    const { world } = this.#options;
    const before = (await this.index())?.versions.at(-2);
    if (before !== undefined) return this.at(before.commit);
    throw new LeaseholdError('PREFAB_UNKNOWN', `${world} has no earlier version of its prefabs`, {
      field: 'version',
      value: 'the one before',
      remedy: 'Apply the commit that you want: leasehold prefabs apply WORLD --commit REF.',
    });
  }

  /** Makes `previous` the current one; the one that was current is forgotten. */
  async rollback(): Promise<PrefabSet> {
    const previous = await this.previous();
    const versions = (await this.index())?.versions.slice(0, -1) ?? [];
    const [current] = versions.slice(-1);
    const appliedAt = this.#options.now();
    if (current !== undefined)
      await this.#put([...versions.slice(0, -1), { ...current, appliedAt }]);
    return previous;
  }

  /** What brings living descendants up to the current version; whom it leaves as they are get nothing. */
  async livePatches(descendants: readonly Descendant[], next: PrefabSet): Promise<LivePatches> {
    const posts: PatchPost[] = [];
    // Who was made before the world had prefabs counts as made from the first that it had.
    const versions = (await this.index())?.versions ?? [];
    const first = versions[0]?.commit ?? next.commit;
    const application = `${next.commit.slice(0, 12)}-${versions.at(-1)?.appliedAt ?? ''}`;
    let [kept, unknown] = [0, 0];
    for (const descendant of descendants) {
      const target = next.prefabs.get(descendant.prefab);
      if (target === undefined || descendant.version === next.commit) continue;
      const version = descendant.version === '' ? first : descendant.version;
      const base = (await this.#olderAt(version))?.prefabs.get(descendant.prefab);
      if (base === undefined) {
        unknown++;
        continue;
      }
      if (isSame(base.components, target.components)) continue;
      const patch = patchOf(descendant, base, target, next.commit);
      if (patch === undefined) kept++;
      else posts.push(patchPost(patch, application));
    }
    return { posts, kept, unknown };
  }

  async #put(versions: readonly PrefabVersion[]): Promise<void> {
    const { world, control, repository } = this.#options;
    await control.putPrefabs({ world, ...repository.source, versions });
  }

  #olderAt(commit: string): Promise<PrefabSet | undefined> {
    const known = this.#older.get(commit);
    if (known !== undefined) return known;
    const read = this.#readOlder(commit);
    this.#older.set(commit, read);
    return read;
  }

  async #readOlder(ref: string): Promise<PrefabSet | undefined> {
    const { repository, components } = this.#options;
    try {
      const commit = await repository.commit(ref);
      return { commit, prefabs: olderPrefabs(await repository.files(commit), components) };
    } catch (error) {
      if (hasCode(error, 'REPOSITORY_UNREADABLE')) return undefined;
      throw error;
    }
  }
}

/** How many descend from each prefab, and where they are. */
export function descentsOf(found: readonly Descendant[], grid: Grid): Descent[] {
  const byPrefab = Map.groupBy(found, ({ prefab }) => prefab);
  const names = [...byPrefab.keys()].sort();
  return names.map((prefab): Descent => {
    const those = byPrefab.get(prefab) ?? [];
    const byCell = Map.groupBy(those, ({ cell }) => cell);
    const areas = [...byCell].map(([cell, { length }]) => ({ cell, count: length }));
    return {
      prefab,
      count: those.length,
      ids: those.slice(0, IDS_TOLD_MAX).map(({ id }) => id),
      areas: areas
        .sort((a, b) => b.count - a.count || a.cell - b.cell)
        .map(({ cell, count }) => ({
          ...{ cell, count, size: grid.cellSize },
          ...{ minX: grid.minX(cell), minY: grid.minY(cell) },
        })),
    };
  });
}
