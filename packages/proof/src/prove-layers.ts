/**
 * `npm run prove:layers`: worlds of three layers that live through storms in virtual time.
 *
 * Exit codes: 0 every layer agrees in every seed; 1 not so; 2 it was asked for what is not there.
 */
import { parseArgs } from 'node:util';
import { storm } from './layers/storm.ts';

const USAGE = `Usage: npm run prove:layers -- [options]

  --seeds N      run N seeds (default 10)
  --from S       beginning with this one (default 1)
  --seed S       run only this one
  --faults N     faults in each (default 12)
  --pods N       pods of each layer (default 2)
  --json         one line of JSON for each seed
  --help         print this

Example: npm run prove:layers -- --seeds 3 --faults 20
`;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Error(`--${name} cannot be ${JSON.stringify(text)}: give a whole number from 1`);
}

function options() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    options: {
      ...{ seeds: text, from: text, seed: text, faults: text, pods: text },
      ...{ json: flag, help: flag },
    },
  });
  return values;
}

async function main(): Promise<number> {
  const { seeds = '10', from = '1', seed, faults = '12', pods = '2', json, help } = options();
  if (help === true) {
    say(USAGE);
    return 0;
  }
  const first = whole('seed', seed ?? from);
  const count = seed === undefined ? whole('seeds', seeds) : 1;
  let failed = 0;
  for (let at = first; at < first + count; at++) {
    const result = await storm({
      ...{ seed: at, faults: whole('faults', faults), podsPerLayer: whole('pods', pods) },
    });
    const { wrong, entities, paid, received, refused } = result;
    if (wrong.length > 0) failed++;
    const verdict = wrong.length === 0 ? 'whole' : `NOT WHOLE: ${wrong.join('; ')}`;
    const counted = `${entities} entities, ${paid} paid, ${received} received, ${refused} refused`;
    say(json === true ? JSON.stringify(result) : `seed ${at}: ${counted}: ${verdict}`);
  }
  if (json !== true) say(`${count} seeds, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
