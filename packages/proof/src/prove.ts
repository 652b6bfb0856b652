/**
 * `npm run prove`: random histories on a real Redis, compared with the model. Exit code 1 when a
 * promise was broken.
 */
import { parseArgs } from 'node:util';
import { prove, report, SUITES } from './model/prove.ts';
import type { Suite, SuiteResult } from './model/suite.ts';

const HELP = `npm run prove -- [options]

  --sequences N   histories of each suite (2000)
  --seed S        where they begin (a new one each time)
  --suite NAME    only this one: ${SUITES.map(({ name }) => name).join(', ')}
  --path P        only the history that a finding names, with its seed
  --shrink S      seconds in which a finding is made shorter (20)
  --cluster       on three primaries of a cluster
  --json          one line of JSON for each suite
  --help
`;

const OPTIONS = {
  sequences: { type: 'string', default: '2000' },
  seed: { type: 'string' },
  suite: { type: 'string' },
  path: { type: 'string' },
  shrink: { type: 'string', default: '20' },
  cluster: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const say = (text: string): void => void process.stderr.write(text);

async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const sequences = Number(values.sequences);
  const seed = Number(values.seed ?? Date.now() % 1_000_000_007);
  const suites = SUITES.filter(({ name }) => values.suite === undefined || name === values.suite);
  if (suites.length === 0 || !(sequences > 0) || !Number.isInteger(seed)) {
    say(HELP);
    return 2;
  }
  let hasFailed = false;
  for (const suite of suites) {
    const options = {
      sequences,
      seed,
      shrinkMs: Number(values.shrink) * 1_000,
      ...(values.path === undefined ? {} : { path: values.path }),
      onSequence: (done: number) => progress(suite, done, sequences),
    };
    const result = await prove(suite, options, values.cluster);
    if (process.stderr.isTTY) say('\r\u001b[K');
    process.stdout.write(`${values.json ? JSON.stringify(plain(result, seed)) : report(result)}\n`);
    hasFailed ||= result.finding !== undefined;
  }
  return hasFailed ? 1 : 0;
}

function progress({ name }: Suite, done: number, sequences: number): void {
  if (process.stderr.isTTY && done % 50 === 0) say(`\r${name}: ${done} of ${sequences} `);
}

function plain({ tally, ...result }: SuiteResult, seed: number): object {
  return { seed, ...result, effective: tally.shares() };
}

process.exitCode = await main();
