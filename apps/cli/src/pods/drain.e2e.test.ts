/**
 * Goal: people take a pod out of a running world, and nobody notices. Method: real processes, with an
 * authority that plans; what is told of the drain, and what the run reports of itself.
 */
import { type LivePlanStore, openLivePlanStore } from '@leasehold/live-store';
import { eventually, useRedis } from '@leasehold/testkit';
import { loadWorld } from '@leasehold/world';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { FLIGHTS, User } from '../command-fixture.ts';
import type { DrainReport } from './drain.ts';

const WAIT_MS = 40_000;
const PODS = 4;

const at = useRedis();
let user: User;

beforeAll(async () => {
  user = await User.open({ REDIS_URL: at.url });
});
afterAll(() => user.close());

/** The plans of a run that has just been started. */
async function openPlans(): Promise<LivePlanStore> {
  const { grid } = await loadWorld(FLIGHTS);
  const place = { url: at.url, world: 'flights', incarnation: 1, layer: 'main', grid };
  const plans = await openLivePlanStore(place);
  onTestFinished(() => plans.close());
  return plans;
}

test('E1 E2 one of four pods under load is drained: it hands over all, and nothing of it expires', async () => {
  const flags = ['--pods', String(PODS), '--authorities', '1', '--seconds', '90', '--json'];
  const run = user.leasehold(['run', FLIGHTS, ...flags]);
  onTestFinished(() => void run.kill('SIGKILL'));
  const plans = await openPlans();
  await eventually(async () => {
    const planned = new Set((await plans.plan())?.regions.map((region) => region.pod));
    const busy = (await plans.pods()).filter(({ report }) => (report['tick'] ?? 0) > 20);
    return planned.size === PODS && busy.length === PODS;
  }, WAIT_MS);
  const [, leaving] = (await plans.pods()).map(({ pod }) => pod);
  const pod = String(leaving);

  const unknown = await user.json(['drain', 'nobody']);
  expect([unknown.code, unknown.fault.code]).toEqual([2, 'POD_UNKNOWN']);

  const drained = await user.json(['drain', pod]);
  const told = drained.report as unknown as DrainReport;
  process.stderr.write(
    `drain of one of ${PODS} pods under load: ${told.seconds.toFixed(2)} s, ` +
      `${told.handedOver} cells handed over, at most ${told.gapTicksMax} ticks missed\n`,
  );
  expect(told).toMatchObject({ pod, end: 'gone', takenByExpiry: 0, cellsLeft: 0 });
  expect(told.handedOver).toBeGreaterThan(0);
  expect(drained.code).toBe(0);
  const left = (await plans.pods()).map((record) => record.pod);
  expect(left).toHaveLength(PODS - 1);
  expect(left).not.toContain(pod);

  run.kill('SIGINT');
  const { code, report } = await user.ended(run);
  const ofIt = report.takeovers.filter(({ from }) => from === pod);
  expect(ofIt.filter(({ cause }) => cause !== 'handover')).toEqual([]);
  expect(report).toMatchObject({ lost: 0, duplicated: 0, violations: [], reasons: [] });
  expect(code).toBe(0);
}, 90_000);
