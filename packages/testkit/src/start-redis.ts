import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchRedis } from '@leasehold/servers';
import { inject } from 'vitest';
import './redis-setup.ts';
import { opened } from './leftovers.ts';

export type RedisServer = {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves with a sentence once the process has ended. */
  readonly exited: Promise<string>;
  /** Sends a signal; resolves at once, except for SIGKILL: then when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on its port and data, after it was killed. */
  restart(): Promise<RedisServer>;
  /** Ends it and deletes its data. Stopping again does nothing. */
  stop(): Promise<void>;
};

export type StartRedisOptions = {
  /** The port of the primary on this machine that it shall follow. */
  readonly replicaOf?: number;
  readonly port?: number;
  /** Further words of the command line, such as `--min-replicas-to-write 1`. */
  readonly args?: readonly string[];
};

/** Whether this run has a program to start servers from. Without one, skip and say so. */
export function canStartRedis(): boolean {
  return inject('redisBinary') !== '';
}

/**
 * Starts a Redis of the test's own, empty, with the settings of a world's server (every write
 * logged, nothing evicted). Needs `canStartRedis()`.
 */
export function startRedis(options: StartRedisOptions = {}): Promise<RedisServer> {
  return start(options, mkdtempSync(join(tmpdir(), 'leasehold-redis-')));
}

async function start(options: StartRedisOptions, directory: string): Promise<RedisServer> {
  const { replicaOf, port, args = [] } = options;
  const binary = inject('redisBinary');
  if (binary === '') throw new Error('no redis-server program here; skip unless canStartRedis()');
  const launched = await launchRedis({
    binary,
    directory,
    ...(port === undefined ? {} : { port }),
    args: [
      // A replica that waits 5 s to gather others only makes tests slow.
      ...['--repl-diskless-sync-delay', '0'],
      ...(replicaOf === undefined ? [] : ['--replicaof', '127.0.0.1', String(replicaOf)]),
      ...args,
    ],
  });
  const end = async (): Promise<void> => {
    signal(launched.pid, 'SIGKILL');
    await launched.exited;
  };
  const close = opened(`redis-server on port ${launched.port}`, async () => {
    await end();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    url: launched.url,
    port: launched.port,
    pid: launched.pid,
    exited: launched.exited,
    kill: async (name = 'SIGKILL') => {
      signal(launched.pid, name);
      if (name === 'SIGKILL') await launched.exited;
    },
    restart: async () => {
      await end();
      close();
      return start({ ...options, port: launched.port }, directory);
    },
    stop: async () => {
      await end();
      close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Sends a signal to a process that may be gone already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
