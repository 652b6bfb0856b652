import { LeaseholdError } from '@leasehold/kernel';

/** What a call rejects with whose answer did not come. */
export function broken(name: string): LeaseholdError {
  return new LeaseholdError('REDIS_UNREACHABLE', `the connection broke: ${name}`, {
    field: 'connection',
    value: name,
    remedy: 'Repeat the call when the store is connected again.',
  });
}
