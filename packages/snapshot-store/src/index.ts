export * from './captured.ts';
export { ColdCells, type ColdCellsOptions } from './cold-cells.ts';
export { dropColdCells } from './cold-drop.ts';
export {
  type ConnectOptions,
  databaseFault,
  openPool,
  shownUrl,
  withClient,
} from './connection.ts';
export type { EntityDifference, FieldDifference } from './diff.ts';
export type {
  EntitiesQuery,
  NearEntity,
  NearQuery,
  SnapshotCounts,
  SnapshotEntity,
} from './entities.ts';
export { SNAPSHOT_FORMAT } from './facts.ts';
export type { ImportOptions } from './import-file.ts';
export { type MigrateOptions, migrate } from './migrate.ts';
export { Pace, sipBytes } from './pace.ts';
export type { Pruned, PruneOptions } from './prune.ts';
export type { SnapshotSummary } from './reader.ts';
export { type PostgresRegistryOptions, postgresRegistry } from './registry-postgres.ts';
export type { Retention } from './retention.ts';
export { type OpenSnapshotStoreOptions, openSnapshotStore, type SnapshotStore } from './store.ts';
export { adoptPages } from './world-rows.ts';
export type { Finished, SnapshotWriter, WriteOptions } from './writer.ts';
