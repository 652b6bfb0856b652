/** For tests: a suite, with the figures that make it worth something. */
import { expect, test } from 'vitest';
import { prove, report } from './prove.ts';
import type { Suite } from './suite.ts';

/** Always the same histories: what `npm test` says must not depend on the day. */
const SEED = 20_260;
const SEQUENCES = 2_000;
/** Six commands, as fast-check would choose, hide what thirty show. */
const MEAN_LENGTH_MIN = 30;
const EFFECTIVE_MIN = 0.2;
/** On a machine that runs ten things at once it takes ten times as long. */
const TIMEOUT_MS = 900_000;
const SHRINK_MS = 20_000;

export function proveInTests(suite: Suite, sequences = SEQUENCES, isCluster = false): void {
  test(
    `${suite.name}${isCluster ? ' on a cluster' : ''}: every promise holds in ${sequences} random histories`,
    async () => {
      const result = await prove(suite, { sequences, seed: SEED, shrinkMs: SHRINK_MS }, isCluster);
      expect(result.finding, report(result)).toBe(undefined);
      expect(result.sequences).toBeGreaterThanOrEqual(sequences);
      expect(result.operations / result.sequences).toBeGreaterThan(MEAN_LENGTH_MIN);
      const idle = result.tally.shares().filter(({ share }) => share < EFFECTIVE_MIN);
      expect(idle, 'commands that seldom do anything').toEqual([]);
      expect(result.tally.counts.size).toBe(Object.keys(suite.ops).length);
    },
    TIMEOUT_MS,
  );
}
