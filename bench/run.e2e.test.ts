import { fileURLToPath } from 'node:url';
import { spawnNode } from '@leasehold/testkit';
import { expect, test } from 'vitest';

const RUN = fileURLToPath(new URL('run.ts', import.meta.url));

async function bench(...args: string[]) {
  const child = spawnNode([RUN, ...args]);
  const { code } = await child.exited;
  return { code, stdout: child.stdout };
}

test('a pod sends as many commands for 16,384 entities as for 256', async () => {
  const { code, stdout } = await bench('traffic', '--json');
  const { figures } = JSON.parse(stdout) as { figures: { name: string; isMet?: boolean }[] };
  expect(figures.filter(({ isMet }) => isMet === false)).toEqual([]);
  expect(figures).toHaveLength(3);
  expect(code).toBe(0);
}, 60_000);

test('the benchmark of views runs from a pod to its clients', async () => {
  const { code, stdout } = await bench('views', '--quick', '--json');
  const { figures } = JSON.parse(stdout) as { figures: { name: string; value: number }[] };
  expect(figures.filter(({ value }) => !Number.isFinite(value))).toEqual([]);
  expect(figures.length).toBeGreaterThan(10);
  expect(code).toBe(0);
}, 180_000);

test('an unknown benchmark is refused with the names of all', async () => {
  const { code, stdout } = await bench('speed');
  expect(code).toBe(2);
  expect(stdout).toMatch(/commit .*\n.*memory .*\n.*traffic /);
});
