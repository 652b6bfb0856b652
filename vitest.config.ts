/**
 * Four projects by file suffix. What a test needs is in its name, so the ones that need nothing run
 * in milliseconds and the ones that need Redis never run against a mock of it.
 */
import { configDefaults, defineConfig } from 'vitest/config';

const roots = '{packages,apps,examples,bench}/**';
const tests = (suffix: string): string[] => [`${roots}/*${suffix}.test.ts`];
const needy = ['sim', 'redis', 'e2e'].map((suffix) => `**/*.${suffix}.test.ts`);
const exclude = [...configDefaults.exclude, '**/.leasehold/**'];
const redisSetup = {
  globalSetup: ['packages/testkit/src/redis-setup.ts'],
  setupFiles: ['packages/testkit/src/leftovers-setup.ts'],
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: tests(''),
          exclude: [...exclude, ...needy],
          // Milliseconds on a quiet machine; the limit is for a build machine that runs five things
          // at once.
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'sim',
          include: tests('.sim'),
          exclude,
          testTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'redis',
          include: tests('.redis'),
          exclude,
          ...redisSetup,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          // Two, because each test file has a server of its own beside it.
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: tests('.e2e'),
          exclude,
          ...redisSetup,
          globalSetup: [...redisSetup.globalSetup, 'scripts/viewer-setup.mjs'],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          // One at a time: these measure gaps in milliseconds, and a neighbour would be in them.
          fileParallelism: false,
          // Of a file that says its tests may run side by side: as many as a small machine has cores.
          maxConcurrency: 2,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
