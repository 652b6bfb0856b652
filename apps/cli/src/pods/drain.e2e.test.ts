/**
 * Goal: people take a pod out of a running world, and nobody notices. Method: real processes, with an
 * authority that plans; what is told of the drain, and what the run reports of itself.
 */
import { eventually, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { FLIGHTS, User } from '../command-fixture.ts';
import type { DrainReport } from './drain.ts';
import type { PodFacts } from './table.ts';

const WAIT_MS = 40_000;
const PODS = 4;

const at = useRedis();
let user: User;

beforeAll(async () => {
  user = await User.open({ REDIS_URL: at.url });
});
afterAll(() => user.close());

async function pods(): Promise<readonly PodFacts[]> {
  const { report } = await user.json(['pods']);
  return (report as unknown as { readonly pods: readonly PodFacts[] }).pods;
}

test('E1 E2 one of four pods under load is drained: all is handed over, nothing ends by expiry', async () => {
  const flags = ['--pods', String(PODS), '--authorities', '1', '--seconds', '90', '--json'];
  const run = user.leasehold(['run', FLIGHTS, ...flags]);
  onTestFinished(() => void run.kill('SIGKILL'));
  const before = (await eventually(async () => {
    const found = await pods();
    const isShared = found.filter(({ regions, cells }) => regions > 0 && cells > 0);
    return isShared.length === PODS ? found : undefined;
  }, WAIT_MS)) as readonly PodFacts[];
  const pod = before[1]?.pod ?? '';

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
  const after = await pods();
  expect(after.map((facts) => facts.pod)).not.toContain(pod);
  expect(after.length).toBe(PODS - 1);

  run.kill('SIGINT');
  const { code, report } = await user.ended(run);
  expect(report.takeovers.filter(({ cause }) => cause !== 'handover')).toEqual([]);
  expect(report).toMatchObject({ lost: 0, duplicated: 0, violations: [], reasons: [] });
  expect(code).toBe(0);
}, 90_000);
