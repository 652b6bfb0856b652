/** A pod that is frozen, and a build that is broken on purpose: what the report says of a run. */
import { useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FLOCKING, User } from './command-fixture.ts';

const at = useRedis();
let user: User;

beforeAll(async () => {
  user = await User.open({ REDIS_URL: at.url });
});

afterAll(() => user.close());

const run = (...flags: readonly string[]) => user.json(['run', FLOCKING, '--fresh', ...flags]);

test('L1 a pod that was frozen for 5 s writes nothing more: the world is whole, its late writes refused', async () => {
  // One stop, at 6 s; the pod wakes at 11 s, while the world still runs.
  const flags = ['--stop-every', '6', '--stop-for', '5', '--seconds', '11.9'];
  const { code, report } = await run('--pods', '3', ...flags);
  const { ms } = report.gaps.stopped;
  process.stderr.write(
    `SIGSTOP 5 s: ${report.fencedCommits} commits, ${report.fencedRenewals} renewals refused, gap p50 ${ms.p50} max ${ms.max} ms\n`,
  );
  expect(report).toMatchObject({ stops: 1, lost: 0, duplicated: 0, violations: [] });
  // Whichever it tried first when it woke.
  expect(report.fencedCommits + report.fencedRenewals).toBeGreaterThanOrEqual(1);
  expect(report.takeovers.some(({ cause }) => cause === 'stopped')).toBe(true);
  expect([code, report.reasons]).toEqual([0, []]);
}, 90_000);

test('L3 a known-bad build turns the report red', async () => {
  const { code, report } = await run('--break', 'chain', '--pods', '2', '--seconds', '3');
  process.stderr.write(`--break chain: ${report.reasons.join('; ')}\n`);
  expect([code, report.exitCode]).toEqual([1, 1]);
  expect(report.reasons.join()).toMatch(/violation|lost|duplicated/);
  expect(report.violations.map(({ rule }) => rule)).toContain('L3');
}, 90_000);
