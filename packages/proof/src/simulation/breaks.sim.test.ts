/** A simulation that cannot fail proves nothing: with a rule of the store broken it must. */
import { expect, test } from 'vitest';
import { BREAK_SEEDS_MAX } from './breaks.ts';
import { runSwarm } from './swarm.ts';

test.each([
  ['no-fence', 'L1'],
  ['no-head', 'L3'],
  ['lost-cursor', 'E1'],
  ['trim-unread', 'E'],
  ['one-strike', 'L5'],
  ['low-epoch', 'L2'],
] as const)('a store with %s is found out by %s', async (defect, rule) => {
  const { failures } = await runSwarm({
    ...{ from: 1, seeds: BREAK_SEEDS_MAX, defects: [defect] },
    stopsAtFailure: true,
  });
  expect(failures[0]?.failure).toMatch(new RegExp(`^${rule}`));
});
