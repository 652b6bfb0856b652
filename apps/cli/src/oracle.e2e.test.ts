/**
 * T1, the oracle: in lockstep a world's state at a tick is the same bit for bit, on any number of
 * pods and whatever befalls them and the store. `npm run prove:lockstep` does the whole matrix.
 */
import { fileURLToPath } from 'node:url';
import { canStartRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChaosReport } from './chaos/report.ts';
import { User } from './command-fixture.ts';

const example = (name: string): string =>
  fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));

let user: User;

beforeAll(async () => {
  user = await User.open({});
});

afterAll(() => user.close());

/** The state hash of an undisturbed run. */
async function calm(world: string, ticks: number, pods: number): Promise<string> {
  const flags = ['--lockstep', '--ticks', String(ticks), '--pods', String(pods), '--gateways', '0'];
  const { code, report } = await user.json(['run', example(world), ...flags]);
  expect([code, report.reasons]).toEqual([0, []]);
  expect(report.stateHash).toMatch(/^[0-9a-f]{16}$/);
  return report.stateHash as string;
}

async function disturbed(world: string, ticks: number, faults: string, hash: string) {
  const lockstep = ['--lockstep', '--ticks', String(ticks), '--expect', hash, '--gateways', '0'];
  const flags = [...lockstep, '--pods', '3', '--faults', faults];
  const { code, report, fault } = await user.json(['chaos', example(world), ...flags]);
  expect(fault).toBeUndefined();
  return { code, report: report as unknown as ChaosReport };
}

describe.skipIf(!canStartRedis())('the oracle (needs a redis-server program)', () => {
  test.each([
    ['flocking', 60, 'kill,stop,rolling,redis-restart,failover', 2],
    ['flights', 30, 'kill,partition', 1],
    ['wolf-sheep', 40, 'kill,redis-restart', 1],
  ] as const)(
    'T1 %s at tick %i: one hash for one pod, and for three under %s',
    async (world, ticks, faults, pods) => {
      const hash = await calm(world, ticks, 1);
      if (pods > 1) expect(await calm(world, ticks, pods)).toBe(hash);
      const { code, report } = await disturbed(world, ticks, faults, hash);
      const done = report.faults.map(({ kind }) => kind);
      process.stderr.write(`${world} at ${ticks}, ${done.join(', ')}: ${report.stateHash}\n`);
      expect(report.stateHash).toBe(hash);
      const whole = JSON.stringify({ faults: report.faults, takeovers: report.takeovers });
      expect([code, report.reasons], whole).toEqual([0, []]);
      // Else nothing was proved.
      expect(new Set(done)).toEqual(new Set(faults.split(',')));
    },
    150_000,
  );
});
