/** Where a command looks for what is known of worlds. */
import type { Registry } from '@leasehold/protocol';
import { openRegistry } from '@leasehold/world';
import { loadRegistryConfig } from './config.ts';
import type { Output } from './output.ts';

export type RegistryFlags = {
  readonly home: string;
  /** '' = the files of the home whatever the environment says; absent = as that says. */
  readonly databaseUrl?: string;
  /** PostgreSQL in which cells sleep; absent or '' = as the environment says, or the registry's. */
  readonly snapshotsUrl?: string;
};

/** The registry of the fleet, or of the home. Throws what `openRegistry` throws. */
export function commandRegistry(flags: RegistryFlags, output: Output): Promise<Registry> {
  const { home, databaseUrl = loadRegistryConfig().databaseUrl } = flags;
  return openRegistry({ home, databaseUrl, log: (line) => output.progress(line) });
}

/** Where cells of worlds sleep, and where snapshots are; '' = nobody has named a PostgreSQL. */
export function coldUrlOf(flags: Omit<RegistryFlags, 'home'>): string {
  const config = loadRegistryConfig();
  const { databaseUrl = config.databaseUrl } = flags;
  const given = flags.snapshotsUrl ?? '';
  return [given, config.snapshotsUrl, databaseUrl].find((url) => url !== '') ?? '';
}
