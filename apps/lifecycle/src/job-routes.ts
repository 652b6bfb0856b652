/** Bulk creation as jobs: asked for, looked at, cancelled. */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { LeaseholdError } from '@leasehold/kernel';
import type { ComponentValues } from '@leasehold/protocol';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { ApiRoutes, App } from './api.ts';
import { dropLines, type LineReader, type Lines, takeLines } from './job-lines.ts';
import type { JobFollowers } from './job-progress.ts';
import type { Bulk } from './jobs.ts';
import {
  BIRTH,
  bodyProblems,
  JOB,
  type JOB_BODY,
  JOB_OR_LINES,
  JOB_PARAMS,
  JOB_PROGRESS,
  JOBS,
  NDJSON,
  problems,
  WORLD_PARAMS,
  WRITE_HEADERS,
} from './shapes.ts';
import { spreadArea } from './spread-area.ts';
import { cellOf, checkValues } from './values.ts';
import type { OpenWorld } from './worlds.ts';
import { decideOnce, type Replied, replyWith } from './writes.ts';

const tags = ['jobs'];

export function addJobRoutes(app: App, routes: ApiRoutes, followers: JobFollowers): void {
  // A scope of its own: elsewhere nobody knows what to do with lines.
  app.register((scope: FastifyInstance, _options: object, done: () => void) => {
    scope.addContentTypeParser(NDJSON, (_request, body, parsed) => parsed(null, body));
    addCreate(scope as unknown as App, routes);
    done();
  });
  addReads(app, routes);
  addProgress(app, routes, followers);
}

function addCreate(app: App, routes: ApiRoutes): void {
  const schema = {
    ...{ tags, operationId: 'createJob', params: WORLD_PARAMS },
    ...{ headers: WRITE_HEADERS, body: JOB_OR_LINES },
    summary:
      'Creates up to 1,000,000 entities like one another, spread over an area; or, as ' +
      'application/x-ndjson, one entity for each line.',
    response: { 202: JOB, ...bodyProblems(422) },
  };
  app.post('/jobs', { schema }, async (request, reply) => {
    const { body } = request as { readonly body: unknown };
    const open = await routes.worlds.open(request.params.world);
    const replied =
      body instanceof Readable
        ? await linesJob(routes, open, request, body)
        : await spreadJob(routes, open, request, body as Static<typeof JOB_BODY> | undefined);
    return replyWith(reply, replied);
  });
}

function spreadJob(
  routes: ApiRoutes,
  open: OpenWorld,
  request: FastifyRequest,
  body: Static<typeof JOB_BODY> | undefined,
): Promise<Replied> {
  // Where neither a type nor a length is said, nobody has looked for a body.
  if (body === undefined) throw missingBody();
  const { count, seed = 0 } = body;
  const components = body.components as ComponentValues;
  checkValues(open.components, components, 'components');
  const template = { count, components, area: spreadArea(body.area), seed };
  return decideOnce(
    open,
    request,
    jobDeed(routes, open, () => ({ template })),
  );
}

async function linesJob(
  routes: ApiRoutes,
  open: OpenWorld,
  request: FastifyRequest,
  body: Readable,
): Promise<Replied> {
  const { hash, ...lines } = await takeLines(body, open.records, lineReader(open, request));
  let taken: Lines | undefined;
  const deed = jobDeed(routes, open, (upload) => {
    // Of a repetition the lines of the first request are there already.
    taken = { ...lines, upload };
    return { lines: taken };
  });
  const decided = { ...deed, decide: async () => ({ request: lines.upload, ids: [] }) };
  try {
    return await decideOnce(open, request, decided, { [NDJSON]: hash });
  } finally {
    if (taken?.upload !== lines.upload) await dropLines(open.records, lines);
  }
}

function jobDeed({ jobs }: ApiRoutes, open: OpenWorld, bulkOf: (job: string) => Bulk) {
  return {
    decide: async () => ({ request: randomUUID(), ids: [] }),
    act: async ({ request: job }: { readonly request: string }) => {
      return { status: 202, body: await jobs.add(open, bulkOf(job), job) };
    },
  };
}

function lineReader(
  { grid, components: known, layers: [layer] }: OpenWorld,
  request: FastifyRequest,
): LineReader {
  const isBirth = request.compileValidationSchema(BIRTH as never);
  return (line, at) => {
    if (!isBirth(line)) {
      const [first] = isBirth.errors ?? [];
      throw new LeaseholdError('REQUEST_INVALID', `${at}: ${first?.message ?? 'is no entity'}`, {
        field: `${at}${first?.instancePath?.replaceAll('/', '.') ?? ''}`.slice(0, 100),
        value: JSON.stringify(line).slice(0, 100),
        remedy: 'Send {"components": …} as POST entities takes it.',
      });
    }
    const { components } = line as { readonly components: ComponentValues };
    checkValues(known, components, at);
    return { cell: cellOf(grid, layer, components, at), components };
  };
}

function missingBody(): LeaseholdError {
  return new LeaseholdError('REQUEST_INVALID', 'the request has no body', {
    field: 'body',
    value: 'nothing',
    remedy: `Send application/json, or one entity in each line as ${NDJSON}.`,
  });
}

function addReads(app: App, { worlds, jobs }: ApiRoutes): void {
  const list = {
    ...{ tags, operationId: 'listJobs', params: WORLD_PARAMS },
    summary: 'The last 100 jobs.',
    response: { 200: JOBS, ...problems() },
  };
  app.get('/jobs', { schema: list }, async (request) => {
    return { jobs: await jobs.list(await worlds.open(request.params.world)) };
  });

  const cancel = {
    ...{ tags, operationId: 'cancelJob', params: JOB_PARAMS },
    summary: 'Ends a job; what it has created stays.',
    response: { 200: JOB, ...bodyProblems() },
  };
  app.delete('/jobs/:job', { schema: cancel }, async (request) => {
    return jobs.cancel(await worlds.open(request.params.world), request.params.job);
  });
}

function addProgress(app: App, { worlds, jobs }: ApiRoutes, followers: JobFollowers): void {
  const schema = {
    ...{ tags, operationId: 'readJob', params: JOB_PARAMS },
    summary: `How far a job has come; as ${NDJSON} line by line until it has ended.`,
    response: { 200: JOB_PROGRESS, ...problems() },
  };
  app.get('/jobs/:job', { schema }, async (request, reply) => {
    const open = await worlds.open(request.params.world);
    return followers.answer(request, reply, () => jobs.read(open, request.params.job));
  });
}
