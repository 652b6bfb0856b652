import { LeaseholdError } from '@leasehold/kernel';
import { underLock } from '@leasehold/process-lock';

/** Seeding a world of a million cells takes minutes. */
const WAIT_MS_MAX = 15 * 60_000;

/** Runs `work` while nobody else seeds this world. Throws `WORLD_NOT_READY` when it stays taken. */
export function underRegistryLock<T>(
  file: string,
  work: () => Promise<T>,
  waitMs = WAIT_MS_MAX,
): Promise<T> {
  const taken = (pid: string) =>
    new LeaseholdError('WORLD_NOT_READY', `process ${pid} is still seeding this world`, {
      field: 'LEASEHOLD_HOME',
      value: file,
      remedy: `Wait for process ${pid}, or end it; what it began is then resumed.`,
    });
  return underLock(file, work, { waitMs, taken });
}
