import { LeaseholdError } from '@leasehold/kernel';
import { SECRET_CHARACTERS_MIN } from '@leasehold/prefabs';
import { type Environment, flag, integer, readConfig, text } from '@leasehold/service';

/** A tool that creates entities one by one stays below it; bulk work is a job. */
const REQUESTS_PER_S = 200;
/** Behind a webhook that fails now and then, the world is so far behind its repository at most. */
const WEBHOOK_POLL_MS = 60_000;

/** Longer than a busy process ever leaves its lock alone. */
const JOBS_LOCK_MS = 10_000;

/** Every variable the lifecycle service reads. Nothing else in this app touches `process.env`. */
export const settings = {
  redisUrl: text('REDIS_URL', 'Redis that holds the worlds.'),
  jobsRedisUrl: text(
    'JOBS_REDIS_URL',
    'Redis that holds the jobs; empty = the one of the worlds.',
    {
      fallback: '',
    },
  ),
  jobsPrefix: text(
    'JOBS_PREFIX',
    'Begins the keys of jobs, with a hash tag for a cluster; replicas of one registry share it.',
    { fallback: '{leasehold-jobs}' },
  ),
  home: text('LEASEHOLD_HOME', 'Folder of the registry and of private servers.', {
    fallback: '.leasehold',
  }),
  databaseUrl: text('DATABASE_URL', 'PostgreSQL with the registry of a fleet; empty = a file.', {
    fallback: '',
  }),
  snapshotsUrl: text(
    'SNAPSHOTS_URL',
    'PostgreSQL with PostGIS that keeps the snapshots; empty = that of DATABASE_URL, if any.',
    { fallback: '' },
  ),
  host: text('HOST', 'Address to listen at; 0.0.0.0 = every one of this machine.', {
    fallback: '127.0.0.1',
  }),
  port: integer('PORT', 'Port of the API; 0 = any free one.', {
    min: 0,
    max: 65_535,
    fallback: 7_320,
  }),
  apiToken: text(
    'API_TOKEN',
    'Every request must carry it as bearer token; empty = all may read, and write from this machine.',
    { fallback: '' },
  ),
  webhookSecret: text(
    'WEBHOOK_SECRET',
    'Shared with the git host that calls the webhook of prefabs, at least 16 characters; empty = nobody may call it.',
    { fallback: '' },
  ),
  prefabsPollMs: integer(
    'PREFABS_POLL_MS',
    'How often repositories of prefabs are looked at, and a new commit put in force; 0 = never, or each minute with WEBHOOK_SECRET.',
    { min: 0, max: 86_400_000, fallback: 0 },
  ),
  requestsPerS: integer('REQUESTS_PER_S', 'Requests a second from one address.', {
    min: 1,
    max: 100_000,
    fallback: REQUESTS_PER_S,
  }),
  runsJobs: flag('RUNS_JOBS', 'Whether this replica works on jobs, or only takes them.', {
    fallback: true,
  }),
  jobsLockMs: integer(
    'JOBS_LOCK_MS',
    'After so long the job of a worker that died is that of another.',
    {
      min: 500,
      max: 300_000,
      fallback: JOBS_LOCK_MS,
    },
  ),
  drainMs: integer('DRAIN_MS', 'Time to finish what is under way after SIGTERM.', {
    min: 50,
    max: 25_000,
    fallback: 5_000,
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

/** Errors: `SETTING_INVALID`. */
export function loadConfig(env: Environment) {
  const config = readConfig(settings, env);
  const { jobsRedisUrl, redisUrl, webhookSecret, prefabsPollMs } = config;
  const { snapshotsUrl, databaseUrl } = config;
  const hasWebhook = webhookSecret !== '';
  if (hasWebhook && webhookSecret.length < SECRET_CHARACTERS_MIN) throw shortSecret();
  return {
    ...config,
    jobsRedisUrl: jobsRedisUrl === '' ? redisUrl : jobsRedisUrl,
    snapshotsUrl: snapshotsUrl === '' ? databaseUrl : snapshotsUrl,
    // A call that never came, or came while nobody listened, is made up for.
    prefabsPollMs: prefabsPollMs === 0 && hasWebhook ? WEBHOOK_POLL_MS : prefabsPollMs,
  };
}

function shortSecret(): LeaseholdError {
  const rule = `must have at least ${SECRET_CHARACTERS_MIN} characters`;
  // The value stays out: messages end up in logs.
  return new LeaseholdError('SETTING_INVALID', `configuration: WEBHOOK_SECRET ${rule}`, {
    field: 'WEBHOOK_SECRET',
    value: 'not shown',
    remedy: 'Set one that cannot be tried out, as openssl rand -hex 32 writes it.',
  });
}
