/** A lock between processes of one machine that a `kill -9` of its owner does not leave shut. */
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 20;

/** `started` tells the owner from another process that got its number later. */
type Owner = { readonly pid: number; readonly started: string; readonly token: string };

export type LockLimits = {
  /** How long to wait for others. */
  readonly waitMs: number;
  /** Makes what is thrown when the lock stays taken, from the number of the process that has it. */
  readonly taken: (pid: string) => Error;
};

/** Runs `work` while nobody else is in it. Throws what `taken` makes when others stay too long. */
export async function underLock<T>(
  file: string,
  work: () => Promise<T>,
  { waitMs, taken }: LockLimits,
): Promise<T> {
  const token = await take(file, performance.now() + waitMs, taken);
  try {
    return await work();
  } finally {
    if (ownerOf(file)?.token === token) rmSync(file, { force: true });
  }
}

async function take(file: string, deadlineMs: number, taken: LockLimits['taken']): Promise<string> {
  const token = randomBytes(8).toString('hex');
  const own: Owner = { pid: process.pid, started: startOf(process.pid), token };
  // Linked from a written file, so nobody ever sees a lock whose owner is not in it yet.
  const draft = `${file}.draft.${token}`;
  writeFileSync(draft, JSON.stringify(own));
  try {
    while (!linked(draft, file)) {
      const owner = ownerOf(file);
      if (owner !== undefined && !isAlive(owner)) await breakLock(file, owner, deadlineMs, taken);
      else if (performance.now() > deadlineMs) throw taken(String(owner?.pid ?? 'unknown'));
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
async function breakLock(
  file: string,
  dead: Owner,
  deadlineMs: number,
  taken: LockLimits['taken'],
): Promise<void> {
  const own = `${file}.${dead.token}`;
  await take(own, deadlineMs, taken);
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
