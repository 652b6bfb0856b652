/** A lock between processes of one machine that a `kill -9` of its owner does not leave shut. */
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseholdError } from '@leasehold/kernel';

const RETRY_MS = 20;
/** Seeding a world of a million cells takes minutes. */
const WAIT_MS_MAX = 15 * 60_000;

/** `started` tells the owner from another process that got its number later. */
type Owner = { readonly pid: number; readonly started: string; readonly token: string };

/** Runs `work` while nobody else is in it. Throws `WORLD_NOT_READY` when it stays taken. */
export async function underLock<T>(
  file: string,
  work: () => Promise<T>,
  waitMs = WAIT_MS_MAX,
): Promise<T> {
  const token = await take(file, performance.now() + waitMs);
  try {
    return await work();
  } finally {
    if (ownerOf(file)?.token === token) rmSync(file, { force: true });
  }
}

async function take(file: string, deadlineMs: number): Promise<string> {
  const token = randomBytes(8).toString('hex');
  const own: Owner = { pid: process.pid, started: startOf(process.pid), token };
  // Linked from a written file, so nobody ever sees a lock whose owner is not in it yet.
  const draft = `${file}.draft.${token}`;
  writeFileSync(draft, JSON.stringify(own));
  try {
    while (!linked(draft, file)) {
      const owner = ownerOf(file);
      if (owner !== undefined && !isAlive(owner)) await breakLock(file, owner, deadlineMs);
      else if (performance.now() > deadlineMs) throw taken(file, owner);
      else await sleep(RETRY_MS);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return token;
}

/**
 * Removes the lock of a dead owner. Whoever removes it holds the lock on removing that very one, so
 * a slow second finder cannot remove what a third has taken meanwhile.
 */
async function breakLock(file: string, dead: Owner, deadlineMs: number): Promise<void> {
  const own = `${file}.${dead.token}`;
  await take(own, deadlineMs);
  if (ownerOf(file)?.token === dead.token) rmSync(file, { force: true });
  rmSync(own, { force: true });
}

function linked(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function ownerOf(file: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    const isForbidden = error instanceof Error && 'code' in error && error.code === 'EPERM';
    if (!isForbidden) return false;
  }
  const started = startOf(owner.pid);
  return started === '' || owner.started === '' || started === owner.started;
}

/** When the process began, in ticks since the machine did; '' where the system does not say. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; the start is the 20th field behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie holds no lock any more, only its number.
    return fields[0] === 'Z' ? 'gone' : (fields[19] ?? '');
  } catch {
    return '';
  }
}

function taken(file: string, owner: Owner | undefined): LeaseholdError {
  const pid = String(owner?.pid ?? 'unknown');
  return new LeaseholdError('WORLD_NOT_READY', `process ${pid} is still seeding this world`, {
    field: 'LEASEHOLD_HOME',
    value: file,
    remedy: `Wait for process ${pid}, or end it; what it began is then resumed.`,
  });
}
