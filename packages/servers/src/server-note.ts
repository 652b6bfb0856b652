/**
 * The note beside a private server: where it runs and who uses it. Read and written under the lock
 * of its folder. A user that was killed does not count.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './launch.ts';

export type Note = {
  readonly port: number;
  readonly pid: number;
  /** `<process id>-<n>`, one per open handle. */
  readonly users: readonly string[];
};

const noteOf = (directory: string): string => join(directory, 'server.json');

let handles = 0;

/** A name for one more handle of this process. */
export const newUser = (): string => `${process.pid}-${handles++}`;

/** Those who still live. */
export function usersOf({ users }: Note): string[] {
  return users.filter((user) => isAlive(Number(user.split('-')[0])));
}

export function readNote(directory: string): Note | undefined {
  try {
    const note: Partial<Note> = JSON.parse(readFileSync(noteOf(directory), 'utf8'));
    const { pid, port, users } = note;
    if (typeof pid !== 'number' || typeof port !== 'number' || pid <= 0) return undefined;
    return { pid, port, users: Array.isArray(users) ? users.map(String) : [] };
  } catch {
    return undefined;
  }
}

export function writeNote(directory: string, note: Note): void {
  const draft = `${noteOf(directory)}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(note)}\n`);
  renameSync(draft, noteOf(directory));
}

export function removeNote(directory: string): void {
  rmSync(noteOf(directory), { force: true });
}
