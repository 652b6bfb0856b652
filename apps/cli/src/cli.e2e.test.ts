/** The command as a user has it: real processes, real servers, exit codes and what is said. */
import { eventually, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FLOCKING, User } from './command-fixture.ts';

const WAIT_MS = 60_000;

describe('leasehold', () => {
  const at = useRedis();
  let user: User;

  beforeAll(async () => {
    user = await User.open({ REDIS_URL: at.url });
  });

  afterAll(() => user.close());

  test(
    'every command says what it does, with examples and exit codes',
    async () => {
      for (const command of ['run', 'audit', 'dev', 'doctor']) {
        const process = user.leasehold([command, '--help']);
        expect((await process.exited).code).toBe(0);
        expect(process.stdout).toContain(
          `$ leasehold ${command}`.replace('$ leasehold doctor', 'doctor'),
        );
        expect(process.stdout).toContain('Examples:');
      }
    },
    WAIT_MS,
  );

  test(
    'an unknown command or flag is refused with exit code 2',
    async () => {
      for (const args of [['fly'], ['run', FLOCKING, '--wings'], ['run']]) {
        const { code, fault } = await user.json(args);
        expect(code).toBe(2);
        expect(fault).toMatchObject({ code: 'SETTING_INVALID' });
      }
    },
    WAIT_MS,
  );

  test(
    'E1 E2 a run reports a whole world, goes on where it was, and is audited by itself',
    async () => {
      const first = await user.json(['run', FLOCKING, '--pods', '2', '--seconds', '3', '--fresh']);
      expect(first.report).toMatchObject({
        world: 'flocking',
        continued: false,
        pods: 2,
        lost: 0,
        duplicated: 0,
        violations: [],
        exitCode: 0,
      });
      expect(first.code).toBe(0);
      const audited = await user.json(['audit', FLOCKING, '--seconds', '0.5']);
      expect(audited.report).toMatchObject({ isAtRest: true, lost: 0, entitiesEnd: 2_000 });
      const second = await user.json(['run', FLOCKING, '--seconds', '2']);
      expect(second.report).toMatchObject({
        continued: true,
        incarnation: first.report.incarnation,
        exitCode: 0,
      });
    },
    3 * WAIT_MS,
  );

  test(
    'POD_FAILED: pods that all end at once are reported with their last lines',
    async () => {
      // Sound wherever the command looks at it, and broken in a pod.
      const module =
        `export { default } from '${FLOCKING}/world.ts';\n` +
        "if (process.env['POD']) throw new Error('no wind today');\n";
      const manifest =
        'world: w\nmodule: world.ts\nspace: {kind: plane, width: 40, height: 40, cell: 10}\n' +
        'params: {birds: 10, sight: 5}\n';
      const files = { 'world.yaml': manifest, 'world.ts': module };
      const { code, fault } = await user.json(['run', await user.folder('w', files)]);
      expect({ code, fault }).toMatchObject({ code: 2, fault: { code: 'POD_FAILED' } });
      expect(fault.value).toContain('no wind today');
    },
    WAIT_MS,
  );

  test(
    'nothing outlives the command, not even when it is killed',
    async () => {
      const clients = async (): Promise<number> =>
        String(await at.redis.client('LIST'))
          .split('\n')
          .filter(Boolean).length;
      const before = await clients();
      const process = user.leasehold(['run', FLOCKING, '--pods', '2', '--fresh']);
      // The command, the auditor and two pods with three connections each.
      await eventually(async () => (await clients()) >= before + 10, 30_000);
      process.kill('SIGKILL');
      await process.exited;
      await eventually(async () => (await clients()) === before, 20_000);
      expect(await clients()).toBe(before);
    },
    WAIT_MS,
  );
});
