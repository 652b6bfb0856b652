import { LeaseholdError } from '@leasehold/kernel';

/** What a call rejects with whose answer did not come. */
export function broken(name: string): LeaseholdError {
  return new LeaseholdError('REDIS_UNREACHABLE', `the connection broke: ${name}`, {
    field: 'connection',
    value: name,
    remedy: 'Repeat the call when the store is connected again.',
  });
}

/** A world that is not there cannot be read as an empty one. */
export function worldFault(tag: string): LeaseholdError {
  return new LeaseholdError('WORLD_NOT_READY', `the store answers ${tag}`, {
    field: 'world',
    value: tag,
    remedy: 'Seed the world, or read its incarnation from the registry again.',
  });
}
