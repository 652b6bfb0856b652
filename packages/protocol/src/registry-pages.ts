/**
 * The registry's state machine, on any place that keeps a page per world and a lock that dies with
 * its holder. Whoever changes a page holds the lock of its world.
 */
import type { Registry, RegistryFacts, RegistryRecord, SeedRequest } from './registry.ts';

/** What is kept of a world. */
export type RegistryPage = {
  /** The highest incarnation ever used, so that no number is used twice. */
  readonly last: number;
  readonly ready?: RegistryRecord;
  readonly seeding?: RegistryRecord;
  /** Incarnations that nobody may use any more and whose keys may still exist. */
  readonly leftovers: readonly number[];
};

export const EMPTY_PAGE: RegistryPage = { last: 0, leftovers: [] };

/** A page whose lock is held. */
export type RegistryDesk = {
  read(): Promise<RegistryPage>;
  /** All or nothing; throws when the lock was lost meanwhile. */
  write(page: RegistryPage): Promise<void>;
};

export type RegistryPages = {
  /** Names of all worlds that have a page, in order. */
  worlds(): Promise<string[]>;
  /** An empty page for a world that has none. */
  read(world: string): Promise<RegistryPage>;
  /** Runs `work` while nobody else changes the page of this world. */
  locked<T>(world: string, work: (desk: RegistryDesk) => Promise<T>): Promise<T>;
  /** The time, ISO 8601. */
  now(): string;
};

/** A registry on such pages. */
export function registryOn(pages: RegistryPages): Registry {
  const change = (world: string, next: (page: RegistryPage) => RegistryPage): Promise<void> =>
    pages.locked(world, async (desk) => desk.write(next(await desk.read())));
  return {
    worlds: () => pages.worlds(),
    async read(world) {
      const page = await pages.read(world);
      return page.ready ?? page.seeding;
    },
    seed(world, facts, work, request = {}) {
      return pages.locked(world, async (desk) => {
        const page = await desk.read();
        if (page.ready && page.ready.incarnation !== request.replaces) return page.ready;
        const begun = await begin(page, { ...facts, world, seededAt: pages.now() }, request);
        await desk.write(begun.page);
        const { redisRunId } = await work(begun.record.incarnation);
        const ready: RegistryRecord = {
          ...begun.record,
          state: 'ready',
          seededAt: pages.now(),
          ...(redisRunId === undefined ? {} : { redisRunId }),
        };
        const { ready: replaced, seeding: _, ...rest } = begun.page;
        const leftovers = replaced ? [...rest.leftovers, replaced.incarnation] : rest.leftovers;
        await desk.write({ ...rest, ready, leftovers });
        return ready;
      });
    },
    migrated: (world, incarnation, { schemaHash, others }) =>
      change(world, (page) => {
        if (page.ready?.incarnation !== incarnation) return page;
        const schemas = { schemaHash, ...(others === undefined ? {} : { others }) };
        return { ...page, ready: { ...page.ready, ...schemas } };
      }),
    leftovers: async (world) => [...(await pages.read(world)).leftovers],
    forgotten: (world, incarnation) =>
      change(world, (page) => {
        return { ...page, leftovers: page.leftovers.filter((other) => other !== incarnation) };
      }),
    abandoned: (world, incarnation) =>
      change(world, ({ seeding, ...page }) => {
        if (seeding?.incarnation !== incarnation) {
          return seeding === undefined ? page : { ...page, seeding };
        }
        return { ...page, leftovers: [...page.leftovers, incarnation] };
      }),
    forget: (world) =>
      change(world, ({ last, ready, seeding, leftovers }) => {
        const ended = [ready, seeding].filter((record) => record !== undefined);
        const numbers = ended.map(({ incarnation }) => incarnation);
        return { last, leftovers: [...leftovers, ...numbers] };
      }),
  };
}

/** Goes on with a seeding that was cut short, or begins one under a number never used before. */
async function begin(
  page: RegistryPage,
  facts: RegistryFacts & Pick<RegistryRecord, 'world' | 'seededAt'>,
  request: SeedRequest,
): Promise<{ page: RegistryPage; record: RegistryRecord }> {
  const { seeding } = page;
  const fingerprint = await request.fingerprint?.();
  const isSame =
    seeding?.schemaHash === facts.schemaHash &&
    seeding.manifestHash === facts.manifestHash &&
    seeding.fingerprint === fingerprint &&
    seeding.incarnation !== request.replaces;
  if (seeding !== undefined && isSame) return { page, record: seeding };
  const stored = page.last === 0 ? ((await request.stored?.()) ?? 0) : 0;
  const incarnation = Math.max(page.last, stored) + 1;
  const record: RegistryRecord = {
    ...facts,
    incarnation,
    state: 'seeding',
    ...(fingerprint === undefined ? {} : { fingerprint }),
  };
  const leftovers = seeding ? [...page.leftovers, seeding.incarnation] : page.leftovers;
  return { page: { ...page, last: incarnation, seeding: record, leftovers }, record };
}
