/** Who may use the API: which hosts and pages, and who must know the token. */
import { LeaseholdError } from '@leasehold/kernel';
import { checkHost, checkOrigin, isLoopbackAddress, isSameSecret } from '@leasehold/service';

export type AccessRequest = {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
};

export type AccessRules = {
  /** The address that the service listens at. */
  readonly listensAt: string;
  /** '' = none is asked for. */
  readonly token: string;
};

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What holds also for those who need no token. Errors: `ORIGIN_REFUSED`. */
export function checkAddress(
  { host, origin }: Pick<AccessRequest, 'host' | 'origin'>,
  { listensAt }: Pick<AccessRules, 'listensAt'>,
): void {
  if (isLoopbackAddress(listensAt)) checkHost(host);
  checkOrigin(origin, host, new Set());
}

/** Errors: `ORIGIN_REFUSED`, `TOKEN_REFUSED`. */
export function checkAccess(request: AccessRequest, rules: AccessRules): void {
  const { listensAt, token } = rules;
  checkAddress(request, rules);
  const isLocal = isLoopbackAddress(listensAt);
  if (token !== '') {
    const given = /^Bearer (\S+)$/.exec(request.authorization ?? '')?.[1] ?? '';
    if (isSameSecret(given, token)) return;
    throw tokenRefused('the token is missing or wrong', 'Send Authorization: Bearer TOKEN.');
  }
  if (isLocal || READS.has(request.method)) return;
  // Open to the network and without a token: nobody may write.
  throw tokenRefused(
    'nobody may write here: the service listens to the network and has no token',
    'Start it with API_TOKEN, and send that.',
  );
}

function tokenRefused(message: string, remedy: string): LeaseholdError {
  // The value stays out: answers end up in logs.
  return new LeaseholdError('TOKEN_REFUSED', message, {
    field: 'Authorization',
    value: 'not shown',
    remedy,
  });
}
