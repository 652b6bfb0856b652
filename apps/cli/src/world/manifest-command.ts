/** Flags and help of the commands that make a world what its folder says, and forget it. */
import type { Command } from 'commander';
import { homeOf, numberOf } from '../options.ts';
import type { Output } from '../output.ts';

const UPGRADE_S_DEFAULT = 60;
const HOUR_S = 3_600;

const CREATE_HELP = `
Examples:
  $ leasehold world create examples/flocking
  $ leasehold world create my-world --json

The world is seeded and nothing runs it: leasehold run goes on from there.

Exit codes:
  0  it is seeded
  2  there is one already (WORLD_EXISTS), or the folder is wrong: nothing was changed`;

const APPLY_HELP = `
Examples:
  $ leasehold world apply my-world
  $ leasehold world diff my-world
  $ leasehold world upgrade my-world --seconds 30

A world that is not there is seeded. Of one that is there, parameters, lease, sleep, index and module
change with the next start of its pods, tickHz at once, margin while no pod is there. Space, blockCells,
seed and mode cannot change, nor can a component become what its stored values cannot: then all that
is refused is named, and nothing is changed. Applied twice, a folder changes nothing more.

Exit codes:
  0  it is applied
  2  it was refused (WORLD_MISMATCH, SCHEMA_INCOMPATIBLE), or the folder is wrong: nothing was changed`;

const DIFF_HELP = `
Examples:
  $ leasehold world diff my-world
  $ leasehold world diff my-world --json

Exit codes:
  0  the world is as the folder says
  1  apply would refuse it, or the folder is wrong
  2  apply would change something`;

const UPGRADE_HELP = `
Examples:
  $ leasehold world upgrade my-world
  $ leasehold world upgrade my-world --seconds 30 --json

Applies the folder. Then each pod that runs another module or other settings is drained, and waited for until as many
pods as before are ready: leasehold run starts another in its place, and so does what restarts
processes on a cluster. While it lasts, pods of the older module do not see what those of a newer one
write in a changed component.

Exit codes:
  0  all pods run the module
  1  a pod did not leave in order, or nobody took its place
  2  it was refused, or the folder is wrong: nothing was changed`;

const SHOW_HELP = `
Examples:
  $ leasehold world show
  $ leasehold world show flights --json

Exit codes:
  0  it is shown
  2  the world is not known, or Redis cannot be used`;

const DELETE_HELP = `
Examples:
  $ leasehold world delete flocking --yes

Its state, its registry and its records are removed, and its cells that sleep in PostgreSQL
(SNAPSHOTS_URL, else DATABASE_URL, else the private one of the home). Nothing brings them back.
While PostgreSQL is away those stay behind, which is said; pods of a later world of that name
remove them.

Exit codes:
  0  it is gone
  2  it is not known, has pods (WORLD_RUNS), or --yes is missing: nothing was changed`;

type Flags = { readonly home?: string; readonly seconds?: string; readonly yes?: boolean };

export function addManifest(
  world: Command,
  homed: (command: Command) => Command,
  {
    output,
    env,
    exit,
  }: {
    readonly output: Output;
    readonly env: NodeJS.ProcessEnv;
    readonly exit: (code: number) => void;
  },
): void {
  const home = (flags: Flags): string => homeOf(flags.home, env);
  homed(world.command('create <folder>'))
    .description('Seed a new world from its folder, without running it.')
    .addHelpText('after', CREATE_HELP)
    .action(async (folder: string, flags: Flags) => {
      const { create } = await import('./apply.ts');
      exit(await create({ folder, home: home(flags) }, output));
    });

  homed(world.command('apply <folder>'))
    .description('Make a world what its folder says, as far as a living one can change.')
    .addHelpText('after', APPLY_HELP)
    .action(async (folder: string, flags: Flags) => {
      const { apply } = await import('./apply.ts');
      exit(await apply({ folder, home: home(flags) }, output));
    });

  homed(world.command('diff <folder>'))
    .description('Say what apply would do.')
    .addHelpText('after', DIFF_HELP)
    .action(async (folder: string, flags: Flags) => {
      const { diff } = await import('./apply.ts');
      try {
        exit(await diff({ folder, home: home(flags) }, output));
      } catch (error) {
        // Two would say that there are differences.
        output.fault(error);
        exit(1);
      }
    });

  homed(world.command('upgrade <folder>'))
    .description('Apply a folder, and replace the pods that run something else, one by one.')
    .option('--seconds <s>', `how long to wait for each (default: ${UPGRADE_S_DEFAULT})`)
    .addHelpText('after', UPGRADE_HELP)
    .action(async (folder: string, flags: Flags) => {
      const limits = { min: 0.1, max: HOUR_S, fallback: UPGRADE_S_DEFAULT };
      const seconds = numberOf('--seconds', flags.seconds, limits);
      const { upgrade } = await import('./upgrade.ts');
      exit(await upgrade({ folder, home: home(flags), seconds }, output));
    });

  homed(world.command('show [world]'))
    .description('Show one world: what was applied to it, its time, its pods.')
    .addHelpText('after', SHOW_HELP)
    .action(async (name: string | undefined, flags: Flags) => {
      const { show } = await import('./show.ts');
      exit(await show({ world: name, home: home(flags) }, output));
    });

  homed(world.command('delete <world>'))
    .description('Forget a world with all its state.')
    .option('--yes', 'you are sure')
    .addHelpText('after', DELETE_HELP)
    .action(async (name: string, flags: Flags) => {
      const { remove } = await import('./remove.ts');
      const isSure = flags.yes === true;
      exit(await remove({ world: name, home: home(flags), isSure }, output));
    });
}
