import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, inject } from 'vitest';
import { eventually } from './eventually.ts';
import { endLeftovers } from './leftovers.ts';
import { canStartRedis, type RedisServer, startRedis } from './start-redis.ts';

export type TestRedis = {
  /** A connection of the test's own, to look and to meddle. */
  readonly redis: Redis;
  readonly url: string;
  /** A world name that no other test has; a new one for each test. */
  readonly world: string;
  /** The server of this file; absent when all files share one (REDIS_URL, Docker). */
  readonly server: RedisServer | undefined;
};

/**
 * A Redis for the tests of one file (or one `describe`). Read its fields inside tests only. The
 * file fails if a connection to its server is left open at the end.
 */
export function useRedis(options: { readonly args?: readonly string[] } = {}): TestRedis {
  const at: { -readonly [K in keyof TestRedis]?: TestRedis[K] } = {};

  beforeAll(async () => {
    at.server = canStartRedis() ? await startRedis(options) : undefined;
    at.url = at.server?.url ?? inject('redisUrl');
    at.redis = new Redis(at.url, { lazyConnect: true, maxRetriesPerRequest: 1 });
    await at.redis.connect();
  });

  beforeEach(() => {
    at.world = `t${randomBytes(6).toString('hex')}`;
  });

  afterAll(async () => {
    const { redis, server } = at;
    try {
      // On a shared server other files have connections too, and theirs cannot be told from ours.
      if (redis !== undefined && server !== undefined) await expectNoneLeft(redis);
    } catch (error) {
      // No hook runs after one that failed: whoever holds the connections must end here.
      await endLeftovers();
      throw error;
    } finally {
      redis?.disconnect();
      await server?.stop();
    }
  });

  return at as TestRedis;
}

async function expectNoneLeft(redis: Redis): Promise<void> {
  const own = `id=${await redis.client('ID')} `;
  await eventually(async () => {
    const left = String(await redis.client('LIST'))
      .split('\n')
      .filter((line) => line.startsWith('id=') && !line.startsWith(own));
    if (left.length > 0) throw new Error(`connections left open:\n${left.join('\n')}`);
    return true;
  }, 2_000);
}
