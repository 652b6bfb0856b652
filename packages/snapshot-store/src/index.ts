export * from './captured.ts';
export {
  type ConnectOptions,
  databaseFault,
  openPool,
  shownUrl,
  withClient,
} from './connection.ts';
export { type MigrateOptions, migrate } from './migrate.ts';
export { type PostgresRegistryOptions, postgresRegistry } from './registry-postgres.ts';
export { adoptPages } from './world-rows.ts';
