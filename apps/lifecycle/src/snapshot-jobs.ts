/**
 * Snapshots as jobs, in BullMQ, on a queue of their own: taken and put back, on demand and on a
 * schedule. Of one world one at a time; one whose worker died is gone on with by another, and while
 * PostgreSQL is away a job waits, and says so.
 */
import { randomUUID } from 'node:crypto';
import { type ErrorCode, hasCode, LeaseholdError } from '@leasehold/kernel';
import type { Registry } from '@leasehold/protocol';
import type { Log } from '@leasehold/service';
import type { Retention } from '@leasehold/snapshot-store';
import { DelayedError, Job, Queue, UnrecoverableError, Worker } from 'bullmq';
import type { SnapshotDatabase } from './snapshot-database.ts';
import { SnapshotSchedules } from './snapshot-schedules.ts';
import {
  carryOut,
  type Done,
  scheduledId,
  takeBack,
  type Wish,
  type WorkProgress,
} from './snapshot-work.ts';

/** One moment of a schedule: asks for a snapshot, unless the last one is still being taken. */
export type Moment = {
  readonly kind: 'moment';
  readonly world: string;
  readonly retention?: Retention;
};
export type SnapshotJobData = (Wish | Moment) & { readonly isCancelled?: boolean };

export type SnapshotJobFacts = WorkProgress & {
  readonly job: string;
  readonly kind: Wish['kind'];
  readonly world: string;
  readonly snapshot: string;
  readonly state: string;
  /** 0 … 1. */
  readonly progress: number;
  /** Why it failed, or what it waits for. */
  readonly message?: string;
  readonly done?: Done;
};

export type SnapshotJobsOptions = {
  /** Of the jobs, and of the worlds. */
  readonly redisUrl: string;
  readonly worldsRedisUrl: string;
  /** Begins all keys of jobs. */
  readonly prefix: string;
  readonly registry: Registry;
  readonly database: SnapshotDatabase;
  readonly log: Log;
  /** Whether this process works on jobs. */
  readonly isWorking: boolean;
  /** Who died is replaced after so long. */
  readonly lockMs: number;
};

type Told = WorkProgress & { readonly message?: string };
type SnapshotJob = Job<SnapshotJobData, Done | undefined>;

const QUEUE = 'snapshots';
/** One waits for the disk while the other computes. */
const CONCURRENCY = 2;
/** A job goes on after so many deaths of its workers. */
const STALLS_MAX = 20;
const ATTEMPTS_MAX = 5;
const RETRY_MS = 1_000;
/** How long a job waits for a server that is away: twice as long each time. */
const AWAY_MS = 500;
const AWAY_MS_MAX = 30_000;
const CANCEL_LOOK_MS = 200;
const PROGRESS_MS = 200;
const DONE = { age: 7 * 24 * 3_600, count: 1_000 };
const LOG_LINES_MAX = 100;
const LISTED_MAX = 100;
const STATES = ['active', 'waiting', 'delayed', 'completed', 'failed'] as const;
const START: Told = { phase: 'waiting', cells: 0, cellsTotal: 0 };

/** These mend themselves, or an operator mends them while the job waits. */
const AWAY: ReadonlySet<string> = new Set<ErrorCode>([
  ...(['DATABASE_UNREACHABLE', 'DATABASE_REFUSED', 'REDIS_UNREACHABLE', 'CELL_COLD'] as const),
]);
/** Another try may do better; whatever else is known to be wrong stays so. */
const AGAIN: ReadonlySet<string> = new Set<ErrorCode>(['SNAPSHOT_UNSTABLE', 'SNAPSHOT_LOST']);

export async function openSnapshotJobs(options: SnapshotJobsOptions): Promise<SnapshotJobs> {
  const jobs = new SnapshotJobs(options);
  await jobs.open();
  return jobs;
}

