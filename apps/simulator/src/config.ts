import { flag, integer, readConfig, text } from '@leasehold/service';

/** Every variable the simulator reads. Nothing else in this app touches `process.env`. */
export const settings = {
  redisUrl: text('REDIS_URL', 'Redis that holds the world.'),
  worldFolder: text('WORLD_FOLDER', 'Folder with world.yaml and the simulation module.'),
  world: text('WORLD', 'Name of the stored world; empty = as the manifest says.', {
    fallback: '',
  }),
  home: text('LEASEHOLD_HOME', 'Folder of the registry and of private servers.', {
    fallback: '.leasehold',
  }),
  databaseUrl: text('DATABASE_URL', 'PostgreSQL with the registry of a fleet; empty = a file.', {
    fallback: '',
  }),
  snapshotsUrl: text(
    'SNAPSHOTS_URL',
    'PostgreSQL with PostGIS in which cells sleep; empty = DATABASE_URL, or they sleep in Redis.',
    { fallback: '' },
  ),
  layer: text('LAYER', 'Layer that this pod simulates.', { fallback: 'main' }),
  pod: text('POD', 'Name of this pod; empty = a random one.', { fallback: '' }),
  host: text('HOST', 'Address for health and metrics.', { fallback: '127.0.0.1' }),
  port: integer('PORT', 'Port for health and metrics; 0 = any free one.', {
    min: 0,
    max: 65_535,
    fallback: 0,
  }),
  leaseTtlMs: integer('LEASE_TTL_MS', 'Life of a lease; 0 = as the manifest says.', {
    min: 0,
    max: 60_000,
    fallback: 0,
  }),
  blocksMax: integer('BLOCKS_MAX', 'Most blocks this pod claims; 0 = its fair share.', {
    min: 0,
    max: 1_048_576,
    fallback: 0,
  }),
  startingPods: integer(
    'STARTING_PODS',
    'Pods started together, this one included: they wait for each other before they claim.',
    { min: 1, max: 1_024, fallback: 1 },
  ),
  idleMs: integer(
    'IDLE_MS',
    'As the authority has it: how long nothing may have changed in a cell that sleeps with somebody in it; -1 = as the manifest says.',
    { min: -1, max: 86_400_000, fallback: -1 },
  ),
  isStandby: flag(
    'STANDBY',
    'Whether to follow the cells that fall to this pod when another dies.',
    {
      fallback: true,
    },
  ),
  logEntriesMin: integer(
    'LOG_ENTRIES_MIN',
    'Entries that stay in a log at the least, for slow readers; 0 = what loading a cell needs.',
    { min: 0, max: 4_096, fallback: 0 },
  ),
  drainMs: integer('DRAIN_MS', 'Time to hand everything over after SIGTERM.', {
    min: 100,
    max: 25_000,
    fallback: 2_000,
  }),
  seed: integer('SEED', 'Seed of the world; -1 = as the manifest says.', {
    min: -1,
    max: 4_294_967_295,
    fallback: -1,
  }),
  library: text('LEASEHOLD_LIBRARY', 'Function library to call; empty = the current one.', {
    fallback: '',
  }),
  hasParent: flag('LEASEHOLD_PARENT', 'Whether to leave when standard input ends.', {
    fallback: false,
  }),
  logLevel: text('LOG_LEVEL', 'trace, debug, info, warn, error or silent.', { fallback: 'info' }),
};

export type Config = ReturnType<typeof loadConfig>;

export function loadConfig(env: NodeJS.ProcessEnv) {
  const config = readConfig(settings, env);
  const { snapshotsUrl, databaseUrl } = config;
  return { ...config, snapshotsUrl: snapshotsUrl === '' ? databaseUrl : snapshotsUrl };
}
