/** `leasehold snapshot create`: a world as it is at one tick, while it runs. */
import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '@leasehold/kernel';
import { openServers } from '@leasehold/servers';
import { systemClock } from '@leasehold/service';
import type { SnapshotStore } from '@leasehold/snapshot-store';
import { type Taken, takeSnapshot } from '@leasehold/snapshots';
import { pauseWorld, resumeWorld } from '@leasehold/world';
import { openInterrupt } from '../interrupt.ts';
import { type WorldFlags, withWorld } from '../known-world.ts';
import type { Output } from '../output.ts';
import { newSnapshotId, recordOf, withSnapshots } from './place.ts';

/** A busy PostgreSQL may be late for a cell that sleeps there; pods wait for none, a user does. */
const COLD_WAIT_MS = 10_000;
const COLD_RETRY_MS = 500;

export type CreateFlags = WorldFlags & {
  /** undefined: one of its own. */
  readonly id: string | undefined;
  readonly isPaused: boolean;
  readonly tick: number | undefined;
  /** 0 = as fast as it goes; undefined = the default. */
  readonly bytesPerSecond: number | undefined;
};

export async function create(flags: CreateFlags, output: Output): Promise<number> {
  return withSnapshots(flags, output, async (snapshots) => {
    const startedMs = performance.now();
    const taken = flags.isPaused
      ? await whilePaused(flags, output, () => take(flags, snapshots, output))
      : await take(flags, snapshots, output);
    const seconds = Math.round((performance.now() - startedMs) / 10) / 100;
    output.json({ ...taken, seconds });
    const { id, tick, entities, cells, inFlight } = taken;
    output.print(
      `${output.colors.bold(id)}: tick ${tick}, ${entities} entities in ${cells} cells` +
        `${inFlight > 0 ? `, ${inFlight} of them on their way` : ''}, in ${seconds} s`,
    );
    return 0;
  });
}

/** Ctrl-C takes back what was written. */
export async function take(
  flags: Omit<CreateFlags, 'isPaused'>,
  snapshots: SnapshotStore,
  output: Output,
): Promise<Taken> {
  const { record } = await recordOf(flags, output);
  const servers = await openServers({ home: flags.home, allowEmbedded: true });
  const interrupt = openInterrupt(
    () => output.progress('taking back what was written; Ctrl-C again leaves at once'),
    () => undefined,
  );
  try {
    // Servers that were started for this have theirs from before.
    if (flags.bytesPerSecond !== 0) yieldToOthers();
    const id = flags.id ?? newSnapshotId(record.world);
    const taking = () =>
      takeSnapshot({
        ...{ redisUrl: servers.redisUrl, record, snapshots, clock: systemClock },
        ...{ id, signal: interrupt.signal },
        ...(flags.tick === undefined ? {} : { tick: flags.tick }),
        ...(flags.bytesPerSecond === undefined ? {} : { bytesPerSecond: flags.bytesPerSecond }),
        progress: ({ phase, cells, cellsTotal }) =>
          output.live([
            phase === 'waiting'
              ? '  waiting for the tick of the cut'
              : `  read ${cells} of ${cellsTotal} cells`,
          ]),
      });
    return await whileCold(taking, output);
  } finally {
    interrupt.close();
    await servers.close();
  }
}

/** What was written by then has been taken back. */
async function whileCold<T>(work: () => Promise<T>, output: Output): Promise<T> {
  const untilMs = performance.now() + COLD_WAIT_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!hasCode(error, 'CELL_COLD') || performance.now() > untilMs) throw error;
      output.progress('waiting for the PostgreSQL in which cells sleep');
      await sleep(COLD_RETRY_MS);
    }
  }
}

/** Whoever ticks on this machine comes first. */
function yieldToOthers(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Where it may not, it keeps to its rate all the same.
  }
}

async function whilePaused<T>(
  flags: CreateFlags,
  output: Output,
  work: () => Promise<T>,
): Promise<T> {
  const timed = <R>(change: typeof pauseWorld | typeof resumeWorld) =>
    withWorld(flags, output, (open) => change(open)) as Promise<R>;
  const { isChanged } = await timed<Awaited<ReturnType<typeof pauseWorld>>>(pauseWorld);
  try {
    return await work();
  } finally {
    if (isChanged) await timed(resumeWorld);
  }
}
