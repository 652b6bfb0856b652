/**
 * Projects by file suffix. What a test needs is in its name, so the ones that need nothing run in
 * milliseconds and the ones that need Redis never run against a mock of it.
 */
import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Left to itself, vitest leaves one idle, which is half of a small machine. */
const CORES = availableParallelism();
const roots = '{packages,apps,examples,bench}/**';
const tests = (suffix: string): string[] => [`${roots}/*${suffix}.test.ts`];
const needy = ['sim', 'redis', 'postgres', 'e2e'].map((suffix) => `**/*.${suffix}.test.ts`);
const exclude = [...configDefaults.exclude, '**/.leasehold/**'];
const redisSetup = {
  globalSetup: ['packages/testkit/src/redis-setup.ts'],
  setupFiles: ['packages/testkit/src/leftovers-setup.ts'],
};

/** What is taken from Redis is kept in PostgreSQL, so that a test of one often needs the other. */
const postgresSetup = {
  globalSetup: [...redisSetup.globalSetup, 'packages/testkit/src/postgres-setup.ts'],
  setupFiles: redisSetup.setupFiles,
};

/** These look at gaps and deadlines, or draw with the processor: a neighbour would be in them. */
const ALONE = [
  'apps/viewer/src/*.e2e.test.ts',
  'apps/cli/src/oracle.e2e.test.ts',
  'apps/cli/src/chaos.e2e.test.ts',
  'apps/cli/src/failover.e2e.test.ts',
  'apps/cli/src/faults.e2e.test.ts',
  'apps/cli/src/pods/drain.e2e.test.ts',
  'apps/view-gateway/src/*.e2e.test.ts',
  'packages/proof/src/events/*.e2e.test.ts',
];
/**
 * Where nothing is known of earlier runs, large files come first. These are small and take long: as the
 * last of their kind they would leave the other cores with nothing to do.
 */
const LONG = [
  'packages/proof/src/simulation/simulation.sim.test.ts',
  'packages/proof/src/model/view.redis.test.ts',
  'packages/proof/src/model/log.redis.test.ts',
  'packages/proof/src/model/transfer.redis.test.ts',
  'packages/proof/src/model/cluster.redis.test.ts',
  'apps/cli/src/start-page.e2e.test.ts',
  'apps/cli/src/cold-database.e2e.test.ts',
  'bench/run.e2e.test.ts',
];
const isLong = ({ moduleId }: TestSpecification): number =>
  LONG.some((name) => moduleId.endsWith(name)) ? 1 : 0;
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => isLong(b) - isLong(a));
  }
}
const e2e = {
  ...redisSetup,
  globalSetup: [...redisSetup.globalSetup, 'scripts/viewer-setup.mjs'],
  testTimeout: 180_000,
  hookTimeout: 60_000,
  // Of a file that says its tests may run side by side: as many as a small machine has cores.
  maxConcurrency: 2,
};

export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: tests(''),
          exclude: [...exclude, ...needy],
          // Milliseconds on a quiet machine; the limit is for a build machine that runs five things
          // at once.
          testTimeout: 20_000,
          maxWorkers: CORES,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'sim',
          include: tests('.sim'),
          exclude,
          testTimeout: 60_000,
          maxWorkers: CORES,
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
          name: 'postgres',
          include: tests('.postgres'),
          exclude,
          ...postgresSetup,
          // A disk that others write to makes whoever waits for it wait long.
          testTimeout: 90_000,
          hookTimeout: 60_000,
          maxWorkers: CORES,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: tests('.e2e'),
          exclude: [...exclude, ...ALONE],
          ...e2e,
          // Two: most of each is the seconds that its commands are told to take.
          maxWorkers: 2,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: 'e2e-alone',
          include: ALONE,
          exclude,
          ...e2e,
          fileParallelism: false,
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
});
