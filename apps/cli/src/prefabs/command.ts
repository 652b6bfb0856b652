/** Flags and help of the commands about prefabs. */
import type { Command } from 'commander';
import { homeOf, invalid, numberOf } from '../options.ts';
import type { Output } from '../output.ts';

const MONTH_S = 30 * 86_400;

const WHERE = `
The world is a folder whose world.yaml says where its prefabs are: prefabs: {repository: .}. What
counts is what is committed there.
`;

const LIST_HELP = `
Examples:
  $ leasehold prefabs list my-world
  $ leasehold prefabs list my-world --json
${WHERE}
Exit codes:
  0  they are listed
  2  a prefab is wrong (PREFAB_INVALID), or repository or folder is: nothing was changed`;

const PLAN_HELP = `
Examples:
  $ leasehold prefabs plan my-world
  $ leasehold prefabs plan my-world --commit v2 --json
${WHERE}
+ is a new prefab, ~ one that changes, - one that goes. Below it are who descends from it, and where.

Exit codes:
  0  the world has these prefabs
  1  a prefab is wrong (PREFAB_INVALID), or repository or folder is
  2  apply would change something`;

const APPLY_HELP = `
Examples:
  $ leasehold prefabs apply my-world
  $ leasehold prefabs apply my-world --commit v2 --live
  $ leasehold prefabs rollback my-world --live
${WHERE}
With --live entities that descend from a prefab are asked to become as it is now: each field that still
has the value of the version it was made from, and no other.

Exit codes:
  0  it is the current version; with --live all were asked
  1  it is the current version, but some inboxes were full for long: repeat it
  2  a prefab is wrong (PREFAB_INVALID), or there is no version to go back to: nothing was changed`;

const WATCH_HELP = `
Examples:
  $ leasehold prefabs watch my-world
  $ leasehold prefabs watch my-world --apply --live
  $ leasehold prefabs watch my-world --json
${WHERE}
Each new commit is planned once, as often as prefabs.pollMs says; with --json one line each.

Exit codes:
  0  it was ended
  2  repository or folder is wrong`;

type Flags = {
  readonly home?: string;
  readonly commit?: string;
  readonly live?: boolean;
  readonly apply?: boolean;
  readonly seconds?: string;
};

export function addPrefabs(
  program: Command,
  output: Output,
  env: NodeJS.ProcessEnv,
  exit: (code: number) => void,
): void {
  const prefabs = program
    .command('prefabs')
    .description('The templates of entities that a world has in git.');
  const homed = (command: Command): Command =>
    command
      .option('--home <folder>', 'registry and private Redis (default: LEASEHOLD_HOME, .leasehold)')
      .option('--json', 'one JSON value on stdout, nothing else');
  const place = (folder: string, { home }: Flags) => ({ folder, home: homeOf(home, env) });
  const live = 'bring living descendants up to it';

  homed(prefabs.command('list <world>'))
    .description('List the prefabs of the version that the world has.')
    .addHelpText('after', LIST_HELP)
    .action(async (folder: string, flags: Flags) => {
      const { list } = await import('./act.ts');
      exit(await list(place(folder, flags), output));
    });

  homed(prefabs.command('plan <world>'))
    .description('Say what a commit would add, change and remove, and who descends from it.')
    .option('--commit <ref>', 'a branch, a tag or a commit (default: what world.yaml says)')
    .addHelpText('after', PLAN_HELP)
    .action(async (folder: string, flags: Flags) => {
      const { plan } = await import('./act.ts');
      try {
        exit(await plan({ ...place(folder, flags), commit: flags.commit }, output));
      } catch (error) {
        // Two would say that there are differences.
        output.fault(error);
        exit(1);
      }
    });

  homed(prefabs.command('apply <world>'))
    .description('Make a commit the version of what is made from now on.')
    .option('--commit <ref>', 'a branch, a tag or a commit (default: what world.yaml says)')
    .option('--live', live)
    .addHelpText('after', APPLY_HELP)
    .action(async (folder: string, flags: Flags) => {
      const { apply } = await import('./act.ts');
      const isLive = flags.live === true;
      exit(await apply({ ...place(folder, flags), commit: flags.commit, isLive }, output));
    });

  homed(prefabs.command('rollback <world>'))
    .description('Go back to the version before the current one.')
    .option('--live', live)
    .addHelpText('after', APPLY_HELP)
    .action(async (folder: string, flags: Flags) => {
      const { rollback } = await import('./act.ts');
      exit(await rollback({ ...place(folder, flags), isLive: flags.live === true }, output));
    });

  addWatch(homed(prefabs.command('watch <world>')), async (folder, flags) => {
    const limits = { min: 0.1, max: MONTH_S, fallback: 0 };
    const seconds = numberOf('--seconds', flags.seconds, limits);
    const [isApplying, isLive] = [flags.apply === true, flags.live === true];
    if (isLive && !isApplying) {
      throw invalid('--live', '', 'It needs --apply: what is only planned changes nobody.');
    }
    const { watch } = await import('./watch.ts');
    exit(await watch({ ...place(folder, flags), isApplying, isLive, seconds }, output));
  });
}

function addWatch(command: Command, action: (folder: string, flags: Flags) => Promise<void>): void {
  command
    .description('Follow the repository: plan each new commit, or apply it.')
    .option('--apply', 'apply it, too')
    .option('--live', 'and bring living descendants up to it')
    .option('--seconds <s>', 'how long; without it until Ctrl-C')
    .addHelpText('after', WATCH_HELP)
    .action(action);
}
