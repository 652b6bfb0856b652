/**
 * Jobs that create many entities, in BullMQ: any replica takes them, any that works on jobs goes on
 * with one whose worker died.
 */
import { randomUUID } from 'node:crypto';
import { LeaseholdError } from '@leasehold/kernel';
import { type Log, systemClock } from '@leasehold/service';
import { DelayedError, Job, Queue, UnrecoverableError, Worker } from 'bullmq';
import { BulkPlan, type BulkSource, type BulkTemplate } from './bulk-plan.ts';
import { BULK_START, type BulkState, readBulkState, TurnOver, workOff } from './bulk-work.ts';
import { dropLines, type Lines, linesSource } from './job-lines.ts';
import type { OpenWorld, Worlds } from './worlds.ts';

export type JobFacts = {
  readonly job: string;
  readonly state: string;
  readonly count: number;
  readonly posted: number;
  readonly created: number;
  readonly refused: number;
  /** 0 … 1. */
  readonly progress: number;
  readonly message?: string;
  /** What must come back before it goes on; absent when nothing is missing. */
  readonly waitsFor?: string;
};

type BulkJob = {
  readonly world: string;
  readonly incarnation: number;
} & Bulk;

/** What is created: entities like one another, or one for each line. */
export type Bulk = { readonly template: BulkTemplate } | { readonly lines: Lines };

export type JobsOptions = {
  readonly redisUrl: string;
  /** Begins all keys. */
  readonly prefix: string;
  readonly worlds: Worlds;
  readonly log: Log;
  /** Whether this process works on jobs. */
  readonly isWorking: boolean;
  /** Who died is replaced after so long: BullMQ renews the lock at half of it. */
  readonly lockMs: number;
};

const QUEUE = 'lifecycle';
/** A job goes on after so many deaths of its workers. */
const STALLS_MAX = 20;
const ATTEMPTS_MAX = 20;
const RETRY_MS = 1_000;
/** Most of the time a job waits for pods. */
const JOBS_AT_ONCE = 4;
/** One whose turn is over comes again behind the others. */
const TURN_PAUSE_MS = 2_000;
/** Jobs that are done are listed for a week, at most so many. */
const DONE = { age: 7 * 24 * 3_600, count: 1_000 };
const LISTED_MAX = 100;
const CANCELLED_KEPT_S = 7 * 24 * 3_600;
const STATES = ['active', 'waiting', 'delayed', 'completed', 'failed'] as const;

export async function openJobs(options: JobsOptions): Promise<Jobs> {
  const jobs = new Jobs(options);
  await jobs.open();
  return jobs;
}

export class Jobs {
  readonly #options: JobsOptions;
  readonly #queue: Queue<BulkJob, BulkState>;
  readonly #worker: Worker<BulkJob, BulkState> | undefined;

