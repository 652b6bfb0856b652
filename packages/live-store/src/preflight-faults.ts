/** Why a Redis cannot be used, as errors that never show a password. */
import { type ErrorCode, LeaseholdError } from '@leasehold/kernel';

const HIDDEN = '***';
const AUTH_PATTERN = /WRONGPASS|NOAUTH|NOPERM|invalid username-password|invalid password/i;

/** The address without its password; text that is no address is hidden whole. */
export function hiddenUrl(url: string): string {
  if (/^rediss?:\/\//.test(url) && URL.canParse(url)) {
    const parsed = new URL(url);
    if (parsed.password !== '') parsed.password = HIDDEN;
    return parsed.toString();
  }
  // Not an address: but whatever stands before an @ may be a secret.
  return url.includes('@') ? `${HIDDEN}@${url.slice(url.lastIndexOf('@') + 1)}` : url;
}

export function refused(
  code: ErrorCode,
  url: string,
  value: string,
  { message, remedy }: { readonly message: string; readonly remedy: string },
): LeaseholdError {
  const detail = { field: url, value, remedy };
  return new LeaseholdError(code, `${message} (${url})`, detail);
}

/** Tells a refused password from a server that is not there, by what the errors say. */
export function unreachable(url: string, errors: readonly unknown[]): LeaseholdError {
  const hidden = hiddenUrl(url);
  const texts = errors.map(textOf).filter((text) => text !== '');
  const auth = texts.find((text) => AUTH_PATTERN.test(text));
  if (auth !== undefined) return authFault(hidden, auth, url);
  const isTold = (text: string): boolean => !/connection is closed/i.test(text);
  const reason = texts.find(isTold) ?? texts[0] ?? 'no answer';
  return refused('REDIS_UNREACHABLE', hidden, reason, {
    message: `no Redis answers: ${reason}`,
    remedy: 'Start it (redis-server), or set REDIS_URL=redis://[user:password@]host:port/0.',
  });
}

function authFault(hidden: string, reason: string, url: string): LeaseholdError {
  const hasPassword = hidden.includes(`:${HIDDEN}@`) || url.includes('@');
  return refused('REDIS_AUTH', hidden, reason, {
    message: `Redis refuses ${hasPassword ? 'the user name or password' : 'to talk without a password'}`,
    remedy: /NOPERM/i.test(reason)
      ? 'Let the user call it: ACL SETUSER <user> on ~* &* +@all -@admin +info +config|get.'
      : 'Set REDIS_URL=redis://[user]:password@host:port; redis-cli ACL WHOAMI shows who gets in.',
  });
}

/** A refused connection to a name with several addresses is many errors in one, with no message. */
function textOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(textOf).join('; ');
  }
  if (error instanceof Error) return error.message;
  return error === undefined ? '' : String(error);
}
