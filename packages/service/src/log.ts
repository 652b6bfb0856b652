/** Structured logs: one JSON object a line, on standard output unless told otherwise. */
import { LeaseholdError } from '@leasehold/kernel';
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';

export type Log = Logger;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Errors: `SETTING_INVALID` for a level that is none. */
export function checkLogLevel(level: string): LogLevel {
  const found = LOG_LEVELS.find((known) => known === level);
  if (found !== undefined) return found;
  throw new LeaseholdError('SETTING_INVALID', `LOG_LEVEL: ${JSON.stringify(level)} is no level`, {
    field: 'LOG_LEVEL',
    value: JSON.stringify(level),
    remedy: `Use one of ${LOG_LEVELS.join(', ')}.`,
  });
}

export type LogOptions = {
  /** The service that speaks. */
  readonly name: string;
  readonly level?: string;
  /** Where lines go; standard output by default. */
  readonly to?: DestinationStream;
};

/** Errors: `SETTING_INVALID` for a level that is none. */
export function openLog({ name, level = 'info', to }: LogOptions): Log {
  const options = {
    level: checkLogLevel(level),
    base: { service: name, pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // Synchronous: what a process says last, on its way out, is what one most wants to read.
  return pino(options, to ?? destination({ dest: 1, sync: true }));
}
