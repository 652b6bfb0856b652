/** What requests and answers about snapshots are made of, as JSON schema. */
import { SNAPSHOT_BYTES_PER_SECOND } from '@leasehold/snapshots';
import { Type } from 'typebox';
import { NAME, STRICT } from './shapes.ts';

/** Shorter ones would be taken without a pause, longer ones are forgotten by whoever made them. */
const EVERY_MS_MIN = 1_000;
const EVERY_MS_MAX = 31 * 86_400_000;
const KEPT_MAX = 100_000;
const PATTERN_MAX = 128;

export const SNAPSHOT_PARAMS = Type.Object(
  { snapshot: Type.String({ pattern: NAME, examples: ['before-the-storm'] }) },
  STRICT,
);
export const SNAPSHOT_JOB_PARAMS = Type.Object(
  { job: Type.String({ pattern: NAME, examples: ['4a6f0c1e-0000-4000-8000-000000000000'] }) },
  STRICT,
);

export const SNAPSHOT = Type.Object({
  id: Type.String(),
  world: Type.String(),
  incarnation: Type.Integer(),
  tick: Type.Integer(),
  state: Type.Union([Type.Literal('taking'), Type.Literal('complete')]),
  takenAt: Type.String(),
  createdBy: Type.String(),
  layers: Type.Array(Type.String()),
  /** Absent while it is being taken. */
  totals: Type.Optional(
    Type.Object({
      ...{ cells: Type.Integer(), entities: Type.Integer(), inFlight: Type.Integer() },
      hash: Type.String(),
    }),
  ),
});
export const SNAPSHOTS = Type.Object({ snapshots: Type.Array(SNAPSHOT) });

export const TAKE_BODY = Type.Object(
  {
    id: Type.Optional(Type.String({ pattern: NAME })),
    bytesPerSecond: Type.Optional(
      Type.Integer({
        ...{ minimum: 0, maximum: 2 ** 40 },
        description: `0 = as fast as it goes; ${SNAPSHOT_BYTES_PER_SECOND} while the world runs if it is left out.`,
      }),
    ),
  },
  { ...STRICT, examples: [{ id: 'before-the-storm' }] },
);
const PAUSED = Type.Boolean({ description: 'Whether its time stands still then.' });
export const RESTORE_BODY = Type.Object(
  { isPaused: Type.Optional(PAUSED) },
  { ...STRICT, examples: [{ isPaused: false }] },
);
export const BRANCH_BODY = Type.Object(
  { as: Type.String({ pattern: NAME }), isPaused: Type.Optional(PAUSED) },
  { ...STRICT, examples: [{ as: 'what-if' }] },
);

export const SNAPSHOT_JOB = Type.Object({
  job: Type.String(),
  kind: Type.Union([Type.Literal('take'), Type.Literal('restore')]),
  world: Type.String(),
  snapshot: Type.String(),
  state: Type.String(),
  phase: Type.String(),
  cells: Type.Integer(),
  cellsTotal: Type.Integer(),
  progress: Type.Number(),
  message: Type.Optional(Type.String()),
  done: Type.Optional(
    Type.Object({
      ...{ tick: Type.Integer(), entities: Type.Integer(), cells: Type.Integer() },
      incarnation: Type.Optional(Type.Integer()),
      removed: Type.Optional(Type.Array(Type.String())),
    }),
  ),
});
export const SNAPSHOT_JOBS = Type.Object({ jobs: Type.Array(SNAPSHOT_JOB) });

const COUNT = Type.Optional(Type.Integer({ minimum: 0, maximum: KEPT_MAX }));
const RHYTHM = {
  everyMs: Type.Optional(Type.Integer({ minimum: EVERY_MS_MIN, maximum: EVERY_MS_MAX })),
  pattern: Type.Optional(
    Type.String({ maxLength: PATTERN_MAX, description: 'As cron has it: 0 * * * *.' }),
  ),
  timezone: Type.Optional(Type.String({ maxLength: PATTERN_MAX, description: 'Of a pattern.' })),
  ...{ keep: COUNT, hourly: COUNT, daily: COUNT },
};
export const SCHEDULE_BODY = Type.Object(RHYTHM, {
  ...STRICT,
  description:
    'everyMs or pattern; of what the schedule took is kept what any count keeps, or all.',
  examples: [
    { everyMs: 600_000, keep: 6, hourly: 24, daily: 14 },
    { pattern: '30 3 * * *', timezone: 'Europe/Berlin', daily: 14 },
  ],
});
export const SCHEDULE = Type.Object({
  world: Type.String(),
  ...RHYTHM,
  nextAt: Type.Optional(Type.String()),
});
