/**
 * What every store must do, as tests. `live-store` runs them on a real server and `twin-store` in
 * memory: where both pass, code proved on the twin holds on Redis.
 */
import { afterEach, beforeEach, describe } from 'vitest';
import type { SuiteWorld } from './store-suite-bench.ts';
import { indexTests } from './store-suite-index.ts';
import { leaseTests } from './store-suite-lease.ts';
import { answerTests, idTests, letterTests, whereaboutsTests } from './store-suite-life.ts';
import { channelTests, commitTests, followTests } from './store-suite-log.ts';
import { leadTests, loadTests, orderTests, planTests } from './store-suite-plan.ts';
import { restoreTests } from './store-suite-restore.ts';
import { creationTests, podTests, sharedTests } from './store-suite-world.ts';

export type { SuiteWorld } from './store-suite-bench.ts';

/** Registers the suite. `open` makes a world that no other test has used, without blocks. */
export function describeStore(name: string, open: () => Promise<SuiteWorld>): void {
  describe(`${name}: the rules of a store`, () => {
    let current: SuiteWorld | undefined;
    const world = (): SuiteWorld => {
      if (current === undefined) throw new Error('no world is open');
      return current;
    };
    beforeEach(async () => {
      current = await open();
    });
    afterEach(async () => {
      await current?.close();
      current = undefined;
    });

    describe('creation', () => creationTests(world));

    describe('a created world', () => {
      beforeEach(async () => {
        await world().admin.createBlocks();
      });
      describe('lease', () => leaseTests(world));
      describe('commit', () => commitTests(world));
      describe('channel and inbox', () => channelTests(world));
      describe('following', () => followTests(world));
      describe('index', () => indexTests(world));
      describe('pods', () => podTests(world));
      describe('lead', () => leadTests(world));
      describe('plan and journal', () => planTests(world));
      describe('loads', () => loadTests(world));
      describe('orders', () => orderTests(world));
      describe('clock, feed and schemas', () => sharedTests(world));
      describe('cuts and restored worlds', () => restoreTests(world));
      describe('ids', () => idTests(world));
      describe('whereabouts', () => whereaboutsTests(world));
      describe('answers', () => answerTests(world));
      describe('letters', () => letterTests(world));
    });
  });
}
