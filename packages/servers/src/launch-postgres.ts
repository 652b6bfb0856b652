/** Makes a cluster of PostgreSQL, and starts the one process that serves it on 127.0.0.1. */
import { type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseholdError } from '@leasehold/kernel';
import { type Account, checkReach, postgresAccount } from './account.ts';
import { exitOf, freePort } from './launch.ts';
import type { PostgresPrograms } from './postgres-binary.ts';

/** User and database of a server of our own. */
export const NAME = 'leasehold';
/** After a crash the last minutes of its log are written again before it is ready. */
const READY_WAIT_MS = 120_000;
/** Somebody may take the port between our look and the server's; more than this is no accident. */
const PORT_ATTEMPTS_MAX = 5;
const LOG_LINES_SHOWN = 6;

/** Three times as fast, and lost with the machine: for data that a test makes and throws away. */
const CARELESS = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

export type PostgresFiles = {
  readonly data: string;
  readonly log: string;
  /** Readable by nobody else; never in a log, an error or a command line. */
  readonly password: string;
};

export type LaunchedPostgres = {
  readonly pid: number;
  readonly port: number;
  readonly exited: Promise<string>;
};

/** What the server of `directory` keeps where. */
export function postgresFiles(directory: string): PostgresFiles {
  const at = (name: string): string => join(directory, name);
  return { data: at('data'), log: at('postgres.log'), password: at('password') };
}

/** The address with its password; the cluster must have been made. */
export function postgresUrl(directory: string, port: number): string {
  const password = readFileSync(postgresFiles(directory).password, 'utf8').trim();
  return `postgres://${NAME}:${password}@127.0.0.1:${port}/${NAME}`;
}

/**
 * Starts the cluster in `directory`, which is made first if there is none. Throws
 * `DATABASE_UNREACHABLE` with the end of its log, and `SETTING_INVALID` for a folder that its
 * account cannot enter.
 */
export async function launchPostgres(
  programs: PostgresPrograms,
  directory: string,
  isTest: boolean,
): Promise<LaunchedPostgres> {
  const account = postgresAccount();
  await checkReach(directory, account);
  const { data } = postgresFiles(directory);
  if (!existsSync(data)) await makeCluster(programs, directory, account, isTest);
  refuseOtherVersion(programs, data);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const launched = spawnServer(programs, directory, { account, port, isTest });
    const fault = await readiness(launched, data);
    if (fault === undefined) return launched;
    const tail = logTail(directory);
    if (/Address already in use/.test(tail) && attempt < PORT_ATTEMPTS_MAX) continue;
    throw notStarted(directory, `PostgreSQL did not start on port ${port}: ${fault}\n${tail}`);
  }
}

/** Under another name until it is whole, so that a start that was cut short leaves nothing half. */
async function makeCluster(
  { folder }: PostgresPrograms,
  directory: string,
  account: Account,
  isTest: boolean,
): Promise<void> {
  const { data, password } = postgresFiles(directory);
  const draft = `${data}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  rmSync(password, { force: true });
  writeFileSync(password, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
  for (const path of [draft, password]) give(path, account);
  await finished(directory, join(folder, 'initdb'), account, [
    ...['-D', draft, '--username', NAME, '--pwfile', password, '--auth', 'scram-sha-256'],
    ...['--encoding', 'UTF8', '--locale', 'C', ...(isTest ? ['--no-sync'] : [])],
  ]);
  // Without a server, so that nobody can connect before the database is there.
  const single = ['--single', '-D', draft, ...(isTest ? CARELESS.flatMap(option) : []), 'postgres'];
  await finished(directory, join(folder, 'postgres'), account, single, `create database ${NAME}\n`);
  renameSync(draft, data);
}

function give(path: string, { uid, gid }: Account): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

function refuseOtherVersion({ major, folder }: PostgresPrograms, data: string): void {
  const made = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (made === String(major)) return;
  const message = `${data} was made by PostgreSQL ${made}, and ${folder} is version ${major}`;
  throw new LeaseholdError('DATABASE_UNREACHABLE', message, {
    field: 'home',
    value: data,
    remedy: `Install PostgreSQL ${made} with PostGIS, move the data with pg_upgrade, or delete it.`,
  });
}

/** The program that fits a cluster that is there: its own version, if it is installed. */
export function madeBy(directory: string): number | undefined {
  const file = join(postgresFiles(directory).data, 'PG_VERSION');
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
}

const option = (setting: string): string[] => ['-c', setting];

function spawnServer(
  { folder }: PostgresPrograms,
  directory: string,
  wanted: { readonly account: Account; readonly port: number; readonly isTest: boolean },
): LaunchedPostgres {
  const { account, port, isTest } = wanted;
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    ...(isTest ? CARELESS : []),
  ];
  const args = ['-D', postgresFiles(directory).data, ...settings.flatMap(option)];
  // Its own process group: Ctrl-C reaches those first who still have something to write.
  const child = spawn(join(folder, 'postgres'), args, spawnOptions(directory, account));
  yieldToOthers(child.pid);
  child.unref();
  return { pid: child.pid ?? 0, port, exited: exitOf(child) };
}

/** All its processes come after what ticks: a world must not feel what is kept of it. */
function yieldToOthers(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already, or the system knows no priorities: neither is a reason not to start.
  }
}

function spawnOptions(directory: string, account: Account): SpawnOptions {
  const log = openSync(postgresFiles(directory).log, 'a', 0o600);
  // The child has a copy of it by the time this process comes to its next turn.
  setImmediate(() => closeSync(log));
  return { ...account, cwd: directory, detached: true, stdio: ['pipe', log, log] };
}

/** Runs a program to its end. Throws `DATABASE_UNREACHABLE` with what it said when it fails. */
async function finished(
  directory: string,
  program: string,
  account: Account,
  args: readonly string[],
  input = '',
): Promise<void> {
  const child = spawn(program, args, spawnOptions(directory, account));
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const end = await exitOf(child);
  if (child.exitCode === 0) return;
  throw notStarted(directory, `${program}: ${end}\n${logTail(directory)}`);
}

function notStarted(directory: string, message: string): LeaseholdError {
  const { log } = postgresFiles(directory);
  return new LeaseholdError('DATABASE_UNREACHABLE', message, {
    field: 'home',
    value: directory,
    remedy: `Read ${log}, or set DATABASE_URL to a running server.`,
  });
}

function logTail(directory: string): string {
  const lines = readFileSync(postgresFiles(directory).log, 'utf8').trim().split('\n');
  return lines.slice(-LOG_LINES_SHOWN).join('\n');
}

/** What the server itself notes in its data folder: never a stranger who has its port. */
export type PostmasterNote = {
  readonly pid: number;
  readonly port: number;
  readonly isReady: boolean;
};

export function postmasterNote(data: string): PostmasterNote | undefined {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    const [pid, , , port, , , , state] = lines;
    return { pid: Number(pid), port: Number(port), isReady: state?.trim() === 'ready' };
  } catch {
    return undefined;
  }
}

async function readiness(
  { pid, exited }: LaunchedPostgres,
  data: string,
): Promise<string | undefined> {
  let gone: string | undefined;
  void exited.then((reason) => {
    gone = reason;
  });
  const deadlineMs = performance.now() + READY_WAIT_MS;
  while (performance.now() < deadlineMs) {
    if (gone !== undefined) return gone;
    const note = postmasterNote(data);
    if (note?.pid === pid && note.isReady) return undefined;
    await sleep(10);
  }
  return 'it was not ready in time';
}
