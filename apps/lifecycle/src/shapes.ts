/** What requests and answers are made of, as JSON schema: the source of validation and OpenAPI. */

import { CREATES_PER_REQUEST_MAX } from '@leasehold/protocol';
import { type TSchema, Type } from 'typebox';
import { JOB_ENTITIES_MAX } from './bulk-plan.ts';
import { KEY_PATTERN } from './idempotency.ts';
import { LINE_BYTES_MAX, LINES_BYTES_MAX, LINES_MAX } from './job-lines.ts';

export const NAME = '^[A-Za-z0-9_-]{1,64}$';
export const STRICT = { additionalProperties: false } as const;
/** Above every id. */
const ID_PATTERN = '^[1-9]\\d{0,15}$';
const TEXT_MAX = 4_096;

export const PROBLEM = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    code: Type.String(),
    field: Type.String(),
    value: Type.String(),
    remedy: Type.String(),
  },
  { description: 'RFC 9457; code, field, value and remedy as everywhere in the product.' },
);

/** Statuses that any route may answer. */
const ANYWHERE = [400, 401, 403, 404, 429, 431, 503] as const;
/** And those that take a body, or would look at one. */
const WITH_BODY = [413, 415] as const;

/** Answers that are problems, by status, beside those that any route may give. */
export function problems(...statuses: readonly number[]): Record<number, TSchema> {
  return Object.fromEntries(
    [...ANYWHERE, ...statuses].map((status) => [
      status,
      {
        description: 'A problem.',
        content: { 'application/problem+json': { schema: PROBLEM } },
      } as unknown as TSchema,
    ]),
  );
}

/** The same for a route that takes a body. */
export const bodyProblems = (...statuses: readonly number[]): Record<number, TSchema> =>
  problems(...WITH_BODY, ...statuses);

const VALUES = Type.Record(
  Type.String({ pattern: NAME }),
  Type.Record(Type.String({ maxLength: 128 }), Type.Unknown()),
  { description: 'Values by component, then by field. What is left out is initial.' },
);

export const WORLD_PARAMS = Type.Object(
  { world: Type.String({ pattern: NAME, examples: ['flocking'] }) },
  STRICT,
);
export const ENTITY_PARAMS = Type.Object(
  {
    world: Type.String({ pattern: NAME, examples: ['flocking'] }),
    id: Type.String({ pattern: ID_PATTERN, examples: ['4503599627370497'] }),
  },
  STRICT,
);
export const REQUEST_PARAMS = Type.Object(
  {
    world: Type.String({ pattern: NAME, examples: ['flocking'] }),
    request: Type.String({ maxLength: 64, examples: ['4a6f0c1e-0000-4000-8000-000000000000-1'] }),
  },
  STRICT,
);
export const JOB_PARAMS = Type.Object(
  {
    world: Type.String({ pattern: NAME, examples: ['flocking'] }),
    job: Type.String({
      pattern: '^[0-9a-f-]{36}$',
      examples: ['4a6f0c1e-0000-4000-8000-000000000000'],
    }),
  },
  STRICT,
);

export const WAIT = Type.Object({ wait: Type.Optional(Type.Literal('applied')) }, STRICT);
const KEY = { 'idempotency-key': Type.Optional(Type.String({ pattern: KEY_PATTERN })) };
export const WRITE_HEADERS = Type.Object(KEY);
export const MATCH_HEADERS = Type.Object({
  ...KEY,
  'if-match': Type.Optional(Type.String({ maxLength: TEXT_MAX })),
});
export const READ_HEADERS = Type.Object({
  'if-none-match': Type.Optional(Type.String({ maxLength: TEXT_MAX })),
});

export const BIRTH = Type.Object({ components: VALUES }, STRICT);

export const CREATE_BODY = Type.Union(
  [
    BIRTH,
    Type.Object(
      { entities: Type.Array(BIRTH, { minItems: 1, maxItems: CREATES_PER_REQUEST_MAX }) },
      STRICT,
    ),
  ],
  {
    examples: [
      { components: { position: { x: 12, y: 30 } } },
      { entities: [{ components: { position: { x: 1, y: 2 } } }] },
    ],
  },
);

export const PATCH_BODY = Type.Object(
  {
    set: Type.Optional(VALUES),
    remove: Type.Optional(Type.Array(Type.String({ pattern: NAME }), { maxItems: 32 })),
  },
  { ...STRICT, minProperties: 1, examples: [{ set: { position: { x: 14 } } }] },
);

export const EVENT_BODY = Type.Object(
  {
    entity: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    event: Type.String({ pattern: NAME }),
    payload: Type.Optional(Type.Record(Type.String({ maxLength: 128 }), Type.Unknown())),
  },
  { ...STRICT, examples: [{ entity: 4503599627370497, event: 'startle', payload: {} }] },
);

