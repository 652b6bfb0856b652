import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { ask } from './ask.ts';
import { openServers } from './index.ts';
import { goneWithin, isAlive, launchRedis } from './launch.ts';

const hasProgram = inject('redisBinary') !== '';
const env = { PATH: process.env['PATH'] };

type Note = { port: number; pid: number; users: string[] };

describe.skipIf(!hasProgram)('a private server (needs a redis-server program)', () => {
  let home = '';
  const note = (): Note => JSON.parse(readFileSync(join(home, 'redis', 'server.json'), 'utf8'));
  const portOf = (url: string): number => Number(new URL(url).port);

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'leasehold-home-'));
  });

  afterEach(async () => {
    try {
      const { pid } = note();
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
      await goneWithin(pid, 5_000);
    } catch {
      // No note: nothing runs.
    }
    rmSync(home, { recursive: true, force: true });
  });

  /** Another process that opens the servers of this home, prints the address and stays. */
  async function otherUser() {
    const script = `
      import { openServers } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
      const servers = await openServers({ home: ${JSON.stringify(home)}, env: process.env });
      console.log(servers.redisUrl);
      process.on('SIGTERM', async () => { await servers.close(); process.exit(0); });
      setInterval(() => {}, 1000);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(child.stdout, 'data');
    return { child, redisUrl: String(line).trim() };
  }

  test('it never evicts, logs every write, and keeps what it held when it starts again', async () => {
    const lines: string[] = [];
    const first = await openServers({ home, env, log: (line) => lines.push(line) });
    expect(first.kind).toBe('private');
    expect(lines.at(-1)).toContain(`Started a private Redis under ${home}`);
    const settings = ['maxmemory-policy', 'appendonly', 'appendfsync'];
    const values = [];
    for (const name of [...settings, 'save', 'stream-node-max-bytes']) {
      values.push((await ask(portOf(first.redisUrl), ['CONFIG', 'GET', name])).split('\n')[1]);
    }
    expect(values).toEqual(['noeviction', 'yes', 'everysec', '', '1024']);
    await ask(portOf(first.redisUrl), ['SET', 'key', 'kept']);
    const { pid } = note();
    await first.close();
    await first.close();
    expect(isAlive(pid)).toBe(false);
    const second = await openServers({ home, env });
    expect(await ask(portOf(second.redisUrl), ['GET', 'key'])).toBe('kept');
    await second.close();
  });

  test('the second user shares the server, and only the last one shuts it down', async () => {
    const first = await openServers({ home, env });
    const other = await otherUser();
    expect(other.redisUrl).toBe(first.redisUrl);
    await first.close();
    expect(await ask(portOf(first.redisUrl), ['PING'])).toBe('PONG');
    const { pid } = note();
    other.child.kill('SIGTERM');
    await once(other.child, 'exit');
    // It is a child of this process, which hears of its end a moment later than the one that ended it.
    expect(await goneWithin(pid, 5_000)).toBe(true);
  });

  test('many that start at once get one server', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => openServers({ home, env })));
    expect(new Set(all.map(({ redisUrl }) => redisUrl)).size).toBe(1);
    await Promise.all(all.map((servers) => servers.close()));
  });

  test('a server whose user was killed with -9 is taken over, and shut down by the next', async () => {
    const other = await otherUser();
    other.child.kill('SIGKILL');
    await once(other.child, 'exit');
    const next = await openServers({ home, env });
    expect(next.redisUrl).toBe(other.redisUrl);
    const { pid } = note();
    await next.close();
    expect(await goneWithin(pid, 5_000)).toBe(true);
  });

  test('a note of a server that is gone, or of a stranger, is not believed', async () => {
    const first = await openServers({ home, env });
    process.kill(note().pid, 'SIGKILL');
    await goneWithin(note().pid, 5_000);
    const second = await openServers({ home, env });
    const real = note();
    expect(await ask(portOf(second.redisUrl), ['PING'])).toBe('PONG');
    await second.close();
    await first.close();

    const elsewhere = mkdtempSync(join(tmpdir(), 'leasehold-home-'));
    const stranger = await launchRedis({ binary: inject('redisBinary'), directory: elsewhere });
    const forged = { ...real, pid: stranger.pid, port: stranger.port, users: [] };
    writeFileSync(join(home, 'redis', 'server.json'), JSON.stringify(forged));
    const third = await openServers({ home, env });
    expect(third.redisUrl).not.toBe(stranger.url);
    await third.close();
    expect(isAlive(stranger.pid)).toBe(true);
    process.kill(stranger.pid, 'SIGKILL');
    await stranger.exited;
    rmSync(elsewhere, { recursive: true, force: true });
  });

  test('a server that hangs with the data in its hands is named, and no second one started', async () => {
    const first = await openServers({ home, env });
    const { pid } = note();
    process.kill(pid, 'SIGSTOP');
    await expect(openServers({ home, env })).rejects.toMatchObject({
      code: 'REDIS_UNREACHABLE',
      detail: { remedy: expect.stringContaining(`kill ${pid}`) },
    });
    process.kill(pid, 'SIGCONT');
    await first.close();
  });

  test('a lock whose owner is dead does not stop the next start', async () => {
    const first = await openServers({ home, env });
    const { pid } = note();
    process.kill(pid, 'SIGKILL');
    await goneWithin(pid, 5_000);
    writeFileSync(join(home, 'redis', 'server.lock'), String(pid));
    const second = await openServers({ home, env });
    await second.close();
    await first.close();
  });

  test('PORT_IN_USE: a port that must be this one and is taken is said so', async () => {
    const first = await openServers({ home, env });
    const launch = launchRedis({
      binary: inject('redisBinary'),
      directory: join(home, 'second'),
      port: portOf(first.redisUrl),
    });
    await expect(launch).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    await first.close();
  });
});
