import { PLAN_SETTINGS, POLICIES, regionsByLoad } from '@leasehold/plan';
import { choice, flag, integer, readConfig, text } from '@leasehold/service';

const policies = [...POLICIES.keys()];

/** Every variable the authority reads. Nothing else in this app touches `process.env`. */
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
  layer: text('LAYER', 'Layer that it plans.', { fallback: 'main' }),
  authority: text('AUTHORITY', 'Name of this process; empty = a random one.', { fallback: '' }),
  host: text('HOST', 'Address for health, metrics, the plan and the scale signal.', {
    fallback: '127.0.0.1',
  }),
  port: integer('PORT', 'Port for the same; 0 = any free one.', {
    min: 0,
    max: 65_535,
    fallback: 0,
  }),
  policy: choice('POLICY', 'How it plans.', {
    of: policies,
    fallback: regionsByLoad.name,
  }),
  leadTtlMs: integer('LEAD_TTL_MS', 'So long after the death of the one that leads another does.', {
    min: 500,
    max: 30_000,
    fallback: 1_500,
  }),
  planMs: integer('PLAN_MS', 'How often it plans when no pod comes or goes.', {
    min: 100,
    max: 60_000,
    fallback: 1_000,
  }),
  idleMs: integer(
    'IDLE_MS',
    'A cell sleeps when nothing was in or around it so long; 0 = never, -1 = as the manifest says.',
    { min: -1, max: 86_400_000, fallback: -1 },
  ),
  sparePercent: integer(
    'SPARE_PERCENT',
    "The part of a pod's tick that stays free, so that it can inherit another's cells.",
    { min: 0, max: 99, fallback: PLAN_SETTINGS.spare * 100 },
  ),
  podsMin: integer('PODS_MIN', 'Fewest pods that it ever wants.', {
    min: 1,
    max: 10_000,
    fallback: 1,
  }),
  podsMax: integer('PODS_MAX', 'Most pods that it ever wants.', {
    min: 1,
    max: 10_000,
    fallback: 1_000,
  }),
  podsFallMs: integer(
    'PODS_FALL_MS',
    'It wants fewer pods when fewer would have done for so long; one that must come back costs more.',
    { min: 1_000, max: 86_400_000, fallback: PLAN_SETTINGS.fallMs },
  ),
  library: text('LEASEHOLD_LIBRARY', 'Function library to call; empty = the current one.', {
    fallback: '',
  }),
  hasParent: flag('LEASEHOLD_PARENT', 'Whether to leave when standard input ends.', {
    fallback: false,
  }),
  logLevel: text('LOG_LEVEL', 'trace, debug, info, warn, error or silent.', { fallback: 'info' }),
};

export function loadConfig(env: NodeJS.ProcessEnv) {
  return readConfig(settings, env);
}
