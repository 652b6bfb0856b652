import { integer, readConfig, text } from '@leasehold/service';

/** Every variable the auditor reads. Nothing else in this app touches `process.env`. */
export const settings = {
  redisUrl: text('REDIS_URL', 'Redis that holds the world.'),
  world: text('WORLD', 'Name of the world to audit.'),
  incarnation: integer('INCARNATION', 'Incarnation of the world.', { min: 1, max: 2 ** 31 }),
  layer: text('LAYER', 'Layer to audit.', { fallback: 'main' }),
  layers: text('LAYERS', 'All layers of the world, in the order of its manifest: a,b,c.', {
    fallback: '',
  }),
  snapshotsUrl: text('SNAPSHOTS_URL', 'PostgreSQL with the cells that sleep; empty = none.', {
    fallback: '',
  }),
  databaseUrl: text('DATABASE_URL', 'The same, if SNAPSHOTS_URL is empty.', { fallback: '' }),
  columns: integer('COLUMNS', 'Cells of the grid from west to east.', { min: 1, max: 2 ** 20 }),
  rows: integer('ROWS', 'Cells of the grid from south to north.', { min: 1, max: 2 ** 20 }),
  blockCells: integer('BLOCK_CELLS', 'Cells along the side of a block.', {
    min: 1,
    max: 64,
    fallback: 4,
  }),
  hasParent: integer('LEASEHOLD_PARENT', '1: leave when stdin ends, as its parent has died.', {
    min: 0,
    max: 1,
    fallback: 0,
  }),
  pollMs: integer('POLL_MS', 'Pause between two looks at the logs.', {
    min: 5,
    max: 10_000,
    fallback: 75,
  }),
  statusMs: integer('STATUS_MS', 'Pause between two status lines.', {
    min: 100,
    max: 60_000,
    fallback: 500,
  }),
};

export function loadConfig(env: NodeJS.ProcessEnv) {
  return readConfig(settings, env);
}
