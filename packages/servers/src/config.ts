/** What the finder reads of the environment, and where it defaults to the process's own. */
import { LeaseholdError } from '@leasehold/kernel';

export type ServerSettings = {
  /** REDIS_URL: a server that somebody else runs. '' when not given. */
  readonly redisUrl: string;
  /** LEASEHOLD_INSTALL: 0 forbids installing packages. */
  readonly mayInstall: boolean;
  /** PATH, to look for binaries. */
  readonly path: string;
  /** DOCKER_HOST: where the Docker daemon listens; '' for the usual socket. */
  readonly dockerHost: string;
};

/** Reads the settings. Throws `SETTING_INVALID` when REDIS_URL is no Redis address. */
export function readServerSettings(env: NodeJS.ProcessEnv = process.env): ServerSettings {
  const redisUrl = env['REDIS_URL'] ?? '';
  if (redisUrl !== '' && !/^rediss?:$/.test(protocolOf(redisUrl))) {
    throw new LeaseholdError('SETTING_INVALID', `REDIS_URL: ${redisUrl} is not a Redis address`, {
      field: 'REDIS_URL',
      value: redisUrl,
      remedy: 'Write redis://host:port, rediss://host:port, or unset it to use a private server.',
    });
  }
  return {
    redisUrl,
    mayInstall: env['LEASEHOLD_INSTALL'] !== '0',
    path: env['PATH'] ?? '',
    dockerHost: env['DOCKER_HOST'] ?? '',
  };
}

export type DatabaseSettings = Pick<ServerSettings, 'mayInstall' | 'path'> & {
  /** DATABASE_URL: a PostgreSQL that somebody else runs. '' when not given. */
  readonly databaseUrl: string;
};

/** Reads the settings. Throws `SETTING_INVALID` when DATABASE_URL is no PostgreSQL address. */
export function readDatabaseSettings(env: NodeJS.ProcessEnv = process.env): DatabaseSettings {
  const databaseUrl = env['DATABASE_URL'] ?? '';
  if (databaseUrl !== '' && !/^postgres(ql)?:$/.test(protocolOf(databaseUrl))) {
    throw new LeaseholdError('SETTING_INVALID', 'DATABASE_URL is not a PostgreSQL address', {
      field: 'DATABASE_URL',
      // What cannot be parsed may have a password anywhere.
      value: '',
      remedy: 'Write postgres://user:password@host:port/database, or unset it.',
    });
  }
  return { databaseUrl, mayInstall: env['LEASEHOLD_INSTALL'] !== '0', path: env['PATH'] ?? '' };
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : '';
}
