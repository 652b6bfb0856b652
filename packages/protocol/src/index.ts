export type * from './store.ts';
export {
  BYTES_PER_CALL_MAX,
  BYTES_PER_CELL_MAX,
  CELLS_PER_CALL_MAX,
  GEO_PER_COMMIT_MAX,
  OUT_PER_COMMIT_MAX,
} from './store.ts';
export { type CellSeed, type CellSeedReply, SEED_EPOCH, type WorldAdmin } from './world-admin.ts';
