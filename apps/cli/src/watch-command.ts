/** `leasehold watch` as a command: its flags and its help. */
import type { Command } from 'commander';
import type { Output } from './output.ts';
import { repeated, type WatchFlags, watchOptions } from './watch-options.ts';

const WATCH_HELP = `
Areas, in the units of the world's space (a radius on the globe is in metres):
  world, box:minX,minY,maxX,maxY, circle:x,y,radius, polygon:x,y;x,y;x,y, around:ID,radius

Examples:
  $ leasehold watch flights
  $ leasehold watch flights --area box:-10,35,30,60 --components position
  $ leasehold watch flights --area circle:8.5,50,200000 --rate 2 --seconds 10 --json
  $ leasehold watch flights --gateway ws://127.0.0.1:7300/view --gateway ws://127.0.0.1:7301/view

With --json each line is one JSON value: {"type":"enter"|"leave"|"update"|"state"|"resync", ...}.

Exit codes:
  0  ended by Ctrl-C, by --seconds, or because nobody reads any more
  2  the command is wrong, no gateway answers, or it serves another world`;

export function addWatch(
  program: Command,
  output: Output,
  env: NodeJS.ProcessEnv,
  exit: (code: number) => void,
): void {
  program
    .command('watch <world>')
    .description(
      'Watch an area of a running world through a gateway; the world is a name or a folder.',
    )
    .option('--area <area>', 'which part of the world (default: world)')
    .option('--components <names>', 'only these, with commas between them')
    .option('--with <names>', 'only entities that have all of these components')
    .option('--rate <hz>', 'at most so many updates a second (default: each tick)')
    .option(
      '--gateway <url>',
      'may be repeated (default: LEASEHOLD_GATEWAY, ws://127.0.0.1:7300/view)',
      repeated,
    )
    .option('--seconds <s>', 'how long; without it until Ctrl-C')
    .option('--json', 'one JSON value a line on stdout, nothing else')
    .addHelpText('after', WATCH_HELP)
    .action(async (world: string, flags: WatchFlags) => {
      const options = watchOptions(world, flags, env);
      const { watch } = await import('./commands/watch.ts');
      exit(await watch(options, output));
    });
}
