export * from './captured.ts';
export {
  type ConnectOptions,
  databaseFault,
  openPool,
  shownUrl,
  withClient,
} from './connection.ts';
export { type MigrateOptions, migrate } from './migrate.ts';
