/**
 * `leasehold chaos` as a user starts it: every fault there is, on real processes, with clients that
 * watch; and builds that are broken on purpose, which it must find.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { canStartRedis, eventually } from '@leasehold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAULT_KINDS } from './chaos/faults.ts';
import type { ChaosReport } from './chaos/report.ts';
import { type Env, FLOCKING, User } from './command-fixture.ts';

let user: User;
/** Where its runs keep what they delete in the end. */
let scratch: Env;

beforeAll(async () => {
  user = await User.open({});
  scratch = { TMPDIR: user.home };
});

afterAll(() => user.close());

async function chaos(...flags: readonly string[]) {
  const { code, report, fault, stderr } = await user.json(['chaos', FLOCKING, ...flags], scratch);
  return { code, report: report as unknown as ChaosReport, fault, stderr };
}

const homes = (): string[] =>
  readdirSync(user.home).filter((name) => name.startsWith('leasehold-chaos-'));

const brokenOf = ({ invariants }: ChaosReport): string[] =>
  invariants.filter(({ verdict }) => verdict === 'broken').map(({ id }) => id);

describe.skipIf(!canStartRedis())('leasehold chaos (needs a redis-server program)', () => {
  test('V1 W1 every fault there is breaks no promise, and the report says what each cost', async () => {
    const folder = join(user.home, 'report');
    const flags = ['--pods', '3', '--authorities', '2', '--seconds', '14', '--seed', '3'];
    const { code, report } = await chaos(...flags, '--report', folder);
    process.stderr.write(`chaos: ${JSON.stringify({ gaps: report.gaps, ...report.throughput })}\n`);
    expect([code, report.exitCode]).toEqual([report.exitCode, code]);
    expect(report.isComplete).toBe(true);
    expect(new Set(report.faults.map(({ kind }) => kind))).toEqual(new Set(FAULT_KINDS));
    // A machine that runs other things at once may be too slow for a lease (L5), or for a frame to
    // follow another (who blinks): the report says so, and it is no fault of this test's subject.
    const untimed = ['L1', 'L3', 'E1', 'E2', 'W1'];
    const held = report.invariants.filter(({ verdict }) => verdict === 'held').map(({ id }) => id);
    expect(held, report.reasons.join('; ')).toEqual(expect.arrayContaining(untimed));
    expect(report.clients).toMatchObject({ wrongs: [], faults: [] });
    // Else nothing was proved.
    expect(report.gaps.kill?.ms.max).toBeGreaterThan(0);
    expect(report.clients).toMatchObject({ clients: 8, differing: 0 });
    expect(report.clients?.compared).toBeGreaterThan(2_000);
    expect(report.run.auditor.rollbacks.length).toBeGreaterThan(0);
    expect(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'))).toEqual(report);
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('<svg');
    expect(homes()).toEqual([]);
  }, 150_000);

  test.each([
    [
      'fence',
      ['--faults', 'stop', '--seconds', '3', '--pods', '2', '--seed', '7', '--clients', '2'],
      ['L1', 'L3'],
    ],
    ['channel', ['--faults', 'kill', '--seconds', '2', '--pods', '2', '--clients', '2'], ['E1']],
  ])(
    'the known-bad build %s turns it red',
    async (broken, flags, ids) => {
      const { code, report } = await chaos('--break', broken, ...flags);
      process.stderr.write(`chaos --break ${broken}: ${report.reasons[0]}\n`);
      expect([code, report.verdict]).toEqual([1, 'failed']);
      expect(ids.some((id) => brokenOf(report).includes(id))).toBe(true);
    },
    90_000,
  );

  test('Ctrl-C ends it with a report of what was seen by then, and nothing is left behind', async () => {
    const flags = ['--pods', '2', '--minutes', '5', '--faults', 'kill,stop', '--json'];
    const run = user.leasehold(['chaos', FLOCKING, ...flags], scratch);
    await eventually(() => homes().length > 0, 20_000);
    await sleep(6_000);
    run.kill('SIGINT');
    const { report } = await user.ended(run);
    const { isComplete, seconds } = report as unknown as ChaosReport;
    expect(isComplete).toBe(false);
    expect(seconds).toBeLessThan(60);
    expect(homes()).toEqual([]);
  }, 90_000);

  test.each([
    [['--pods', '0'], '--pods', '0'],
    [['--minutes', '100000'], '--minutes', '100000'],
    [['--faults', 'kill,flood'], '--faults', 'flood'],
  ])('SETTING_INVALID %o is refused before anything is started', async (flags, field, value) => {
    const { code, fault } = await chaos(...flags);
    expect(code).toBe(2);
    expect(fault).toMatchObject({ code: 'SETTING_INVALID', field, value });
    expect(fault.remedy).toMatch(/\w/);
    expect(homes()).toEqual([]);
  });

  test('SERVER_MISSING without a program to start servers from, no fault can be done', async () => {
    const env = { PATH: user.home, LEASEHOLD_INSTALL: '0' };
    const { code, fault } = await user.json(['chaos', FLOCKING], env);
    expect(code).toBe(2);
    expect(fault).toMatchObject({ code: 'SERVER_MISSING' });
    expect(fault.remedy).toContain('redis-server');
  });
});
