/** What can be wrong between manifest, registry and store, each with the way out. */
import { type ErrorCode, LeaseholdError } from '@leasehold/kernel';
import type {
  CellSeedReply,
  FixedSettings,
  RegistryFacts,
  RegistryRecord,
} from '@leasehold/protocol';

function fault(
  code: ErrorCode,
  message: string,
  detail: { readonly field: string; readonly value: string; readonly remedy: string },
): LeaseholdError {
  return new LeaseholdError(code, message, detail);
}

/** Names the first setting that differs, where both sides have kept theirs. */
export function manifestDiffers(record: RegistryRecord, facts: RegistryFacts): LeaseholdError {
  const { world } = record;
  const name = firstDifference(record.fixed, facts.fixed);
  const [was, is] =
    name === undefined
      ? [record.manifestHash, facts.manifestHash]
      : [String(record.fixed?.[name] ?? 'nothing'), String(facts.fixed?.[name] ?? 'nothing')];
  const field = name ?? 'world.yaml';
  const remedy =
    name === undefined
      ? 'Put the settings back, run with --fresh to forget the stored world, or rename the world.'
      : `Set ${name} back to ${was}, run with --fresh to forget the stored world, or rename it.`;
  const message = `world ${world} is stored with ${field} ${was}, the manifest says ${is}`;
  return fault('WORLD_MISMATCH', message, { field, value: is, remedy });
}

function firstDifference(was: FixedSettings = {}, is: FixedSettings = {}): string | undefined {
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  return names.find((name) => was[name] !== is[name]);
}

export function registryMissing(world: string, incarnations: readonly number[]): LeaseholdError {
  const list = incarnations.join(', ');
  const message = `Redis has world ${world} (incarnation ${list}), the registry does not know it`;
  return fault('INCARNATION_MISMATCH', message, {
    field: 'LEASEHOLD_HOME',
    value: `incarnation ${list} in Redis, none in the registry`,
    remedy:
      'Set LEASEHOLD_HOME to the folder that the world was created with, ' +
      'or run with --fresh to forget the stored world.',
  });
}

export function blocksMissing(
  { world, incarnation }: RegistryRecord,
  { present, sealed }: { readonly present: number; readonly sealed: number },
  blocks: number,
): LeaseholdError {
  const what = sealed > 0 ? `${sealed} blocks are sealed` : `${present} of ${blocks} blocks there`;
  const message = `incarnation ${incarnation} of world ${world} is not whole in Redis: ${what}`;
  return fault('INCARNATION_MISMATCH', message, {
    field: 'REDIS_URL',
    value: what,
    remedy:
      'Set REDIS_URL to the Redis that has the world, or put a snapshot of it back (leasehold ' +
      `snapshot list --world ${world}, leasehold snapshot restore ID --yes), ` +
      'or run with --fresh to begin a new world.',
  });
}

export function schemaMissing({ world, schemaHash }: RegistryRecord): LeaseholdError {
  const message = `the schema ${schemaHash} that world ${world} is stored in is not in Redis`;
  return fault('SCHEMA_INCOMPATIBLE', message, {
    field: 'schema',
    value: schemaHash,
    remedy: 'Restore the data of Redis, or run with --fresh to begin a new world.',
  });
}

/** A cell that could not be written at seeding. */
export function cellRefused(world: string, cell: number, reply: CellSeedReply): LeaseholdError {
  const field = `cell ${cell}`;
  const told = 'message' in reply ? reply.message : '';
  switch (reply.tag) {
    case 'HEAD':
      return fault('WORLD_MISMATCH', `${field} of world ${world} already has another content`, {
        field,
        value: `seq ${reply.seq}, hash ${reply.hash}`,
        remedy:
          'Somebody else writes this world into the same Redis. End that, and run with --fresh.',
      });
    case 'NOWORLD':
    case 'SEALED':
      return fault('INCARNATION_MISMATCH', `world ${world} was removed while it was seeded`, {
        field,
        value: reply.tag,
        remedy: 'Run it again when nobody else creates or forgets this world.',
      });
    case 'TOOBIG':
      return fault('LIMIT_EXCEEDED', `${field} of world ${world} is too big to store: ${told}`, {
        field,
        value: told,
        remedy: 'Make space.cell smaller in world.yaml, or seed fewer entities in one place.',
      });
    case 'UNKNOWN':
      return fault('REDIS_UNREACHABLE', `${field} of world ${world} was not written: ${told}`, {
        field,
        value: told,
        remedy: 'Run it again when Redis answers; the seeding goes on where it stopped.',
      });
    default:
      return fault('REDIS_REFUSED', `Redis does not take ${field} of world ${world}: ${told}`, {
        field,
        value: told,
        remedy: 'Look at the memory, replicas and disk of Redis (redis-cli INFO), and run again.',
      });
  }
}
