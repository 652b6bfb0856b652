/** Flags and help of the commands about snapshots. */
import type { Command } from 'commander';
import { homeOf, numberOf } from '../options.ts';
import type { Output } from '../output.ts';
import { addSchedule } from './schedule-command.ts';

const WHERE = `
Snapshots are kept in PostgreSQL with PostGIS: the one that DATABASE_URL names, or a private one under
the home, which is started and, as root on Debian or Ubuntu, installed when it is needed.`;

const CREATE_HELP = `
Examples:
  $ leasehold snapshot create
  $ leasehold snapshot create --world flights --id before-the-storm
  $ leasehold snapshot create --pause --json
${WHERE}

Exit codes:
  0  it is there, whole
  2  the world cannot be read, or the database not be written: there is no snapshot of this name`;

const LIST_HELP = `
Examples:
  $ leasehold snapshot list
  $ leasehold snapshot list --world flights --json
${WHERE}`;

const RESTORE_HELP = `
Examples:
  $ leasehold snapshot restore before-the-storm --dry-run
  $ leasehold snapshot restore before-the-storm --yes
  $ leasehold snapshot restore before-the-storm --area flood.geojson --dry-run

Nothing is overwritten: the snapshot fills a new incarnation, and only when it is all there and was looked
at, that one becomes the world. Pods, gateways and runs follow by themselves. Works as well when Redis has
lost everything.

With --area the world goes on, and a part of it becomes what it was by ordinary births, deaths and
changes: who has died is born again under a new id, who lives elsewhere now is left alone. A second time
changes nothing. With --dry-run nothing is asked for; --json names who it would be about.

Exit codes:
  0  the world, or the area, is as it was
  1  some of the area was refused, as it went or died meanwhile
  2  it could not be restored (SNAPSHOT_CORRUPT, WORLD_MISMATCH, REDIS_REFUSED): the world runs on as it is`;

const BRANCH_HELP = `
Examples:
  $ leasehold snapshot branch before-the-storm --as what-if
  $ leasehold snapshot branch --world flights --as what-if

A branch is a world of its own. To run it, give its name in a copy of the world's folder (world: what-if).`;

const DIFF_HELP = `
Examples:
  $ leasehold snapshot diff monday tuesday
  $ leasehold snapshot diff monday --json
  $ leasehold snapshot diff monday tuesday --geojson > changed.geojson

Without a second snapshot: with the world as it is now.`;

const EXPORT_HELP = `
Examples:
  $ leasehold snapshot export monday monday.ndjson.gz
  $ leasehold snapshot export monday monday.geojson --geojson
  $ leasehold snapshot import monday.ndjson.gz --id monday-again

The first is exact: what is restored of it has the same hash. GeoJSON is for maps.`;

const PRUNE_HELP = `
Examples:
  $ leasehold snapshot prune --world flights --keep 3 --hourly 24 --daily 14 --yes

What any of the rules keeps, stays.`;

type Flags = {
  readonly home?: string;
  readonly world?: string;
  readonly id?: string;
  readonly area?: string;
  readonly pause?: boolean;
  readonly tick?: string;
  readonly rate?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly as?: string;
  readonly limit?: string;
  readonly geojson?: boolean;
  readonly keep?: string;
  readonly hourly?: string;
  readonly daily?: string;
};

const COUNT_MAX = 100_000;
const RATE =
  'write at most so many bytes a second, 0 = as fast as it goes (default: what ticks hardly feel; 0 with --pause)';

export function addSnapshot(
  program: Command,
  output: Output,
  env: NodeJS.ProcessEnv,
  exit: (code: number) => void,
): void {
  const snapshot = program
    .command('snapshot')
    .description('The world as it was: saved while it runs, looked at, put back, branched.');
  const homed = (text: string): Command =>
    snapshot
      .command(text)
      .option(
        '--home <folder>',
        'registry and private servers (default: LEASEHOLD_HOME, .leasehold)',
      )
      .option('--json', 'one JSON value on stdout, nothing else');
  const at = ({ home }: Flags) => ({ home: homeOf(home, env) });

  homed('create')
    .description('Save a world as it is at one tick, while it runs.')
    .option('--world <name>', 'a name or a folder (default: the one that runs)')
    .option('--id <name>', 'its name (default: the world and the time)')
    .option('--pause', 'let its time stand still meanwhile')
    .option('--tick <t>', 'at this tick, which is to come')
    .option('--rate <bytes>', RATE)
    .addHelpText('after', CREATE_HELP)
    .action(async (flags: Flags) => {
      const whole = { fallback: -1, isWhole: true, min: 1, max: 2 ** 48 };
      const tick = numberOf('--tick', flags.tick, { ...whole, min: 0 });
      const rate = numberOf('--rate', flags.rate, { ...whole, min: 0 });
      const { create } = await import('./create.ts');
      exit(
        await create(
          {
            ...{ ...at(flags), world: flags.world, id: flags.id },
            ...{ isPaused: flags.pause === true, tick: tick < 0 ? undefined : tick },
            bytesPerSecond: rate < 0 ? undefined : rate,
          },
          output,
        ),
      );
    });
  addReading(homed, { at, output, exit });
  addReplacing(homed, { at, output, exit });
  addSchedule(snapshot, { output, env, exit });
}

