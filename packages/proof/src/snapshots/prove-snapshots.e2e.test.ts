import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import type { SnapshotFacts } from './prove.ts';

const hasProgram = inject('redisBinary') !== '';
const PROVE = resolve(import.meta.dirname, '../prove-snapshots.ts');

describe.skipIf(!hasProgram)('snapshots on real processes (needs a redis-server program)', () => {
  test('S1 each is the world at one tick while a pod is killed', { timeout: 120_000 }, async () => {
    const flags = ['--world', 'couriers', '--seconds', '5', '--every', '2', '--kill-every', '2'];
    const { stdout } = await promisify(execFile)(process.execPath, [PROVE, ...flags, '--json'], {
      maxBuffer: 2 ** 26,
    });
    const { snapshots, cuts, run, faults } = JSON.parse(stdout) as SnapshotFacts;
    expect(faults).toEqual([]);
    expect(snapshots.map((each) => each.faults)).toEqual(snapshots.map(() => []));
    expect(cuts).toBeGreaterThanOrEqual(1);
    expect(run.kills).toBeGreaterThanOrEqual(1);
    process.stdout.write(`${cuts} of ${snapshots.length} snapshots, ${run.kills} kills\n`);
  });
});
