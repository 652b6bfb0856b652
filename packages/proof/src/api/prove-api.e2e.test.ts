/** Smaller numbers of what `npm run prove:api` does, each with a Redis and processes of its own. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, inject, test } from 'vitest';

const hasProgram = inject('redisBinary') !== '';
const PROVE = resolve(import.meta.dirname, '../prove-api.ts');
const REACHED_PART_MIN = 0.8;
const SEED = process.env['SIM_SEED'] ?? '11';

/** What was found is told on standard output, whatever the exit code. */
function proved(what: string, count: number) {
  const flags = [`--${what}`, String(count), '--seed', SEED, '--json'];
  const options = { maxBuffer: 2 ** 26 };
  return new Promise<{ readonly history: Found; readonly fuzz: Found }>((done, fail) => {
    execFile(process.execPath, [PROVE, ...flags], options, (error, stdout) => {
      if (stdout === '') fail(error ?? new Error('the proof said nothing'));
      else done(JSON.parse(stdout));
    });
  });
}

type Found = { readonly findings: readonly string[]; readonly [figure: string]: unknown };

describe.skipIf(!hasProgram)(`the API (SIM_SEED=${SEED}; needs a redis-server program)`, () => {
  test('M1 is as its sequential model, however requests are repeated and cut off', async () => {
    const { history } = await proved('operations', 250);
    expect(history.findings).toEqual([]);
    expect(history).toMatchObject({ operations: 250, kills: 0 });
    expect(history['alive']).toBeGreaterThan(20);
  });

  test('answers requests by chance as it describes', async () => {
    const { fuzz } = await proved('fuzz', 1_000);
    expect(fuzz.findings).toEqual([]);
    expect(fuzz).toMatchObject({ requests: 1_000 });
    // Which of them so few by chance reach with success is chance; nearly all, whatever the seed.
    expect(fuzz['succeeded']).toBeGreaterThan((fuzz['operations'] as number) * REACHED_PART_MIN);
  });
});
