/** A simulation that cannot fail proves nothing: with a rule of the store broken it must. */
import { expect, test } from 'vitest';
import { BREAK_SEEDS_MAX } from './breaks.ts';
import { runSwarm } from './swarm.ts';

test.each([
  // Somebody must wake up late, whose cell has not moved on: one seed in a hundred has that.
  ['no-fence', 'L1', 160],
  ['no-head', 'L3', 1],
  ['lost-cursor', 'E1', 1],
  ['trim-unread', 'E', 1],
  ['one-strike', 'L5', 1],
  ['low-epoch', 'L2', 1],
] as const)('a store with %s is found out by %s', async (defect, rule, from) => {
  const { failures } = await runSwarm({
    ...{ from, seeds: BREAK_SEEDS_MAX, defects: [defect] },
    stopsAtFailure: true,
  });
  expect(failures[0]?.failure).toMatch(new RegExp(`^${rule}`));
});