export class SnapshotJobs {
  readonly schedules: SnapshotSchedules;
  readonly #options: SnapshotJobsOptions;
  readonly #queue: Queue<SnapshotJobData, Done | undefined>;
  readonly #worker: Worker<SnapshotJobData, Done | undefined> | undefined;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  /** Use `openSnapshotJobs`. */
  constructor(options: SnapshotJobsOptions) {
    this.#options = options;
    const { redisUrl: url, prefix, log, lockMs } = options;
    this.#queue = new Queue(QUEUE, {
      prefix,
      connection: { url, maxRetriesPerRequest: 1, enableOfflineQueue: false },
    });
    this.schedules = new SnapshotSchedules(this.#queue);
    this.#queue.on('error', (error) => log.debug({ err: error }, 'the queue of snapshots'));
    if (!options.isWorking || !options.database.isOn) return;
    this.#worker = new Worker(QUEUE, (job, token) => this.#work(job, token), {
      ...{ prefix, concurrency: CONCURRENCY, maxStalledCount: STALLS_MAX },
      ...{ lockDuration: lockMs, stalledInterval: lockMs / 2 },
      connection: { url, maxRetriesPerRequest: null },
    });
    this.#worker.on('error', (error) => log.debug({ err: error }, 'the worker of snapshots'));
    this.#worker.on('failed', (job, error) =>
      log.warn({ job: job?.id, err: error }, 'a job of snapshots failed'),
    );
  }

  async open(): Promise<void> {
    await Promise.all([this.#queue.waitUntilReady(), this.#worker?.waitUntilReady()]);
  }

  /**
   * A job that is there already stays as it is, and so does one that does the same. Errors:
   * `SNAPSHOT_BUSY` while another one works on the world.
   */
  async add(wish: Wish, jobId: string = randomUUID()): Promise<SnapshotJobFacts> {
    const { world } = wish;
    const { id = jobId } = await this.#queue.add(wish.kind, wish, {
      ...{ jobId, deduplication: { id: world }, keepLogs: LOG_LINES_MAX },
      ...{ attempts: ATTEMPTS_MAX, backoff: { type: 'exponential', delay: RETRY_MS } },
      ...{ removeOnComplete: DONE, removeOnFail: DONE },
    });
    const job = await this.#find(id);
    const isSame = id === jobId || (job !== undefined && isAlike(job.data, wish));
    if (job !== undefined && isSame) return factsOf(job);
    throw new LeaseholdError('SNAPSHOT_BUSY', `job ${id} works on ${world}`, {
      field: 'world',
      value: world,
      remedy: `Wait for that job, or end it: DELETE /v1/snapshot-jobs/${id}.`,
    });
  }

  /** The last ones, of all worlds. */
  async list(): Promise<SnapshotJobFacts[]> {
    const jobs = await this.#queue.getJobs([...STATES], 0, LISTED_MAX - 1);
    return Promise.all(jobs.filter((job) => isWish(job)).map(factsOf));
  }

  /** Errors: `JOB_UNKNOWN`. */
  async read(id: string): Promise<SnapshotJobFacts> {
    return factsOf(await this.#job(id));
  }

  /** undefined: nobody asked for it, or it is no longer kept. */
  async peek(id: string): Promise<SnapshotJobFacts | undefined> {
    const job = await this.#find(id);
    return job === undefined ? undefined : factsOf(job);
  }

  /** What it has written is taken back; what is done already stays. Errors: `JOB_UNKNOWN`. */
  async cancel(id: string): Promise<SnapshotJobFacts> {
    const job = await this.#job(id);
    const state = await job.getState();
    if (state === 'completed' || state === 'failed') return factsOf(job);
    // Whoever works on it looks for this.
    await job.updateData({ ...job.data, isCancelled: true });
    const facts = await factsOf(job);
    // One that nobody has begun with leaves nothing behind; one that waits is woken to clear up.
    if (job.attemptsStarted === 0) await job.remove().catch(() => undefined);
    else if (state === 'delayed') await job.promote().catch(() => undefined);
    return facts;
  }

  async close(): Promise<void> {
    // Another one goes on with what is under way here.
    await this.#worker?.close(true);
    this.#closing.abort(new Error('the service ends'));
    await Promise.allSettled(this.#running);
    await this.#queue.close();
  }

  #find(id: string): Promise<SnapshotJob | undefined> {
    return Job.fromId<SnapshotJobData, Done | undefined>(this.#queue, id);
  }

  async #job(id: string): Promise<SnapshotJob> {
    const job = await this.#find(id);
    if (job !== undefined && isWish(job)) return job;
    throw new LeaseholdError('JOB_UNKNOWN', `no snapshot is taken or put back by a job ${id}`, {
      field: 'job',
      value: id,
      remedy: 'GET /v1/snapshot-jobs lists those that are kept: a week after they ended.',
    });
  }

  #work(job: SnapshotJob, token?: string): Promise<Done | undefined> {
    const working = this.#carryOut(job).catch((error: unknown) => this.#failed(job, error, token));
    this.#running.add(working);
    const forget = () => this.#running.delete(working);
    working.then(forget, forget);
    return working;
  }

  async #carryOut(job: SnapshotJob): Promise<Done | undefined> {
    const { data } = job;
    if (data.kind === 'moment') return this.#moment(job, data);
    const { database, registry, worldsRedisUrl: redisUrl, log } = this.#options;
    const cancelled = new AbortController();
    const watching = this.#watchCancel(job, cancelled);
    try {
      const snapshots = await database.store();
      const isAgain = job.attemptsStarted > 1;
      const signal = AbortSignal.any([this.#closing.signal, cancelled.signal]);
      const parts = { snapshots, registry, redisUrl, isAgain, signal };
      if (data.isCancelled === true) {
        await takeBack(data, parts);
        return undefined;
      }
      try {
        const done = await carryOut(data, { ...parts, progress: this.#teller(job) });
        log.info({ job: job.id, ...data, ...done }, 'a job of snapshots ended');
        return done;
      } catch (error) {
        if (!cancelled.signal.aborted) throw error;
        await takeBack(data, parts);
        return undefined;
      }
    } finally {
      clearInterval(watching);
    }
  }

  /** The last one may still be under way: then this moment passes. */
  async #moment(job: SnapshotJob, { world, retention }: Moment): Promise<undefined> {
    const id = scheduledId(world, job.opts.prevMillis ?? job.timestamp);
    const kept = retention === undefined ? {} : { retention };
    try {
      await this.add({ kind: 'take', world, id, ...kept }, id);
    } catch (error) {
      if (!hasCode(error, 'SNAPSHOT_BUSY')) throw error;
      this.#options.log.info({ world }, 'a scheduled snapshot was left out: one is being taken');
    }
  }

  /** What becomes of a job that could not be done. Always throws. */
  async #failed(job: SnapshotJob, error: unknown, token = ''): Promise<never> {
    const { log } = this.#options;
    if (!(error instanceof LeaseholdError)) throw error;
    const { code, message } = error;
    if (AWAY.has(code) && job.data.isCancelled !== true) {
      const waitMs = Math.min(AWAY_MS_MAX, AWAY_MS * 2 ** Math.max(0, job.attemptsStarted - 1));
      log.warn({ job: job.id, err: error, waitMs }, 'a job of snapshots waits');
      await job.updateProgress({ ...START, message: `${code}: ${message}` });
      await job.log(`${new Date().toISOString()} ${code}: ${message}`);
      await job.moveToDelayed(Date.now() + waitMs, token);
      throw new DelayedError();
    }
    if (AGAIN.has(code)) throw error;
    throw new UnrecoverableError(`${code}: ${message}`);
  }

  #watchCancel({ id = '' }: SnapshotJob, cancelled: AbortController): NodeJS.Timeout {
    const look = async (): Promise<void> => {
      if ((await this.#find(id))?.data.isCancelled === true) cancelled.abort();
    };
    return setInterval(() => void look().catch(() => undefined), CANCEL_LOOK_MS);
  }

  /** Tells how far it is, at most so often, and whenever something else begins. */
  #teller(job: SnapshotJob): (at: WorkProgress) => void {
    let toldMs = Number.NEGATIVE_INFINITY;
    let phase = '';
    return (at) => {
      const nowMs = performance.now();
      const isLast = at.cells === at.cellsTotal;
      if (at.phase === phase && !isLast && nowMs - toldMs < PROGRESS_MS) return;
      toldMs = nowMs;
      phase = at.phase;
      job.updateProgress({ ...at }).catch(() => undefined);
    };
  }
}

