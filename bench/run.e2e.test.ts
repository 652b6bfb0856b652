import { fileURLToPath } from 'node:url';
import { canStartRedis, spawnNode } from '@leasehold/testkit';
import { describe, expect, test } from 'vitest';
import { BENCHMARKS } from './benchmarks.ts';
import type { Figure } from './figure.ts';

const RUN = fileURLToPath(new URL('run.ts', import.meta.url));

async function bench(...args: string[]) {
  const child = spawnNode([RUN, ...args]);
  const { code } = await child.exited;
  return { code, stdout: child.stdout, stderr: child.stderr };
}

type Line = { readonly tag: string; readonly figures: readonly Figure[] };

describe.skipIf(!canStartRedis())('benchmarks (need a redis-server program)', () => {
  test.each(BENCHMARKS.map(({ tag }) => tag))('%s runs from end to end', async (tag) => {
    const { code, stdout, stderr } = await bench(tag, '--quick', '--json');
    expect(code, stderr).toBeLessThan(2);
    const { figures } = JSON.parse(stdout) as Line;
    expect(figures.length).toBeGreaterThan(0);
    expect(figures.filter(({ value }) => !Number.isFinite(value))).toEqual([]);
  });

  test('a pod sends as many commands for 16,384 entities as for 256', async () => {
    const { code, stdout } = await bench('traffic', '--json');
    const { figures } = JSON.parse(stdout) as Line;
    expect(figures.filter(({ isMet }) => isMet === false)).toEqual([]);
    expect(figures).toHaveLength(3);
    expect(code).toBe(0);
  });
});

test('an unknown benchmark is refused with the names of all', async () => {
  const { code, stdout, stderr } = await bench('speed');
  expect(code).toBe(2);
  expect(stderr).toContain('there is no benchmark speed');
  for (const { tag } of BENCHMARKS) expect(stdout).toMatch(new RegExp(`^ {2}${tag} +\\S`, 'm'));
});

test('an unknown flag is refused, and so is keeping what a quick run measured', async () => {
  expect(await bench('--fast')).toMatchObject({ code: 2 });
  const { code, stderr } = await bench('traffic', '--quick', '--save');
  expect(code).toBe(2);
  expect(stderr).toContain('a quick run measures nothing to be saved');
});

test('drawing again is refused together with what measures', async () => {
  for (const flag of ['--json', '--quick', '--save']) {
    const { code, stderr } = await bench('--charts', flag);
    expect(code).toBe(2);
    expect(stderr).toContain('it measures nothing');
  }
});

test('help says all flags and is no fault', async () => {
  const { code, stdout } = await bench('--help');
  expect(code).toBe(0);
  for (const flag of ['--json', '--quick', '--save', '--charts', '--help'])
    expect(stdout).toContain(flag);
});
