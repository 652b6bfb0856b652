export { AREA_ENTITIES_MAX, type AreaChange, type AreaPlan, planArea } from './area-plan.ts';
export { Capture, type CaptureLayer, type CaptureOptions } from './capture.ts';
export { type Cut, type CutWorld, takeCut } from './cut.ts';
export { type Sip, SNAPSHOT_BYTES_PER_SECOND, snapshotRate } from './rate.ts';
export { type AreaRestored, type AreaWorld, restoreArea } from './restore-area.ts';
export { type RestoreLayer, type RestoreTotals, restoreCells } from './restore-cells.ts';
export {
  type Restored,
  type RestoreOptions,
  type RestoreProgress,
  restoreSnapshot,
} from './restore-world.ts';
export { type Taken, type TakeOptions, type TakeProgress, takeSnapshot } from './take.ts';