  /** Use `openJobs`. */
  constructor(options: JobsOptions) {
    this.#options = options;
    const { redisUrl: url, prefix, log, lockMs } = options;
    this.#queue = new Queue(QUEUE, {
      prefix,
      connection: { url, maxRetriesPerRequest: 1, enableOfflineQueue: false },
    });
    this.#queue.on('error', (error) => log.debug({ err: error }, 'the queue of jobs'));
    if (!options.isWorking) return;
    this.#worker = new Worker(QUEUE, (job, token) => this.#work(job, token), {
      ...{ prefix, concurrency: JOBS_AT_ONCE, lockDuration: lockMs, stalledInterval: lockMs / 2 },
      maxStalledCount: STALLS_MAX,
      connection: { url, maxRetriesPerRequest: null },
    });
    this.#worker.on('error', (error) => log.debug({ err: error }, 'the worker of jobs'));
    this.#worker.on('failed', (job, error) =>
      log.warn({ job: job?.id, err: error }, 'a job failed'),
    );
  }

  async open(): Promise<void> {
    await Promise.all([this.#queue.waitUntilReady(), this.#worker?.waitUntilReady()]);
  }

  /**
   * A job that is there already stays as it is. Errors: `VALUE_INVALID` where the world has no
   * positions, `AREA_INVALID`.
   */
  async add(open: OpenWorld, bulk: Bulk, jobId: string = randomUUID()): Promise<JobFacts> {
    // What cannot be spread is refused now, not when its turn has come.
    if ('template' in bulk) planOf(open, bulk.template).births(0);
    const { world, incarnation } = open;
    const data: BulkJob = { world, incarnation, ...bulk };
    await this.#queue.add('bulk', data, {
      ...{ jobId, attempts: ATTEMPTS_MAX, backoff: { type: 'fixed', delay: RETRY_MS } },
      ...{ removeOnComplete: DONE, removeOnFail: DONE },
    });
    return factsOf(jobId, countOf(bulk), 'waiting', BULK_START);
  }

  async list(open: OpenWorld): Promise<JobFacts[]> {
    const jobs = await this.#queue.getJobs([...STATES], 0, LISTED_MAX - 1);
    const own = jobs.filter((job) => isOf(job, open));
    return Promise.all(own.map((job) => this.#facts(open, job)));
  }

  /** Errors: `JOB_UNKNOWN`. */
  async read(open: OpenWorld, id: string): Promise<JobFacts> {
    return this.#facts(open, await this.#job(open, id));
  }

  /** Ends a job; what it has created stays. Errors: `JOB_UNKNOWN`. */
  async cancel(open: OpenWorld, id: string): Promise<JobFacts> {
    const job = await this.#job(open, id);
    const state = await job.getState();
    if (state === 'completed' || state === 'failed') return this.#facts(open, job);
    // The worker looks for this between its steps, and while it waits.
    await open.records.write('cancelled', id, '1', CANCELLED_KEPT_S);
    const facts = await this.#facts(open, job);
    // One that is being worked on is locked, and ends by itself.
    const isRemoved = await job.remove().then(
      () => true,
      () => false,
    );
    if (isRemoved) await forget(open, job.data);
    return { ...facts, state: 'cancelled' };
  }

  /** How many jobs wait or are worked on, for metrics. */
  async counts(): Promise<{ readonly waiting: number; readonly active: number }> {
    const counts = await this.#queue.getJobCounts('waiting', 'active', 'delayed');
    const { waiting = 0, delayed = 0, active = 0 } = counts;
    return { waiting: waiting + delayed, active };
  }

  async close(): Promise<void> {
    // A worker that is told to stop would finish its job: another one goes on with it instead.
    await this.#worker?.close(true);
    await this.#queue.close();
  }

  async #job(open: OpenWorld, id: string): Promise<Job<BulkJob, BulkState>> {
    const job = await Job.fromId<BulkJob, BulkState>(this.#queue, id);
    if (job !== undefined && isOf(job, open)) return job;
    throw new LeaseholdError('JOB_UNKNOWN', `${open.world} has no job ${id}`, {
      field: 'job',
      value: id,
      remedy: 'GET jobs lists those that are kept: a week after they ended.',
    });
  }

  async #facts(open: OpenWorld, job: Job<BulkJob, BulkState>): Promise<JobFacts> {
    const id = job.id ?? '';
    const [state, progress, cancelled] = await Promise.all([
      job.getState(),
      readBulkState(open.records, id),
      open.records.read('cancelled', id),
    ]);
    const shown = cancelled !== undefined ? 'cancelled' : state;
    const facts = factsOf(id, countOf(job.data), shown, progress);
    const message = facts.message ?? (state === 'failed' ? job.failedReason : undefined);
    return { ...facts, ...(message === undefined ? {} : { message }) };
  }

  async #work(job: Job<BulkJob, BulkState>, token = ''): Promise<BulkState> {
    const { world, incarnation } = job.data;
    const id = job.id ?? '';
    const open = await this.#options.worlds.open(world);
    if (open.incarnation !== incarnation) {
      throw new UnrecoverableError(`${world} has begun a new incarnation since`);
    }
    const startedAtMs = systemClock.nowMs();
    const state = await workOff({
      job: id,
      plan: sourceOf(open, job.data),
      layer: open.layers[0],
      records: open.records,
      isCancelled: async () => (await open.records.read('cancelled', id)) !== undefined,
      isNextWaiting: async () => (await this.#queue.getWaitingCount()) > 0,
      onStep: async ({ posted }) => job.updateProgress(posted / countOf(job.data)),
    }).catch(async (error: unknown) => {
      if (!(error instanceof TurnOver)) throw error;
      await job.moveToDelayed(Date.now() + TURN_PAUSE_MS, token);
      throw new DelayedError();
    });
    await forget(open, job.data);
    const tookMs = Math.round(systemClock.nowMs() - startedAtMs);
    this.#options.log.info({ job: id, world, tookMs, created: state.created }, 'a job ended');
    return state;
  }
}

const isOf = ({ data }: Job<BulkJob, BulkState>, { world, incarnation }: OpenWorld): boolean =>
  data.world === world && data.incarnation === incarnation;

function factsOf(job: string, count: number, state: string, progress: BulkState): JobFacts {
  const { posted, created, refused, message, waitsFor } = progress;
  const facts = { job, state, count, posted, created, refused, progress: posted / count };
  const isWaiting = waitsFor !== undefined && !isOver({ state });
  return {
    ...facts,
    ...(message === undefined ? {} : { message }),
    ...(isWaiting ? { waitsFor } : {}),
  };
}

const countOf = (bulk: Bulk): number => ('lines' in bulk ? bulk.lines.count : bulk.template.count);

const sourceOf = (open: OpenWorld, bulk: Bulk): BulkSource =>
  'lines' in bulk ? linesSource(open.records, bulk.lines) : planOf(open, bulk.template);

/** What was kept for the work, and is needed no more. */
async function forget({ records }: OpenWorld, bulk: Bulk): Promise<void> {
  if ('lines' in bulk) await dropLines(records, bulk.lines);
}

/** Whether nothing more will become of a job; one that is not even listed any more counts as such. */
export const isOver = ({ state }: Pick<JobFacts, 'state'>): boolean =>
  ['completed', 'failed', 'cancelled', 'unknown'].includes(state);

function planOf({ grid, layers: [layer] }: OpenWorld, template: BulkTemplate): BulkPlan {
  const { spatial } = layer;
  if (spatial !== undefined) return new BulkPlan(template, grid, spatial);
  throw new LeaseholdError('VALUE_INVALID', 'the world has no positions', {
    field: 'area',
    value: template.area.kind,
    remedy: 'Give a component of the world spatial: [x, y].',
  });
}
