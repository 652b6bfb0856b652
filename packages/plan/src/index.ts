export { greedyByCell } from './greedy-by-cell.ts';
export { type Attention, gatherInterests } from './interests.ts';
export {
  CELL_ENTITIES_MAX,
  CELL_TICK_MS_MAX,
  gatherLoads,
  LIES_PER_POD_MAX,
  type Lie,
  type LoadReports,
  type Loads,
} from './loads.ts';
export { type MadePlan, makePlan } from './make-plan.ts';
export { podsWanted, type Wanted, type WantedInput } from './pods-wanted.ts';
export { POLICIES } from './policies.ts';
export type { PlanGrid, PlanInput, Planned, PlanPod, Policy } from './policy.ts';
export { regionsByLoad } from './regions-by-load.ts';
export {
  borderLength,
  type Replayed,
  type ReplayOptions,
  type ReplaySample,
  replay,
} from './replay.ts';
export { PLAN_SETTINGS, type PlanSettings } from './settings.ts';
export { staticGrid } from './static-grid.ts';
export { PLAN_FAULTS_MAX, type PlanFault, validatePlan } from './validate.ts';
