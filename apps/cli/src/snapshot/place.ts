/** Where snapshots are: the database of the fleet, or a private one under the home. */
import { LeaseholdError } from '@leasehold/kernel';
import type { Registry, RegistryRecord } from '@leasehold/protocol';
import { openDatabase } from '@leasehold/servers';
import { openSnapshotStore, type SnapshotStore } from '@leasehold/snapshot-store';
import { type WorldFlags, withWorld } from '../known-world.ts';
import type { Output } from '../output.ts';
import { coldUrlOf, commandRegistry } from '../registry.ts';

export async function withSnapshots<T>(
  { home }: Pick<WorldFlags, 'home'>,
  output: Output,
  work: (snapshots: SnapshotStore) => Promise<T>,
): Promise<T> {
  const log = (line: string): void => output.progress(line);
  const env = { ...process.env, DATABASE_URL: coldUrlOf({}) };
  const database = await openDatabase({ home, log, env });
  try {
    const snapshots = await openSnapshotStore({ url: database.databaseUrl, log });
    try {
      return await work(snapshots);
    } finally {
      await snapshots.close();
    }
  } finally {
    await database.close();
  }
}

/** The world that is meant, as the registry has it. Throws `WORLD_NOT_READY`. */
export async function recordOf(
  flags: WorldFlags,
  output: Output,
): Promise<{ readonly registry: Registry; readonly record: RegistryRecord }> {
  const registry = await commandRegistry(flags, output);
  const world = await withWorld(flags, output, async (open) => open.world);
  const record = await registry.read(world);
  if (record?.state === 'ready') return { registry, record };
  throw new LeaseholdError('WORLD_NOT_READY', `${world} is not seeded`, {
    field: 'world',
    value: world,
    remedy: 'Run it first, or restore a snapshot of it.',
  });
}

/** Sorts by time, is unique enough to be typed, and says of which world it is. */
export function newSnapshotId(world: string, now = new Date()): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').replace(/\..*/, '');
  return `${world.slice(0, 40)}-${stamp}`;
}
