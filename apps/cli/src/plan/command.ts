/** Flags and help of `leasehold plan`. */
import { POLICIES } from '@leasehold/plan';
import type { Command } from 'commander';
import type { WorldFlags } from '../known-world.ts';
import { homeOf, numberOf } from '../options.ts';
import type { Output } from '../output.ts';
import { areaOf, repeated } from '../watch-options.ts';
import { ENTRIES_MAX, nameOf, policiesOf, regionOf, sinceMsOf, wakeMsOf } from './options.ts';

const COUNT_DEFAULT = 20;

const WHICH = `
The world is the one that runs, or what --world says: a name, or a folder.`;

const LAYERS = `
Each layer has a plan of its own. --layer names one; otherwise it is the layer with the positions.`;

const EXIT_CODES = `
Exit codes:
  0  it was shown
  2  the command is wrong, the world is not known, or Redis cannot be used`;

const PLAN_HELP = `
Examples:
  $ leasehold plan show
  $ leasehold plan history --follow
  $ leasehold plan explain 3
  $ leasehold plan replay --policy static-grid --since 1h
  $ leasehold plan wake --area box:0,0,40,20 --for 10m
${WHICH}${LAYERS}`;

const SHOW_HELP = `
Examples:
  $ leasehold plan show
  $ leasehold plan show --world examples/flights --json
${WHICH}
A letter is a pod, · sleeps, - is held by nobody, and north is up.
${EXIT_CODES}`;

const HISTORY_HELP = `
Examples:
  $ leasehold plan history
  $ leasehold plan history --since 1h --json
  $ leasehold plan history --follow --json
${WHICH}
With --follow and --json each line is one decision.
${EXIT_CODES}`;

const EXPLAIN_HELP = `
Examples:
  $ leasehold plan explain 3
  $ leasehold plan explain 3 --json
${WHICH}
Loads are in ms of tick time for each tick: what each pod carried → what it was to carry after it.
${EXIT_CODES}
     no region has this number, nor ever had (REGION_UNKNOWN)`;

const REPLAY_HELP = `
Policies: ${[...POLICIES.keys()].join(', ')}

Examples:
  $ leasehold plan replay --since 1h
  $ leasehold plan replay --policy greedy-by-cell --policy static-grid --since 10m --json
${WHICH}
imbalance is the tick time of the busiest pod by the mean of all, border the sides of cells that have
another pod beyond them. "in force" is what the world had: its border is that of the plan now.

Exit codes:
  0  it was planned again
  1  too little load was recorded in this time
  2  the command is wrong, the world is not known, or Redis cannot be used`;

const WAKE_HELP = `
Examples:
  $ leasehold plan wake --area box:-10,35,30,60 --for 10m
  $ leasehold plan wake --area circle:4,52,2 --for 2h --name harbour
  $ leasehold plan wake --area world --for 0s
${WHICH}
A cell sleeps when nothing is in or around it for long and nobody looks at it: no pod holds it, and no
tick is spent on it. An order replaces the one of the same name; --for 0s ends it.

Exit codes:
  0  it is ordered, and the next plan will have it
  2  the command is wrong, the world is not known, or Redis cannot be used`;

type Flags = {
  readonly world?: string;
  readonly home?: string;
  readonly layer?: string;
  readonly since?: string;
  readonly count?: string;
  readonly follow?: boolean;
  readonly policy?: readonly string[];
  readonly area?: string;
  readonly for?: string;
  readonly name?: string;
};

export function addPlan(
  program: Command,
  output: Output,
  env: NodeJS.ProcessEnv,
  exit: (code: number) => void,
): void {
  const plan = program
    .command('plan')
    .description('Show which pod should hold what, why, and what other policies would have made.')
    .addHelpText('after', PLAN_HELP);
  const located = (command: Command): Command =>
    command
      .option('--world <world>', 'a name or a folder (default: the one that runs)')
      .option('--layer <layer>', 'of the world (default: the one with the positions)')
      .option('--home <folder>', 'registry and private Redis (default: LEASEHOLD_HOME, .leasehold)')
      .option('--json', 'JSON on stdout, nothing else');
  const where = (flags: Flags) => {
    return { world: flags.world, layer: flags.layer, home: homeOf(flags.home, env) };
  };

  located(plan.command('show'))
    .description('Draw the plan in force, and list its regions.')
    .addHelpText('after', SHOW_HELP)
    .action(async (flags: Flags) => {
      const { show } = await import('./show.ts');
      exit(await show(where(flags), output));
    });

  located(plan.command('history'))
    .description('List what was decided, with its cause and the loads that led to it.')
    .option('--since <time>', 'how far back: 90s, 30m, 1h, 2d')
    .option(
      '--count <n>',
      `at most so many, the newest (default: ${COUNT_DEFAULT}; with --since all)`,
    )
    .option('--follow', 'go on with what is decided, until Ctrl-C')
    .addHelpText('after', HISTORY_HELP)
    .action(async (flags: Flags) => {
      const sinceMs = flags.since === undefined ? undefined : sinceMsOf(flags.since);
      const fallback = sinceMs === undefined ? COUNT_DEFAULT : ENTRIES_MAX;
      const limits = { min: 1, max: ENTRIES_MAX, fallback, isWhole: true };
      const count = numberOf('--count', flags.count, limits);
      const isFollowing = flags.follow === true;
      const { history } = await import('./history.ts');
      exit(await history({ ...where(flags), sinceMs, count, isFollowing }, output));
    });

  located(plan.command('explain <region>'))
    .description(
      'Tell who has a region, who stands by, who is across, and every decision about it.',
    )
    .addHelpText('after', EXPLAIN_HELP)
    .action(async (region: string, flags: Flags) => {
      const id = regionOf(region);
      const { explain } = await import('./explain.ts');
      exit(await explain(id, where(flags), output));
    });

  located(plan.command('replay'))
    .description('Plan recorded loads again, and set the policies beside what was in force.')
    .option('--policy <name>', 'may be repeated (default: all)', repeated)
    .option('--since <time>', 'how far back: 90s, 30m, 1h (default: 1h, the most that is kept)')
    .addHelpText('after', REPLAY_HELP)
    .action(async (flags: Flags) => {
      const sinceMs = sinceMsOf(flags.since ?? '1h');
      const policies = policiesOf(flags.policy);
      const { whatIf } = await import('./what-if.ts');
      exit(await whatIf({ ...where(flags), policies, sinceMs }, output));
    });
  addWake(located(plan.command('wake')), output, where, exit);
}

type Where = (flags: Flags) => WorldFlags;

function addWake(
  command: Command,
  output: Output,
  where: Where,
  exit: (code: number) => void,
): void {
  command
    .description('Keep the cells of an area awake for a time, though nothing is in them.')
    .requiredOption(
      '--area <area>',
      'box:minX,minY,maxX,maxY, circle:x,y,radius, polygon:… or world',
    )
    .option('--for <time>', 'how long: 90s, 10m, 2h, at most 7d; 0s ends it (default: 10m)')
    .option('--name <name>', 'of the order (default: wake)')
    .addHelpText('after', WAKE_HELP)
    .action(async (flags: Flags) => {
      const area = areaOf(flags.area ?? '');
      const forMs = wakeMsOf(flags.for ?? '10m');
      const name = nameOf(flags.name ?? 'wake');
      const { wake } = await import('./wake.ts');
      exit(await wake({ ...where(flags), area, forMs, name }, output));
    });
}
