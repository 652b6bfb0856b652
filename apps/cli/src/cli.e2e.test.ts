/** The command as a user has it: real processes, real servers, exit codes and what is said. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, type RedisServer, spawnNode, startRedis, useRedis } from '@leasehold/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const BIN = fileURLToPath(new URL('../bin/leasehold.js', import.meta.url));
const FLOCKING = fileURLToPath(new URL('../../../examples/flocking', import.meta.url));
const WAIT_MS = 60_000;

type Fault = Readonly<Record<'code' | 'field' | 'value' | 'remedy', string>>;

describe('leasehold', () => {
  const at = useRedis();
  let home = '';
  const servers: RedisServer[] = [];

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'leasehold-cli-'));
  });

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
    await rm(home, { recursive: true, force: true });
  });

  const leasehold = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    spawnNode([BIN, ...args], { env: { REDIS_URL: at.url, LEASEHOLD_HOME: home, ...env } });

  async function reportOf(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const process = leasehold([...args, '--json'], env);
    const { code } = await process.exited;
    const report = JSON.parse(process.stdout) as Readonly<Record<string, unknown>>;
    return { code, report, fault: report['error'] as Fault };
  }

  /** A world folder with this manifest and a module that is sound, unless given. */
  async function worldFolder(manifest: string, module = MODULE): Promise<string> {
    await writeFile(join(home, 'world.yaml'), manifest);
    await writeFile(join(home, 'world.ts'), module);
    return home;
  }

  const MODULE = 'export default 1;\n';
  const MANIFEST =
    'world: w\nmodule: world.ts\nspace: {kind: plane, width: 40, height: 40, cell: 10}\n';

  test(
    'every command says what it does, with examples and exit codes',
    async () => {
      for (const command of ['run', 'audit', 'dev', 'doctor']) {
        const process = leasehold([command, '--help']);
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
        const { code, fault } = await reportOf(args);
        expect(code).toBe(2);
        expect(fault).toMatchObject({ code: 'SETTING_INVALID' });
      }
    },
    WAIT_MS,
  );

  test(
    'a world that is not there or not right is refused by name, and nothing is stored',
    async () => {
      const missing = await reportOf(['run', join(home, 'nowhere')]);
      expect(missing).toMatchObject({ code: 2, fault: { code: 'WORLD_MISSING' } });
      const unknownKey = await reportOf(['run', await worldFolder(`${MANIFEST}gravity: 9.81\n`)]);
      expect(unknownKey).toMatchObject({ code: 2, fault: { code: 'MANIFEST_INVALID' } });
      expect(unknownKey.fault.field).toContain('gravity');
      const brace = await reportOf(['run', await worldFolder(MANIFEST.replace('w\n', '"{w}"\n'))]);
      expect(brace).toMatchObject({ code: 2, fault: { field: 'world' } });
      const noSimulation = await reportOf(['run', await worldFolder(MANIFEST)]);
      expect(noSimulation).toMatchObject({ code: 2, fault: { code: 'MODULE_INVALID' } });
      expect(await at.redis.keys('{w.*')).toEqual([]);
    },
    WAIT_MS,
  );

  test(
    'REDIS_UNREACHABLE, REDIS_AUTH, REDIS_EVICTS: each is said before anything starts',
    async () => {
      const away = await reportOf(['run', FLOCKING], { REDIS_URL: 'redis://127.0.0.1:1' });
      expect(away).toMatchObject({ code: 2, fault: { code: 'REDIS_UNREACHABLE' } });
      const locked = await startRedis({ args: ['--requirepass', 'secret'] });
      servers.push(locked);
      const wrong = locked.url.replace(/\/\/[^@]*@|\/\//, '//:wrong@');
      const auth = await reportOf(['run', FLOCKING], { REDIS_URL: wrong });
      expect(auth).toMatchObject({ code: 2, fault: { code: 'REDIS_AUTH' } });
      const evicting = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] });
      servers.push(evicting);
      const evicts = await reportOf(['run', FLOCKING], { REDIS_URL: evicting.url });
      expect(evicts).toMatchObject({ code: 2, fault: { code: 'REDIS_EVICTS' } });
      for (const { fault } of [away, auth, evicts]) expect(fault.remedy).toMatch(/\w/);
    },
    WAIT_MS,
  );

  test(
    'E1 E2 a run reports a whole world, goes on where it was, and is audited by itself',
    async () => {
      const first = await reportOf(['run', FLOCKING, '--pods', '2', '--seconds', '3', '--fresh']);
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
      const audited = await reportOf(['audit', FLOCKING, '--seconds', '0.5']);
      expect(audited.report).toMatchObject({ isAtRest: true, lost: 0, entitiesEnd: 2_000 });
      const second = await reportOf(['run', FLOCKING, '--seconds', '2']);
      expect(second.report).toMatchObject({
        continued: true,
        incarnation: first.report['incarnation'],
        exitCode: 0,
      });
      const reseeded = await reportOf(['run', FLOCKING, '--seconds', '1', '--seed', '9']);
      expect(reseeded).toMatchObject({ code: 2, fault: { code: 'WORLD_MISMATCH' } });
      expect(reseeded.fault.remedy).toContain('--fresh');
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
      const params = 'params: {birds: 10, sight: 5}\n';
      const { code, fault } = await reportOf(['run', await worldFolder(MANIFEST + params, module)]);
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
      const process = leasehold(['run', FLOCKING, '--pods', '2', '--fresh']);
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
