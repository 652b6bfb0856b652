/** T1: in lockstep the state depends on seed and tick alone, not on pods nor on what happens to them. */
import { useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FLOCKING, User } from './command-fixture.ts';

/** So many that pods die before the end, with two cores of their own as well. */
const TICKS = 80;

const at = useRedis();
let user: User;
let expected = '';

beforeAll(async () => {
  user = await User.open({ REDIS_URL: at.url });
});

afterAll(() => user.close());

const lockstep = (flags: readonly string[]) =>
  user.json(['run', FLOCKING, '--lockstep', '--ticks', String(TICKS), '--seed', '7', ...flags]);

test.each([
  ['one pod', ['--pods', '1']],
  ['three pods, one killed every two seconds', ['--pods', '3', '--kill-every', '2']],
])(
  'T1 %s: the same hash',
  async (_, flags) => {
    const { code, report } = await lockstep(flags);
    expect([code, report.reasons]).toEqual([0, []]);
    expect(report).toMatchObject({
      ticks: TICKS,
      entitiesEnd: 2_000,
      stateHash: /^[0-9a-f]{16}$/.exec(report.stateHash ?? '')?.[0],
    });
    if (expected === '') expected = report.stateHash as string;
    expect(report.stateHash).toBe(expected);
    if (flags.includes('--kill-every')) expect(report.kills).toBeGreaterThan(0);
    const seconds = `${report.seconds} s, ${report.kills} kills, ${report.stops} stops`;
    process.stderr.write(`lockstep, ${flags.join(' ')}: ${report.stateHash} in ${seconds}\n`);
  },
  120_000,
);
