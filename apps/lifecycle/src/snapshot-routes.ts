/** Snapshots: which there are, and taking, restoring, branching and removing them. */
import { randomUUID } from 'node:crypto';
import { hasCode, LeaseholdError } from '@leasehold/kernel';
import type { SnapshotSummary } from '@leasehold/snapshot-store';
import type { ApiRoutes, App } from './api.ts';
import type { JobFollowers } from './job-progress.ts';
import { bodyProblems, NDJSON, problems, WORLD_PARAMS, WRITE_HEADERS } from './shapes.ts';
import type { SnapshotJobs } from './snapshot-jobs.ts';
import { SNAPSHOT_JOB_PROGRESS } from './snapshot-progress-shapes.ts';
import {
  BRANCH_BODY,
  RESTORE_BODY,
  SNAPSHOT,
  SNAPSHOT_JOB,
  SNAPSHOT_JOB_PARAMS,
  SNAPSHOT_JOBS,
  SNAPSHOT_PARAMS,
  SNAPSHOTS,
  TAKE_BODY,
} from './snapshot-shapes.ts';
import { newSnapshotId, summaryOf } from './snapshot-work.ts';
import { decideOnce, replyWith } from './writes.ts';

const tags = ['snapshots'];

/** Under the prefix of a world. */
export function addWorldSnapshotRoutes(app: App, routes: ApiRoutes): void {
  const { worlds, database, snapshotJobs } = routes;
  const list = {
    ...{ tags, operationId: 'listSnapshots', params: WORLD_PARAMS },
    summary: 'The snapshots of a world, newest first, those being taken among them.',
    response: { 200: SNAPSHOTS, ...problems() },
  };
  app.get('/snapshots', { schema: list }, async (request) => {
    const found = await (await database.store()).list(request.params.world);
    return { snapshots: found.map(told) };
  });

  const take = {
    ...{ tags, operationId: 'takeSnapshot', params: WORLD_PARAMS },
    ...{ headers: WRITE_HEADERS, body: TAKE_BODY },
    summary: 'Takes a snapshot of a world while it runs, as a job.',
    response: { 202: SNAPSHOT_JOB, ...bodyProblems(409, 422) },
  };
  app.post('/snapshots', { schema: take }, async (request, reply) => {
    database.expectOn();
    const open = await worlds.open(request.params.world);
    const { world } = open;
    const { id = newSnapshotId(world, Date.now()), bytesPerSecond } = request.body ?? {};
    const rate = bytesPerSecond === undefined ? {} : { bytesPerSecond };
    const replied = await decideOnce(open, request, {
      decide: async () => ({ request: randomUUID(), ids: [] }),
      act: async ({ request: job }) => {
        const before = await snapshotJobs.peek(job);
        if (before !== undefined) return { status: 202, body: before };
        await expectFree(routes, id);
        const wish = { kind: 'take', world, id, ...rate } as const;
        return { status: 202, body: await snapshotJobs.add(wish, job) };
      },
    });
    return replyWith(reply, replied);
  });
}

/** One being taken by a job is that job's own. Errors: `SNAPSHOT_EXISTS`. */
async function expectFree({ database }: ApiRoutes, id: string): Promise<void> {
  const found = await database
    .store()
    .then((store) => summaryOf(store, id))
    .catch((error: unknown) => {
      // The job waits for the database, and will see.
      if (!hasCode(error, 'DATABASE_UNREACHABLE')) throw error;
    });
  if (found?.state !== 'complete') return;
  throw new LeaseholdError('SNAPSHOT_EXISTS', `there is a snapshot ${id} already`, {
    field: 'id',
    value: id,
    remedy: 'Choose another id, or remove that snapshot first.',
  });
}

export function addSnapshotRoutes(app: App, routes: ApiRoutes, followers: JobFollowers): void {
  const { database, snapshotJobs } = routes;
  const read = {
    ...{ tags, operationId: 'readSnapshot', params: SNAPSHOT_PARAMS },
    summary: 'A snapshot: what it is of, and how much is in it.',
    response: { 200: SNAPSHOT, ...problems() },
  };
  app.get('/v1/snapshots/:snapshot', { schema: read }, async (request) => {
    return told(await (await database.store()).get(request.params.snapshot));
  });

  const remove = {
    ...{ tags, operationId: 'removeSnapshot', params: SNAPSHOT_PARAMS },
    summary: 'Removes a snapshot.',
    response: { 200: SNAPSHOT, ...bodyProblems(409) },
  };
  app.delete('/v1/snapshots/:snapshot', { schema: remove }, async (request) => {
    const { snapshot } = request.params;
    const snapshots = await database.store();
    const summary = await snapshots.get(snapshot);
    await expectUnused(snapshotJobs, snapshot);
    await snapshots.remove(snapshot);
    return told(summary);
  });
  addReplacing(app, routes);
  addJobs(app, routes);
  addProgress(app, routes, followers);
}

