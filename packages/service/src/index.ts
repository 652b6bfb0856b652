export {
  addressOf,
  checkHost,
  checkOrigin,
  isLoopbackAddress,
  isLoopbackHost,
  isSameOrigin,
  isSameSecret,
} from './access.ts';
export { Backoff, type BackoffOptions } from './backoff.ts';
export { systemClock } from './clock.ts';
export {
  type ConfigOf,
  choice,
  type Environment,
  flag,
  integer,
  readConfig,
  type Setting,
  settingsTable,
  text,
} from './config.ts';
export {
  BODY_BYTES_MAX,
  CONNECTIONS_MAX,
  HEADERS_MS_MAX,
  type Http,
  type HttpOptions,
  openHttp,
  READY_MS_MAX,
  REQUEST_MS_MAX,
} from './http.ts';
export {
  checkLogLevel,
  LOG_LEVELS,
  type Log,
  type LogLevel,
  type LogOptions,
  openLog,
} from './log.ts';
export { patiently } from './patience.ts';
export { type Part, Parts, runService } from './service.ts';
