/**
 * The private PostgreSQL of one home: `<home>/postgres` holds its cluster, its log, its password
 * and `server.json`, which says who uses it. Whoever leaves last ends it; one whose users were all
 * killed is taken over as it is. PostgreSQL itself refuses a second server on one cluster.
 */
import { chmodSync, existsSync, mkdirSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LeaseholdError } from '@leasehold/kernel';
import { goneWithin, isAlive, workingDirectoryOf } from './launch.ts';
import { launchPostgres, postgresFiles, postgresUrl, postmasterNote } from './launch-postgres.ts';
import { underServerLock } from './lock.ts';
import type { PostgresPrograms } from './postgres-binary.ts';
import { type Note, newUser, readNote, removeNote, usersOf, writeNote } from './server-note.ts';

/** A last checkpoint of all that changed. */
const SHUTDOWN_WAIT_MS = 60_000;

export type PrivatePostgres = {
  readonly databaseUrl: string;
  /** True when the server ran before this call. */
  readonly reused: boolean;
  close(): Promise<void>;
};

/** Joins the server that runs under `home`; nothing when none does. */
export function joinPrivatePostgres(home: string): Promise<PrivatePostgres | undefined> {
  const directory = prepare(home);
  return underServerLock(lockOf(directory), async () => {
    const note = runningNote(directory);
    return note === undefined ? undefined : enter(directory, note, true);
  });
}

/** Whether a server was ever made under `home`. */
export function hasPrivatePostgres(home: string): boolean {
  return existsSync(postgresFiles(join(resolve(home), 'postgres')).data);
}

/** Joins the server that runs under `home`, or starts one. */
export function openPrivatePostgres(
  home: string,
  programs: PostgresPrograms,
  isTest: boolean,
): Promise<PrivatePostgres> {
  const directory = prepare(home);
  return underServerLock(lockOf(directory), async () => {
    const running = runningNote(directory);
    if (running !== undefined) return enter(directory, running, true);
    const { pid, port } = await launchPostgres(programs, directory, isTest);
    return enter(directory, { pid, port, users: [] }, false);
  });
}

/** The folder of the private server of this home. */
export function prepare(home: string): string {
  const directory = join(resolve(home), 'postgres');
  mkdirSync(directory, { recursive: true });
  // Its account must get through; what is inside is closed by itself.
  if (process.getuid?.() === 0) chmodSync(directory, 0o711);
  return realpathSync(directory);
}

const lockOf = (directory: string): string => join(directory, 'server.lock');

function enter(directory: string, note: Note, reused: boolean): PrivatePostgres {
  const user = newUser();
  writeNote(directory, { ...note, users: [...usersOf(note), user] });
  let closing: Promise<void> | undefined;
  return {
    databaseUrl: postgresUrl(directory, note.port),
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
  const running = runningNote(directory);
  if (running !== undefined) {
    // Ends connections, writes a checkpoint, and leaves; SIGTERM would wait for those who connect.
    process.kill(running.pid, 'SIGINT');
    if (!(await goneWithin(running.pid, SHUTDOWN_WAIT_MS))) throw unresponsive(directory, running);
  }
  removeNote(directory);
}

/** Who serves this cluster now, as the server itself has noted, and who uses it. */
function runningNote(directory: string): Note | undefined {
  const { data } = postgresFiles(directory);
  const own = postmasterNote(data);
  if (own === undefined || !isAlive(own.pid)) return undefined;
  // After a crash the process id may have gone to a stranger; the server works in its data folder.
  const place = workingDirectoryOf(own.pid);
  if (place !== undefined && place !== data) return undefined;
  return { pid: own.pid, port: own.port, users: readNote(directory)?.users ?? [] };
}

function unresponsive(directory: string, { pid }: Note): LeaseholdError {
  const message = `the PostgreSQL process ${pid} holds ${directory} and does not end`;
  return new LeaseholdError('DATABASE_UNREACHABLE', message, {
    field: 'home',
    value: directory,
    remedy: `End process ${pid} (kill -QUIT ${pid}), then start again; committed data is kept.`,
  });
}
