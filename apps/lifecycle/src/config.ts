import { type Environment, flag, integer, readConfig, text } from '@leasehold/service';

/** A tool that creates entities one by one stays below it; bulk work is a job. */
const REQUESTS_PER_S = 200;

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
  requestsPerS: integer('REQUESTS_PER_S', 'Requests a second from one address.', {
    min: 1,
    max: 100_000,
    fallback: REQUESTS_PER_S,
  }),
  runsJobs: flag('RUNS_JOBS', 'Whether this replica works on jobs, or only takes them.', {
    fallback: true,
  }),
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

export function loadConfig(env: Environment) {
  const config = readConfig(settings, env);
  const { jobsRedisUrl, redisUrl } = config;
  return { ...config, jobsRedisUrl: jobsRedisUrl === '' ? redisUrl : jobsRedisUrl };
}
