/** Which snapshots a gateway can show: asked once over HTTP, where a view is told all the time. */
import { type ErrorCode, LeaseholdError } from '@leasehold/kernel';
import { isFault, isSnapshot } from './checked.ts';
import type { Snapshot } from './types.ts';

const ASK_MS_MAX = 10_000;

/** `url`: of the gateway's views. Throws what the gateway refuses with, or `GATEWAY_UNREACHABLE`. */
export async function readSnapshots(url: string): Promise<readonly Snapshot[]> {
  const address = new URL('snapshots', url.replace(/^ws/, 'http'));
  let value: unknown;
  try {
    const reply = await fetch(address, { signal: AbortSignal.timeout(ASK_MS_MAX) });
    value = await reply.json();
  } catch (cause) {
    throw unreachable(address.href, { cause });
  }
  if (isFault(value)) {
    const { code, message, ...detail } = value;
    throw new LeaseholdError(code as ErrorCode, message, detail);
  }
  const { snapshots } = (value ?? {}) as { readonly snapshots?: unknown };
  if (Array.isArray(snapshots) && snapshots.every(isSnapshot)) return snapshots;
  throw unreachable(address.href);
}

function unreachable(value: string, options?: ErrorOptions): LeaseholdError {
  const message = `no gateway tells of snapshots at ${value}`;
  const remedy = 'Start one, or give the address of one that runs.';
  return new LeaseholdError(
    'GATEWAY_UNREACHABLE',
    message,
    { field: 'url', value, remedy },
    options,
  );
}
