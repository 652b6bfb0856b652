/** Flags and help of `leasehold chaos`. */
import { type Command, Option } from 'commander';
import type { Output } from '../output.ts';
import { FAULT_KINDS } from './faults.ts';
import { type ChaosFlags, chaosOptions } from './options.ts';

const HELP = `
Faults:
  kill           SIGKILL a pod; another is started
  stop           freeze a pod (SIGSTOP) for half a lease to three leases
  partition      nothing passes between a pod and Redis, one way or both, as long
  redis-restart  SIGKILL Redis and start it again from its append-only file
  failover       a replica falls behind, the primary is killed, the replica promoted
  slow           5 to 100 ms more for each answer of Redis, for one pod or all
  rolling        each pod hands over and leaves, after another was started
  gateway        SIGKILL a gateway; another takes its port
  authority      SIGKILL the authority that leads; another leads (needs --authorities)

Examples:
  $ leasehold chaos examples/flights --pods 6 --minutes 2
  $ leasehold chaos examples/flights --faults kill,stop --seconds 30 --json
  $ leasehold chaos examples/flights --seed 7 --report chaos-7
  $ leasehold chaos examples/flights --authorities 2 --faults authority,kill
  $ leasehold chaos examples/flocking --lockstep --ticks 400 --pods 4

It needs a redis-server program and runs servers of its own: a world that is stored elsewhere is
never touched, REDIS_URL and DATABASE_URL are not used, and nothing is left behind but the report.

Exit codes:
  0  every promise held
  1  one was broken, or nothing could be proved: the report says which
  2  the command or the world is wrong, or there is no redis-server: nothing was started`;

export function addChaos(
  program: Command,
  output: Output,
  env: NodeJS.ProcessEnv,
  exit: (code: number) => void,
): void {
  program
    .command('chaos <world>')
    .description('Run a world under faults, watch it from outside, and say which promises held.')
    .option('--pods <n>', 'simulator processes (default: 4)')
    .option('--gateways <n>', 'processes that serve views (default: 1)')
    .option('--authorities <n>', 'processes that plan which pod holds what (default: 0)')
    .option('--clients <n>', 'clients that watch through them (default: 8)')
    .option('--minutes <m>', 'how long faults begin (default: 1)')
    .option('--seconds <s>', 'the same in seconds')
    .option('--faults <list>', `some of ${FAULT_KINDS.join(',')} (default: all that can be)`)
    .option('--seed <k>', 'of which fault comes when (default: 1)')
    .option('--lockstep', 'the same state bit for bit, whatever the faults')
    .option('--ticks <t>', 'with --lockstep: end at this tick (default: 400)')
    .option('--expect <hash>', 'with --lockstep: the state hash it must end with')
    .option('--report <folder>', 'write report.json and report.html there')
    .option('--json', 'one JSON value on stdout, nothing else')
    .addOption(new Option('--break <what>', 'run a build that is broken on purpose').hideHelp())
    .addHelpText('after', HELP)
    .action(async (folder: string, flags: ChaosFlags) => {
      const options = chaosOptions(folder, flags);
      const { chaos } = await import('../commands/chaos.ts');
      exit(await chaos(options, output, env));
    });
}
