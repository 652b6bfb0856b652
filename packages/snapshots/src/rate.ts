/** How fast a snapshot of a world that runs may be taken, so that its ticks do not feel it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pace, sipBytes } from '@leasehold/snapshot-store';

/**
 * Bytes of rows a second, unless somebody asks for another rate. Chosen by measurement on two cores, which
 * pods, Redis, PostgreSQL and whoever takes the snapshot share: `npm run bench -- snapshot-live`.
 */
export const SNAPSHOT_BYTES_PER_SECOND = 1024 * 1024;
/** A byte of a log is read and skipped, or applied: a byte of rows is decoded, sent and indexed. */
const LOG_BYTES_PER_BYTE = 8;

/** `asked`: 0 = no limit. undefined = as fast as it goes. Nobody waits for a world that stands still. */
export function snapshotRate(asked: number | undefined, isPaused: boolean): number | undefined {
  if (asked !== undefined) return asked > 0 ? asked : undefined;
  return isPaused ? undefined : SNAPSHOT_BYTES_PER_SECOND;
}

/** What is read of a world in one go, and how long it is waited then. */
export type Sip = {
  /** About as much as may be read at once. */
  readonly bytes: number;
  /** After so many bytes of logs, read since `beganMs` of `performance.now()`. Throws the signal's reason. */
  rest(beganMs: number, logBytes: number): Promise<void>;
};

/** `calmInMs`: how long it is now until nobody ticks. */
export function sipOf(
  bytesPerSecond: number,
  calmInMs: () => number,
  signal: AbortSignal | undefined,
): Sip {
  const pace = new Pace(bytesPerSecond * LOG_BYTES_PER_BYTE);
  const wait = async (ms: number): Promise<void> => {
    if (ms > 0) await sleep(ms, undefined, signal === undefined ? {} : { signal });
  };
  return {
    bytes: sipBytes(bytesPerSecond),
    async rest(beganMs, logBytes) {
      await wait(pace.after(beganMs, logBytes) - performance.now());
      await wait(calmInMs());
    },
  };
}
