/**
 * A process that starts while its server restarts or fails over waits for it: whoever replaces the
 * dead would otherwise have to be replaced too.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, LeaseholdError, type Log } from '@leasehold/kernel';

/** As long as a restart from an append-only file of a gigabyte takes. */
const WAIT_MS_MAX = 10_000;
const RETRY_MS = 250;
/** That a server is not there now, which mends itself. */
const ABSENT: ReadonlySet<ErrorCode> = new Set(['REDIS_UNREACHABLE', 'DATABASE_UNREACHABLE']);

/**
 * Acts again while the server does not answer. Throws what only a user can mend at once, and the
 * rest after ten seconds.
 */
export async function patiently<T>(log: Log, act: () => Promise<T>): Promise<T> {
  const untilMs = performance.now() + WAIT_MS_MAX;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const isMendable = error instanceof LeaseholdError && !ABSENT.has(error.code);
      if (isMendable || performance.now() > untilMs) throw error;
      log.warn({ err: error }, 'waits for a server');
      await sleep(RETRY_MS);
    }
  }
}
