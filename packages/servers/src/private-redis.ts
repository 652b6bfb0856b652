/**
 * The private server of one home: `<home>/redis` holds its data, its log and `server.json`, which
 * says where it runs and who uses it. Whoever leaves last shuts it down. A user that was killed
 * does not count, and a server whose users were all killed is taken over as it is.
 *
 * Never two servers on one data directory: their append-only files would overwrite each other.
 */
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LeaseholdError } from '@leasehold/kernel';
import { ask, infoField } from './ask.ts';
import { goneWithin, isAlive, launchRedis } from './launch.ts';
import { underServerLock } from './lock.ts';

/** Shutting down writes what the append-only file still misses. */
const SHUTDOWN_WAIT_MS = 30_000;

type Note = {
  readonly port: number;
  readonly pid: number;
  /** `<process id>-<n>`, one per open handle. */
  readonly users: readonly string[];
};

export type PrivateRedis = {
  readonly redisUrl: string;
  /** True when the server ran before this call. */
  readonly reused: boolean;
  close(): Promise<void>;
};

let handles = 0;

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
      onSpawn: ({ pid, port }) => write(directory, { pid, port, users: [] }),
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
const noteOf = (directory: string): string => join(directory, 'server.json');

function enter(directory: string, note: Note, reused: boolean): PrivateRedis {
  const user = `${process.pid}-${handles++}`;
  write(directory, { ...note, users: [...note.users.filter(isUserAlive), user] });
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

const isUserAlive = (user: string): boolean => isAlive(Number(user.split('-')[0]));

async function leave(directory: string, user: string): Promise<void> {
  const note = read(directory);
  if (note === undefined) return;
  const users = note.users.filter((other) => other !== user && isUserAlive(other));
  if (users.length > 0) return write(directory, { ...note, users });
  // The answer to SHUTDOWN is a closed connection; the append-only file is synced before that.
  await ask(note.port, ['SHUTDOWN', 'NOSAVE'], SHUTDOWN_WAIT_MS).catch(() => '');
  if (!(await goneWithin(note.pid, SHUTDOWN_WAIT_MS))) throw unresponsive(directory, note);
  rmSync(noteOf(directory), { force: true });
}

/** The note, if the server it names runs on this very directory. */
async function runningNote(directory: string): Promise<Note | undefined> {
  const note = read(directory);
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

function workingDirectoryOf(pid: number): string | undefined {
  try {
    return realpathSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function read(directory: string): Note | undefined {
  try {
    const note: Partial<Note> = JSON.parse(readFileSync(noteOf(directory), 'utf8'));
    const { pid, port, users } = note;
    if (typeof pid !== 'number' || typeof port !== 'number' || pid <= 0) return undefined;
    return { pid, port, users: Array.isArray(users) ? users.map(String) : [] };
  } catch {
    return undefined;
  }
}

function write(directory: string, note: Note): void {
  const draft = `${noteOf(directory)}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(note)}\n`);
  renameSync(draft, noteOf(directory));
}

function unresponsive(directory: string, note: Note): LeaseholdError {
  const message = `the Redis process ${note.pid} holds ${directory} but does not answer`;
  return new LeaseholdError('REDIS_UNREACHABLE', message, {
    field: 'home',
    value: directory,
    remedy: `End process ${note.pid} (kill ${note.pid}), then start again; committed state is kept.`,
  });
}
