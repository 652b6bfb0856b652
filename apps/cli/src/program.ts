/**
 * The commands, their flags and their help. What they do is in `commands/`, and is loaded when it is
 * to be done: help and refusals come at once.
 */
import { LeaseholdError } from '@leasehold/kernel';
import { Command, CommanderError, Option } from 'commander';
import { addChaos } from './chaos/command.ts';
import { addEntity } from './entity/command.ts';
import { addEvent } from './entity/event-command.ts';
import { homeOf, numberOf, type RunFlags, runOptions } from './options.ts';
import { Output } from './output.ts';
import { addPlan } from './plan/command.ts';
import { addPods } from './pods/command.ts';
import { addPrefabs } from './prefabs/command.ts';
import { addSnapshot } from './snapshot/command.ts';
import { addWatch } from './watch-command.ts';
import { addWorld } from './world/command.ts';

const DAY_S = 86_400;

const EXIT_CODES = `
Exit codes:
  0  nothing was lost, doubled or broken
  1  something was, or a pod ended by itself: the report says what
  2  the command or the world is wrong, or Redis cannot be used: nothing was changed`;

const HELP = `
Examples:
  $ leasehold run examples/flights --pods 3 --gateways 1
  $ leasehold run examples/flocking --lockstep --ticks 400 --seed 7 --json
  $ leasehold audit examples/flights --seconds 10
  $ leasehold chaos examples/flights --pods 4 --minutes 2 --report chaos
  $ leasehold dev examples/flocking
  $ leasehold world apply my-world
  $ leasehold world pause
  $ leasehold pods
  $ leasehold drain pod-2
  $ leasehold plan show
  $ leasehold prefabs plan my-world
  $ leasehold snapshot create
  $ leasehold entity query --box 0,0,50,50
  $ leasehold event send 4294967297 note --payload '{"n":1}'
  $ leasehold doctor
${EXIT_CODES}`;

const RUN_HELP = `
Examples:
  $ leasehold run examples/flights --pods 3
  $ leasehold run examples/flights --pods 3 --seconds 60 --kill-every 5 --json
  $ leasehold run examples/flights --pods 3 --gateways 1 --open
  $ leasehold run examples/flights --pods 3 --seconds 60 --stop-every 15 --stop-for 5
  $ leasehold run examples/flocking --lockstep --ticks 400 --seed 7 --pods 4 --json
  $ leasehold run examples/couriers --lifecycle 1 --snapshots
  $ leasehold run examples/flights --fresh

npm start, in the repository, is leasehold run examples/flights --pods 3 --gateways 1
--authorities 1 --lifecycle 1, after installing and building what is missing; npm start -- takes
another world and all flags from above.
${EXIT_CODES}`;

const AUDIT_HELP = `
Examples:
  $ leasehold audit examples/flights --seconds 10
  $ leasehold audit examples/flights --seconds 1 --json
${EXIT_CODES}`;

const DEV_HELP = `
Examples:
  $ leasehold dev examples/flocking
  $ leasehold dev my-world --pods 2
${EXIT_CODES}`;

const DOCTOR_HELP = `
Examples:
  $ leasehold doctor
  $ REDIS_URL=redis://localhost:6379 leasehold doctor --json`;

type Flags = RunFlags & { readonly seconds?: string };

/** Parses and runs. Returns the exit code; faults are printed, never thrown. */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const output = new Output({ json: argv.includes('--json'), env });
  let code = 0;
  const program = programOf(output, env, (exit) => {
    code = exit;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    output.fault(error instanceof CommanderError ? usageFault(error, argv) : error);
    return 2;
  }
}

function usageFault(error: CommanderError, argv: readonly string[]): LeaseholdError {
  const message = error.message.replace(/^error: /, '').trim();
  return new LeaseholdError('SETTING_INVALID', message, {
    field: 'arguments',
    value: argv.join(' '),
    remedy: 'See leasehold --help, or leasehold <command> --help.',
  });
}

