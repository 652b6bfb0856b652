export { ask, infoField } from './ask.ts';
export {
  freePort,
  goneWithin,
  type Launched,
  type LaunchOptions,
  launchRedis,
} from './launch.ts';
export { type DatabaseOptions, type DatabaseServer, openDatabase } from './open-database.ts';
export {
  findSource,
  missing,
  openServers,
  type Servers,
  type ServersOptions,
  type Source,
} from './open-servers.ts';
export { findPostgres, type PostgresPrograms } from './postgres-binary.ts';
export { hasPrivatePostgres } from './private-postgres.ts';
export { openProgram, type WantedProgram } from './program.ts';
export { type Direction, openProxy, type ProxyOptions, type TcpProxy } from './proxy.ts';
