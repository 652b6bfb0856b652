/** Starts one Redis process on 127.0.0.1 and knows when it is ready and when it is gone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseholdError } from '@leasehold/kernel';
import { ask, infoField } from './ask.ts';

/** Somebody may take the port between our look and the server's; more than this is no accident. */
const PORT_ATTEMPTS_MAX = 5;
/** Where servers of our own listen. */
const PORT_MIN = 20_000;
const PORT_MAX = 31_999;
const FREE_PORT_ATTEMPTS_MAX = 50;
/** An append-only file of some gigabytes takes this long to load. */
const READY_WAIT_MS = 120_000;

/**
 * What a world needs of a server: nothing evicted, every write logged, small stream nodes. The file
 * is rewritten when it has doubled beyond 256 MB, which load in two seconds: each rewriting is a
 * fork and a second process, and logs that are appended and trimmed would have one every second.
 */
const SETTINGS = [
  ['appendonly', 'yes'],
  ['appendfsync', 'everysec'],
  ['auto-aof-rewrite-min-size', '256mb'],
  ['save', ''],
  ['maxmemory-policy', 'noeviction'],
  ['stream-node-max-bytes', '1024'],
] as const;

export type Launched = {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves with a sentence once the process has ended. */
  readonly exited: Promise<string>;
  /** Lets this process end while the server lives on. */
  release(): void;
};

export type LaunchOptions = {
  readonly binary: string;
  /** Working directory: append-only files and the server's log. */
  readonly directory: string;
  /** A port that must be this one; a free one by default. */
  readonly port?: number;
  /** Further command line words, such as `--replicaof 127.0.0.1 7000`. They win over our own. */
  readonly args?: readonly string[];
  /** Called as soon as the process exists, before it answers. */
  readonly onSpawn?: (facts: { readonly pid: number; readonly port: number }) => void;
};

/**
 * Resolves when the server answers and has loaded its data. Throws `REDIS_UNREACHABLE` with the end
 * of its log.
 */
export async function launchRedis(options: LaunchOptions): Promise<Launched> {
  mkdirSync(options.directory, { recursive: true });
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const launched = spawnServer(options, port);
    options.onSpawn?.(launched);
    const fault = await readiness(launched);
    if (fault === undefined) return launched;
    const log = logTail(options.directory);
    const portTaken = /Address already in use/.test(log);
    if (portTaken && options.port === undefined && attempt < PORT_ATTEMPTS_MAX) continue;
    throw new LeaseholdError(
      portTaken ? 'PORT_IN_USE' : 'REDIS_UNREACHABLE',
      `${options.binary} did not start on port ${port}: ${fault}\n${log}`,
      {
        field: 'redis-server',
        value: options.binary,
        remedy: portTaken
          ? `End what listens on port ${port}, or choose another.`
          : `Read ${join(options.directory, 'redis.log')}, or set REDIS_URL to a running server.`,
      },
    );
  }
}

function spawnServer(options: LaunchOptions, port: number): Launched {
  const log = openSync(join(options.directory, 'redis.log'), 'a');
  const own = SETTINGS.flatMap(([name, value]) => [`--${name}`, value]);
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', options.directory];
  // Its own process group: Ctrl-C reaches the pods first, whose last commits still need the server.
  const child = spawn(options.binary, [...args, ...own, ...(options.args ?? [])], {
    cwd: options.directory,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const exited = exitOf(child);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    exited,
    release: () => child.unref(),
  };
}

/** Resolves with a sentence once the process has ended, or could not begin. */
export function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`));
  });
}

async function readiness({ port, pid, exited }: Launched): Promise<string | undefined> {
  let gone: string | undefined;
  exited.then(
    (reason) => {
      gone = reason;
    },
    () => {},
  );
  const deadlineMs = performance.now() + READY_WAIT_MS;
  let last = 'it never answered';
  while (performance.now() < deadlineMs) {
    if (gone !== undefined) return gone;
    try {
      // By process id: on a port that was taken meanwhile, a stranger would answer PING just as
      // well.
      const info = await ask(port, ['INFO', 'server']);
      if (infoField(info, 'process_id') !== String(pid)) last = 'another server has the port';
      else if ((await ask(port, ['PING'])) === 'PONG') return undefined;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
      // A server that asks for a password is ready too: `--requirepass` is one of the tests' args.
      if (last.startsWith('NOAUTH')) return undefined;
    }
    await sleep(10);
  }
  return last;
}

function logTail(directory: string): string {
  return readFileSync(join(directory, 'redis.log'), 'utf8').split('\n').slice(-6).join('\n');
}

/**
 * A port on 127.0.0.1 that nobody listens on at this moment. Never one that the system gives to
 * outgoing connections (32768 and up on Linux): while a server is down, one of those could take its
 * port, even a client that keeps trying to reach that very server.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = randomInt(PORT_MIN, PORT_MAX + 1);
    try {
      return await listenOnce(port);
    } catch (error) {
      if (attempt >= FREE_PORT_ATTEMPTS_MAX) throw error;
    }
  }
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
  });
}

/** Whether a process of that id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Where a process works, as far as the system tells; its links resolved. */
export function workingDirectoryOf(pid: number): string | undefined {
  try {
    return realpathSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** Waits until the process is gone; false when it still lives after `timeoutMs`. */
export async function goneWithin(pid: number, timeoutMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  while (isAlive(pid)) {
    if (performance.now() > deadlineMs) return false;
    await sleep(10);
  }
  return true;
}
