/** Examples run by real processes, with other parameters than their own, for proofs that count afterwards. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const EXAMPLES = resolve(import.meta.dirname, '../../../examples');
const COMMAND = resolve(import.meta.dirname, '../../../apps/cli/bin/leasehold.js');

/** What a proof needs of the report of `leasehold run --json`. */
export type RunReport = {
  readonly incarnation: number;
  readonly ticks: number;
  readonly seconds: number;
  readonly kills: number;
  readonly entitiesStart: number;
  readonly entitiesEnd: number;
  readonly stateHash: string | null;
  readonly reasons?: readonly string[];
};

/** A copy of the example with these parameters as well: the module stays where it is. */
export function writeWorld(
  example: string,
  folder: string,
  params: Readonly<Record<string, number>>,
  settings: { readonly cell?: number; readonly tickHz?: number; readonly world?: string } = {},
): void {
  const from = join(EXAMPLES, example);
  const manifest = readFileSync(join(from, 'world.yaml'), 'utf8').replace(
    'module: world.ts',
    `module: ${join(from, 'world.ts')}`,
  );
  const names = Object.keys(params).join('|');
  const set = Object.entries(settings).reduce(
    (text, [name, value]) => text.replace(new RegExp(`^( *${name}): .*$`, 'm'), `$1: ${value}`),
    manifest,
  );
  const others = set.replace(new RegExp(`^  (${names}): .*\n`, 'gm'), '');
  const lines = Object.entries(params).map(([name, value]) => `  ${name}: ${value}\n`);
  const isNew = !/^params:$/m.test(others);
  const written = isNew ? `${others}params:\n` : others;
  writeFileSync(
    join(folder, 'world.yaml'),
    written.replace(/^params:\n/m, `params:\n${lines.join('')}`),
  );
}

/** Runs the command, whose report comes back; what it says on the way is shown. */
export function runWorld(args: readonly string[], home: string): Promise<RunReport> {
  // The registry is the home's, whatever fleet this machine belongs to.
  const env = { ...process.env, LEASEHOLD_HOME: home, DATABASE_URL: '' };
  return new Promise((done, fail) => {
    const options = { env, maxBuffer: 2 ** 28 };
    const child = execFile(process.execPath, [COMMAND, ...args], options, (error, stdout) => {
      try {
        done(JSON.parse(stdout) as RunReport);
      } catch {
        fail(error ?? new Error('the run said nothing'));
      }
    });
    child.stderr?.pipe(process.stderr);
  });
}
