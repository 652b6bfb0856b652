import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';

const hasProgram = inject('redisBinary') !== '';
const PROVE = resolve(import.meta.dirname, '../prove-events.ts');

describe.skipIf(!hasProgram)('letters on real processes (needs a redis-server program)', () => {
  test('M1 M2 each arrives once and in order while pods are killed', {
    timeout: 120_000,
  }, async () => {
    const flags = ['--events', '4000', '--rate', '400', '--couriers', '300', '--pods', '2'];
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [PROVE, ...flags, '--kill-every', '4', '--json'],
      { maxBuffer: 2 ** 26 },
    );
    const { sent, got, dead, back, ways, p50, p99, run, faults } = JSON.parse(stdout) as {
      readonly [name: string]: number;
    } & { readonly ways: number[]; readonly run: { kills: number }; readonly faults: string[] };
    expect(faults).toEqual([]);
    expect({ got, dead, back }).toEqual({ got: sent, dead: 0, back: 0 });
    expect(sent).toBeGreaterThan(2_000);
    expect(run.kills).toBeGreaterThan(2);
    const figures = `p50 ${p50}, p99 ${p99} ticks: ${ways.join(' ')}`;
    process.stdout.write(`${sent} letters, ${run.kills} kills, ${figures}\n`);
  });
});