export const TAKEN = Type.Object({
  request: Type.String(),
  state: Type.Union([Type.Literal('pending'), Type.Literal('applied')]),
  /** Of a request that creates: in the order of its entities. */
  entities: Type.Optional(Type.Array(Type.Integer())),
  tick: Type.Optional(Type.Integer()),
});

export const REQUEST_STATE = Type.Object({
  request: Type.String(),
  state: Type.Union([Type.Literal('pending'), Type.Literal('applied'), Type.Literal('refused')]),
  posts: Type.Integer(),
  answered: Type.Integer(),
  tick: Type.Optional(Type.Integer()),
  refusal: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
});

const TICKS = Type.Record(Type.String(), Type.Integer(), {
  description:
    'In worlds of several layers: the tick of each layer that was read. Each is told as of its own.',
});

export const ENTITY = Type.Object({
  id: Type.Integer(),
  cell: Type.Integer(),
  tick: Type.Optional(Type.Integer()),
  ticks: Type.Optional(TICKS),
  x: Type.Optional(Type.Number()),
  y: Type.Optional(Type.Number()),
  distance: Type.Optional(Type.Number()),
  components: Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown())),
});

const NAMES = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,64}(,[A-Za-z0-9_-]{1,64}){0,31}$',
  description: 'Names of components, separated by commas.',
});
export const SELECTION = Type.Object({ components: Type.Optional(NAMES) }, STRICT);

const WHERE = Type.String({ maxLength: TEXT_MAX, examples: ['position.x,ge,0'] });
const TEXT = Type.String({ maxLength: TEXT_MAX });
const DIGITS = '^[1-9]\\d{0,5}$';

export const QUERY = Type.Object(
  {
    box: Type.Optional(TEXT),
    circle: Type.Optional(TEXT),
    polygon: Type.Optional(TEXT),
    around: Type.Optional(TEXT),
    world: Type.Optional(TEXT),
    near: Type.Optional(TEXT),
    radius: Type.Optional(TEXT),
    components: Type.Optional(NAMES),
    with: Type.Optional(NAMES),
    where: Type.Optional(Type.Union([WHERE, Type.Array(WHERE, { maxItems: 8 })])),
    limit: Type.Optional(Type.String({ pattern: DIGITS })),
    cursor: Type.Optional(Type.String({ pattern: ID_PATTERN })),
  },
  {
    ...STRICT,
    description:
      'Exactly one of box=minX,minY,maxX,maxY, circle=x,y,radius, polygon=x,y;x,y;x,y, ' +
      'around=ID,radius, world, near=x,y. where=component.field,op,value; op is eq, ne, lt, le, gt or ge.',
  },
);

export const PAGE = Type.Object({
  world: Type.String(),
  tick: Type.Integer(),
  ticks: Type.Optional(TICKS),
  entities: Type.Array(ENTITY),
  /** Ask again with this cursor for those that follow; absent: there are no more. */
  next: Type.Optional(Type.String()),
});

export const LETTERS_QUERY = Type.Object(
  { limit: Type.Optional(Type.String({ pattern: DIGITS })) },
  STRICT,
);
export const LETTERS = Type.Object({
  letters: Type.Array(Type.Object({}, { additionalProperties: true })),
});
export const REPLAY_BODY = Type.Object(
  {
    ids: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { minItems: 1, maxItems: 512 }),
  },
  { ...STRICT, examples: [{ ids: ['main:17:42:0'] }] },
);
export const REPLAYED = Type.Object({
  replayed: Type.Integer(),
  unknown: Type.Array(Type.String()),
  gone: Type.Array(Type.String()),
});

/** Over which entities are spread. */
export const AREA = Type.Object(
  {
    box: Type.Optional(TEXT),
    circle: Type.Optional(TEXT),
    polygon: Type.Optional(TEXT),
    world: Type.Optional(TEXT),
  },
  { ...STRICT, minProperties: 1, maxProperties: 1 },
);

export const JOB_BODY = Type.Object(
  {
    count: Type.Integer({ minimum: 1, maximum: JOB_ENTITIES_MAX }),
    components: VALUES,
    area: Type.Optional(AREA),
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 })),
  },
  {
    ...STRICT,
    examples: [{ count: 20, components: { position: {} }, area: { world: '' }, seed: 7 }],
  },
);

