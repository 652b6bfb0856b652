import { fileURLToPath } from 'node:url';
import { canStartRedis, spawnNode } from '@leasehold/testkit';
import { describe, expect, test } from 'vitest';
import { BENCHMARKS } from './benchmarks.ts';
import type { Figure } from './figure.ts';
import { traffic } from './traffic.bench.ts';

const RUN = fileURLToPath(new URL('run.ts', import.meta.url));

async function bench(...args: string[]) {
  const child = spawnNode([RUN, ...args]);
  const { code } = await child.exited;
  return { code, stdout: child.stdout, stderr: child.stderr };
}

type Line = { readonly tag: string; readonly figures: readonly Figure[] };

const SIDE_BY_SIDE = { concurrent: true };
/** What these start takes longer than all others together: `npm run bench -- --quick` runs them. */
const LONG = [
  ...['abm', 'memory', 'scale', 'takeover', 'view', 'parade', 'snapshot', 'snapshot-live'],
  ...['follow', 'tick', 'plan', 'cold'],
];
/** It has no quick form: its aims are judged in the same run. */
const { tag: TRAFFIC } = traffic;

const tags = BENCHMARKS.map(({ tag }) => tag);
const short = tags.filter((tag) => !LONG.includes(tag) && tag !== TRAFFIC);

/** What it measured, of a run that was no fault. */
async function figuresOf(...args: string[]): Promise<readonly Figure[]> {
  const { code, stdout, stderr } = await bench(...args, '--json');
  expect(code, stderr).toBeLessThan(2);
  const { figures } = JSON.parse(stdout) as Line;
  expect(figures.length).toBeGreaterThan(0);
  expect(figures.filter(({ value }) => !Number.isFinite(value))).toEqual([]);
  return figures;
}

// Side by side: what a quick run says of times is worth nothing, and commands are counted.
describe.skipIf(!canStartRedis())('benchmarks (need a redis-server program)', SIDE_BY_SIDE, () => {
  test.each(short)('%s runs from end to end', async (tag) => {
    await figuresOf(tag, '--quick');
  });

  test('traffic: a pod sends as many commands for 16,384 entities as for 256', async () => {
    const figures = await figuresOf(TRAFFIC);
    expect(figures.filter(({ isMet }) => isMet !== undefined)).toHaveLength(1);
    expect(figures.filter(({ isMet }) => isMet === false)).toEqual([]);
    expect(figures).toHaveLength(3);
  });
});

test('an unknown benchmark is refused with the names of all', async () => {
  const { code, stdout, stderr } = await bench('speed');
  expect(code).toBe(2);
  expect(stderr).toContain('there is no benchmark speed');
  for (const tag of tags) expect(stdout).toMatch(new RegExp(`^ {2}${tag} +\\S`, 'm'));
});

test('an unknown flag is refused', async () => {
  expect(await bench('--fast')).toMatchObject({ code: 2 });
});

test.each([
  ['traffic --quick --save', 'a quick run measures nothing to be saved'],
  ['traffic --charts --save', '--charts draws what was kept: it measures nothing'],
])('%s is refused', async (words, why) => {
  const { code, stderr } = await bench(...words.split(' '));
  expect(code).toBe(2);
  expect(stderr).toContain(why);
});

test('help says all flags and is no fault', async () => {
  const { code, stdout } = await bench('--help');
  expect(code).toBe(0);
  for (const flag of ['--json', '--quick', '--save', '--charts', '--help'])
    expect(stdout).toContain(flag);
});
