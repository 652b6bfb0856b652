/**
 * What an idempotency key stands for: the first request it came with, the ids that were reserved for
 * it, and, once it is there, the response. A repetition goes on where the first one stopped.
 */
import { createHash } from 'node:crypto';
import { LeaseholdError } from '@leasehold/kernel';
import type { LiveRecords } from '@leasehold/live-store';
import { canonicalJson } from '@leasehold/protocol';

/** What a request does, decided once: whatever is random or counted is in it. */
export type Decided = {
  readonly request: string;
  /** Of a request that creates: in the order of its entities. */
  readonly ids: readonly number[];
  /** Of any other: the cell that it goes to. */
  readonly cell?: number;
  /** Of one that spawns: the commit that its prefab is of, and the seed. */
  readonly spawn?: { readonly version: string; readonly seed: number };
};

export type Answered = { readonly status: number; readonly body: unknown };

export type KeyRecord = {
  /** Hash of the first request. */
  readonly hash: string;
  readonly decided: Decided;
  readonly answer?: Answered;
};

/** As long as a client that was cut off may take to come back. */
const KEPT_S = 24 * 3_600;
const KIND = 'idempotency';
export const KEY_PATTERN = '^[!-~]{1,128}$';

/** Of method, route and body, however its members are ordered. */
export function requestHash(method: string, path: string, body: unknown): string {
  const text = `${method} ${path} ${canonicalJson(body ?? null, 'body')}`;
  return createHash('sha256').update(text).digest('hex');
}

/**
 * What the key stands for; `decide` is asked the first time only. Of two at once one decides, and
 * both get that. Errors: `IDEMPOTENCY_MISMATCH` when the key came with another request before.
 */
export async function claimKey(
  records: LiveRecords,
  { key, hash }: { readonly key: string; readonly hash: string },
  decide: () => Promise<Decided>,
): Promise<KeyRecord> {
  const id = idOf(key);
  const known = await records.read(KIND, id);
  if (known !== undefined) return checked(known, key, hash);
  let record: KeyRecord;
  try {
    record = { hash, decided: await decide() };
  } catch (error) {
    // Whoever came first may have been done meanwhile: of a deletion there is nothing left to decide.
    const meanwhile = await records.read(KIND, id);
    if (meanwhile !== undefined) return checked(meanwhile, key, hash);
    throw error;
  }
  const first = await records.claim(KIND, id, JSON.stringify(record), KEPT_S);
  return first === undefined ? record : checked(first, key, hash);
}

/** Keeps the response, so that every repetition gets the same. */
export function keepAnswer(
  records: LiveRecords,
  key: string,
  record: KeyRecord,
  answer: Answered,
): Promise<void> {
  return records.write(KIND, idOf(key), JSON.stringify({ ...record, answer }), KEPT_S);
}

/** Of one length, and of letters that a key of Redis may have. */
const idOf = (key: string): string => createHash('sha256').update(key).digest('hex');

function checked(text: string, key: string, hash: string): KeyRecord {
  const record = JSON.parse(text) as KeyRecord;
  if (record.hash === hash) return record;
  throw new LeaseholdError('IDEMPOTENCY_MISMATCH', 'the key came with another request before', {
    field: 'Idempotency-Key',
    value: key.slice(0, 64),
    remedy: 'Use a new key for each request, and repeat it only with that very request.',
  });
}
