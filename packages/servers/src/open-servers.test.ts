import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from './ask.ts';
import { openServers } from './index.ts';

let home = '';
let nothing = '';

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'leasehold-home-'));
  nothing = mkdtempSync(join(tmpdir(), 'leasehold-path-'));
});

afterAll(() => {
  for (const directory of [home, nothing]) rmSync(directory, { recursive: true, force: true });
});

describe('finding a server', () => {
  test('REDIS_URL wins over everything, and closing leaves it alone', async () => {
    const env = { REDIS_URL: 'redis://elsewhere:7000', PATH: nothing };
    const servers = await openServers({ home, env });
    expect(servers).toMatchObject({ kind: 'given', redisUrl: 'redis://elsewhere:7000' });
    await servers.close();
  });

  test.each(['localhost:6379', 'http://localhost', 'nonsense'])(
    'SETTING_INVALID: REDIS_URL=%s is refused with a remedy',
    async (url) => {
      await expect(openServers({ home, env: { REDIS_URL: url } })).rejects.toMatchObject({
        code: 'SETTING_INVALID',
        detail: { field: 'REDIS_URL', value: url },
      });
    },
  );

  test('SERVER_MISSING: every step that failed and what to install are in the error', async () => {
    const env = { PATH: nothing, LEASEHOLD_INSTALL: '0', DOCKER_HOST: 'tcp://127.0.0.1:1' };
    await expect(openServers({ home, env, purpose: 'test' })).rejects.toMatchObject({
      code: 'SERVER_MISSING',
      message: expect.stringMatching(/neither redis-server nor valkey-server.*Docker/s),
      detail: { remedy: expect.stringContaining('apt-get install redis-server') },
    });
  });

  test('a program that is too old is passed over and named', async () => {
    const old = mkdtempSync(join(tmpdir(), 'leasehold-path-'));
    const program = join(old, 'redis-server');
    writeFileSync(program, '#!/bin/sh\necho "Redis server v=6.2.6 sha=0"\n');
    chmodSync(program, 0o755);
    const env = { PATH: old, LEASEHOLD_INSTALL: '0' };
    await expect(openServers({ home, env })).rejects.toThrow(`${program} is version 6.2.6`);
    rmSync(old, { recursive: true });
  });

  test('LEASEHOLD_INSTALL=0 keeps apt-get from running', async () => {
    const fake = mkdtempSync(join(tmpdir(), 'leasehold-path-'));
    const ran = join(fake, 'ran');
    writeFileSync(join(fake, 'apt-get'), `#!/bin/sh\n/bin/echo "$@" >> ${ran}\n`);
    chmodSync(join(fake, 'apt-get'), 0o755);
    const open = (install: string) =>
      openServers({ home, env: { PATH: fake, LEASEHOLD_INSTALL: install } });
    await expect(open('0')).rejects.toMatchObject({ code: 'SERVER_MISSING' });
    expect(existsSync(ran)).toBe(false);
    if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
      await expect(open('1')).rejects.toMatchObject({ code: 'SERVER_MISSING' });
      expect(readFileSync(ran, 'utf8')).toMatch(/^update.*\ninstall .* redis-server\n$/);
    }
    rmSync(fake, { recursive: true });
  });

  test('without a server a demo runs on the embedded one, which is said aloud', async () => {
    const lines: string[] = [];
    const servers = await openServers({
      home,
      env: { PATH: nothing, LEASEHOLD_INSTALL: '0' },
      allowEmbedded: true,
      log: (line) => lines.push(line),
    });
    expect(servers.kind).toBe('embedded');
    expect(lines.join('\n')).toContain('DEMO ONLY');
    expect(await ask(Number(new URL(servers.redisUrl).port), ['PING'])).toBe('PONG');
    await servers.close();
  });
});
