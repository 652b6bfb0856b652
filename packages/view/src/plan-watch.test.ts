/** What a gateway knows of the plan. On the twin store. */
import type { Plan } from '@leasehold/protocol';
import { ManualClock, openTwinPlanStore, openTwinStore, twinServer } from '@leasehold/twin-store';
import { expect, test } from 'vitest';
import { PlanWatch } from './plan-watch.ts';

const AT = { world: 'w', incarnation: 1, layer: 'main' };
const planOf = (version: number): Plan => ({ version, atMs: 1, regions: [], asleep: [] });

test('each plan is told once, none too, and the last one stands while the store does not answer', async () => {
  const clock = new ManualClock(0);
  const server = twinServer({ grid: { cells: 4, blocks: 1, blockOf: () => 0 }, clock });
  const plans = openTwinPlanStore(server, AT);
  const store = openTwinStore(server, { ...AT, pod: 'gateway' });
  const faults: unknown[] = [];
  const log = { debug: (fact: object) => faults.push(fact), info() {}, warn() {}, error() {} };
  const watch = new PlanWatch({ store, clock, log });
  const told: (number | undefined)[] = [];
  const end = watch.onChange((plan) => told.push(plan?.version));
  watch.start();
  await clock.advance(10);
  expect([watch.isRead, watch.plan, told]).toEqual([true, undefined, []]);

  await plans.lead('a', 60_000);
  for (const version of [1, 2]) {
    await plans.writePlan('a', planOf(version), []);
    await clock.advance(1_200);
  }
  expect([told, watch.plan?.version]).toEqual([[1, 2], 2]);
  server.dropReplies(2, 'plan');
  await clock.advance(1_200);
  expect([told, watch.plan?.version, faults.length]).toEqual([[1, 2], 2, 1]);
  server.lose();
  await clock.advance(1_200);
  expect([told, watch.plan]).toEqual([[1, 2, undefined], undefined]);
  end();
  const stopped = watch.stop();
  await clock.advance(600);
  await stopped;
});
