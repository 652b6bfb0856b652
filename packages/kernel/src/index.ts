export { assert } from './assert.ts';
export type { Clock } from './clock.ts';
export {
  ERROR_CATALOGUE,
  type ErrorCode,
  type FaultDetail,
  faultReport,
  hasCode,
  LeaseholdError,
} from './errors.ts';
export { Hasher, hashOf } from './hash.ts';
export {
  bearerOf,
  CELLS_MAX,
  counterOf,
  type EntityId,
  entityId,
  ID_COUNTER_MAX,
  ID_SKIP_ON_TAKEOVER,
} from './ids.ts';
export type { Log } from './log.ts';
export { checkName, NAME_PATTERN } from './names.ts';
export { createRandom, Random, saltOf } from './random.ts';
export { Signal } from './signal.ts';
