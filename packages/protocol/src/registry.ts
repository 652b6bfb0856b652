/**
 * Which incarnation of a world is the one, and whether it is seeded. The interface is the same on a
 * file and on PostgreSQL; it never touches Redis.
 *
 *             seed                    work done
 *   (none) ─────────► seeding N ───────────────────► ready N ──► seed replacing N ──► seeding N + 1
 *                        │  ▲                            ▲                               │
 *                        └──┘ crash: the next seeder     └── failure: N stays ready ─────┘
 *                             repeats the work
 */

/** Settings of a world that its stored state depends on, by name, such as `space.width`. */
export type FixedSettings = Readonly<Record<string, string | number | boolean>>;

export type RegistryFacts = {
  /** Hash of the schema of the layer that the seeder wrote. */
  readonly schemaHash: string;
  /** Hash of the settings that cannot change while the state is kept. */
  readonly manifestHash: string;
  /** Those settings themselves, so that a difference can be named. */
  readonly fixed?: FixedSettings;
  /** That layer, the one which says who lives and where. */
  readonly layer?: string;
  /** Hashes of the schemas of the other layers, by name, where there are any. */
  readonly others?: Readonly<Record<string, string>>;
};

export type RegistryRecord = RegistryFacts & {
  readonly world: string;
  readonly incarnation: number;
  readonly state: 'seeding' | 'ready';
  /** When the state was reached, ISO 8601. */
  readonly seededAt: string;
  readonly redisRunId?: string;
  /** What the seeder is to write, in brief: only the same may be resumed. */
  readonly fingerprint?: string;
};

export type SeedRequest = {
  /**
   * The incarnation that a new one shall replace, ready or not. If another one is ready by the time
   * the lock is held, somebody else has replaced it, and theirs is the answer.
   */
  readonly replaces?: number;
  /**
   * Asked under the lock when there is work to do: a short text that differs when the work would
   * write anything else. What it throws, `seed` throws, and nothing is noted.
   */
  readonly fingerprint?: () => Promise<string>;
  /**
   * Asked under the lock when the registry has never heard of the world: the highest incarnation
   * that the store has all the same, 0 if none. What it throws, `seed` throws.
   */
  readonly stored?: () => Promise<number>;
};

/** Does the work of seeding, so that repeating it changes nothing. Returns the server's run id. */
export type SeedWork = (incarnation: number) => Promise<{ readonly redisRunId?: string }>;

export interface Registry {
  /** Names of all worlds that were ever seeded here, in order. */
  worlds(): Promise<string[]>;
  /** The ready record; if there is none, the one being seeded; else undefined. */
  read(world: string): Promise<RegistryRecord | undefined>;
  /**
   * Makes the world ready exactly once, and returns the ready record. One seeder works, under a
   * lock that dies with its process; others wait for its result. A seeding of the same facts and
   * fingerprint that was cut short is resumed under its incarnation; otherwise a number is taken
   * that was never used before. If the work throws, so does this, and what was ready before still
   * is.
   */
  seed(
    world: string,
    facts: RegistryFacts,
    work: SeedWork,
    request?: SeedRequest,
  ): Promise<RegistryRecord>;
  /** Notes that the ready state has been migrated to other schemas. */
  migrated(
    world: string,
    incarnation: number,
    schemas: Pick<RegistryFacts, 'schemaHash' | 'others'>,
  ): Promise<void>;
  /** Incarnations that nobody may use any more and whose keys may still exist. */
  leftovers(world: string): Promise<number[]>;
  /** Notes that the keys of a leftover are gone. */
  forgotten(world: string, incarnation: number): Promise<void>;
  /** Notes that nobody goes on with a seeding: it is a leftover. Of one that is ready, nothing. */
  abandoned(world: string, incarnation: number): Promise<void>;
  /** Makes the world unknown and its incarnations leftovers. Their numbers are never used again. */
  forget(world: string): Promise<void>;
}
