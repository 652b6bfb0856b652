/** Values of flags: parsed in one place, refused with the flag, the value and what it may be. */
import { resolve } from 'node:path';
import { LeaseholdError } from '@leasehold/kernel';

export type Break = 'fence' | 'chain' | 'channel';
export const BREAKS: readonly Break[] = ['fence', 'chain', 'channel'];

/** More processes than this on one machine measure the machine, not the product. */
export const PODS_MAX = 64;
export const GATEWAYS_MAX = 16;
export const AUTHORITIES_MAX = 8;
export const LIFECYCLES_MAX = 8;
const SPARE_PERCENT_MAX = 99;
const PORT_MAX = 65_535;
const DAY_S = 86_400;

/** What commander hands over: every value as it was typed. */
export type RunFlags = {
  readonly pods?: string;
  readonly gateways?: string;
  readonly authorities?: string;
  readonly lifecycle?: string;
  readonly snapshots?: boolean;
  readonly autoscale?: string;
  readonly spare?: string;
  readonly port?: string;
  readonly open?: boolean;
  readonly seconds?: string;
  readonly ticks?: string;
  readonly lockstep?: boolean;
  readonly seed?: string;
  readonly json?: boolean;
  readonly killEvery?: string;
  readonly stopEvery?: string;
  readonly stopFor?: string;
  readonly fresh?: boolean;
  readonly break?: string;
  readonly home?: string;
};

export type ScaleBounds = { readonly min: number; readonly max: number };

export type RunOptions = {
  readonly folder: string;
  readonly pods: number;
  /** 0 = none: the world needs no gateway to live. */
  readonly gateways: number;
  /** 0 = none: pods share the cells among themselves. */
  readonly authorities: number;
  /** Processes that serve the HTTP API; 0 = none. */
  readonly lifecycles: number;
  /** Whether these get a database for snapshots. */
  readonly hasSnapshots: boolean;
  /** How many pods there may be, as the authority wants; undefined = as many as were started. */
  readonly autoscale: ScaleBounds | undefined;
  /** In percent, what a plan leaves free of each pod's tick; undefined = the usual part. */
  readonly sparePercent: number | undefined;
  /** Of the first gateway; 0 = a free one from the default on. */
  readonly port: number;
  /** Whether a browser is opened on the map. */
  readonly isOpening: boolean;
  /** 0 = until told to stop. */
  readonly seconds: number;
  /** 0 = no end tick. */
  readonly ticks: number;
  readonly isLockstep: boolean;
  /** −1 = the manifest's. */
  readonly seed: number;
  /** 0 = never. */
  readonly killEveryMs: number;
  readonly stopEveryMs: number;
  readonly stopForMs: number;
  readonly isFresh: boolean;
  readonly break: Break | undefined;
  readonly home: string;
  /** '' = the registry of the home whatever the environment says. */
  readonly databaseUrl?: string;
};

const WHOLE = { fallback: 0, isWhole: true };

/** A flag that cannot be what it is. */
export function invalid(flag: string, value: string, remedy: string): LeaseholdError {
  const message = `${flag} cannot be ${JSON.stringify(value)}`;
  return new LeaseholdError('SETTING_INVALID', message, { field: flag, value, remedy });
}

/** A number within bounds, or the fallback when the flag is absent. */
export function numberOf(
  flag: string,
  text: string | undefined,
  {
    min,
    max,
    fallback,
    isWhole = false,
  }: {
    readonly min: number;
    readonly max: number;
    readonly fallback: number;
    readonly isWhole?: boolean;
  },
): number {
  if (text === undefined) return fallback;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const isRight = value >= min && value <= max && (!isWhole || Number.isInteger(value));
  if (isRight) return value;
  const kind = isWhole ? 'a whole number' : 'a number';
  throw invalid(flag, text, `Give ${kind} from ${min} to ${max}.`);
}

/** Where registry and private Redis live: the flag, LEASEHOLD_HOME, or .leasehold here. */
export function homeOf(flag: string | undefined, env: NodeJS.ProcessEnv): string {
  const fallback = env['LEASEHOLD_HOME'] === '' ? undefined : env['LEASEHOLD_HOME'];
  return resolve(flag ?? fallback ?? '.leasehold');
}

