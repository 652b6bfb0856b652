/** What is answered to whoever asks how far a job of snapshots has come, as JSON schema with examples. */
import { NDJSON } from './shapes.ts';
import { SNAPSHOT_JOB } from './snapshot-shapes.ts';

const UNDERWAY = {
  ...{
    job: '4a6f0c1e-0000-4000-8000-000000000000',
    kind: 'take',
    world: 'flocking',
    snapshot: 'before-the-storm',
  },
  ...{ state: 'active', phase: 'reading', cells: 48, cellsTotal: 64, progress: 0.75 },
};
const ENDED = {
  ...{ ...UNDERWAY, state: 'completed', cells: 64, progress: 1 },
  done: { tick: 1_200, entities: 400, cells: 64 },
};
export const SNAPSHOT_JOB_PROGRESS = {
  description: 'The job; as lines, one for each change, of which the last is that of its end.',
  content: {
    'application/json': { schema: { ...SNAPSHOT_JOB, examples: [ENDED] } },
    [NDJSON]: {
      schema: {
        ...SNAPSHOT_JOB,
        examples: [`${JSON.stringify(UNDERWAY)}\n${JSON.stringify(ENDED)}\n`],
      },
    },
  },
};
