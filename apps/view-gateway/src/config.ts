import { LeaseholdError } from '@leasehold/kernel';
import { type Environment, flag, integer, readConfig, text } from '@leasehold/service';

/** A person watches a few views; a test bench or an office behind one address, many. */
const CONNECTIONS_PER_ADDRESS = 128;
/** At 256 KB each that is half of what a small pod of a cluster is given. */
const CONNECTIONS = 1_024;
/** A map that asks at every move of a pointer stays below it. */
const QUERIES_PER_S = 50;

/** Every variable the gateway reads. Nothing else in this app touches `process.env`. */
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
    'PostgreSQL with PostGIS that has snapshots; empty = that of DATABASE_URL.',
    { fallback: '' },
  ),
  layer: text('LAYER', 'Layer that is shown.', { fallback: 'main' }),
  gateway: text('GATEWAY', 'Name of this gateway; empty = a random one.', { fallback: '' }),
  host: text('HOST', 'Address to listen at; 0.0.0.0 = every one of this machine.', {
    fallback: '127.0.0.1',
  }),
  port: integer('PORT', 'Port for views, queries and the page; 0 = any free one.', {
    min: 0,
    max: 65_535,
    fallback: 7_300,
  }),
  viewerDist: text('VIEWER_DIST', 'Folder of the built page; empty = apps/viewer/dist.', {
    fallback: '',
  }),
  killToken: text('KILL_TOKEN', 'Who has it may kill pods, from this machine; empty = nobody.', {
    fallback: '',
  }),
  allowedOrigins: text(
    'ALLOWED_ORIGINS',
    'Origins, separated by commas, whose pages may use this gateway besides its own page.',
    { fallback: '' },
  ),
  connectionsPerAddressMax: integer(
    'CONNECTIONS_PER_ADDRESS_MAX',
    'Most view clients from one address at a time.',
    { min: 1, max: 65_536, fallback: CONNECTIONS_PER_ADDRESS },
  ),
  connectionsMax: integer('CONNECTIONS_MAX', 'Most view clients in all.', {
    min: 1,
    max: 65_536,
    fallback: CONNECTIONS,
  }),
  queriesPerS: integer('QUERIES_PER_S', 'Queries a second from one address.', {
    min: 1,
    max: 100_000,
    fallback: QUERIES_PER_S,
  }),
  keepWarm: flag('KEEP_WARM', 'Whether to follow the whole world for clients of other gateways.', {
    fallback: false,
  }),
  drainMs: integer('DRAIN_MS', 'Time for clients to take leave after SIGTERM.', {
    min: 50,
    max: 25_000,
    fallback: 1_000,
  }),
  library: text('LEASEHOLD_LIBRARY', 'Function library to call; empty = the current one.', {
    fallback: '',
  }),
  hasParent: flag('LEASEHOLD_PARENT', 'Whether to leave when standard input ends.', {
    fallback: false,
  }),
  logLevel: text('LOG_LEVEL', 'trace, debug, info, warn, error or silent.', { fallback: 'info' }),
};

export function loadConfig(env: Environment) {
  const config = readConfig(settings, env);
  const snapshotsUrl = config.snapshotsUrl === '' ? config.databaseUrl : config.snapshotsUrl;
  return { ...config, snapshotsUrl, allowedOrigins: originsOf(config.allowedOrigins) };
}

/** Errors: `SETTING_INVALID` for a text that is not the origin of any page. */
function originsOf(list: string): ReadonlySet<string> {
  const words = list
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  for (const word of words) {
    if (URL.canParse(word) && new URL(word).origin === word) continue;
    throw new LeaseholdError('SETTING_INVALID', `ALLOWED_ORIGINS: ${word} is no origin`, {
      field: 'ALLOWED_ORIGINS',
      value: word,
      remedy: 'Write scheme, host and port as browsers do, such as https://map.example.org.',
    });
  }
  return new Set(words);
}