export const JOB = Type.Object({
  job: Type.String(),
  state: Type.String(),
  count: Type.Integer(),
  posted: Type.Integer(),
  created: Type.Integer(),
  refused: Type.Integer(),
  progress: Type.Number(),
  message: Type.Optional(
    Type.String({ description: 'Why the first of those that are refused was refused.' }),
  ),
  waitsFor: Type.Optional(
    Type.String({
      description: 'What must come back before the job goes on, which it does itself.',
    }),
  ),
});
export const NDJSON = 'application/x-ndjson';
export const JOB_OR_LINES = {
  content: {
    'application/json': { schema: JOB_BODY },
    // Checked line by line as it comes, so there is nothing to say of the whole.
    [NDJSON]: {
      schema: Type.Unknown({
        description:
          `One entity in each line, as POST entities takes it; at most ${LINES_MAX} lines, ` +
          `${LINE_BYTES_MAX} bytes each and ${LINES_BYTES_MAX} together.`,
        examples: [
          '{"components":{"position":{"x":3,"y":4}}}\n{"components":{"position":{"x":5,"y":6}}}\n',
        ],
      }),
    },
  },
};
export const JOB_PROGRESS = {
  description: 'The job; as lines, one for each change, of which the last is that of its end.',
  content: { 'application/json': { schema: JOB }, [NDJSON]: { schema: JOB } },
};
export const JOBS = Type.Object({ jobs: Type.Array(JOB) });

export const PREFAB_PARAMS = Type.Object(
  {
    world: Type.String({ pattern: NAME, examples: ['flocking'] }),
    name: Type.String({ pattern: NAME, examples: ['sheep'] }),
  },
  STRICT,
);
export const PREFABS = Type.Object({
  /** The commit. */
  version: Type.String(),
  appliedAt: Type.String(),
  prefabs: Type.Array(Type.Object({ name: Type.String(), version: Type.String() })),
  /** The newest commit of its repository, where that is followed; `fault`: why it is not in force. */
  followed: Type.Optional(
    Type.Object({ version: Type.String(), fault: Type.Optional(Type.String()) }),
  ),
});
/** As git hosts send it: nothing of it is read. */
export const PUSH_BODY = {
  content: {
    'application/json': {
      schema: Type.Object(
        { ref: Type.Optional(Type.String()), after: Type.Optional(Type.String()) },
        {
          additionalProperties: true,
          examples: [{ ref: 'refs/heads/main', after: '4a6f0c1e00000000000000000000000000000000' }],
        },
      ),
    },
  },
};
export const WEBHOOK_HEADERS = Type.Object({
  'x-hub-signature-256': Type.Optional(
    Type.String({
      description:
        'sha256= and the HMAC of the body with WEBHOOK_SECRET, as GitHub, Gitea sign it.',
    }),
  ),
  'x-gitlab-token': Type.Optional(
    Type.String({ description: 'WEBHOOK_SECRET itself, as GitLab sends it.' }),
  ),
});
export const PUSH_TAKEN = Type.Object({ world: Type.String() });
export const PREFAB = Type.Object({
  name: Type.String(),
  version: Type.String(),
  description: Type.String(),
  components: Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown())),
});
export const SPAWN_BODY = Type.Object(
  {
    count: Type.Integer({ minimum: 1, maximum: JOB_ENTITIES_MAX }),
    area: Type.Optional(AREA),
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 })),
  },
  {
    ...STRICT,
    examples: [{ count: 12, area: { circle: '50,50,20' }, seed: 7 }, { count: 600 }],
  },
);
/** Or the job that makes them. */
export const SPAWN_TAKEN = Type.Union([TAKEN, JOB]);

export const WORLD = Type.Object({
  world: Type.String(),
  incarnation: Type.Integer(),
  /** The one that says who lives and where first. */
  layers: Type.Array(
    Type.Object({
      ...{ layer: Type.String(), components: Type.Array(Type.Unknown()) },
      pods: Type.Integer(),
    }),
  ),
  space: Type.Object({}, { additionalProperties: true }),
  cells: Type.Integer(),
  pods: Type.Integer(),
  entities: Type.Integer(),
  tick: Type.Union([Type.Integer(), Type.Null()]),
  rateHz: Type.Union([Type.Number(), Type.Null()]),
  isPaused: Type.Boolean(),
});
export const WORLDS = Type.Object({
  worlds: Type.Array(
    Type.Object({ world: Type.String(), incarnation: Type.Integer(), cells: Type.Integer() }),
  ),
});
export const TIME = Type.Object({
  world: Type.String(),
  tick: Type.Integer(),
  rateHz: Type.Number(),
  isPaused: Type.Boolean(),
  /** Whether it stands where it was asked to; otherwise it is on its way there. */
  isSteady: Type.Boolean(),
});
export const STEP_BODY = Type.Object(
  { ticks: Type.Integer({ minimum: 1, maximum: 10_000 }) },
  { ...STRICT, examples: [{ ticks: 3 }] },
);
