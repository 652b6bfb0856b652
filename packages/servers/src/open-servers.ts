/**
 * The order in which a server is looked for. Each step is said, and each refusal has its reason.
 */
import { LeaseholdError } from '@leasehold/kernel';
import { findBinary } from './binary.ts';
import { readServerSettings } from './config.ts';
import { openContainer } from './docker.ts';
import { openEmbedded } from './embedded.ts';
import { installPackage } from './install.ts';
import { joinPrivate, openPrivate } from './private-redis.ts';

export type ServersOptions = {
  /** Where a private server keeps its data: `<home>/redis`. */
  readonly home: string;
  /** Receives progress for people, one line at a time. */
  readonly log?: (line: string) => void;
  /** A test run may use Docker, and never the embedded server. */
  readonly purpose?: 'run' | 'test';
  /** Whether a demo on the embedded server is better than no server. */
  readonly allowEmbedded?: boolean;
  readonly env?: NodeJS.ProcessEnv;
};

export type Servers = {
  readonly redisUrl: string;
  /** `given` by REDIS_URL, `private` under the home, a `container`, or the `embedded` demo. */
  readonly kind: 'given' | 'private' | 'container' | 'embedded';
  /** Ends what this call started, unless others use it. Closing again does nothing. */
  close(): Promise<void>;
};

/** A program to start servers from, or a server that is there already. */
export type Source =
  | { readonly kind: 'binary'; readonly binary: string }
  | { readonly kind: 'given' | 'container'; readonly redisUrl: string; close(): Promise<void> };

/**
 * Finds, starts or installs a Redis server for a world. Throws `SERVER_MISSING` with every reason
 * when there is none to be had, `SETTING_INVALID` for a bad REDIS_URL, and `REDIS_UNREACHABLE` when
 * a private server does not start.
 */
export async function openServers(options: ServersOptions): Promise<Servers> {
  const { home, env, log = () => {} } = options;
  const settings = readServerSettings(env);
  if (settings.redisUrl === '') {
    const running = await joinPrivate(home);
    if (running !== undefined) {
      log(`Using the Redis that already runs under ${home} (${running.redisUrl}).`);
      return { redisUrl: running.redisUrl, kind: 'private', close: running.close };
    }
  }
  const reasons: string[] = [];
  const source = await findSource(options, reasons);
  if (source?.kind === 'binary') {
    const server = await openPrivate(home, source.binary);
    log(
      `${server.reused ? 'Using' : 'Started'} a private Redis under ${home} (${server.redisUrl}).`,
    );
    return { redisUrl: server.redisUrl, kind: 'private', close: server.close };
  }
  if (source !== undefined) return source;
  if (options.allowEmbedded === true && options.purpose !== 'test') {
    const embedded = await openEmbedded(reasons);
    if (embedded !== undefined) {
      log('No Redis server here: using the embedded one. DEMO ONLY: nothing is kept on disk, and');
      log(`it carries small worlds only. ${REMEDY}`);
      return { ...embedded, kind: 'embedded' };
    }
  }
  throw missing(reasons);
}

/** The steps between REDIS_URL and apt-get. Fills `reasons` when nothing is found. */
export async function findSource(
  options: Omit<ServersOptions, 'home' | 'allowEmbedded'>,
  reasons: string[],
): Promise<Source | undefined> {
  const { env, log = () => {} } = options;
  const settings = readServerSettings(env);
  if (settings.redisUrl !== '') {
    log('Using the Redis of REDIS_URL.');
    return { kind: 'given', redisUrl: settings.redisUrl, close: async () => {} };
  }
  const binary = await findBinary(settings.path, reasons);
  if (binary !== undefined) return { kind: 'binary', binary };
  if (options.purpose === 'test') {
    const container = await openContainer(settings, log, reasons);
    if (container !== undefined) return { ...container, kind: 'container' };
  }
  if (!(await installPackage('redis-server', settings, log, reasons))) return undefined;
  const installed = await findBinary(settings.path, reasons);
  return installed === undefined ? undefined : { kind: 'binary', binary: installed };
}

const REMEDY =
  'Install redis-server 7.0 or newer (Debian, Ubuntu: sudo apt-get install redis-server; ' +
  'macOS: brew install redis), or set REDIS_URL to a running one.';

/** The error that says what was tried and what to install. */
export function missing(reasons: readonly string[]): LeaseholdError {
  return new LeaseholdError(
    'SERVER_MISSING',
    `no Redis server: ${[...new Set(reasons)].join('; ')}`,
    {
      field: 'REDIS_URL',
      value: '',
      remedy: REMEDY,
    },
  );
}
