/** PostgreSQL programs with PostGIS: found on this machine, or installed by its distribution. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { whereIs } from './binary.ts';
import { type InstallSurroundings, installPackages } from './install.ts';
import { findPostgres, type PostgresPrograms } from './postgres-binary.ts';

/** Read by Debian's packages when they are installed. */
const CREATE_CLUSTER = '/etc/postgresql-common/createcluster.conf';
const WHAT = 'PostgreSQL and PostGIS';

export type PostgresWish = {
  /** The major version that made the cluster there is; undefined when there is none. */
  readonly wanted: number | undefined;
  /** Where Debian's versions are. */
  readonly debian?: string;
  readonly createCluster?: string;
};

/** `surroundings.reasons` gets a sentence for each step that failed; undefined when all did. */
export async function findOrInstallPostgres(
  wish: PostgresWish,
  surroundings: InstallSurroundings,
): Promise<PostgresPrograms | undefined> {
  const { settings, reasons } = surroundings;
  const found = await findPostgres(settings.path, reasons, wish);
  if (found !== undefined) return found;
  const choose = async (): Promise<string[]> => {
    const major = await majorOfDistribution(settings.path);
    if (major === undefined) {
      reasons.push('apt-cache knows no package postgresql');
      return [];
    }
    keepFromStarting(wish.createCluster ?? CREATE_CLUSTER);
    const postgis = `postgresql-${major}-postgis-3`;
    return [`postgresql-${major}`, postgis, `${postgis}-scripts`];
  };
  if (!(await installPackages(WHAT, choose, surroundings))) return undefined;
  return findPostgres(settings.path, reasons, wish);
}

/** The version that the distribution's own package `postgresql` stands for. */
async function majorOfDistribution(path: string): Promise<string | undefined> {
  const [aptCache] = whereIs('apt-cache', path);
  if (aptCache === undefined) return undefined;
  try {
    const { stdout } = await promisify(execFile)(aptCache, ['depends', 'postgresql']);
    return /Depends: postgresql-(\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

/** Debian's package makes and starts a cluster of its own, which nobody here asked for. */
function keepFromStarting(file: string): void {
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, 'create_main_cluster = false\n');
}
