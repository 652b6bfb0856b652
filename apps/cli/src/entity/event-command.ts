/** Flags and help of the commands about events and dead letters. */
import { NAME_PATTERN } from '@leasehold/kernel';
import type { Command } from 'commander';
import { invalid, numberOf } from '../options.ts';
import type { Output } from '../output.ts';
import { answered } from './answered.ts';
import { API_HELP, ofApi, waiting } from './command.ts';
import { type ApiFlags, apiAddress } from './options.ts';
import { idOf, payloadOf } from './values.ts';

/** As many as the API lists at once. */
const LETTERS_MAX = 1_000;
const LETTERS_DEFAULT = 20;
/** As many as the API sends at once. */
const REPLAYS_MAX = 512;

const SEND_HELP = `
Examples:
  $ leasehold event send 4294967297 note --payload '{"n":1}' --wait
  $ leasehold event send 4294967297 startle --json
${API_HELP}`;

const DEAD_HELP = `
Examples:
  $ leasehold event dead
  $ leasehold event dead --limit 100 --json

A letter is dead when nobody has the id that it is for, or nobody can bear it.
${API_HELP}`;

const REPLAY_HELP = `
Examples:
  $ leasehold event replay main:0:36:0
  $ leasehold event replay main:0:36:0 main:0:36:1 --json

A letter that was sent is no longer listed; it may die again. Exit code 1 also says that a letter is
unknown, or its entity still nowhere: such a letter stays.
${API_HELP}`;

type Flags = ApiFlags & {
  readonly payload?: string;
  readonly wait?: boolean;
  readonly limit?: string;
};

export function addEvent(
  program: Command,
  output: Output,
  env: NodeJS.ProcessEnv,
  exit: (code: number) => void,
): void {
  const event = program
    .command('event')
    .description('Events to entities, and letters that found nobody, through the HTTP API.');

  waiting(ofApi(event.command('send <id> <event>')))
    .description('Send an event to an entity.')
    .option('--payload <json>', 'its fields; those left out are initial (default: {})')
    .addHelpText('after', SEND_HELP)
    .action(async (text: string, name: string, flags: Flags) => {
      const [address, id] = [apiAddress(flags, env), idOf(text)];
      if (!NAME_PATTERN.test(name)) {
        throw invalid('EVENT', name, 'Give the name of an event that the world declares.');
      }
      const payload = payloadOf(flags.payload ?? '{}');
      const sent = { id, event: name, payload, isWaiting: flags.wait === true };
      const { send } = await import('./events.ts');
      exit(await answered(() => send(address, sent, output), output));
    });

  ofApi(event.command('dead'))
    .description('List letters that could not be delivered, oldest first.')
    .option('--limit <n>', `at most so many, up to ${LETTERS_MAX} (default: ${LETTERS_DEFAULT})`)
    .addHelpText('after', DEAD_HELP)
    .action(async (flags: Flags) => {
      const address = apiAddress(flags, env);
      const limits = { min: 1, max: LETTERS_MAX, fallback: LETTERS_DEFAULT, isWhole: true };
      const limit = numberOf('--limit', flags.limit, limits);
      const { dead } = await import('./events.ts');
      exit(await answered(() => dead(address, limit, output), output));
    });

  ofApi(event.command('replay <letters...>'))
    .description('Send dead letters once more.')
    .addHelpText('after', REPLAY_HELP)
    .action(async (letters: readonly string[], flags: Flags) => {
      const address = apiAddress(flags, env);
      if (letters.length > REPLAYS_MAX) {
        throw invalid('LETTERS', String(letters.length), `Give at most ${REPLAYS_MAX} at once.`);
      }
      const { replay } = await import('./events.ts');
      exit(await answered(() => replay(address, letters, output), output));
    });
}
