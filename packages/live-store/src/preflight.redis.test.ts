import { createServer, type Server } from 'node:net';
import { canStartRedis, freePort, type RedisServer, startRedis } from '@leasehold/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { preflight } from './preflight.ts';
import { hiddenUrl } from './preflight-faults.ts';

const running: RedisServer[] = [];
const started = async (options: Parameters<typeof startRedis>[0]): Promise<RedisServer> => {
  const server = await startRedis(options);
  running.push(server);
  return server;
};

afterEach(async () => {
  for (const server of running.splice(0).reverse()) await server.stop();
});

const void_ = (voids: readonly string[], promise: RegExp): string | undefined =>
  voids.find((line) => promise.test(line));

describe.skipIf(!canStartRedis())('preflight on real servers', () => {
  test('a server with a world’s settings is accepted, and what it voids is named', async () => {
    const server = await started({});
    const report = await preflight(server.url);
    expect(report).toMatchObject({ replicas: 0, persistence: 'aof-everysec' });
    expect(report.version).toMatch(/^\d+\.\d+/);
    expect(report.runId).toMatch(/^[0-9a-f]{40}$/);
    const held = report.promises.filter(({ holds }) => holds).map(({ promise }) => promise);
    expect(held).toContain('a restart of Redis keeps the world');
    expect(void_(report.voids, /power failure/)).toContain('appendfsync always');
    expect(void_(report.voids, /loss of the Redis machine/)).toContain('no replica');
    expect(void_(report.voids, /slow reader/)).toContain('client-output-buffer-limit');
    expect(report.voids).toHaveLength(report.promises.length - held.length);
  });

  test('settings that void promises are seen, one by one', async () => {
    const args = ['--appendonly', 'no', '--save', ''];
    const report = await preflight((await started({ args })).url);
    expect(report.persistence).toBe('none');
    expect(void_(report.voids, /restart/)).toContain('CONFIG SET appendonly yes');
    const saving = await started({ args: ['--appendonly', 'no', '--save', '60 1'] });
    expect((await preflight(saving.url)).persistence).toBe('rdb');
    const strict = await started({
      args: [
        ...['--appendfsync', 'always', '--maxmemory', '512mb'],
        ...['--client-output-buffer-limit', 'normal 32mb 16mb 10'],
      ],
    });
    const strictReport = await preflight(strict.url);
    expect(strictReport.persistence).toBe('aof-always');
    expect(void_(strictReport.voids, /power|slow reader|full memory/)).toBeUndefined();
  });

  test('a primary with a replica is told apart from one without', async () => {
    const primary = await started({});
    const replica = await started({ replicaOf: primary.port });
    await expect(preflight(replica.url)).rejects.toMatchObject({
      code: 'REDIS_READONLY',
      detail: { remedy: expect.stringContaining(`127.0.0.1:${primary.port}`) },
    });
    let report = await preflight(primary.url);
    for (let i = 0; i < 100 && report.replicas === 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      report = await preflight(primary.url);
    }
    expect(report.replicas).toBe(1);
    expect(void_(report.voids, /loss of the Redis machine/)).toBeUndefined();
    expect(void_(report.voids, /cut off/)).toContain('CONFIG SET min-replicas-to-write 1');
    expect(void_(report.voids, /full copy/)).toContain('CONFIG SET repl-backlog-size 256mb');
  });

  test('a server that evicts is refused, with the command that mends it', async () => {
    const args = ['--maxmemory-policy', 'allkeys-lru'];
    const server = await started({ args });
    await expect(preflight(server.url)).rejects.toMatchObject({
      code: 'REDIS_EVICTS',
      detail: {
        value: 'maxmemory-policy allkeys-lru',
        remedy: expect.stringContaining('CONFIG SET maxmemory-policy noeviction'),
      },
    });
  });

  test('a wrong, missing or foreign password is REDIS_AUTH and never shown', async () => {
    const server = await started({});
    // Set late: whoever started the server asked it without a password.
    const { Redis } = await import('ioredis');
    const admin = new Redis(server.url);
    await admin.config('SET', 'requirepass', 'right');
    admin.disconnect();
    const urlOf = (login: string) => `redis://${login}127.0.0.1:${server.port}`;
    for (const login of ['', ':s3cret@', 'nobody:s3cret@']) {
      const fault = await preflight(urlOf(login)).catch((error: unknown) => error);
      expect(fault).toMatchObject({
        code: 'REDIS_AUTH',
        detail: { remedy: expect.stringContaining('REDIS_URL=') },
      });
      const shown = fault as Error & { detail: object };
      expect(`${shown.message} ${JSON.stringify(shown.detail)}`).not.toContain('s3cret');
    }
    expect((await preflight(urlOf(':right@'))).url).toBe(urlOf(':***@'));
  });
});

describe('preflight without a server', () => {
  test('nobody there, a name that does not exist, and text that is no address', async () => {
    const urls = [`redis://127.0.0.1:${await freePort()}`, 'redis://no-such-host.invalid:6379'];
    for (const url of urls) {
      await expect(preflight(url)).rejects.toMatchObject({
        code: 'REDIS_UNREACHABLE',
        detail: { field: url, remedy: expect.stringContaining('REDIS_URL=') },
      });
    }
  });

  test('a server that accepts and never answers is given up within seconds', async () => {
    const silent = createServer(() => undefined);
    const port = await listening(silent);
    const startMs = performance.now();
    await expect(preflight(`redis://127.0.0.1:${port}`)).rejects.toMatchObject({
      code: 'REDIS_UNREACHABLE',
    });
    expect(performance.now() - startMs).toBeLessThan(8_000);
    silent.close();
  });

  // No old server can be had here, so a socket speaks for one: it answers every command as 6.2
  // does.
  test('a server older than 7.0 is refused', async () => {
    const old = createServer((socket) => {
      const info = 'redis_version:6.2.0\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n';
      socket.on('data', (data) => {
        for (const command of data.toString().split(/(?=\*\d+\r\n)/)) {
          if (/\bhello\b/i.test(command)) socket.write("-ERR unknown command 'HELLO'\r\n");
          else if (!/\binfo\r\n$/i.test(command)) socket.write('+OK\r\n');
          else socket.write(`$${info.length}\r\n${info}\r\n`);
        }
      });
      socket.on('error', () => undefined);
    });
    const port = await listening(old);
    await expect(preflight(`redis://127.0.0.1:${port}`)).rejects.toMatchObject({
      code: 'REDIS_TOO_OLD',
      detail: { value: '6.2.0', remedy: expect.stringContaining('7.0') },
    });
    old.close();
  });

  test('an address is shown without its password', () => {
    expect(hiddenUrl('redis://a:b@h:1/0')).toBe('redis://a:***@h:1/0');
    expect(hiddenUrl('redis://h:1')).toBe('redis://h:1');
    expect(hiddenUrl('b:c@@h')).toBe('***@h');
  });
});

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
