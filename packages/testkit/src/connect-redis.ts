import { Redis } from 'ioredis';

/**
 * A connection of the test's own to a server that the test may kill: what fails is not tried again,
 * and the connection is not made anew. `disconnect()` it at the end.
 */
export function connectRedis(url: string): Redis {
  const redis = new Redis(url, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  redis.on('error', () => {
    // Whoever sends a command hears of it.
  });
  return redis;
}
