/** Finds a program that tests need besides a Redis server, or installs its package. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LeaseholdError } from '@leasehold/kernel';
import { underLock } from '@leasehold/process-lock';
import { whereIs } from './binary.ts';
import { readServerSettings } from './config.ts';
import { installPackage } from './install.ts';

/** A browser and what it needs are some hundred megabytes. */
const WAIT_MS = 600_000;

export type WantedProgram = {
  /** Names it may have on PATH, the best first. */
  readonly names: readonly string[];
  /** The package that brings one of them, by Debian's name. */
  readonly packageName: string;
};

/**
 * The file of the first of its names on PATH, after an installation if need be. `reasons` gets a
 * sentence for each step that failed; undefined when all did.
 */
export async function openProgram(
  { names, packageName }: WantedProgram,
  reasons: string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly log?: (line: string) => void } = {},
): Promise<string | undefined> {
  const { env, log = () => {} } = options;
  const { path, mayInstall } = readServerSettings(env);
  const find = (): string | undefined => names.flatMap((name) => whereIs(name, path))[0];
  const found = find();
  if (found !== undefined) return found;
  reasons.push(`none of ${names.join(', ')} is on PATH`);
  const lock = join(tmpdir(), `leasehold-install-${packageName}.lock`);
  // Several files of one test run may want it at once.
  return underLock(
    lock,
    async () => {
      const meanwhile = find();
      if (meanwhile !== undefined) return meanwhile;
      await installPackage(packageName, { path, mayInstall }, log, reasons);
      return find();
    },
    { waitMs: WAIT_MS, taken: (pid) => stillTaken(lock, pid) },
  );
}

function stillTaken(lock: string, pid: string): LeaseholdError {
  return new LeaseholdError('LIMIT_EXCEEDED', `${lock} is held by process ${pid}`, {
    field: 'lock',
    value: lock,
    remedy: `Wait for process ${pid}, or end it.`,
  });
}
