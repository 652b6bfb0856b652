/**
 * Looks at a Redis before a world trusts it: refuses what is unsafe, and says which promises its
 * settings void. Changes nothing.
 */
import { Redis } from 'ioredis';
import { hiddenUrl, refused, unreachable } from './preflight-faults.ts';
import { judged, type ServerPromise } from './preflight-promises.ts';

/**
 * A server on the same network answers in milliseconds; a wrong address must not hang a command.
 */
const ANSWER_MS_MAX = 3_000;
/** Functions, sharded channels and exact stream trimming. */
const VERSION_MIN = 7;

export type PreflightReport = {
  /** The address as given, the password hidden. */
  readonly url: string;
  readonly version: string;
  readonly runId: string;
  readonly replicas: number;
  readonly persistence: 'none' | 'rdb' | 'aof-no' | 'aof-everysec' | 'aof-always' | 'unknown';
  readonly promises: readonly ServerPromise[];
  /** One sentence for each promise that does not hold. */
  readonly voids: readonly string[];
};

/** What the server says of itself. A setting that it does not tell (ACL, hosted) is absent. */
export type ServerFacts = {
  readonly info: ReadonlyMap<string, string>;
  readonly settings: ReadonlyMap<string, string>;
};

/**
 * Throws `REDIS_UNREACHABLE`, `REDIS_AUTH`, `REDIS_TOO_OLD`, `REDIS_READONLY` or `REDIS_EVICTS`,
 * each with the command or line that mends it.
 */
export async function preflight(url: string): Promise<PreflightReport> {
  const facts = await factsOf(url);
  const hidden = hiddenUrl(url);
  refuseUnsafe(hidden, facts);
  const { info } = facts;
  const { persistence, promises } = judged(facts);
  return {
    url: hidden,
    version: info.get('redis_version') ?? '',
    runId: info.get('run_id') ?? '',
    replicas: Number(info.get('connected_slaves') ?? 0),
    persistence,
    promises,
    voids: promises.filter(({ holds }) => !holds).map(({ promise, why }) => `${promise}: ${why}`),
  };
}

async function factsOf(url: string): Promise<ServerFacts> {
  const redis = connection(url);
  let fault: unknown;
  redis.on('error', (error: unknown) => {
    fault = error;
  });
  try {
    await redis.connect();
    const info = parsedInfo(await redis.info());
    return { info, settings: await settingsOf(redis) };
  } catch (error) {
    // The library says "Connection is closed" to the caller and the reason to its listener.
    throw unreachable(url, [error, fault]);
  } finally {
    redis.disconnect();
  }
}

function connection(url: string): Redis {
  try {
    return new Redis(url, {
      lazyConnect: true,
      connectTimeout: ANSWER_MS_MAX,
      commandTimeout: ANSWER_MS_MAX,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
  } catch (error) {
    throw unreachable(url, [error]);
  }
}

async function settingsOf(redis: Redis): Promise<Map<string, string>> {
  try {
    const flat = (await redis.config('GET', '*')) as string[];
    const settings = new Map<string, string>();
    for (let i = 0; i + 1 < flat.length; i += 2) settings.set(flat[i] ?? '', flat[i + 1] ?? '');
    return settings;
  } catch {
    // Hosted servers refuse CONFIG. What cannot be seen is reported as not known to hold.
    return new Map();
  }
}

function parsedInfo(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) found.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return found;
}

function refuseUnsafe(url: string, { info, settings }: ServerFacts): void {
  const version = info.get('redis_version') ?? '';
  if (!(Number.parseInt(version, 10) >= VERSION_MIN)) {
    throw refused('REDIS_TOO_OLD', url, version, {
      message: `Redis ${version || 'of no known version'} lacks what a world needs`,
      remedy: `Install Redis ${VERSION_MIN}.0 or newer, or Valkey, and set REDIS_URL to it.`,
    });
  }
  if (info.get('role') === 'slave') {
    const primary = `${info.get('master_host') ?? '?'}:${info.get('master_port') ?? '?'}`;
    throw refused('REDIS_READONLY', url, 'role replica', {
      message: 'this server is a read-only replica',
      remedy: `Set REDIS_URL to its primary, ${primary}, or make it one: REPLICAOF NO ONE.`,
    });
  }
  const policy = settings.get('maxmemory-policy') ?? info.get('maxmemory_policy') ?? '';
  if (policy !== 'noeviction') {
    throw refused('REDIS_EVICTS', url, `maxmemory-policy ${policy || 'unknown'}`, {
      message: 'this server may delete leases and state to free memory',
      remedy: 'Run CONFIG SET maxmemory-policy noeviction, and put it into redis.conf.',
    });
  }
}
