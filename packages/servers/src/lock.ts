/** A lock between processes of one machine, held for moments, that a `kill -9` does not leave shut. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseholdError } from '@leasehold/kernel';
import { isAlive } from './launch.ts';

/** Longer than a server needs to load its data. */
const WAIT_MS = 150_000;

let counter = 0;

/** Runs `work` while no other process is in it. Throws `LIMIT_EXCEEDED` when it stays taken. */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  await take(file);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

async function take(file: string): Promise<void> {
  // Linked from a written file, so nobody ever sees a lock whose owner is not in it yet.
  const own = `${file}.${process.pid}.${counter++}`;
  writeFileSync(own, String(process.pid));
  const deadlineMs = performance.now() + WAIT_MS;
  try {
    while (!tryLink(own, file)) {
      const owner = ownerOf(file);
      if (owner !== undefined && !isAlive(owner)) breakLock(file, owner);
      else if (performance.now() > deadlineMs) throw taken(file, owner);
      else await sleep(20);
    }
  } finally {
    rmSync(own, { force: true });
  }
}

function tryLink(own: string, file: string): boolean {
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function ownerOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Two may find the same dead owner; the slower one must put back what it took from the faster. */
function breakLock(file: string, deadOwner: number): void {
  const aside = `${file}.broken.${process.pid}.${counter++}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (ownerOf(aside) !== deadOwner) tryLink(aside, file);
  rmSync(aside, { force: true });
}

function taken(file: string, owner: number | undefined): LeaseholdError {
  return new LeaseholdError('LIMIT_EXCEEDED', `${file} is held by process ${owner}`, {
    field: 'home',
    value: file,
    remedy: `Wait for process ${owner}, or end it.`,
  });
}
