import { LeaseholdError } from '@leasehold/kernel';
import { underLock } from '@leasehold/process-lock';

/** Longer than a server needs to load its data. */
const WAIT_MS = 150_000;

/** Runs `work` while no other process is in it. Throws `LIMIT_EXCEEDED` when it stays taken. */
export function underServerLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const taken = (pid: string) =>
    new LeaseholdError('LIMIT_EXCEEDED', `${file} is held by process ${pid}`, {
      field: 'home',
      value: file,
      remedy: `Wait for process ${pid}, or end it.`,
    });
  return underLock(file, work, { waitMs: WAIT_MS, taken });
}
