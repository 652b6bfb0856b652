export { addressOf, cellOfAddress, LAYER_INDEX_MAX, layerOfAddress } from './address.ts';
export { applyCommit, settle } from './apply.ts';
export type * from './audit.ts';
export { decodeCellLoads, encodeCellLoads } from './cell-loads.ts';
export { decodeRows, encodeRows, inspectRows } from './channel-body.ts';
export {
  decodeCheckpoint,
  encodeCheckpoint,
  inspectCheckpoint,
  rebaseCheckpoint,
  storedPart,
} from './checkpoint-body.ts';
export type * from './cold-store.ts';
export { COOL_CELLS_MAX, COOL_LEAVING_MAX } from './cold-store.ts';
export type { CommitBody, CommitParts, Departure, FieldChange, MaskChange } from './commit.ts';
export {
  type ChangeMarks,
  type CommitInspection,
  commitTraffic,
  decodeCommit,
  encodeCommit,
  inspectCommit,
} from './commit-body.ts';
export {
  type Birth,
  type BirthGroup,
  birthPosts,
  groupsOf,
  type RequestPost,
  reservedIds,
} from './create-posts.ts';
export {
  checkedDurability,
  type Durability,
  durabilityText,
  EVERY_MAX,
  isEphemeral,
  type StoredDurability,
  ticksBetween,
} from './durability.ts';
export { entryHash } from './entry-hash.ts';
export { migrate, planMigration } from './evolution.ts';
export { FORMAT_VERSION, ROWS_MAX, type SchemaSource } from './header.ts';
export {
  INTEREST_KEPT_MS,
  INTEREST_MS_MAX,
  INTEREST_RUNS_MAX,
  type Interest,
  interestJson,
  parseInterest,
} from './interest.ts';
export { canonicalJson, JSON_DEPTH_MAX, type Json } from './json.ts';
export {
  channelKind,
  decodeMail,
  decodeOutbox,
  decodePost,
  encodeMail,
  encodeOutbox,
  type Letter,
  type MailSource,
  mailId,
  mailSource,
  OUTBOX,
  type Outbox,
  postTick,
  UNASKED,
  type Undelivered,
} from './letters.ts';
export type * from './life-store.ts';
export { ANSWER_KEPT_S, DEAD_LETTERS_MAX, IDS_PER_CALL_MAX } from './life-store.ts';
export { decodeLoadSample, encodeLoadSample } from './load-sample.ts';
export { isOwnComponent, ownSchema, PREFAB_COMPONENT } from './own-components.ts';
export type * from './plan.ts';
export { DECISIONS_PER_PLAN_MAX, LEAD_TTL_MS_MAX } from './plan.ts';
export { PLAN_BYTES_MAX, parsePlan, planJson } from './plan-body.ts';
export { checkLead, decisionTexts, journalEntry, podUnknown } from './plan-calls.ts';
export type * from './registry.ts';
export {
  EMPTY_PAGE,
  type RegistryDesk,
  type RegistryPage,
  type RegistryPages,
  registryOn,
} from './registry-pages.ts';
export type * from './request.ts';
export { CREATES_PER_REQUEST_MAX, decodeRequest, encodeRequest, valuesHash } from './request.ts';
export type { RowSet } from './row-set.ts';
export { componentsOf } from './row-values.ts';
export {
  COMPONENTS_MAX,
  type Column,
  type ComponentSchema,
  columnValue,
  componentIndex,
  emptyColumn,
  FIELDS_MAX,
  type FieldKind,
  type FieldSchema,
  type FieldValue,
  fieldIndex,
  isOfKind,
  KINDS,
  type LayerSchema,
  layerSchema,
  parseSchema,
  type SchemaResolver,
  type Slab,
  schemaJson,
} from './schema.ts';
export { StateHash } from './state-hash.ts';
export type * from './store.ts';
export {
  BYTES_PER_CALL_MAX,
  BYTES_PER_CELL_MAX,
  CELLS_PER_CALL_MAX,
  GEO_PER_COMMIT_MAX,
  LOCATE_CELLS_MAX,
  NEAR_COUNT_MAX,
  NEAR_SEARCHES_MAX,
  OUT_PER_COMMIT_MAX,
  POSTS_PER_READ_MAX,
  SYSTEM_MS,
} from './store.ts';
export { Table } from './table.ts';
export {
  type CellRestore,
  type CellSeed,
  type CellSeedReply,
  type ChannelRestore,
  SEED_EPOCH,
  type WorldAdmin,
} from './world-admin.ts';
export { CLOCK_READ_MS, dueAtMs, missedTicks, tickAt } from './world-time.ts';
