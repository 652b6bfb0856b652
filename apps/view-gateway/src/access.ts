/** Who may kill pods through the gateway. Decided from a request's own facts, so it is pure. */
import { LeaseholdError } from '@leasehold/kernel';
import { checkHost, checkOrigin, isLoopbackAddress, isSameSecret } from '@leasehold/service';

export type KillRequest = {
  readonly address: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
};

/** Throws `ORIGIN_REFUSED` or `TOKEN_REFUSED`; `token` '' lets nobody in. */
export function checkKill(request: KillRequest, token: string): void {
  const { address, host, origin, authorization } = request;
  if (token === '') {
    throw tokenRefused('this gateway kills nothing', 'Start it with a KILL_TOKEN, and send that.');
  }
  checkHost(host);
  checkOrigin(origin, host, new Set());
  if (!isLoopbackAddress(address)) {
    throw new LeaseholdError('ORIGIN_REFUSED', 'pods are killed from their own machine only', {
      field: 'address',
      value: address,
      remedy: 'Open the page on the machine that runs the pods.',
    });
  }
  const given = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? '';
  if (!isSameSecret(given, token)) {
    throw tokenRefused(
      'the token is missing or wrong',
      'Open the address that was printed at the start, with all that follows #token=.',
    );
  }
}

function tokenRefused(message: string, remedy: string): LeaseholdError {
  // The value stays out: answers end up in logs.
  return new LeaseholdError('TOKEN_REFUSED', message, {
    field: 'Authorization',
    value: 'not shown',
    remedy,
  });
}
