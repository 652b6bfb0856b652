/** What a drain says of pods that end, of those that do not, and of those that are killed meanwhile. */
import { eventually, openProxy, useRedis } from '@leasehold/testkit';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { openOutput, openPlannedWorld } from '../authority-fixture.ts';
import { type DrainReport, drain } from './drain.ts';

const TTL_MS = 30_000;
const at = useRedis();
let planned: Awaited<ReturnType<typeof openPlannedWorld>>;

beforeEach(async () => {
  vi.stubEnv('REDIS_URL', at.url);
  planned = await openPlannedWorld(at);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await planned.close();
});

async function drained(pod: string, seconds: number) {
  const { output, text } = openOutput(true);
  const code = await drain({ ...planned.flags, pod, seconds }, output);
  const report = JSON.parse(text.out) as DrainReport;
  expect(report.exitCode).toBe(code);
  return { report, said: text.err };
}

/** Once `pod` is told to drain. */
const told = (pod: string): Promise<boolean> =>
  eventually(() => planned.heard.some((one) => one.pod === pod && one.message.includes('drain')));

test('a pod that takes its record along is gone; the last one leaves cells to nobody', async () => {
  const store = await planned.pod('pod-a', 1, []);
  const draining = drained('pod-a', 10);
  await told('pod-a');
  await store.close();
  const { report, said } = await draining;
  expect(report).toMatchObject({ end: 'gone', cellsLeft: 0, takenByExpiry: 0, exitCode: 0 });
  expect(said).toContain('no other pod may take its cells');
});

test('a pod that does not end in time is told to, and goes on', async () => {
  const store = await planned.pod('pod-a', 1, [1, 2]);
  await planned.pod('pod-b', 1, []);
  const requests = [1, 2].map((cell) => ({ cell, nonce: `pod-a.${cell}`, ttlMs: TTL_MS }));
  await store.acquire(requests);
  const { report, said } = await drained('pod-a', 0.3);
  expect(report).toMatchObject({ end: 'draining', cellsBefore: 2, cellsLeft: 2, exitCode: 1 });
  expect(said).toBe('');
  expect(await planned.plans.orders()).toEqual(new Map([['pod-a', 'drain']]));
});

test('a pod that leaves cells behind has not handed over, and what is taken from it is counted', async () => {
  const store = await planned.pod('pod-a', 1, [1, 2, 3]);
  const heir = await planned.pod('pod-b', 1, []);
  const requests = [1, 2].map((cell) => ({ cell, nonce: `pod-a.${cell}`, ttlMs: TTL_MS }));
  await store.acquire(requests);
  const draining = drained('pod-a', 10);
  await told('pod-a');
  for (const [cause, gapTicks] of [
    ['handover', 0],
    ['revoked', 4],
  ] as const) {
    const facts = { cause, gapTicks, from: 'pod-a', cells: 1 };
    await heir.feed({ kind: 'takeover', pod: 'pod-b', facts });
  }
  await store.close();
  const { report } = await draining;
  expect(report).toMatchObject({ end: 'gone', cellsLeft: 2, exitCode: 1 });
  expect(report).toMatchObject({ handedOver: 1, takenByExpiry: 1, gapTicksMax: 4 });
});

test('a pod whose connection closes without a word was killed', async () => {
  const line = await openProxy({ target: Number(new URL(at.url).port) });
  onTestFinished(() => line.close());
  await planned.pod('pod-a', 1, [], line.url);
  const draining = drained('pod-a', 10);
  await told('pod-a');
  await line.close();
  const { report } = await draining;
  expect(report).toMatchObject({ end: 'killed', exitCode: 1 });
});
