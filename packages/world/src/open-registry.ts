/** Where the registry is: a file under the home, or PostgreSQL for a fleet. */
import { registryFiles } from '@leasehold/live-store';
import { type Registry, type RegistryPage, registryOn } from '@leasehold/protocol';
import { adoptPages, migrate, postgresRegistry, shownUrl } from '@leasehold/snapshot-store';

export type RegistryPlace = {
  /** Where a registry of one machine keeps its files. */
  readonly home: string;
  /** DATABASE_URL: where a fleet has its registry; '' for none. */
  readonly databaseUrl: string;
  /** Receives progress for people, one line at a time. */
  readonly log?: (line: string) => void;
};

/**
 * Opens the registry. A database is migrated first, and worlds that only the home knows are moved
 * to it. Throws `INCARNATION_MISMATCH` when home and database know different worlds of one name,
 * and what `migrate` throws.
 */
export async function openRegistry(place: RegistryPlace): Promise<Registry> {
  const { home, databaseUrl, log = () => {} } = place;
  if (databaseUrl === '') return registryOn(registryFiles(home));
  await migrate(databaseUrl, { log });
  await moveWorlds(place);
  return postgresRegistry(databaseUrl);
}

async function moveWorlds({ home, databaseUrl, log = () => {} }: RegistryPlace): Promise<void> {
  const files = registryFiles(home);
  const worlds = await files.worlds();
  if (worlds.length === 0) return;
  const pages = new Map<string, RegistryPage>();
  /** Holds the files of all worlds at once: a seeding that runs on one of them must end first. */
  const holding = async (rest: readonly string[]): Promise<void> => {
    const [world, ...others] = rest;
    if (world !== undefined) {
      return files.locked(world, async (desk) => {
        const page = await desk.read();
        // Another process may have moved it while this one waited.
        if (page.last > 0) pages.set(world, page);
        await holding(others);
      });
    }
    await adoptPages(databaseUrl, pages);
    for (const moved of pages.keys()) files.retire(moved);
  };
  await holding(worlds);
  if (pages.size === 0) return;
  const names = [...pages.keys()].join(', ');
  log(`Moved the registry of ${home} to the database ${shownUrl(databaseUrl)}: ${names}.`);
}
