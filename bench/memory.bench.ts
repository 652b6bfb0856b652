/** What a cell costs Redis: one that nobody is in, and one with 256 entities that all move. */
import { Redis } from 'ioredis';
import type { Benchmark } from './figure.ts';
import { openDrift } from './world.ts';

const SIDE = 32;
const IDLE_BYTES_MAX = 8 * 1024;

export const memory: Benchmark = {
  tag: 'memory',
  what: `${SIDE * SIDE} held cells without a single entity`,
  async run() {
    const empty = await openDrift(SIDE, 0);
    const redis = new Redis(empty.redis.url);
    try {
      const before = await usedBytes(redis);
      await empty.acquireAll();
      const idle = ((await usedBytes(redis)) - before) / empty.grid.cells;
      return [
        {
          ...{ name: 'an idle, held cell', value: idle, unit: 'bytes' },
          ...{ target: '≤ 8,192', isMet: idle <= IDLE_BYTES_MAX },
        },
      ];
    } finally {
      redis.disconnect();
      await empty.close();
    }
  },
};

async function usedBytes(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1] ?? 0);
}