/** Errors: `SNAPSHOT_BUSY`. */
async function expectUnused(jobs: SnapshotJobs, id: string): Promise<void> {
  const user = (await jobs.list()).find(
    ({ snapshot, state }) => snapshot === id && state === 'active',
  );
  if (user === undefined) return;
  throw new LeaseholdError('SNAPSHOT_BUSY', `job ${user.job} works with ${id}`, {
    field: 'snapshot',
    value: id,
    remedy: `Wait for that job, or end it: DELETE /v1/snapshot-jobs/${user.job}.`,
  });
}

function addReplacing(app: App, routes: ApiRoutes): void {
  const { database } = routes;
  const of = (operationId: string, summary: string) => ({
    ...{ tags, operationId, summary, params: SNAPSHOT_PARAMS },
    response: { 202: SNAPSHOT_JOB, ...bodyProblems(409) },
  });
  const restore = {
    ...of('restoreSnapshot', 'Makes the world what it was, as a job; it runs on until then.'),
    body: RESTORE_BODY,
  };
  app.post('/v1/snapshots/:snapshot/restore', { schema: restore }, async (request, reply) => {
    const { isPaused } = request.body ?? {};
    const snapshots = await database.store();
    const { world } = await snapshots.facts(request.params.snapshot);
    const wish = { id: request.params.snapshot, world, isPaused };
    return reply.code(202).send(await restoring(routes, wish));
  });
  const branch = {
    ...of('branchSnapshot', 'Begins another world where a snapshot is, as a job.'),
    body: BRANCH_BODY,
  };
  app.post('/v1/snapshots/:snapshot/branch', { schema: branch }, async (request, reply) => {
    const { as: world, isPaused } = request.body;
    const snapshots = await database.store();
    await snapshots.facts(request.params.snapshot);
    const record = await routes.worlds.registry.read(world);
    if (record?.state === 'ready') throw taken(world);
    const wish = { id: request.params.snapshot, world, isPaused };
    return reply.code(202).send(await restoring(routes, wish));
  });
}

async function restoring(
  { worlds, snapshotJobs }: ApiRoutes,
  { id, world, isPaused }: { id: string; world: string; isPaused: boolean | undefined },
) {
  const record = await worlds.registry.read(world);
  const replaces = record?.state === 'ready' ? record.incarnation : 0;
  const paused = isPaused === undefined ? {} : { isPaused };
  return snapshotJobs.add({ kind: 'restore', id, world, replaces, ...paused });
}

function addJobs(app: App, { database, snapshotJobs }: ApiRoutes): void {
  const list = {
    ...{ tags, operationId: 'listSnapshotJobs' },
    summary: 'The last 100 jobs that took or put back snapshots, of all worlds.',
    response: { 200: SNAPSHOT_JOBS, ...problems() },
  };
  app.get('/v1/snapshot-jobs', { schema: list }, async () => {
    database.expectOn();
    return { jobs: await snapshotJobs.list() };
  });

  const cancel = {
    ...{ tags, operationId: 'cancelSnapshotJob', params: SNAPSHOT_JOB_PARAMS },
    summary: 'Ends a job; what it has written is taken back.',
    response: { 200: SNAPSHOT_JOB, ...bodyProblems() },
  };
  app.delete('/v1/snapshot-jobs/:job', { schema: cancel }, async (request) => {
    database.expectOn();
    return snapshotJobs.cancel(request.params.job);
  });
}

function addProgress(
  app: App,
  { database, snapshotJobs }: ApiRoutes,
  followers: JobFollowers,
): void {
  const read = {
    ...{ tags, operationId: 'readSnapshotJob', params: SNAPSHOT_JOB_PARAMS },
    summary:
      'How far a job has come; while a server is away, message says so; ' +
      `as ${NDJSON} line by line until it has ended.`,
    response: { 200: SNAPSHOT_JOB_PROGRESS, ...problems() },
  };
  app.get('/v1/snapshot-jobs/:job', { schema: read }, async (request, reply) => {
    database.expectOn();
    return followers.answer(request, reply, () => snapshotJobs.read(request.params.job));
  });
}

function told({ takenAtMs, layers, ...rest }: SnapshotSummary) {
  return { ...rest, layers: [...layers], takenAt: new Date(takenAtMs).toISOString() };
}

function taken(world: string): LeaseholdError {
  return new LeaseholdError('WORLD_EXISTS', `there is a world ${world} already`, {
    field: 'as',
    value: world,
    remedy: 'Choose another name for the branch.',
  });
}
