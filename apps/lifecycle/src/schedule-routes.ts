/** The schedule of snapshots of a world: made, looked at, ended. */
import { LeaseholdError } from '@leasehold/kernel';
import type { Static } from 'typebox';
import type { ApiRoutes, App } from './api.ts';
import { bodyProblems, problems, WORLD_PARAMS } from './shapes.ts';
import type { Rhythm } from './snapshot-schedules.ts';
import { SCHEDULE, SCHEDULE_BODY } from './snapshot-shapes.ts';

const tags = ['snapshots'];
const PATH = '/snapshot-schedule';

/** Under the prefix of a world. */
export function addScheduleRoutes(app: App, routes: ApiRoutes): void {
  const { worlds, database, snapshotJobs } = routes;
  const { schedules } = snapshotJobs;
  const of = (operationId: string, summary: string) => ({
    ...{ tags, operationId, summary, params: WORLD_PARAMS },
    response: { 200: SCHEDULE, ...bodyProblems() },
  });
  const put = {
    ...of('putSnapshotSchedule', 'Takes snapshots of a world again and again.'),
    body: SCHEDULE_BODY,
  };
  app.put(PATH, { schema: put }, async (request) => {
    database.expectOn();
    const { world } = await worlds.open(request.params.world);
    const { keep, hourly, daily } = request.body;
    return schedules.put(world, rhythmOf(request.body), {
      ...(keep === undefined ? {} : { keep }),
      ...(hourly === undefined ? {} : { hourly }),
      ...(daily === undefined ? {} : { daily }),
    });
  });

  const read = {
    ...of('readSnapshotSchedule', 'When snapshots of a world are taken, and how many are kept.'),
    response: { 200: SCHEDULE, ...problems() },
  };
  app.get(PATH, { schema: read }, async (request) => {
    database.expectOn();
    return schedules.read(request.params.world);
  });

  const remove = of('removeSnapshotSchedule', 'Ends a schedule; what it has taken stays.');
  app.delete(PATH, { schema: remove }, async (request) => {
    database.expectOn();
    return schedules.remove(request.params.world);
  });
}

/** Errors: `REQUEST_INVALID`. */
function rhythmOf({ everyMs, pattern, timezone }: Static<typeof SCHEDULE_BODY>): Rhythm {
  if (everyMs !== undefined && pattern === undefined && timezone === undefined) return { everyMs };
  if (pattern !== undefined && everyMs === undefined) {
    return { pattern, ...(timezone === undefined ? {} : { timezone }) };
  }
  throw new LeaseholdError('REQUEST_INVALID', 'a schedule is due by one rule', {
    field: 'body',
    value: [everyMs, pattern, timezone].filter((each) => each !== undefined).join(', '),
    remedy: 'Give everyMs, or pattern and perhaps its timezone.',
  });
}