const isWish = ({ data }: SnapshotJob): boolean => data.kind !== 'moment';

/** Whether a job does what is wished for, whoever asked for it. */
function isAlike(data: SnapshotJobData, wish: Wish): boolean {
  return data.kind === wish.kind && data.id === wish.id && data.world === wish.world;
}

async function factsOf(job: SnapshotJob): Promise<SnapshotJobFacts> {
  const data = job.data as Wish & { readonly isCancelled?: boolean };
  const now = await job.getState();
  // One that ended since it was read: what came of it is not known here yet.
  const isUnread = (now === 'completed' || now === 'failed') && job.finishedOn === undefined;
  const state = isUnread ? 'active' : now;
  const isOver = state === 'completed' || state === 'failed';
  const at: Told = typeof job.progress === 'object' ? (job.progress as Told) : START;
  const done = job.returnvalue ?? undefined;
  const message = state === 'failed' ? job.failedReason : isOver ? undefined : at.message;
  const share = at.cellsTotal === 0 ? 0 : at.cells / at.cellsTotal;
  return {
    ...{ job: job.id ?? '', kind: data.kind, world: data.world, snapshot: data.id },
    state: data.isCancelled === true && done === undefined ? 'cancelled' : state,
    ...{ phase: at.phase, cells: at.cells, cellsTotal: at.cellsTotal },
    progress: state === 'completed' ? 1 : Math.min(1, share),
    ...(message === undefined ? {} : { message }),
    ...(done === undefined ? {} : { done }),
  };
}
