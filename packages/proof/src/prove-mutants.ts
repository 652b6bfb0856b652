/**
 * `npm run prove:mutants`: known bugs, one at a time, each of which the random histories must find.
 * Exit code 1 unless all are found.
 */
import { parseArgs } from 'node:util';
import { type Hunt, hunt, MUTANTS } from './mutants/hunt.ts';
import { copyTree } from './mutants/tree.ts';

const HELP = `npm run prove:mutants -- [options] [NAME…]

  NAME…           only these: ${MUTANTS.map(({ name }) => name).join(' ')}
  --sequences N   histories within which each suite must find a bug (20000)
  --seed S        where they begin (1)
  --json          one line of JSON for each bug
  --help
`;

const OPTIONS = {
  sequences: { type: 'string', default: '20000' },
  seed: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const unknown = positionals.filter((name) => !MUTANTS.some((mutant) => mutant.name === name));
  if (values.help || unknown.length > 0) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  const chosen = MUTANTS.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  const options = { sequences: Number(values.sequences), seed: Number(values.seed) };
  const copy = copyTree();
  const survivors: string[] = [];
  try {
    for (const mutant of chosen) {
      const found = await hunt(copy, mutant, options);
      process.stdout.write(`${values.json ? JSON.stringify(found) : row(found)}\n`);
      if (found.suite === '') survivors.push(found.mutant);
    }
  } finally {
    copy.close();
  }
  const count = chosen.length - survivors.length;
  process.stderr.write(`${count} of ${chosen.length} found\n`);
  return survivors.length > 0 ? 1 : 0;
}

function row({ mutant, suite, rule, after }: Hunt): string {
  const by = suite === '' ? 'NOT FOUND' : `${suite} ${rule}`;
  return `${mutant.padEnd(24)} ${by.padEnd(16)} ${String(after).padStart(6)}`;
}

process.exitCode = await main();
