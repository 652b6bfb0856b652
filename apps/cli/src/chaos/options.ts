/** Flags of `leasehold chaos`: each refused by name, with the value and what it may be. */
import { resolve } from 'node:path';
import {
  AUTHORITIES_MAX,
  type Break,
  breakOf,
  GATEWAYS_MAX,
  invalid,
  numberOf,
  PODS_MAX,
  type RunOptions,
} from '../options.ts';
import { FAULT_KINDS, type FaultKind } from './faults.ts';

/** What commander hands over: every value as it was typed. */
export type ChaosFlags = {
  readonly pods?: string;
  readonly minutes?: string;
  readonly seconds?: string;
  readonly faults?: string;
  readonly gateways?: string;
  readonly authorities?: string;
  readonly clients?: string;
  readonly seed?: string;
  readonly report?: string;
  readonly lockstep?: boolean;
  readonly ticks?: string;
  readonly expect?: string;
  readonly break?: string;
  readonly json?: boolean;
};

export type ChaosOptions = {
  readonly folder: string;
  readonly pods: number;
  readonly gateways: number;
  /** 0 = none: pods share the cells among themselves. */
  readonly authorities: number;
  readonly clients: number;
  /** How long faults begin; 0 in lockstep, where ticks say it. */
  readonly seconds: number;
  readonly isLockstep: boolean;
  /** Of a lockstep run; 0 in realtime. */
  readonly ticks: number;
  /** The state hash a lockstep run must end with; '' = whatever comes. */
  readonly expectedHash: string;
  readonly faults: readonly FaultKind[];
  readonly seed: number;
  /** Folder for report.json and report.html; '' = none is written. */
  readonly reportFolder: string;
  readonly break: Break | undefined;
};

const PODS_DEFAULT = 4;
const MINUTES_DEFAULT = 1;
const MINUTES_MAX = 24 * 60;
/** Below this hardly a fault has time to end. */
const SECONDS_MIN = 2;
const TICKS_DEFAULT = 400;
const CLIENTS_DEFAULT = 8;
/** Each is a socket and a copy of what it sees, all in one process. */
export const CLIENTS_MAX = 64;

/** Throws `SETTING_INVALID` for the first flag that is wrong, or that contradicts another. */
export function chaosOptions(folder: string, flags: ChaosFlags): ChaosOptions {
  const isLockstep = flags.lockstep === true;
  const gateways = whole('--gateways', flags.gateways, [0, GATEWAYS_MAX, 1]);
  const authorities = whole('--authorities', flags.authorities, [0, AUTHORITIES_MAX, 0]);
  return {
    folder: resolve(folder),
    pods: whole('--pods', flags.pods, [1, PODS_MAX, PODS_DEFAULT]),
    gateways,
    authorities,
    clients: clientsOf(flags, gateways),
    seconds: secondsOf(flags, isLockstep),
    isLockstep,
    ticks: ticksOf(flags, isLockstep),
    expectedHash: hashOf(flags, isLockstep),
    faults: faultsOf(flags.faults, { gateway: gateways, authority: authorities }),
    seed: whole('--seed', flags.seed, [0, 2 ** 32 - 1, 1]),
    reportFolder: reportOf(flags.report),
    break: breakOf(flags.break),
  };
}

/** As a run without faults of its own. */
export function runOptionsOf(options: ChaosOptions, home: string): RunOptions {
  const { folder, pods, gateways, authorities, isLockstep, ticks } = options;
  return {
    ...{ folder, pods, gateways, isLockstep, ticks, home, break: options.break },
    // Nothing of its worlds is anybody else's.
    databaseUrl: '',
    ...{ port: 0, isOpening: false, seconds: 0, seed: -1, isFresh: true },
    ...{
      authorities,
      lifecycles: 0,
      hasSnapshots: false,
      autoscale: undefined,
      sparePercent: undefined,
    },
    ...{ killEveryMs: 0, stopEveryMs: 0, stopForMs: 0 },
  };
}

function whole(
  flag: string,
  text: string | undefined,
  [min, max, fallback]: readonly [number, number, number],
): number {
  return numberOf(flag, text, { min, max, fallback, isWhole: true });
}

function clientsOf({ clients: text }: ChaosFlags, gateways: number): number {
  const clients = whole('--clients', text, [0, CLIENTS_MAX, gateways === 0 ? 0 : CLIENTS_DEFAULT]);
  if (clients > 0 && gateways === 0) {
    throw invalid('--clients', String(text), 'It needs --gateways: clients see through them.');
  }
  return clients;
}

function secondsOf({ minutes, seconds }: ChaosFlags, isLockstep: boolean): number {
  const [flag, given] = minutes === undefined ? ['--seconds', seconds] : ['--minutes', minutes];
  if (isLockstep && given !== undefined) {
    throw invalid(flag as string, given, 'Give --ticks: lockstep ends by ticks, not by time.');
  }
  if (minutes !== undefined && seconds !== undefined) {
    throw invalid('--seconds', seconds, 'Give --minutes or --seconds, not both.');
  }
  if (isLockstep) return 0;
  if (seconds !== undefined) {
    return numberOf('--seconds', seconds, { min: SECONDS_MIN, max: MINUTES_MAX * 60, fallback: 0 });
  }
  const limits = { min: SECONDS_MIN / 60, max: MINUTES_MAX, fallback: MINUTES_DEFAULT };
  // Two seconds are no round number of minutes, and would be a strange bound to read.
  return numberOf('--minutes', minutes, { ...limits, min: 0.05 }) * 60;
}

function ticksOf({ ticks }: ChaosFlags, isLockstep: boolean): number {
  if (isLockstep) return whole('--ticks', ticks, [20, 1e6, TICKS_DEFAULT]);
  if (ticks !== undefined) throw invalid('--ticks', ticks, 'It needs --lockstep.');
  return 0;
}

function hashOf({ expect }: ChaosFlags, isLockstep: boolean): string {
  if (expect === undefined) return '';
  if (!isLockstep) throw invalid('--expect', expect, 'It needs --lockstep.');
  if (/^[0-9a-f]{16}$/.test(expect)) return expect;
  throw invalid('--expect', expect, 'Give the 16 hex digits that a run with --lockstep printed.');
}

/** How many there are of those that there need not be. */
type Extras = Readonly<Partial<Record<FaultKind, number>>>;

function faultsOf(text: string | undefined, extras: Extras): FaultKind[] {
  const possible = FAULT_KINDS.filter((kind) => extras[kind] !== 0);
  if (text === undefined) return possible;
  const words = text.split(',').map((word) => word.trim());
  for (const word of words) {
    if (!FAULT_KINDS.some((kind) => kind === word)) {
      throw invalid('--faults', word, `Give some of ${FAULT_KINDS.join(', ')}, with commas.`);
    }
    if (extras[word as FaultKind] === 0) {
      const flag = word === 'gateway' ? '--gateways' : '--authorities';
      throw invalid('--faults', word, `It needs ${flag}: there is none to be killed.`);
    }
  }
  return FAULT_KINDS.filter((kind) => words.includes(kind));
}

function reportOf(text: string | undefined): string {
  if (text === undefined) return '';
  if (text.trim() === '') throw invalid('--report', text, 'Give a folder; it need not exist yet.');
  return resolve(text);
}