type Parts = {
  readonly at: (flags: Flags) => { readonly home: string };
  readonly output: Output;
  readonly exit: (code: number) => void;
};

function addReading(homed: (text: string) => Command, { at, output, exit }: Parts): void {
  homed('list')
    .description('List snapshots, newest first.')
    .option('--world <name>', 'of one world')
    .addHelpText('after', LIST_HELP)
    .action(async (flags: Flags) => {
      const { list } = await import('./keep.ts');
      exit(await list({ ...at(flags), world: flags.world }, output));
    });
  homed('show <id>')
    .description('What a snapshot is of, and what is in it.')
    .action(async (id: string, flags: Flags) => {
      const { show } = await import('./keep.ts');
      exit(await show({ ...at(flags), id }, output));
    });
  homed('verify <id>')
    .description('Read all of a snapshot, and say whether it is what was written.')
    .action(async (id: string, flags: Flags) => {
      const { verify } = await import('./keep.ts');
      exit(await verify({ ...at(flags), id }, output));
    });
  homed('diff <from> [to]')
    .description('What came, went and changed.')
    .option('--limit <n>', 'so many entities are listed (default: 50)')
    .option('--geojson', 'a FeatureCollection of where they are, or were')
    .addHelpText('after', DIFF_HELP)
    .action(async (from: string, to: string | undefined, flags: Flags) => {
      const limit = { min: 0, max: COUNT_MAX, fallback: 50, isWhole: true };
      const isGeoJson = flags.geojson === true;
      const { diff } = await import('./diff.ts');
      const wish = { from, to, limit: numberOf('--limit', flags.limit, limit), isGeoJson };
      exit(await diff({ ...at(flags), ...wish }, output));
    });
  homed('export <id> <file>')
    .description('Write a snapshot into a file.')
    .option('--geojson', 'entities for maps; cannot be imported')
    .addHelpText('after', EXPORT_HELP)
    .action(async (id: string, file: string, flags: Flags) => {
      const { exportTo } = await import('./keep.ts');
      exit(await exportTo({ ...at(flags), id, file, isGeoJson: flags.geojson === true }, output));
    });
}

function addReplacing(homed: (text: string) => Command, { at, output, exit }: Parts): void {
  homed('import <file>')
    .description('Read a snapshot from a file.')
    .option('--id <name>', 'its name (default: as it was)')
    .addHelpText('after', EXPORT_HELP)
    .action(async (file: string, flags: Flags) => {
      const { importFrom } = await import('./keep.ts');
      exit(await importFrom({ ...at(flags), file, id: flags.id }, output));
    });
  homed('restore <id>')
    .description('Make a world what it was.')
    .option('--area <area>', 'only this part: a GeoJSON file with a polygon, box:…, circle:…')
    .option('--dry-run', 'say what would be done')
    .option('--yes', 'you are sure')
    .addHelpText('after', RESTORE_HELP)
    .action(async (id: string, flags: Flags) => {
      const isSure = flags.yes === true;
      const isDryRun = flags.dryRun === true;
      const wish = { ...at(flags), id, isSure, isDryRun };
      if (flags.area !== undefined) {
        const { restorePart } = await import('./area.ts');
        return exit(await restorePart({ ...wish, area: flags.area }, output));
      }
      const { restore } = await import('./restore.ts');
      exit(await restore(wish, output));
    });
  homed('branch [id]')
    .description('Begin another world where a snapshot, or the world now, is.')
    .requiredOption('--as <name>', 'name of the new world')
    .option('--world <name>', 'without a snapshot: a name or a folder (default: the one that runs)')
    .addHelpText('after', BRANCH_HELP)
    .action(async (id: string | undefined, flags: Flags) => {
      const { branch } = await import('./restore.ts');
      exit(await branch({ ...at(flags), id, world: flags.world, as: flags.as ?? '' }, output));
    });
  homed('prune')
    .description('Remove snapshots that no rule keeps.')
    .requiredOption('--world <name>', 'of this world')
    .option('--keep <n>', 'the newest so many')
    .option('--hourly <n>', 'one of each of the last so many hours')
    .option('--daily <n>', 'one of each of the last so many days')
    .option('--yes', 'you are sure')
    .addHelpText('after', PRUNE_HELP)
    .action(async (flags: Flags) => {
      const limit = { min: 0, max: COUNT_MAX, fallback: 0, isWhole: true };
      const kept = {
        keep: numberOf('--keep', flags.keep, limit),
        hourly: numberOf('--hourly', flags.hourly, limit),
        daily: numberOf('--daily', flags.daily, limit),
      };
      const { prune } = await import('./keep.ts');
      const of = { world: flags.world ?? '', isSure: flags.yes === true };
      exit(await prune({ ...at(flags), ...of, ...kept }, output));
    });
}
