/** Flags and help of the commands about worlds and their time. */
import type { Command } from 'commander';
import { homeOf, numberOf } from '../options.ts';
import type { Output } from '../output.ts';
import { addManifest } from './manifest-command.ts';

/** Three days of a world at 4 Hz. */
const STEPS_MAX = 1_000_000;

const LIST_HELP = `
Examples:
  $ leasehold world list
  $ leasehold world list --json

runs: its pods tick; paused: they wait; at rest: nobody holds it; seeded: its time has never run.

Exit codes:
  0  they are listed, be there any or not
  2  the command is wrong, or Redis cannot be used`;

const TIME_HELP = `
Examples:
  $ leasehold world pause
  $ leasehold world step 10
  $ leasehold world resume --world flights

The world is the one that runs, or what --world says: a name, or a folder. A pause takes about a
second: every cell stops at the very same tick. Pods keep their leases, and may come and go.

Exit codes:
  0  it is done, or was so already
  2  the command is wrong, the world is not known or runs in lockstep: nothing was changed`;

type Flags = { readonly world?: string; readonly home?: string };

export function addWorld(
  program: Command,
  output: Output,
  env: NodeJS.ProcessEnv,
  exit: (code: number) => void,
): void {
  const world = program
    .command('world')
    .description('The worlds there are: what they are made of, and their time.');
  const homed = (command: Command): Command =>
    command
      .option('--home <folder>', 'registry and private Redis (default: LEASEHOLD_HOME, .leasehold)')
      .option('--json', 'one JSON value on stdout, nothing else');
  const timed = (command: Command): Command =>
    homed(command)
      .option('--world <world>', 'a name or a folder (default: the one that runs)')
      .addHelpText('after', TIME_HELP);
  const where = (flags: Flags) => ({ world: flags.world, home: homeOf(flags.home, env) });

  addManifest(world, homed, { output, env, exit });

  homed(world.command('list'))
    .description('List the worlds: which run, how many pods and entities they have, at which tick.')
    .addHelpText('after', LIST_HELP)
    .action(async (flags: Flags) => {
      const { list } = await import('./list.ts');
      exit(await list(homeOf(flags.home, env), output));
    });

  timed(world.command('pause'))
    .description('Stop the time of a world, in all cells at the same tick.')
    .action(async (flags: Flags) => {
      const { pause } = await import('./time.ts');
      exit(await pause(where(flags), output));
    });

  timed(world.command('resume'))
    .description('Let the time of a paused world go on.')
    .action(async (flags: Flags) => {
      const { resume } = await import('./time.ts');
      exit(await resume(where(flags), output));
    });

  timed(world.command('step [ticks]'))
    .description('Let a paused world make some ticks (default: 1), and stand still again.')
    .action(async (text: string | undefined, flags: Flags) => {
      const limits = { min: 1, max: STEPS_MAX, fallback: 1, isWhole: true };
      const ticks = numberOf('ticks', text, limits);
      const { step } = await import('./time.ts');
      exit(await step(ticks, where(flags), output));
    });
}
