/** Flags and help of the commands about single entities. */
import type { Command } from 'commander';
import { invalid, numberOf } from '../options.ts';
import type { Output } from '../output.ts';
import { repeated } from '../watch-options.ts';
import { answered } from './answered.ts';
import {
  type ApiFlags,
  apiAddress,
  ENTITIES_MAX,
  namesOf,
  type QueryFlags,
  queryOptions,
} from './options.ts';
import { changesOf, componentsOf, idOf } from './values.ts';

const MONTH_S = 30 * 86_400;

/** Said in the help of whatever asks the API. */
export const API_HELP = `
The API is a lifecycle service: leasehold run WORLD --lifecycle 1 starts one. Where it wants a token,
put that into LEASEHOLD_API_TOKEN.

Exit codes:
  0  it is done, or asked for without --wait
  1  the API refuses it, or there is no such entity
  2  the command is wrong, or no API answers: nothing was asked for`;

const GET_HELP = `
Examples:
  $ leasehold entity get 4294967297
  $ leasehold entity get 4294967297 --components position --json
${API_HELP}`;

const CREATE_HELP = `
Examples:
  $ leasehold entity create --component 'position={"x":1,"y":2}' --wait
  $ leasehold entity create --component 'position={"x":1,"y":2}' --component purse --json

A component without fields, or a field that is left out, has its initial value.
${API_HELP}`;

const PATCH_HELP = `
Examples:
  $ leasehold entity patch 4294967297 --set position.x=3 --remove name
  $ leasehold entity patch 4294967297 --set 'purse={"coins":7}' --set lamp.name=old --wait

A value that is no JSON is text; a text of digits is written lamp.name='"3"'. To set a field of a
component that the entity lacks gives it the component.
${API_HELP}`;

const DELETE_HELP = `
Examples:
  $ leasehold entity delete 4294967297 --wait
${API_HELP}`;

const QUERY_HELP = `
Examples:
  $ leasehold entity query --box 0,0,50,50 --components position --where 'purse.coins > 3' --limit 20
  $ leasehold entity query --near 100,100 --radius 30 --with name
  $ leasehold entity query --where 'lamp.name = "old"' --json

Areas are in the units of the world's space; a radius on the globe is in metres. Without one it is
the whole world. All of several --where must hold: = != < <= > >=.
${API_HELP}`;

const REQUEST_HELP = `
Examples:
  $ leasehold entity request 13147324-8621-4a61-a757-59f6d9645d1b-1

The id is what a command says that did not --wait. Answers are kept for an hour.

Exit codes:
  0  it is applied, or waits to be: a world at rest does so once it runs
  1  it was refused, or nobody asked for it
  2  the command is wrong, or no API answers`;

const WATCH_HELP = `
Examples:
  $ leasehold entity watch 4294967297
  $ leasehold entity watch 4294967297 --components position --seconds 10 --json

It is read twice a second, and told when it has changed; leasehold watch has each tick, from a gateway.
With --json each line is one JSON value.
${API_HELP}`;

type Flags = ApiFlags & {
  readonly component?: readonly string[];
  readonly components?: string;
  readonly set?: readonly string[];
  readonly remove?: readonly string[];
  readonly wait?: boolean;
  readonly seconds?: string;
};

/** What every command has that asks the API. */
export function ofApi(command: Command): Command {
  return command
    .option('--api <url>', 'of the API (default: LEASEHOLD_API, http://127.0.0.1:7320)')
    .option('--world <name>', 'which world (default: the only one that the API has)')
    .option('--json', 'one JSON value on stdout, nothing else');
}

export const waiting = (command: Command): Command =>
  command.option('--wait', 'until the world has taken it up, or refused it');

type Face = {
  readonly output: Output;
  readonly env: NodeJS.ProcessEnv;
  readonly exit: (code: number) => void;
};

export function addEntity(
  program: Command,
  output: Output,
  env: NodeJS.ProcessEnv,
  exit: (code: number) => void,
): void {
  const entity = program
    .command('entity')
    .description('Entities of a running world, through its HTTP API.');
  const face = { output, env, exit };
  addReads(entity, face);
  addWrites(entity, face);
}

