/** The registry of one machine: a file per world under the home folder. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { checkName, LeaseholdError } from '@leasehold/kernel';
import {
  EMPTY_PAGE,
  type Registry,
  type RegistryPage,
  type RegistryPages,
  registryOn,
} from '@leasehold/protocol';
import { underRegistryLock } from './registry-lock.ts';

const FORMAT_VERSION = 1;

/** What the file holds. */
type Page = RegistryPage & { readonly version: typeof FORMAT_VERSION };

export type RegistryFiles = RegistryPages & {
  /** Puts the file of a world that is kept elsewhere now out of the way. Its lock must be held. */
  retire(world: string): void;
};

/** Opens the registry in `<home>/registry`; nothing is created before the first write. */
export function fileRegistry(home: string): Registry {
  return registryOn(registryFiles(home));
}

/** The pages of that registry themselves. */
export function registryFiles(home: string): RegistryFiles {
  const folder = join(home, 'registry');
  const fileOf = (world: string): string => join(folder, `${checkName('world', world)}.json`);
  return {
    async worlds() {
      const files = existsSync(folder) ? readdirSync(folder) : [];
      return files.flatMap((file) => /^([\w-]+)\.json$/.exec(file)?.[1] ?? []).sort();
    },
    read: async (world) => read(fileOf(world)),
    async locked(world, work) {
      const file = fileOf(world);
      makeFolder(folder);
      return underRegistryLock(file.replace(/json$/, 'lock'), () =>
        work({
          read: async () => read(file),
          write: async (page) => write(folder, file, { ...page, version: FORMAT_VERSION }),
        }),
      );
    },
    now: () => new Date().toISOString(),
    retire: (world) => renameSync(fileOf(world), `${fileOf(world)}.moved`),
  };
}

function read(file: string): RegistryPage {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return EMPTY_PAGE;
    throw error;
  }
  const page = parsed(text);
  if (page !== undefined) return page;
  throw new LeaseholdError('INCARNATION_MISMATCH', `${file} is not a registry file`, {
    field: 'LEASEHOLD_HOME',
    value: file,
    remedy: 'Restore the file from a copy, or delete it and run with --fresh.',
  });
}

function parsed(text: string): RegistryPage | undefined {
  try {
    const { version, ...page } = JSON.parse(text) as Page;
    const isPage = version === FORMAT_VERSION && Number.isSafeInteger(page.last);
    return isPage && Array.isArray(page.leftovers) ? page : undefined;
  } catch {
    return undefined;
  }
}

/** All or nothing, also when the machine loses power: a reader sees the old page or the new. */
function write(folder: string, file: string, page: Page): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const descriptor = openSync(draft, 'wx');
  try {
    writeSync(descriptor, `${JSON.stringify(page, undefined, 2)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(draft, file);
  const directory = openSync(folder, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LeaseholdError('SETTING_INVALID', `the registry cannot be kept: ${reason}`, {
      field: 'LEASEHOLD_HOME',
      value: folder,
      remedy: 'Set LEASEHOLD_HOME to a folder that this user may write to.',
    });
  }
}
