export { LiveWorldAdmin, openWorldAdmin, type WorldAdminOptions } from './admin.ts';
export { LIBRARY, librarySource } from './library.ts';
export type { Traffic } from './link.ts';
export {
  GRACE_MS_DEFAULT,
  LiveStore,
  type LiveStoreOptions,
  openLiveStore,
  type StoreEvent,
} from './live-store.ts';
export {
  LivePlanStore,
  type LivePlanStoreOptions,
  openLivePlanStore,
  type PlanStoreEvent,
} from './plan-store.ts';
export { type PreflightReport, preflight } from './preflight.ts';
export type { ServerPromise } from './preflight-promises.ts';
export { readyIncarnation, storedSchemas } from './ready-world.ts';
export { LiveRecords, type LiveRecordsOptions, openLiveRecords } from './records.ts';
export { fileRegistry, registryFiles } from './registry-file.ts';
export {
  type CellBirth,
  type SeedFacts,
  type SeedOptions,
  type SeedProgress,
  type SeedResult,
  seedWorld,
} from './seeding.ts';
export { ServerClock } from './server-clock.ts';
