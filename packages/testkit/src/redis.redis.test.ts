import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { canStartRedis, eventually, openProxy, startRedis, useRedis } from './index.ts';
import { endLeftovers } from './leftovers.ts';

describe('a Redis per test file', () => {
  const at = useRedis();
  const worlds = new Set<string>();

  test.each([1, 2])('test %i has a world name of its own on an empty server', async () => {
    expect(worlds.has(at.world)).toBe(false);
    worlds.add(at.world);
    expect(await at.redis.keys(`*${at.world}*`)).toEqual([]);
    await at.redis.set(`{${at.world}}`, 1);
  });

  test.skipIf(!canStartRedis())('it has the settings of a world server', async () => {
    const settings = await at.redis.config('GET', 'maxmemory-policy', 'appendonly', 'save');
    expect(settings).toEqual(
      expect.arrayContaining(['maxmemory-policy', 'noeviction', 'appendonly', 'yes', 'save', '']),
    );
  });
});

describe.skipIf(!canStartRedis())('servers of a test (needs a redis-server program)', () => {
  test('a replica follows its primary through a proxy and can be promoted after a SIGKILL', async () => {
    const primary = await startRedis();
    const proxy = await openProxy({ target: primary.port });
    const replica = await startRedis({ replicaOf: proxy.port });
    const one = new Redis(primary.url, { retryStrategy: () => null });
    const two = new Redis(replica.url);
    one.on('error', () => {});
    await one.set('key', 'value');
    await eventually(async () => (await two.get('key')) === 'value');
    await primary.kill();
    await two.replicaof('NO', 'ONE');
    expect(await two.set('key', 'after')).toBe('OK');
    one.disconnect();
    two.disconnect();
    await proxy.close();
    await replica.stop();
    await primary.stop();
  });

  test('a killed server that restarts has its port and its data again', async () => {
    const first = await startRedis({ args: ['--appendfsync', 'always'] });
    const redis = new Redis(first.url);
    redis.on('error', () => {});
    await redis.set('key', 'kept');
    const second = await first.restart();
    expect(second.port).toBe(first.port);
    await eventually(async () => (await redis.get('key')) === 'kept');
    redis.disconnect();
    await second.stop();
  });

  test('what a test leaves behind is named and ended', async () => {
    const server = await startRedis();
    expect(await endLeftovers()).toEqual([`redis-server on port ${server.port}`]);
    expect(await server.exited).toContain('SIGKILL');
  });
});
