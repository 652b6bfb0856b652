/** Looks for PostgreSQL programs with the files of PostGIS on this machine. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { postgresAccount } from './account.ts';
import { whereIs } from './binary.ts';

/** The oldest that its makers still repair. */
const MAJOR_MIN = 14;
/** Debian keeps each major version in a folder of its own, and none of them on PATH. */
const DEBIAN = '/usr/lib/postgresql';

export type PostgresPrograms = {
  /** Where `initdb` and `postgres` are. */
  readonly folder: string;
  readonly major: number;
};

/**
 * The newest ones that have PostGIS beside them; those of the version `wanted` if they are among
 * them. `reasons` gets a sentence for each that will not do, and one if there are none at all.
 */
export async function findPostgres(
  path: string,
  reasons: string[],
  options: { readonly wanted?: number | undefined; readonly debian?: string } = {},
): Promise<PostgresPrograms | undefined> {
  const { wanted, debian = DEBIAN } = options;
  const all = await installed(path, debian);
  // A cluster is read by the version that made it, and by no other.
  const found = [...all].sort((one, other) => orderOf(one, wanted) - orderOf(other, wanted));
  for (const programs of found) {
    const { folder, major } = programs;
    if (major < MAJOR_MIN) {
      reasons.push(`PostgreSQL in ${folder} is version ${major}, ${MAJOR_MIN} is needed`);
    } else if (!(await hasPostgis(programs))) {
      reasons.push(`PostgreSQL ${major} in ${folder} has no PostGIS`);
    } else return programs;
  }
  if (found.length === 0) reasons.push(`no initdb and postgres on PATH or in ${debian}`);
  return undefined;
}

/** Every version there is. */
async function installed(path: string, debian: string): Promise<PostgresPrograms[]> {
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  const folders = versions.map((version) => join(debian, version, 'bin'));
  // A link on PATH would hide where its own share folder is.
  for (const file of whereIs('initdb', path)) folders.unshift(dirname(realpathSync(file)));
  const whole = [...new Set(folders)].filter((folder) =>
    ['initdb', 'postgres'].every((program) => whereIs(program, folder).length > 0),
  );
  const all: PostgresPrograms[] = [];
  for (const folder of whole) all.push({ folder, major: await majorOf(join(folder, 'postgres')) });
  return all;
}

const orderOf = ({ major }: PostgresPrograms, wanted: number | undefined): number =>
  major === wanted ? Number.NEGATIVE_INFINITY : -major;

/** 0 when it does not say. */
async function majorOf(program: string): Promise<number> {
  return Number(/\(PostgreSQL\) (\d+)/.exec(await said(program, ['--version']))?.[1] ?? 0);
}

async function hasPostgis({ folder }: PostgresPrograms): Promise<boolean> {
  // It says where its files are, and that a data folder is missing, which is no failure here.
  const settings = await said(join(folder, 'initdb'), ['--show', '-D', '/nonexistent']);
  const share = /^share_path=(.+)$/m.exec(settings)?.[1] ?? '';
  return existsSync(join(share, 'extension', 'postgis.control'));
}

async function said(program: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, {
      timeout: 5_000,
      cwd: '/',
      ...postgresAccount(),
    });
    return `${stdout}\n${stderr}`;
  } catch {
    return '';
  }
}