function addReads(entity: Command, { output, env, exit }: Face): void {
  ofApi(entity.command('get <id>'))
    .description('Show an entity as it is now.')
    .option('--components <names>', 'only these, with commas between them')
    .addHelpText('after', GET_HELP)
    .action(async (text: string, flags: Flags) => {
      const [address, id] = [apiAddress(flags, env), idOf(text)];
      const components = namesOf('--components', flags.components);
      const { get } = await import('./act.ts');
      exit(await answered(() => get(address, { id, components }, output), output));
    });

  ofApi(entity.command('query'))
    .description('List the entities of an area that meet all terms, or the nearest to a point.')
    .option('--box <minX,minY,maxX,maxY>', 'those in it')
    .option('--circle <x,y,radius>', 'those in it')
    .option('--polygon <x,y;x,y;x,y>', 'those in it')
    .option('--around <id,radius>', 'those around an entity')
    .option('--near <x,y>', 'the nearest to it (--limit of them, default: 10)')
    .option('--radius <r>', 'of --near: no farther than this')
    .option('--components <names>', 'show only these, with commas between them')
    .option('--with <names>', 'only entities that have all of these components')
    .option('--where <term>', 'only where this holds; may be repeated', repeated)
    .option('--limit <n>', `at most so many, up to ${ENTITIES_MAX} (default: 100)`)
    .addHelpText('after', QUERY_HELP)
    .action(async (flags: QueryFlags) => {
      const [address, options] = [apiAddress(flags, env), queryOptions(flags)];
      const { query } = await import('./query.ts');
      exit(await answered(() => query(address, options, output), output));
    });

  ofApi(entity.command('watch <id>'))
    .description('Follow an entity: read it every 500 ms, and tell what has changed.')
    .option('--components <names>', 'only these, with commas between them')
    .option('--seconds <s>', 'how long; without it until Ctrl-C')
    .addHelpText('after', WATCH_HELP)
    .action(async (text: string, flags: Flags) => {
      const [address, id] = [apiAddress(flags, env), idOf(text)];
      const components = namesOf('--components', flags.components);
      const limits = { min: 0.1, max: MONTH_S, fallback: 0 };
      const seconds = numberOf('--seconds', flags.seconds, limits);
      const { watch } = await import('./watch.ts');
      exit(await answered(() => watch(address, { id, components, seconds }, output), output));
    });
}

function addWrites(entity: Command, { output, env, exit }: Face): void {
  waiting(ofApi(entity.command('create')))
    .description('Make an entity. It is born in the cell that its position is in.')
    .option('--component <name={…}>', 'with these fields; may be repeated', repeated)
    .addHelpText('after', CREATE_HELP)
    .action(async (flags: Flags) => {
      const address = apiAddress(flags, env);
      const components = componentsOf(flags.component ?? []);
      if (flags.component === undefined) {
        throw invalid('--component', '', `Give its position at least: 'position={"x":1,"y":2}'.`);
      }
      const isWaiting = flags.wait === true;
      const { create } = await import('./act.ts');
      exit(await answered(() => create(address, { components, isWaiting }, output), output));
    });

  waiting(ofApi(entity.command('patch <id>')))
    .description('Change fields of an entity, give it components, or take them.')
    .option('--set <component.field=value>', 'may be repeated', repeated)
    .option('--remove <component>', 'may be repeated', repeated)
    .addHelpText('after', PATCH_HELP)
    .action(async (text: string, flags: Flags) => {
      const [address, id] = [apiAddress(flags, env), idOf(text)];
      const set = changesOf(flags.set ?? []);
      const remove = (flags.remove ?? []).flatMap((names) => namesOf('--remove', names));
      if (flags.set === undefined && flags.remove === undefined) {
        throw invalid('--set', '', 'Say what is to change: --set position.x=3, or --remove name.');
      }
      const change = { id, set, remove, isWaiting: flags.wait === true };
      const { patch } = await import('./act.ts');
      exit(await answered(() => patch(address, change, output), output));
    });

  ofApi(entity.command('request <request>'))
    .description('Show what became of a change, or of an event, that was asked for.')
    .addHelpText('after', REQUEST_HELP)
    .action(async (id: string, flags: Flags) => {
      const address = apiAddress(flags, env);
      const { request } = await import('./request.ts');
      exit(await answered(() => request(address, id, output), output));
    });

  waiting(ofApi(entity.command('delete <id>')))
    .description('End an entity.')
    .addHelpText('after', DELETE_HELP)
    .action(async (text: string, flags: Flags) => {
      const [address, id] = [apiAddress(flags, env), idOf(text)];
      const isWaiting = flags.wait === true;
      const { remove } = await import('./act.ts');
      exit(await answered(() => remove(address, { id, isWaiting }, output), output));
    });
}
