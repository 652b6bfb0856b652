/**
 * What is kept of a world beside its state: the manifest as it was applied, its layers, its prefabs.
 * People and tools read it; no tick depends on it, and no pod reads it.
 */

export type AppliedWorld = {
  readonly world: string;
  readonly incarnation: number;
  /** With every default in its place. */
  readonly manifest: Readonly<Record<string, unknown>>;
  /** Over all of the manifest. Sixteen hex digits. */
  readonly manifestHash: string;
  /** The folder it was applied from. */
  readonly folder: string;
  /** Of the simulation module and what it declares. Sixteen hex digits. */
  readonly moduleVersion: string;
  /** Of the repository that the folder is in; '' = none. */
  readonly moduleCommit: string;
  /** ISO 8601. */
  readonly appliedAt: string;
};

export type AppliedLayer = {
  readonly world: string;
  readonly layer: string;
  readonly components: readonly string[];
  readonly schemaHash: string;
  /** As `schemaJson` writes it. */
  readonly schema: string;
};

export type PrefabVersion = {
  readonly commit: string;
  /** Names of the prefabs in it. */
  readonly names: readonly string[];
  /** ISO 8601. */
  readonly appliedAt: string;
};

/** Which version of its prefabs a world has. */
export type PrefabIndex = {
  readonly world: string;
  readonly repository: string;
  readonly folder: string;
  readonly ref: string;
  /** Newest last, which is the current one. Never empty. */
  readonly versions: readonly PrefabVersion[];
};
