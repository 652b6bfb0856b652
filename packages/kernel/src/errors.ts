/**
 * Every failure a caller can act on. One line each: the code, what it carries, and what the caller
 * may do about it. A failure nobody can act on is a bug, and is an `assert`, not a code.
 *
 * `field`, `value` and `remedy` are in every detail, so that any face of the product (terminal,
 * JSON report, HTTP) can name what was wrong and what to do without knowing the code.
 */
export type FaultDetail = {
  /** What was wrong, as the user wrote it: a path in a manifest, a flag, a variable, a key. */
  readonly field: string;
  /** The offending value, printable. */
  readonly value: string;
  /** One sentence that tells the user what to do now. */
  readonly remedy: string;
};

export const ERROR_CATALOGUE = {
  NAME_INVALID: 'a name is not 1 to 64 letters, digits, _ or -',
  WORLD_MISSING: 'a world folder or one of its files is not there',
  MANIFEST_INVALID: 'world.yaml has a wrong type, an unknown key or a value out of range',
  MODULE_INVALID: 'the simulation module cannot be loaded or exports no simulation',
  COMPONENT_INVALID: 'a component is declared wrongly, or twice',
  COMPONENT_UNKNOWN: 'a system or query names a component that the simulation does not have',
  FIELD_KIND_MISMATCH: 'a value does not fit the kind of its field',
  SYSTEM_INVALID: 'a system is declared wrongly, or twice',
  SYSTEM_CONFLICT: 'two systems write one field, or read and write it, in no declared order',
  SYSTEM_FAILED: 'a system threw while ticking a cell',
  SPATIAL_NOT_FINITE: 'a spatial field became NaN or infinite',
  RADIUS_TOO_LARGE: 'a neighbour radius is larger than a cell allows',
  SPACE_INVALID: 'the space of a world is impossible, such as a cell size of 0',
  SCHEMA_INCOMPATIBLE: 'stored state cannot be read by the components of this module',
  WORLD_MISMATCH: 'the stored world differs from the manifest in what cannot change',
  INCARNATION_MISMATCH: 'the stored world is of another incarnation than the registry says',
  WORLD_NOT_READY: 'the world is not seeded, or still being seeded',
  WORLD_EXISTS: 'a world of this name is stored already',
  WORLD_RUNS: 'the world has pods, and what was asked needs it at rest',
  PREFAB_INVALID: 'a prefab cannot be read, or does not fit the components of the world',
  PREFAB_UNKNOWN: 'the world has no prefab of this name, or no version of its prefabs',
  REPOSITORY_UNREADABLE: 'a git repository, or a commit of it, cannot be read',
  BODY_MALFORMED: 'bytes of a commit, checkpoint or channel entry cannot be decoded',
  REPLY_MALFORMED: 'the store answered in a form its script does not declare',
  REDIS_UNREACHABLE: 'no Redis answers at the address',
  REDIS_AUTH: 'Redis refuses the user name or password',
  REDIS_TOO_OLD: 'the Redis version lacks what a world needs',
  REDIS_EVICTS: 'the eviction policy of Redis may delete leases and state',
  REDIS_READONLY: 'the Redis server is a read-only replica',
  REDIS_REFUSED: 'Redis refuses writes: out of memory, too few replicas or no disk',
  DATABASE_UNREACHABLE: 'no PostgreSQL answers at the address, or it stopped answering',
  DATABASE_AUTH: 'PostgreSQL refuses the user name or password',
  DATABASE_MISSING: 'the PostgreSQL server has no database of this name',
  DATABASE_REFUSED: 'PostgreSQL refuses what was asked: no right, no room, or a conflict',
  DATABASE_TOO_OLD: 'the database lacks tables that a newer version of the product made',
  DATABASE_TOO_NEW: 'the database was migrated by a newer version of the product',
  POSTGIS_MISSING: 'the PostgreSQL server has no PostGIS, or the user may not create it',
  SERVER_MISSING: 'no server of the wanted kind can be found or installed',
  PORT_IN_USE: 'the port is taken by another process',
  SETTING_INVALID: 'a setting or a flag has a value it cannot have',
  LIMIT_EXCEEDED: 'a named limit of the product was reached',
  PLAN_INVALID: 'a plan of which pod holds what is malformed',
  POD_FAILED: 'a simulator process ended by itself',
  POD_UNKNOWN: 'no pod of the world has this name',
  REGION_UNKNOWN: 'no region of the plan has this number, and no journal entry names it',
  VIEW_MESSAGE_INVALID: 'a message of a view client cannot be understood',
  VIEW_VERSION: 'client and gateway speak different versions of the view protocol',
  WORLD_UNKNOWN: 'the gateway serves another world than the one asked for',
  AREA_INVALID: 'an area is impossible: not a number, empty, or crossing itself',
  SUBSCRIPTION_UNKNOWN: 'a message names a subscription that the connection does not have',
  ENTITY_UNKNOWN: 'no entity of the world has this id',
  READER_SLOW: 'a view client did not read what it was sent for too long',
  READER_IDLE: 'a view client was silent for too long',
  RATE_EXCEEDED: 'a client asks more often than is allowed',
  ORIGIN_REFUSED: 'a page of another origin may not use the gateway',
  TOKEN_REFUSED: 'a request lacks the token that this start of the product was given',
  REQUEST_INVALID: 'a request does not fit what its route describes',
  REQUEST_UNKNOWN: 'no request of this id was asked for, or its answer is no longer kept',
  IDEMPOTENCY_MISMATCH: 'an idempotency key was used before, with another request',
  INBOX_FULL: 'a cell has more requests waiting than it may have',
  WAIT_EXPIRED: 'a request was taken and has not been applied in the time given',
  MATCH_FAILED: 'an entity is not as it was when it was read',
  VALUE_INVALID: 'a component, field or event is unknown, or a value not of its kind',
  EVENT_POISON: 'systems that handle an event fail again and again',
  JOB_UNKNOWN: 'no job has this id',
  API_UNREACHABLE: 'no lifecycle service answers at the address',
  SNAPSHOT_UNSTABLE: 'a world went on too far before it could be read as it was at one tick',
  SNAPSHOT_UNKNOWN: 'there is no snapshot of this id',
  SNAPSHOT_EXISTS: 'a snapshot of this id is there already',
  SNAPSHOT_INCOMPLETE: 'a snapshot is still being taken, or lacks a cell',
  SNAPSHOT_INVALID: 'what was captured for a snapshot contradicts itself',
  SNAPSHOT_LOST: 'a snapshot is taken by another worker now, or was removed meanwhile',
  SNAPSHOT_CORRUPT: 'stored bytes of a snapshot are not those of their hash',
  SNAPSHOT_TOO_NEW: 'a newer version of the product took the snapshot or wrote the file',
  SNAPSHOTS_OFF: 'the service was given no database, so it has no snapshots',
  SNAPSHOT_BUSY: 'a snapshot of the world is being taken or put back already',
  SCHEDULE_UNKNOWN: 'the world has no schedule of snapshots',
  FILE_INVALID: 'a file is cut off, damaged, or not what it should be',
  CELL_COLD: 'a cell sleeps in a database that was not named here, or does not answer',
  CELL_LOST: 'a cell slept, and the database does not have it',
  GATEWAY_UNREACHABLE: 'no gateway answers at the address',
  GATEWAY_CLOSING: 'the gateway is shutting down; another one serves the same views',
} as const;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** The one error class. Callers branch on `code`; messages are for people and may change. */
export class LeaseholdError extends Error {
  override readonly name = 'LeaseholdError';
  readonly code: ErrorCode;
  readonly detail: FaultDetail;

  constructor(code: ErrorCode, message: string, detail: FaultDetail, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.detail = detail;
  }
}

/** Narrows by code. */
export function hasCode(error: unknown, code: ErrorCode): error is LeaseholdError {
  return error instanceof LeaseholdError && error.code === code;
}

/** The shape every face of the product prints: one line for people, the same facts for machines. */
export function faultReport(error: unknown): {
  readonly code: string;
  readonly message: string;
  readonly field: string;
  readonly value: string;
  readonly remedy: string;
} {
  if (error instanceof LeaseholdError) {
    return { code: error.code, message: error.message, ...error.detail };
  }
  const message = error instanceof Error ? error.message : String(error);
  const remedy = 'This is a defect of the product; report it with the log.';
  return { code: 'INTERNAL', message, field: '', value: '', remedy };
}
