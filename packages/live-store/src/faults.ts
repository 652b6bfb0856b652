/** What Redis may say instead of an answer, and what that means to a caller. */
import { LeaseholdError } from '@leasehold/kernel';

/** Redis refused before anything happened. */
const REFUSALS = ['OOM', 'NOREPLICAS', 'MISCONF'];
/** The caller must mend something; repeating is useless. */
const REFUSED_ACCESS = ['NOAUTH', 'WRONGPASS', 'NOPERM'];

/** A whole call failed: every cell in it gets this answer. Throws what only a user can mend. */
export function faultReply(error: Error): {
  readonly tag: 'REFUSED' | 'UNKNOWN';
  readonly message: string;
} {
  const [code = ''] = error.message.split(' ');
  if (REFUSALS.includes(code)) return { tag: 'REFUSED', message: error.message };
  if (REFUSED_ACCESS.includes(code)) throw connectFault('', error);
  // A network fault, a timeout, and what a cluster or a failover says while it sorts itself out.
  return { tag: 'UNKNOWN', message: error.message };
}

/** The library is not in this server: it was flushed, or the server is a new one. */
export function isFunctionMissing(error: Error): boolean {
  return /Function not found/i.test(error.message);
}

/** The error for a connection that could not be made. Never shows a password. */
export function connectFault(url: string, error: unknown): LeaseholdError {
  const message = error instanceof Error ? error.message : String(error);
  const at = url.replace(/\/\/[^@/]*@/, '//');
  const isAuth = REFUSED_ACCESS.some((code) => message.includes(code));
  return isAuth
    ? new LeaseholdError('REDIS_AUTH', `Redis at ${at} refuses the user or password: ${message}`, {
        field: 'REDIS_URL',
        value: at,
        remedy: 'Put the right user and password into REDIS_URL: redis://user:password@host:port.',
      })
    : new LeaseholdError('REDIS_UNREACHABLE', `no Redis answers at ${at}: ${message}`, {
        field: 'REDIS_URL',
        value: at,
        remedy: 'Start Redis there, or point REDIS_URL to one that runs.',
      });
}

export function readonlyFault(url: string): LeaseholdError {
  const at = url.replace(/\/\/[^@/]*@/, '//');
  return new LeaseholdError('REDIS_READONLY', `Redis at ${at} is a read-only replica`, {
    field: 'REDIS_URL',
    value: at,
    remedy: 'Point REDIS_URL to the primary.',
  });
}

/** Throws `SETTING_INVALID` for an address that is not one of Redis. */
export function checkRedisUrl(url: string): string {
  if (/^rediss?:\/\/[^\s/]+/.test(url) && URL.canParse(url)) return url;
  throw new LeaseholdError(
    'SETTING_INVALID',
    `REDIS_URL: ${JSON.stringify(url)} is not an address`,
    {
      field: 'REDIS_URL',
      value: url,
      remedy: 'Use redis://host:port, or rediss:// for TLS.',
    },
  );
}
