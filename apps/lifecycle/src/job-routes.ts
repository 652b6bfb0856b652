/** Bulk creation as jobs: asked for, looked at, cancelled. */
import type { ComponentValues } from '@leasehold/protocol';
import type { ApiRoutes, App } from './api.ts';
import { JOB, JOB_BODY, JOB_PARAMS, JOBS, problems, WORLD_PARAMS } from './shapes.ts';
import { spreadArea } from './spread-area.ts';
import { checkValues } from './values.ts';

const tags = ['jobs'];

export function addJobRoutes(app: App, { worlds, jobs }: ApiRoutes): void {
  const create = {
    ...{ tags, operationId: 'createJob', params: WORLD_PARAMS, body: JOB_BODY },
    summary: 'Creates up to 1,000,000 entities like one another, spread over an area.',
    response: { 202: JOB, ...problems() },
  };
  app.post('/jobs', { schema: create }, async (request, reply) => {
    const open = await worlds.open(request.params.world);
    const { count, seed = 0 } = request.body;
    const components = request.body.components as ComponentValues;
    checkValues(open.layers[0].schema, components, 'components');
    const template = { count, components, area: spreadArea(request.body.area), seed };
    return reply.code(202).send(await jobs.add(open, template));
  });

  const list = {
    ...{ tags, operationId: 'listJobs', params: WORLD_PARAMS },
    summary: 'The last 100 jobs.',
    response: { 200: JOBS, ...problems() },
  };
  app.get('/jobs', { schema: list }, async (request) => {
    return { jobs: await jobs.list(await worlds.open(request.params.world)) };
  });

  const read = {
    ...{ tags, operationId: 'readJob', params: JOB_PARAMS },
    summary: 'How far a job has come.',
    response: { 200: JOB, ...problems() },
  };
  app.get('/jobs/:job', { schema: read }, async (request) => {
    return jobs.read(await worlds.open(request.params.world), request.params.job);
  });

  const cancel = {
    ...{ tags, operationId: 'cancelJob', params: JOB_PARAMS },
    summary: 'Ends a job; what it has created stays.',
    response: { 200: JOB, ...problems() },
  };
  app.delete('/jobs/:job', { schema: cancel }, async (request) => {
    return jobs.cancel(await worlds.open(request.params.world), request.params.job);
  });
}
