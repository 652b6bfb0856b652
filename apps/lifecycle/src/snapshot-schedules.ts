/** When snapshots are taken by themselves: one schedule for each world, which any worker keeps. */
import { LeaseholdError } from '@leasehold/kernel';
import type { Retention } from '@leasehold/snapshot-store';
import type { JobSchedulerJson, Queue } from 'bullmq';
import type { Moment, SnapshotJobData } from './snapshot-jobs.ts';
import type { Done } from './snapshot-work.ts';

export type Rhythm =
  | { readonly everyMs: number }
  /** Cron, of five fields or with seconds of six. */
  | { readonly pattern: string; readonly timezone?: string };

export type Schedule = Retention & {
  readonly world: string;
  readonly everyMs?: number;
  readonly pattern?: string;
  readonly timezone?: string;
  /** ISO 8601. */
  readonly nextAt?: string;
};

/** A moment that failed is no matter: the next one comes. */
const MOMENTS_KEPT = 10;

export class SnapshotSchedules {
  readonly #queue: Queue<SnapshotJobData, Done | undefined>;

  constructor(queue: Queue<SnapshotJobData, Done | undefined>) {
    this.#queue = queue;
  }

  /** In the place of the one that was. Errors: `REQUEST_INVALID` for a pattern that never comes. */
  async put(world: string, rhythm: Rhythm, retention: Retention): Promise<Schedule> {
    const isKept = Object.values(retention).some((count) => count > 0);
    const data: Moment = { kind: 'moment', world, ...(isKept ? { retention } : {}) };
    const opts = { removeOnComplete: MOMENTS_KEPT, removeOnFail: MOMENTS_KEPT };
    const job = await this.#queue
      .upsertJobScheduler(world, repeatOf(rhythm), { name: 'moment', data, opts })
      .catch((error: unknown) => {
        // Redis that is away is another matter than a pattern that nobody can read.
        if ('everyMs' in rhythm || !isOfPattern(error)) throw error;
      });
    if (job === undefined) throw unreadable(rhythm);
    return this.read(world);
  }

  /** Errors: `SCHEDULE_UNKNOWN`. */
  async read(world: string): Promise<Schedule> {
    const scheduler = await this.#queue.getJobScheduler(world);
    if (scheduler !== undefined) return scheduleOf(world, scheduler);
    throw unknown(world);
  }

  /** What it has taken stays. Errors: `SCHEDULE_UNKNOWN`. */
  async remove(world: string): Promise<Schedule> {
    const schedule = await this.read(world);
    await this.#queue.removeJobScheduler(world);
    const { nextAt: _, ...rest } = schedule;
    return rest;
  }
}

function repeatOf(rhythm: Rhythm) {
  if ('everyMs' in rhythm) return { every: rhythm.everyMs };
  const { pattern, timezone } = rhythm;
  return { pattern, ...(timezone === undefined ? {} : { tz: timezone }) };
}

function scheduleOf(world: string, scheduler: JobSchedulerJson<SnapshotJobData>): Schedule {
  const { every, pattern, tz, next, template } = scheduler;
  const { retention = {} } = (template?.data ?? {}) as Partial<Moment>;
  return {
    world,
    ...(every === undefined ? {} : { everyMs: Number(every) }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(tz === undefined ? {} : { timezone: tz }),
    ...retention,
    ...(next === undefined ? {} : { nextAt: new Date(next).toISOString() }),
  };
}

/** What reads patterns and time zones throws errors of no class. */
const isOfPattern = (error: unknown): boolean =>
  error instanceof Error && !/Connection|retries|writeable|Socket|timed out/i.test(error.message);

function unreadable(rhythm: Rhythm): LeaseholdError {
  const value = 'pattern' in rhythm ? `${rhythm.pattern} ${rhythm.timezone ?? ''}`.trim() : '';
  return new LeaseholdError('REQUEST_INVALID', 'nobody can tell when the schedule is due', {
    field: 'pattern',
    value,
    remedy: 'Write five fields of cron, such as 0 * * * *, and a time zone such as Europe/Berlin.',
  });
}

function unknown(world: string): LeaseholdError {
  return new LeaseholdError('SCHEDULE_UNKNOWN', `${world} has no schedule of snapshots`, {
    field: 'world',
    value: world,
    remedy: 'Make one: leasehold snapshot schedule --world NAME --every 10m --keep 6.',
  });
}
