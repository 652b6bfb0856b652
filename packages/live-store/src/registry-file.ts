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
import type { Registry, RegistryFacts, RegistryRecord, SeedRequest } from './registry.ts';
import { underRegistryLock } from './registry-lock.ts';

const FORMAT_VERSION = 1;

/** What the file holds. */
type Page = {
  readonly version: typeof FORMAT_VERSION;
  /** The highest incarnation ever used, so that no number is used twice. */
  readonly last: number;
  readonly ready?: RegistryRecord;
  readonly seeding?: RegistryRecord;
  readonly leftovers: readonly number[];
};

const EMPTY: Page = { version: FORMAT_VERSION, last: 0, leftovers: [] };

/** Opens the registry in `<home>/registry`; nothing is created before the first write. */
export function fileRegistry(home: string): Registry {
  const folder = join(home, 'registry');
  const fileOf = (world: string): string => join(folder, `${checkName('world', world)}.json`);
  const locked = async <T>(world: string, work: () => Promise<T>): Promise<T> => {
    const file = fileOf(world);
    makeFolder(folder);
    return underRegistryLock(file.replace(/json$/, 'lock'), work);
  };
  const change = (world: string, next: (page: Page) => Page): Promise<void> =>
    locked(world, async () => write(folder, fileOf(world), next(read(fileOf(world)))));
  return {
    async worlds() {
      const files = existsSync(folder) ? readdirSync(folder) : [];
      return files.flatMap((file) => /^([\w-]+)\.json$/.exec(file)?.[1] ?? []).sort();
    },
    async read(world) {
      const page = read(fileOf(world));
      return page.ready ?? page.seeding;
    },
    seed(world, facts, work, request = {}) {
      return locked(world, async () => {
        const file = fileOf(world);
        const page = read(file);
        if (page.ready && page.ready.incarnation !== request.replaces) return page.ready;
        const begun = await begin(world, page, facts, request);
        write(folder, file, begun.page);
        const { redisRunId } = await work(begun.record.incarnation);
        const ready: RegistryRecord = {
          ...begun.record,
          state: 'ready',
          seededAt: new Date().toISOString(),
          ...(redisRunId === undefined ? {} : { redisRunId }),
        };
        const { ready: replaced, seeding: _, ...rest } = begun.page;
        const leftovers = replaced ? [...rest.leftovers, replaced.incarnation] : rest.leftovers;
        write(folder, file, { ...rest, ready, leftovers });
        return ready;
      });
    },
    migrated: (world, incarnation, { schemaHash, others }) =>
      change(world, (page) => {
        if (page.ready?.incarnation !== incarnation) return page;
        const schemas = { schemaHash, ...(others === undefined ? {} : { others }) };
        return { ...page, ready: { ...page.ready, ...schemas } };
      }),
    leftovers: async (world) => [...read(fileOf(world)).leftovers],
    forgotten: (world, incarnation) =>
      change(world, (page) => {
        return { ...page, leftovers: page.leftovers.filter((other) => other !== incarnation) };
      }),
    forget: (world) =>
      change(world, ({ last, ready, seeding, leftovers }) => {
        const ended = [ready, seeding].filter((record) => record !== undefined);
        const numbers = ended.map(({ incarnation }) => incarnation);
        return { version: FORMAT_VERSION, last, leftovers: [...leftovers, ...numbers] };
      }),
  };
}

/** Goes on with a seeding that was cut short, or begins one under a number never used before. */
async function begin(
  world: string,
  page: Page,
  facts: RegistryFacts,
  request: SeedRequest,
): Promise<{ page: Page; record: RegistryRecord }> {
  const { seeding } = page;
  const fingerprint = await request.fingerprint?.();
  const isSame =
    seeding?.schemaHash === facts.schemaHash &&
    seeding.manifestHash === facts.manifestHash &&
    seeding.fingerprint === fingerprint &&
    seeding.incarnation !== request.replaces;
  if (seeding !== undefined && isSame) return { page, record: seeding };
  const stored = page.last === 0 ? ((await request.stored?.()) ?? 0) : 0;
  const incarnation = Math.max(page.last, stored) + 1;
  const record: RegistryRecord = {
    ...facts,
    world,
    incarnation,
    state: 'seeding',
    seededAt: new Date().toISOString(),
    ...(fingerprint === undefined ? {} : { fingerprint }),
  };
  const leftovers = seeding ? [...page.leftovers, seeding.incarnation] : page.leftovers;
  return { page: { ...page, last: incarnation, seeding: record, leftovers }, record };
}

function read(file: string): Page {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return EMPTY;
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

function parsed(text: string): Page | undefined {
  try {
    const page = JSON.parse(text) as Page;
    const isPage = page.version === FORMAT_VERSION && Number.isSafeInteger(page.last);
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
