/**
 * What the outside asks of entities: the body of a post to the inbox of the cell they are in.
 * Values are by component and field name, so whoever asks needs no schema hash.
 */
import { hashOf, LeaseholdError } from '@leasehold/kernel';
import { canonicalJson, type Json } from './json.ts';

/** Values by component name, then by field name. A field that is left out keeps its value. */
export type ComponentValues = Readonly<Record<string, Readonly<Record<string, Json>>>>;

export type NewEntity = {
  /** Reserved before (`LifeStore.reserveIds`): a repetition asks for the same entity. */
  readonly id: number;
  readonly components: ComponentValues;
};

/** An entity tag: the components that were read, and the hash of their values then. */
export type EntityMatch = { readonly components: readonly string[]; readonly hash: string };

export type EntityRequest =
  /** All of them stand in the cell that is asked. An id that lives or lived there is passed over. */
  | { readonly kind: 'create'; readonly entities: readonly NewEntity[] }
  /** Changes fields, gives components that the entity lacks, takes those named in `remove`. */
  | {
      readonly kind: 'patch';
      readonly id: number;
      readonly set: ComponentValues;
      readonly remove: readonly string[];
      readonly match?: EntityMatch;
    }
  | { readonly kind: 'delete'; readonly id: number; readonly match?: EntityMatch }
  /** It is no more, as the layer says that says who lives: its row goes in this one, too. */
  | { readonly kind: 'ended'; readonly id: number }
  /** An event that some system handles (`on`), with its payload by field name. */
  | {
      readonly kind: 'event';
      readonly id: number;
      readonly event: string;
      readonly payload: Readonly<Record<string, Json>>;
      /** The entity that emitted it; 0: the outside. */
      readonly from?: number;
    };

/** What became of a request, once it has been committed. */
export type RequestAnswer =
  | { readonly tag: 'APPLIED'; readonly cell: number; readonly tick: number }
  /** Nothing was changed. */
  | {
      readonly tag: 'REFUSED';
      readonly code: RefusalCode;
      readonly message: string;
      readonly tick: number;
    };

/**
 * ENTITY_GONE: it is nowhere. MATCH_FAILED: it is not as it was when it was read. VALUE_INVALID: a
 * component, field or event is unknown, or a value not of its kind. EVENT_POISON: systems that
 * handle the event fail again and again.
 */
export type RefusalCode = 'ENTITY_GONE' | 'MATCH_FAILED' | 'VALUE_INVALID' | 'EVENT_POISON';

/** Most entities in one request: so many rows of common size stay below the bytes of a post. */
export const CREATES_PER_REQUEST_MAX = 512;

/**
 * The hash that an entity tag carries: of all fields of the components that were read. Values that
 * JSON cannot carry count as null.
 */
export function valuesHash(values: ComponentValues): string {
  const plain = JSON.parse(JSON.stringify(values)) as Json;
  return hashOf(encoder.encode(canonicalJson(plain, 'entity')));
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** The body of a post. */
export function encodeRequest(request: EntityRequest): Uint8Array {
  return encoder.encode(JSON.stringify(request));
}

/** Reads what `encodeRequest` wrote. Throws `BODY_MALFORMED`; values are checked where they land. */
export function decodeRequest(body: Uint8Array): EntityRequest {
  let read: unknown;
  try {
    read = JSON.parse(decoder.decode(body));
  } catch (cause) {
    throw malformed('no JSON', cause);
  }
  if (!isRequest(read)) throw malformed('no request of an entity', undefined);
  return read;
}

function isRequest(read: unknown): read is EntityRequest {
  if (!isRecord(read)) return false;
  switch (read['kind']) {
    case 'create':
      return isListOf(read['entities'], CREATES_PER_REQUEST_MAX, isNewEntity);
    case 'patch':
      return isId(read['id']) && isValues(read['set']) && isNames(read['remove']) && isMatch(read);
    case 'delete':
      return isId(read['id']) && isMatch(read);
    case 'ended':
      return isId(read['id']);
    case 'event':
      return (
        isId(read['id']) &&
        typeof read['event'] === 'string' &&
        isRecord(read['payload']) &&
        (read['from'] === undefined || read['from'] === 0 || isId(read['from']))
      );
    default:
      return false;
  }
}

const NAMES_MAX = 64;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isId = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;

const isValues = (value: unknown): boolean =>
  isRecord(value) && Object.values(value).every(isRecord);

const isNewEntity = (value: unknown): boolean =>
  isRecord(value) && isId(value['id']) && isValues(value['components']);

const isNames = (value: unknown): boolean =>
  isListOf(value, NAMES_MAX, (name) => typeof name === 'string');

function isListOf(value: unknown, most: number, is: (each: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length <= most && value.every(is);
}

function isMatch({ match }: Record<string, unknown>): boolean {
  if (match === undefined) return true;
  return isRecord(match) && isNames(match['components']) && typeof match['hash'] === 'string';
}

function malformed(what: string, cause: unknown): LeaseholdError {
  return new LeaseholdError(
    'BODY_MALFORMED',
    `a post to an inbox is ${what}`,
    { field: 'post', value: what, remedy: 'Post what encodeRequest makes.' },
    { cause },
  );
}
