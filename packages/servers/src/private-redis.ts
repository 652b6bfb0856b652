/**
 * The private server of one home: `<home>/redis` holds its data, its log and `server.json`, which
 * says where it runs and who uses it. Whoever leaves last shuts it down. A user that was killed
 * does not count, and a server whose users were all killed is taken over as it is.
 *
 * Never two servers on one data directory: their append-only files would overwrite each other.
 */
import { mkdirSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LeaseholdError } from '@leasehold/kernel';
import { ask, infoField } from './ask.ts';
import { goneWithin, isAlive, launchRedis, workingDirectoryOf } from './launch.ts';
import { underServerLock } from './lock.ts';
import { type Note, newUser, readNote, removeNote, usersOf, writeNote } from './server-note.ts';

/** Shutting down writes what the append-only file still misses. */
const SHUTDOWN_WAIT_MS = 30_000;

export type PrivateRedis = {
  readonly redisUrl: string;
  /** True when the server ran before this call. */
  readonly reused: boolean;
  close(): Promise<void>;
};

/** Joins the server that runs under `home`; nothing when none does. */
export function joinPrivate(home: string): Promise<PrivateRedis | undefined> {
  const directory = prepare(home);
  return underServerLock(lockOf(directory), async () => {
    const note = await runningNote(directory);
    return note === undefined ? undefined : enter(directory, note, true);
  });
}

/** Joins the server that runs under `home`, or starts one. */
export function openPrivate(home: string, binary: string): Promise<PrivateRedis> {
  const directory = prepare(home);
  return underServerLock(lockOf(directory), async () => {
    const running = await runningNote(directory);
    if (running !== undefined) return enter(directory, running, true);
    const launched = await launchRedis({
      binary,
      directory,
      // Noted before it is ready: if we are killed meanwhile, the next start finds the orphan.
      onSpawn: ({ pid, port }) => writeNote(directory, { pid, port, users: [] }),
    });
    launched.release();
    return enter(directory, { pid: launched.pid, port: launched.port, users: [] }, false);
  });
}

function prepare(home: string): string {
  const directory = join(resolve(home), 'redis');
  mkdirSync(directory, { recursive: true });
  return realpathSync(directory);
}

const lockOf = (directory: string): string => join(directory, 'server.lock');

function enter(directory: string, note: Note, reused: boolean): PrivateRedis {
  const user = newUser();
  writeNote(directory, { ...note, users: [...usersOf(note), user] });
  let closing: Promise<void> | undefined;
  return {
    redisUrl: `redis://127.0.0.1:${note.port}`,
    reused,
    close: () => {
      closing ??= underServerLock(lockOf(directory), () => leave(directory, user));
      return closing;
    },
  };
}

async function leave(directory: string, user: string): Promise<void> {
  const note = readNote(directory);
  if (note === undefined) return;
  const users = usersOf(note).filter((other) => other !== user);
  if (users.length > 0) return writeNote(directory, { ...note, users });
  // The answer to SHUTDOWN is a closed connection; the append-only file is synced before that.
  await ask(note.port, ['SHUTDOWN', 'NOSAVE'], SHUTDOWN_WAIT_MS).catch(() => '');
  if (!(await goneWithin(note.pid, SHUTDOWN_WAIT_MS))) throw unresponsive(directory, note);
  removeNote(directory);
}

/** The note, if the server it names runs on this very directory. */
async function runningNote(directory: string): Promise<Note | undefined> {
  const note = readNote(directory);
  if (note === undefined || !isAlive(note.pid)) return undefined;
  if (await serves(note, directory)) return note;
  // The process id may have gone to a stranger, or our server hangs with the data in its hands.
  if (workingDirectoryOf(note.pid) === directory) throw unresponsive(directory, note);
  return undefined;
}

async function serves(note: Note, directory: string): Promise<boolean> {
  try {
    const info = await ask(note.port, ['INFO', 'server']);
    if (infoField(info, 'process_id') !== String(note.pid)) return false;
    const [, served] = (await ask(note.port, ['CONFIG', 'GET', 'dir'])).split('\n');
    return served === directory;
  } catch {
    return false;
  }
}

function unresponsive(directory: string, note: Note): LeaseholdError {
  const message = `the Redis process ${note.pid} holds ${directory} but does not answer`;
  return new LeaseholdError('REDIS_UNREACHABLE', message, {
    field: 'home',
    value: directory,
    remedy: `End process ${note.pid} (kill ${note.pid}), then start again; committed state is kept.`,
  });
}
