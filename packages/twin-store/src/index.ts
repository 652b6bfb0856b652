export { openTwinAdmin, type TwinAdminOptions } from './admin.ts';
export type { CellRecord, Checkpoint } from './cell.ts';
export type { TwinDefect } from './defects.ts';
export { ManualClock } from './manual-clock.ts';
export { openTwinPlanStore, type TwinPlanStoreOptions } from './plan-store.ts';
export {
  type CallName,
  type TwinGrid,
  type TwinOptions,
  type TwinServer,
  type TwinSnapshot,
  twinServer,
  type Witness,
} from './server.ts';
export { openTwinStore, type TwinStoreOptions } from './store.ts';
