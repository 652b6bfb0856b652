/** Looks for a Redis or Valkey server program on this machine. */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const PROGRAMS = ['redis-server', 'valkey-server'];
/** Function libraries and sharded channels came with 7.0. */
const MAJOR_MIN = 7;

/**
 * The first program on `path` that is new enough. `reasons` gets one sentence for each one that is
 * not, and one if there is none at all.
 */
export async function findBinary(path: string, reasons: string[]): Promise<string | undefined> {
  const found = PROGRAMS.flatMap((program) => whereIs(program, path));
  for (const file of found) {
    const version = await versionOf(file);
    if (version !== undefined && Number(version.split('.')[0]) >= MAJOR_MIN) return file;
    reasons.push(`${file} is version ${version ?? 'unknown'}, ${MAJOR_MIN}.0 is needed`);
  }
  if (found.length === 0) reasons.push(`neither ${PROGRAMS.join(' nor ')} is on PATH`);
  return undefined;
}

/** The file of that name in the directories of `path`, as zero or one element. */
export function whereIs(program: string, path: string): string[] {
  const candidates = path
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, program));
  const file = candidates.find(isExecutable);
  return file === undefined ? [] : [file];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function versionOf(file: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(file, ['--version'], { timeout: 5_000 });
    return /\bv=(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}
