/** Flags and help of `leasehold snapshot schedule`. */
import type { Retention } from '@leasehold/snapshot-store';
import type { Command } from 'commander';
import { answered } from '../entity/answered.ts';
import { ofApi } from '../entity/command.ts';
import { type ApiFlags, apiAddress } from '../entity/options.ts';
import { invalid, numberOf } from '../options.ts';
import type { Output } from '../output.ts';

const SCHEDULE_HELP = `
Examples:
  $ leasehold snapshot schedule --world flights --every 10m --keep 6 --hourly 24 --daily 14
  $ leasehold snapshot schedule --cron '30 3 * * *' --timezone Europe/Berlin --daily 14
  $ leasehold snapshot schedule --world flights --show
  $ leasehold snapshot schedule --world flights --off

The lifecycle service takes them, also while nobody is logged in: leasehold run WORLD --lifecycle 1
--snapshots starts one with a database. What any count keeps, stays, and so does all that was not taken
by the schedule; without a count nothing is let go of.

Exit codes:
  0  it is done
  1  the API refuses it, or there is no schedule
  2  the command is wrong, or no API answers`;

type Flags = ApiFlags & {
  readonly every?: string;
  readonly cron?: string;
  readonly timezone?: string;
  readonly keep?: string;
  readonly hourly?: string;
  readonly daily?: string;
  readonly show?: boolean;
  readonly off?: boolean;
};

/** What is to become of the schedule of a world. */
export type ScheduleWish =
  | { readonly act: 'show' | 'end' }
  | ({ readonly act: 'put' } & Retention & {
        readonly everyMs?: number;
        readonly pattern?: string;
        readonly timezone?: string;
      });

const COUNT_MAX = 100_000;
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Errors: `SETTING_INVALID`. */
export function scheduleWish(flags: Flags): ScheduleWish {
  const [first, second] = (['every', 'cron', 'show', 'off'] as const).filter(
    (name) => flags[name] !== undefined,
  );
  if (first === undefined) {
    throw invalid('--every', '', 'Say how often, as in --every 10m, or --show, or --off.');
  }
  if (second !== undefined) throw invalid(`--${second}`, String(flags[second]), ONE);
  if (first === 'show') return { act: 'show' };
  if (first === 'off') return { act: 'end' };
  if (flags.timezone !== undefined && flags.cron === undefined) {
    throw invalid('--timezone', flags.timezone, 'It needs --cron: when it is that time there.');
  }
  return {
    act: 'put',
    ...(flags.every === undefined ? {} : { everyMs: durationMs('--every', flags.every) }),
    ...(flags.cron === undefined ? {} : { pattern: flags.cron }),
    ...(flags.timezone === undefined ? {} : { timezone: flags.timezone }),
    ...counts(flags),
  };
}

const ONE = 'Give one of --every, --cron, --show and --off.';

function counts(flags: Flags): Retention {
  const limit = { min: 0, max: COUNT_MAX, fallback: 0, isWhole: true };
  const { keep, hourly, daily } = flags;
  return {
    ...(keep === undefined ? {} : { keep: numberOf('--keep', keep, limit) }),
    ...(hourly === undefined ? {} : { hourly: numberOf('--hourly', hourly, limit) }),
    ...(daily === undefined ? {} : { daily: numberOf('--daily', daily, limit) }),
  };
}

function durationMs(flag: string, text: string): number {
  const [, number, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text.trim()) ?? [];
  const ms = Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS];
  if (ms >= UNIT_MS.s && ms <= 31 * UNIT_MS.d) return ms;
  throw invalid(flag, text, 'Give a time from 1s to 31d, such as 30s, 10m, 6h or 1d.');
}

type Face = {
  readonly output: Output;
  readonly env: NodeJS.ProcessEnv;
  readonly exit: (code: number) => void;
};

export function addSchedule(snapshot: Command, { output, env, exit }: Face): void {
  ofApi(snapshot.command('schedule'))
    .description(
      'Take snapshots again and again, and let go of the old ones, through the HTTP API.',
    )
    .option('--every <time>', 'how often: 30s, 10m, 6h, 1d')
    .option('--cron <pattern>', 'or when, as cron has it')
    .option('--timezone <name>', 'of --cron')
    .option('--keep <n>', 'the newest so many')
    .option('--hourly <n>', 'one of each of the last so many hours')
    .option('--daily <n>', 'one of each of the last so many days')
    .option('--show', 'what it is')
    .option('--off', 'no more; what was taken stays')
    .addHelpText('after', SCHEDULE_HELP)
    .action(async (flags: Flags) => {
      const [address, wish] = [apiAddress(flags, env), scheduleWish(flags)];
      const { schedule } = await import('./schedule.ts');
      exit(await answered(() => schedule(address, wish, output), output));
    });
}