/** Throws `SETTING_INVALID` for the first flag that is wrong, or that contradicts another. */
export function runOptions(folder: string, flags: RunFlags, env: NodeJS.ProcessEnv): RunOptions {
  const seconds = { min: 0.1, max: 30 * DAY_S, fallback: 0 };
  const options: RunOptions = {
    folder: resolve(folder),
    ...podOptions(flags),
    ...gatewayOptions(flags),
    lifecycles: numberOf('--lifecycle', flags.lifecycle, {
      ...{ ...WHOLE, min: 0, max: LIFECYCLES_MAX },
    }),
    hasSnapshots: flags.snapshots === true,
    seconds: numberOf('--seconds', flags.seconds, seconds),
    ticks: numberOf('--ticks', flags.ticks, { min: 1, max: 1e9, fallback: 0, isWhole: true }),
    isLockstep: flags.lockstep === true,
    seed: numberOf('--seed', flags.seed, { min: 0, max: 2 ** 32 - 1, fallback: -1, isWhole: true }),
    killEveryMs: numberOf('--kill-every', flags.killEvery, seconds) * 1000,
    stopEveryMs: numberOf('--stop-every', flags.stopEvery, seconds) * 1000,
    stopForMs: numberOf('--stop-for', flags.stopFor, { ...seconds, fallback: 5 }) * 1000,
    isFresh: flags.fresh === true,
    break: breakOf(flags.break),
    home: homeOf(flags.home, env),
  };
  if (flags.stopFor !== undefined && flags.stopEvery === undefined) {
    throw invalid('--stop-for', flags.stopFor, 'It needs --stop-every: how often a pod is frozen.');
  }
  if (options.hasSnapshots && options.lifecycles === 0) {
    throw invalid('--snapshots', 'alone', 'It needs --lifecycle: who takes them when asked.');
  }
  return withImpliedFaults(options);
}

/** Throws `SETTING_INVALID` for what is not `2..8`. */
function scaleBounds(text: string | undefined): ScaleBounds | undefined {
  if (text === undefined) return undefined;
  const [, low, high] = /^(\d{1,4})\.\.(\d{1,4})$/.exec(text.trim()) ?? [];
  const [min, max] = [Number(low), Number(high)];
  if (min >= 1 && max >= min && max <= PODS_MAX) return { min, max };
  throw invalid('--autoscale', text, `Give two whole numbers from 1 to ${PODS_MAX}, as in 2..8.`);
}

function podOptions({ pods: count, authorities: planners, autoscale: bounds, spare }: RunFlags) {
  const autoscale = scaleBounds(bounds);
  const fallback = autoscale?.min ?? 1;
  const pods = numberOf('--pods', count, { ...WHOLE, min: 1, max: PODS_MAX, fallback });
  const needed = autoscale === undefined ? 0 : 1;
  const authorities = numberOf('--authorities', planners, {
    ...{ ...WHOLE, min: needed, max: AUTHORITIES_MAX, fallback: needed },
  });
  const sparePercent =
    spare === undefined
      ? undefined
      : numberOf('--spare', spare, { ...WHOLE, min: 0, max: SPARE_PERCENT_MAX });
  if (authorities === 0 && spare !== undefined) {
    throw invalid('--spare', spare, 'It needs --authorities or --autoscale: who leaves it free.');
  }
  return { pods, authorities, autoscale, sparePercent };
}

function gatewayOptions({ gateways: count, port: first, open }: RunFlags) {
  const gateways = numberOf('--gateways', count, { ...WHOLE, min: 0, max: GATEWAYS_MAX });
  const isOpening = open === true;
  // The others have the ports after the first one's.
  const port = numberOf('--port', first, {
    ...WHOLE,
    min: 1,
    max: PORT_MAX + 1 - Math.max(1, gateways),
  });
  if (gateways > 0) return { gateways, port, isOpening };
  const remedy = 'It needs --gateways: how many serve the map.';
  if (first !== undefined) throw invalid('--port', first, remedy);
  if (isOpening) throw invalid('--open', '', remedy);
  return { gateways, port, isOpening };
}

/** Throws `SETTING_INVALID` for a build that there is not. */
export function breakOf(text: string | undefined): Break | undefined {
  if (text === undefined) return undefined;
  const found = BREAKS.find((name) => name === text);
  if (found === undefined) throw invalid('--break', text, `Give one of ${BREAKS.join(', ')}.`);
  return found;
}

/** A build without a fence shows itself only when somebody comes back after its lease has ended. */
function withImpliedFaults(options: RunOptions): RunOptions {
  const hasFaults = options.killEveryMs > 0 || options.stopEveryMs > 0;
  if (options.break === undefined || hasFaults) return options;
  if (options.break === 'fence') {
    return { ...options, stopEveryMs: 4_000, pods: Math.max(2, options.pods) };
  }
  return options;
}
