/** Pods that are frozen, and builds that are broken on purpose: what the report says of a run. */
import { useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FLOCKING, User } from './command-fixture.ts';

const at = useRedis();
let user: User;

beforeAll(async () => {
  user = await User.open({ REDIS_URL: at.url });
});

afterAll(() => user.close());

const run = (...flags: readonly string[]) => user.json(['run', FLOCKING, '--fresh', ...flags]);

test('L1 a pod that was frozen for 5 s writes nothing more: the world is whole, its late commits refused', async () => {
  // One stop, at 6 s; the pod wakes at 11 s, while the world still runs.
  const flags = ['--stop-every', '6', '--stop-for', '5', '--seconds', '11.9'];
  const { code, report } = await run('--pods', '3', ...flags);
  const { ms } = report.gaps.stopped;
  process.stderr.write(
    `SIGSTOP 5 s: ${report.fencedCommits} commits refused, gap p50 ${ms.p50} max ${ms.max} ms\n`,
  );
  expect(report).toMatchObject({ stops: 1, lost: 0, duplicated: 0, violations: [] });
  expect(report.fencedCommits).toBeGreaterThanOrEqual(1);
  expect(report.takeovers.some(({ cause }) => cause === 'stopped')).toBe(true);
  expect([code, report.reasons]).toEqual([0, []]);
}, 90_000);

describe('a known-bad build', () => {
  test.each([
    ['L1 fence', 'fence', ['--pods', '2', '--seconds', '10.5'], /^L[13]$/],
    ['L3 chain', 'chain', ['--pods', '2', '--seconds', '3'], /^L3$/],
    ['E1 channel', 'channel', ['--pods', '2', '--seconds', '3'], /^E1$/],
  ])(
    '%s turns the report red',
    async (_, broken, flags, rule) => {
      const { code, report } = await run('--break', broken, ...flags);
      process.stderr.write(`--break ${broken}: ${report.reasons.join('; ')}\n`);
      expect([code, report.exitCode]).toEqual([1, 1]);
      expect(report.reasons.join()).toMatch(/violation|lost|duplicated/);
      expect(report.violations.map((violation) => violation.rule)).toContainEqual(
        expect.stringMatching(rule),
      );
    },
    90_000,
  );
});
