import { integer, readConfig, text } from '@leasehold/service';

/** Every variable of the check that `leasehold dev` starts; the commands take flags. */
const settings = {
  worldFolder: text('WORLD_FOLDER', 'Folder with world.yaml and the simulation module.'),
};

export function loadCheckConfig(env: NodeJS.ProcessEnv) {
  return readConfig(settings, env);
}

/** What commands with flags read besides them. */
const registrySettings = {
  databaseUrl: text('DATABASE_URL', 'PostgreSQL with the registry of a fleet; empty = a file.', {
    fallback: '',
  }),
  snapshotsUrl: text(
    'SNAPSHOTS_URL',
    'PostgreSQL of snapshots, in which cells sleep; empty = DATABASE_URL.',
    {
      fallback: '',
    },
  ),
};

export function loadRegistryConfig(env: NodeJS.ProcessEnv = process.env) {
  return readConfig(registrySettings, env);
}

/** Every variable of the outside checker that `leasehold chaos` starts. */
const checkerSettings = {
  ...settings,
  redisUrl: text('REDIS_URL', 'Redis that holds the world: read once it is at rest.'),
  world: text('WORLD', 'Name of the stored world.'),
  incarnation: integer('INCARNATION', 'Incarnation of the world.', { min: 1, max: 2 ** 31 }),
  layer: text('LAYER', 'Layer that is seen.'),
  gatewayUrls: text('GATEWAY_URLS', 'Addresses for views, separated by commas.'),
  clients: integer('CLIENTS', 'How many clients connect.', { min: 1, max: 1_024 }),
  seed: integer('SEED', 'Seed of what they look at.', { min: 0, max: 2 ** 32 - 1, fallback: 1 }),
};

export function loadCheckerConfig(env: NodeJS.ProcessEnv) {
  return readConfig(checkerSettings, env);
}