/** What each command takes that runs a world for some time. */
function timed(command: Command): Command {
  return command
    .option('--pods <n>', 'simulator processes (default: 1)')
    .option('--gateways <n>', 'processes that serve the live map and views (default: 0)')
    .option('--authorities <n>', 'processes that plan which pod holds what (default: 0)')
    .option('--lifecycle <n>', 'processes that serve the HTTP API of entities (default: 0)')
    .option('--snapshots', 'with a database, so that the API can take and restore snapshots')
    .option('--autoscale <a..b>', 'as many pods as the load asks for, from a to b')
    .option('--spare <percent>', "part of each pod's tick that a plan leaves free (default: 25)")
    .option('--port <p>', 'port of the first gateway, the next for others (default: 7300 or free)')
    .option('--open', 'open the map in a browser')
    .option('--seconds <s>', 'how long; without it or --ticks until Ctrl-C')
    .option('--fresh', 'forget the stored world and seed it anew');
}

export function programOf(
  output: Output,
  env: NodeJS.ProcessEnv,
  exit: (code: number) => void,
): Command {
  const program = new Command('leasehold')
    .description('Runs worlds that outlive their simulators.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.help(text), writeErr: () => undefined })
    .addHelpText('after', HELP);
  const home = (command: Command): Command =>
    command
      .option('--home <folder>', 'registry and private Redis (default: LEASEHOLD_HOME, .leasehold)')
      .option('--json', 'one JSON value on stdout, nothing else');

  home(timed(program.command('run <world>')))
    .description('Run a world folder with some pods, and judge it at the end.')
    .option('--ticks <t>', 'end after this many ticks')
    .option('--lockstep', 'the same state bit for bit on any number of pods; always begins anew')
    .option('--seed <k>', "seed instead of the manifest's")
    .option('--kill-every <s>', 'SIGKILL a random pod that often, and start another')
    .option('--stop-every <s>', 'freeze a random pod that often (SIGSTOP)')
    .option('--stop-for <s>', 'for how long (default: 5)')
    .addOption(new Option('--break <what>', 'run a build that is broken on purpose').hideHelp())
    .addHelpText('after', RUN_HELP)
    .action(async (folder: string, flags: Flags) => {
      const options = runOptions(folder, flags, env);
      const { run } = await import('./commands/run.ts');
      exit(await run(options, output));
    });

  home(program.command('audit <world>'))
    .description('Audit a world, living or at rest.')
    .option('--seconds <s>', 'how long to follow it; without it until Ctrl-C')
    .option('--lockstep', 'the world of its lockstep runs')
    .addHelpText('after', AUDIT_HELP)
    .action(async (folder: string, flags: Flags) => {
      const limits = { min: 0.1, max: 30 * DAY_S, fallback: 0 };
      const seconds = numberOf('--seconds', flags.seconds, limits);
      const isLockstep = flags.lockstep === true;
      const { audit } = await import('./commands/audit.ts');
      exit(await audit({ folder, home: homeOf(flags.home, env), seconds, isLockstep }, output));
    });

  home(timed(program.command('dev <world>')))
    .description('Run a world and reload its module when a file changes; the state is kept.')
    .addHelpText('after', DEV_HELP)
    .action(async (folder: string, flags: Flags) => {
      const options = runOptions(folder, flags, env);
      const { dev } = await import('./commands/dev.ts');
      exit(await dev(options, output));
    });

  addWorld(program, output, env, exit);
  addPods(program, output, env, exit);
  addPlan(program, output, env, exit);
  addPrefabs(program, output, env, exit);
  addSnapshot(program, output, env, exit);
  addEntity(program, output, env, exit);
  addEvent(program, output, env, exit);
  addChaos(program, output, env, exit);
  addWatch(program, output, env, exit);

  home(program.command('doctor'))
    .description('Show what this machine has, and which promises its Redis can keep.')
    .addHelpText('after', DOCTOR_HELP)
    .action(async (flags: Flags) => {
      const { doctor } = await import('./commands/doctor.ts');
      exit(await doctor(homeOf(flags.home, env), output));
    });
  return program;
}
