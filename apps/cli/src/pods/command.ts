/** Flags and help of the commands about pods. */
import type { Command } from 'commander';
import { homeOf, numberOf } from '../options.ts';
import type { Output } from '../output.ts';

/** The most that a pod may be given to hand everything over, and then some. */
const DRAIN_S_DEFAULT = 30;
const HOUR_S = 3_600;

const WHICH = `
The world is the one that runs, or what --world says: a name, or a folder.`;

const PODS_HELP = `
Examples:
  $ leasehold pods
  $ leasehold pods --world flights --json
${WHICH}
tick ms is what ticking all cells of a pod takes, "of budget" that by what a tick may take; regions
and standby are those of the plan that it should hold, and that it follows to take them over.

Exit codes:
  0  they are listed, be there any or not
  2  the command is wrong, the world is not known, or Redis cannot be used`;

const DRAIN_HELP = `
Examples:
  $ leasehold drain pod-2
  $ leasehold drain pod-2 --seconds 10 --json
${WHICH}
The pod hands each cell to one that already follows it, and its process ends with exit code 0.
Ctrl-C ends the waiting, not the drain.

Exit codes:
  0  it is gone, and handed over all it had
  1  it is not gone in time, or something was taken from it when it was gone
  2  no pod has this name (POD_UNKNOWN), or the world is not known: nothing was changed`;

const CORDON_HELP = `
Examples:
  $ leasehold cordon pod-2
  $ leasehold uncordon pod-2
${WHICH}
Exit codes:
  0  it has been told
  2  no pod has this name (POD_UNKNOWN), or the world is not known: nothing was changed`;

type Flags = { readonly world?: string; readonly home?: string; readonly seconds?: string };

export function addPods(
  program: Command,
  output: Output,
  env: NodeJS.ProcessEnv,
  exit: (code: number) => void,
): void {
  const located = (command: Command): Command =>
    command
      .option('--world <world>', 'a name or a folder (default: the one that runs)')
      .option('--home <folder>', 'registry and private Redis (default: LEASEHOLD_HOME, .leasehold)')
      .option('--json', 'one JSON value on stdout, nothing else');
  const where = (flags: Flags) => ({ world: flags.world, home: homeOf(flags.home, env) });

  located(program.command('pods'))
    .description('List the pods of a world: what they hold, what it costs, what they were told.')
    .addHelpText('after', PODS_HELP)
    .action(async (flags: Flags) => {
      const { pods } = await import('./pods.ts');
      exit(await pods(where(flags), output));
    });

  located(program.command('drain <pod>'))
    .description('Let a pod hand everything over and end, and wait until it is gone.')
    .option('--seconds <s>', `how long to wait for that (default: ${DRAIN_S_DEFAULT})`)
    .addHelpText('after', DRAIN_HELP)
    .action(async (pod: string, flags: Flags) => {
      const limits = { min: 0.1, max: HOUR_S, fallback: DRAIN_S_DEFAULT };
      const seconds = numberOf('--seconds', flags.seconds, limits);
      const { drain } = await import('./drain.ts');
      exit(await drain({ ...where(flags), pod, seconds }, output));
    });

  located(program.command('cordon <pod>'))
    .description('Let a pod keep what it has and take nothing more.')
    .addHelpText('after', CORDON_HELP)
    .action(async (pod: string, flags: Flags) => {
      const { order } = await import('./pods.ts');
      exit(await order(pod, 'cordon', where(flags), output));
    });

  located(program.command('uncordon <pod>'))
    .description('Let a cordoned pod take cells again.')
    .addHelpText('after', CORDON_HELP)
    .action(async (pod: string, flags: Flags) => {
      const { order } = await import('./pods.ts');
      exit(await order(pod, '', where(flags), output));
    });
}
